"""The tables that search reads: all of them can be made again from manifests, files and ledger.

``extracted_text`` is what was read out of each attached file; ``search_entry`` is one row a document, of its current
version; ``search_body`` its text as it was written, from which excerpts are cut; ``search_state`` how far the index has
followed the ledger. People reach them through the functions ``archive.search``, ``archive.search_facets`` and
``archive.search_pieces`` only, which ask who may read what (see the migration).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, ForeignKey, Index
from sqlalchemy.dialects.postgresql import TSVECTOR, UUID

from archive.columns import SCHEMA, date, key, one_of, table, text, texts, time, uuid, whole

extracted_text = table(
    "extracted_text",
    key("sha256", primary=True),
    key("outcome"),
    key("format"),
    text("engine", null=False),
    text("message", null=False),
    whole("characters"),
    key(
        "cut"
    ),  # why the text is not all of the file's: characters, pages, cells, time; empty: nothing was cut
    whole("pages", null=True),
    whole("pages_without_text", null=True),
    text("text", null=False),
    time("extracted_at"),
    one_of("outcome", "text", "no_text", "encrypted", "unsupported", "damaged", "too_large"),
    Index(None, "outcome"),
)

search_entry = table(
    "search_entry",
    Column("document_id", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.document.id"), primary_key=True),
    whole("version"),
    Column("recalled", Boolean, nullable=False),  # or a recall that carries again what it recalls
    key("source"),
    key("kind"),
    key("direction"),
    key("symbol_norm", null=True),
    key("type_code", null=True),
    text("type_name"),
    key("organ", null=True),  # the issuer's present code, or its folded name where it has none
    text("organ_name"),
    date("issued_date"),
    Column("sort_date", Date, nullable=False),  # of issue, else of arrival, change or receipt
    key("verdict", null=True),  # the worst in force over all files; NULL: nothing was judged
    texts("file_types"),
    whole("left_out"),  # words for which the vector had no room
    Column("head", TSVECTOR, nullable=False),  # what names the document, inline in the row
    Column("words", TSVECTOR, nullable=False),  # all of its words
    Index("ix_search_entry_sort_date_document_id", "sort_date", "document_id"),
    Index(None, "symbol_norm"),
    Index("ix_search_entry_head", "head", postgresql_using="gin"),
    Index("ix_search_entry_words", "words", postgresql_using="gin"),
)

search_body = table(
    "search_body",
    Column("document_id", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.document.id"), primary_key=True),
    text("subject"),
    text("body"),
)

search_state = table(
    "search_state",
    key("name", primary=True),
    Column("ledger_seq", BigInteger, nullable=False),  # up to this event of the ledger the index is true
    whole("format"),  # of the entries; a program that makes others begins anew
    Column("rebuilding_to", BigInteger),  # the ledger's head when a rebuild began; NULL: none is under way
    uuid("rebuilt_up_to", null=True),  # the last document that it did
    time("updated_at"),
    CheckConstraint("name = 'index'", name="one_row"),
)
