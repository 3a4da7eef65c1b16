"""Search: the text of files, one entry a document, and the functions through which people search.

The text that versions held for search goes: entries are made from the manifests, after the upgrade by
``lienthong index``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

SCHEMA = "archive"
KEY = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)
OUTCOMES = ("text", "no_text", "encrypted", "unsupported", "damaged", "too_large")


def upgrade() -> None:
    """Make the tables, tune what the planner knows of them, then make the functions."""
    op.drop_column("document_version", "search_text", schema=SCHEMA)
    _extracted_text()
    _search_entry()
    _search_body()
    _search_state()
    # A word that the statistics do not know is taken for a frequent one, and the planner walks by date through a
    # million rows for it; they know 10 times the target.
    for column in ("head", "words"):
        op.execute(f"ALTER TABLE archive.search_entry ALTER {column} SET STATISTICS 1000")
    # What names a document stays in its row, where walking by date reads it; all of its words lie outside.
    op.execute("ALTER TABLE archive.search_entry ALTER head SET STORAGE MAIN")
    op.execute("ALTER TABLE archive.search_entry SET (toast_tuple_target = 4080)")
    op.execute("ALTER TABLE archive.search_entry ALTER words SET STORAGE EXTERNAL")


def _extracted_text() -> None:
    op.create_table(
        "extracted_text",
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("outcome", KEY, nullable=False),
        sa.Column("format", KEY, nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("cut", KEY, nullable=False),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("pages_without_text", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("extracted_at", MOMENT, nullable=False),
        sa.CheckConstraint(f"outcome IN {OUTCOMES!r}", name="ck_extracted_text_outcome"),
        sa.PrimaryKeyConstraint("sha256", name="pk_extracted_text"),
        schema=SCHEMA,
    )
    op.create_index("ix_extracted_text_outcome", "extracted_text", ["outcome"], schema=SCHEMA)


def _search_entry() -> None:
    op.create_table(
        "search_entry",
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recalled", sa.Boolean(), nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("direction", KEY, nullable=False),
        sa.Column("symbol_norm", KEY, nullable=True),
        sa.Column("type_code", KEY, nullable=True),
        sa.Column("type_name", sa.Text(), nullable=True),
        sa.Column("organ", KEY, nullable=True),
        sa.Column("organ_name", sa.Text(), nullable=True),
        sa.Column("issued_date", sa.Date(), nullable=True),
        sa.Column("sort_date", sa.Date(), nullable=False),
        sa.Column("verdict", KEY, nullable=True),
        sa.Column("file_types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("head", postgresql.TSVECTOR(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["archive.document.id"], name="fk_search_entry_document_id"),
        sa.PrimaryKeyConstraint("document_id", name="pk_search_entry"),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_search_entry_sort_date_document_id", "search_entry", ["sort_date", "document_id"], schema=SCHEMA
    )
    op.create_index("ix_search_entry_symbol_norm", "search_entry", ["symbol_norm"], schema=SCHEMA)
    for column in ("head", "words"):
        op.create_index(
            f"ix_search_entry_{column}", "search_entry", [column], schema=SCHEMA, postgresql_using="gin"
        )


def _search_body() -> None:
    op.create_table(
        "search_body",
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["document_id"], ["archive.document.id"], name="fk_search_body_document_id"),
        sa.PrimaryKeyConstraint("document_id", name="pk_search_body"),
        schema=SCHEMA,
    )


def _search_state() -> None:
    op.create_table(
        "search_state",
        sa.Column("name", KEY, nullable=False),
        sa.Column("ledger_seq", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.Integer(), nullable=False),
        sa.Column("rebuilding_to", sa.BigInteger(), nullable=True),
        sa.Column("rebuilt_up_to", sa.UUID(), nullable=True),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint("name = 'index'", name="ck_search_state_one_row"),
        sa.PrimaryKeyConstraint("name", name="pk_search_state"),
        schema=SCHEMA,
    )
