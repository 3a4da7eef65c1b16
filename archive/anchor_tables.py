"""The table of anchors: states of the ledger that were written down outside of the database."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, UniqueConstraint

from archive.columns import key, table, time, whole

anchor = table(
    "anchor",  # append-only; the same stands in the anchor's record, an object of the store
    whole("number", primary=True),
    time("at"),
    Column("tree_size", BigInteger, nullable=False),
    key("root"),
    key("head"),  # hash of the last event that it covers
    key("segment_sha256"),
    key("record_sha256"),
    key("token_sha256", null=True),  # the authority's reply (RFC 3161); NULL where none was there
    key("previous", null=True),  # the record of the anchor before
    UniqueConstraint("tree_size"),
)
