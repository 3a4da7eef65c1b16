"""Holdings: fonds, dossiers, organs over time, retention, legal hold, disposal, known gaps in numbering."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

SCHEMA = "archive"
KEY = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _disposal()
    _disposed_object()
    _disposed_version()
    _fonds()
    _known_gap()
    _legal_hold()
    _organ()
    _retention_rule()
    _disposal_document()
    _dossier()
    _retention_decision()
    _dossier_document()


def _disposal() -> None:
    op.create_table(
        "disposal",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_norm", KEY, nullable=False),
        sa.Column("requested_account", KEY, nullable=False),
        sa.Column("requested_why", sa.Text(), nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_norm", KEY, nullable=True),
        sa.Column("decided_account", KEY, nullable=True),
        sa.Column("decided_why", sa.Text(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('requested', 'approved', 'refused')", name="ck_disposal_state"),
        sa.CheckConstraint(
            "state <> 'approved' OR (decided_norm IS NOT NULL AND decided_norm <> requested_norm"
            " AND decided_account IS NOT NULL AND decided_account <> requested_account)",
            name="ck_disposal_two_persons",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_disposal"),
        schema=SCHEMA,
    )
    op.create_index("ix_disposal_state", "disposal", ["state"], schema=SCHEMA)


def _disposed_object() -> None:
    op.create_table(
        "disposed_object",
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("disposal_id", sa.UUID(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("sha256", name="pk_disposed_object"),
        schema=SCHEMA,
    )


def _disposed_version() -> None:
    op.create_table(
        "disposed_version",
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("disposal_id", sa.UUID(), nullable=False),
        sa.Column("trace", postgresql.JSONB(), nullable=False),
        sa.Column("disposed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("document_id", "version", name="pk_disposed_version"),
        schema=SCHEMA,
    )


def _fonds() -> None:
    op.create_table(
        "fonds",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("code", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organ_code", KEY, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("sources", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_why", sa.Text(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fonds"),
        sa.UniqueConstraint("code", name="uq_fonds_code"),
        schema=SCHEMA,
    )


def _known_gap() -> None:
    op.create_table(
        "known_gap",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("series", KEY, nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("reason", KEY, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_why", sa.Text(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_why", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "reason IN ('reserved', 'cancelled', 'secret', 'paper')", name="ck_known_gap_reason"
        ),
        sa.CheckConstraint("first <= last AND first > 0", name="ck_known_gap_span"),
        sa.PrimaryKeyConstraint("id", name="pk_known_gap"),
        schema=SCHEMA,
    )
    op.create_index("ix_known_gap_series", "known_gap", ["series"], schema=SCHEMA)


def _legal_hold() -> None:
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("case_reference", sa.Text(), nullable=False),
        sa.Column("case_norm", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("object_id", sa.UUID(), nullable=False),
        sa.Column("held_from", sa.Date(), nullable=True),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_account", KEY, nullable=False),
        sa.Column("placed_why", sa.Text(), nullable=False),
        sa.Column("placed_at", MOMENT, nullable=False),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("released_account", KEY, nullable=True),
        sa.Column("released_why", sa.Text(), nullable=True),
        sa.Column("released_at", MOMENT, nullable=True),
        sa.CheckConstraint("kind IN ('document', 'dossier')", name="ck_legal_hold_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_legal_hold"),
        schema=SCHEMA,
    )
    op.create_index("ix_legal_hold_case_norm", "legal_hold", ["case_norm"], schema=SCHEMA)
    op.create_index(
        "ix_legal_hold_standing",
        "legal_hold",
        ["object_id"],
        schema=SCHEMA,
        postgresql_where=sa.text("released_at IS NULL"),
    )


def _organ() -> None:
    op.create_table(
        "organ",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("origin", KEY, nullable=False),
        sa.Column("code", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("system", KEY, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("successor", KEY, nullable=True),
        sa.Column("former_codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("letters", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.CheckConstraint("origin IN ('vocabulary', 'person')", name="ck_organ_origin"),
        sa.CheckConstraint("system IN ('party', 'state')", name="ck_organ_system"),
        sa.PrimaryKeyConstraint("id", name="pk_organ"),
        schema=SCHEMA,
    )
    op.create_index("ix_organ_code", "organ", ["code"], schema=SCHEMA)


def _retention_rule() -> None:
    op.create_table(
        "retention_rule",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("type_code", KEY, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("retention", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_why", sa.Text(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_retention_rule"),
        sa.UniqueConstraint("type_code", "source", name="uq_retention_rule_type_code_source"),
        schema=SCHEMA,
    )


def _disposal_document() -> None:
    op.create_table(
        "disposal_document",
        sa.Column("disposal_id", sa.UUID(), nullable=False),
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("retention", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("carried_out_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["disposal_id"], ["archive.disposal.id"], name="fk_disposal_document_disposal_id"
        ),
        sa.PrimaryKeyConstraint("disposal_id", "document_id", name="pk_disposal_document"),
        schema=SCHEMA,
    )
    op.create_index("ix_disposal_document_document_id", "disposal_document", ["document_id"], schema=SCHEMA)


def _dossier() -> None:
    op.create_table(
        "dossier",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("origin", KEY, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("fonds_id", sa.UUID(), nullable=True),
        sa.Column("catalogue", sa.Text(), nullable=True),
        sa.Column("code", KEY, nullable=True),
        sa.Column("archive_code", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("retention", sa.Text(), nullable=True),
        sa.Column("term", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("keywords", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("confidence", sa.Text(), nullable=True),
        sa.Column("information_sign", sa.Text(), nullable=True),
        sa.Column("paper_code", sa.Text(), nullable=True),
        sa.Column("paper_count", sa.Integer(), nullable=True),
        sa.Column("page_count", sa.Integer(), nullable=True),
        sa.Column("risk_recovery", sa.Boolean(), nullable=True),
        sa.Column("risk_recovery_status", sa.Text(), nullable=True),
        sa.Column("creator", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("decided", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("origin IN ('records', 'person')", name="ck_dossier_origin"),
        sa.ForeignKeyConstraint(["fonds_id"], ["archive.fonds.id"], name="fk_dossier_fonds_id"),
        sa.PrimaryKeyConstraint("id", name="pk_dossier"),
        schema=SCHEMA,
    )
    op.create_index("ix_dossier_code", "dossier", ["code"], schema=SCHEMA)
    op.create_index("ix_dossier_fonds_id", "dossier", ["fonds_id"], schema=SCHEMA)


def _retention_decision() -> None:
    op.create_table(
        "retention_decision",
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("retention", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_why", sa.Text(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["archive.document.id"], name="fk_retention_decision_document_id"
        ),
        sa.PrimaryKeyConstraint("document_id", name="pk_retention_decision"),
        schema=SCHEMA,
    )


def _dossier_document() -> None:
    op.create_table(
        "dossier_document",
        sa.Column("dossier_id", sa.UUID(), nullable=False),
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("origin", KEY, nullable=False),
        sa.Column("taken_out", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_why", sa.Text(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.CheckConstraint("origin IN ('records', 'person')", name="ck_dossier_document_origin"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["archive.document.id"], name="fk_dossier_document_document_id"
        ),
        sa.ForeignKeyConstraint(
            ["dossier_id"], ["archive.dossier.id"], name="fk_dossier_document_dossier_id"
        ),
        sa.PrimaryKeyConstraint("dossier_id", "document_id", name="pk_dossier_document"),
        schema=SCHEMA,
    )
    op.create_index("ix_dossier_document_document_id", "dossier_document", ["document_id"], schema=SCHEMA)
