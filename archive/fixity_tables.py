"""The table of the fixity checks: working knowledge, made anew by checking again; the ledger has the findings."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index

from archive.columns import key, one_of, table, text, time, uuid

fixity = table(
    "fixity",
    key("sha256", primary=True),
    time("checked_at", null=True),  # NULL: never
    key("outcome"),
    key("basis", null=True),  # what was hashed: the object's own bytes, or the stored (encrypted) ones
    Column("stored_size", BigInteger),  # bytes on the medium; NULL: there was nothing to measure
    text("detail", null=False),
    uuid("run_id", null=True),
    one_of("outcome", "unchecked", "intact", "changed", "wrong_length", "missing", "unreadable"),
    one_of("basis", "content", "stored"),
)
Index("ix_fixity_order", fixity.c.checked_at.nulls_first(), fixity.c.sha256)
