"""Fixity: when each object was last read again, and what was found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

SCHEMA = "archive"
KEY = sa.Text(collation="C")


def upgrade() -> None:
    """Make the table, empty: what was never checked is entered by the next check."""
    op.create_table(
        "fixity",
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", KEY, nullable=False),
        sa.Column("basis", KEY, nullable=True),
        sa.Column("stored_size", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name="pk_fixity"),
        sa.CheckConstraint(
            "outcome IN ('unchecked', 'intact', 'changed', 'wrong_length', 'missing', 'unreadable')",
            name="ck_fixity_outcome",
        ),
        sa.CheckConstraint("basis IN ('content', 'stored')", name="ck_fixity_basis"),
        schema=SCHEMA,
    )
    op.create_index("ix_fixity_order", "fixity", [sa.text("checked_at NULLS FIRST"), "sha256"], schema=SCHEMA)
