"""The first schema: sources, runs, documents with versions, what belongs to them, quarantine, ledger.

In the order in which tables depend on each other. What models cannot say stands at the end: every change of a
row in the append-only tables is refused, whoever asks.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

SCHEMA = "archive"
KEY = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)
APPEND_ONLY = ("document_version", "attachment", "signature_verdict", "event")


def upgrade() -> None:
    """Make the tables, then their guard."""
    _document()
    _event()
    _object()
    _quarantine()
    _run()
    _source()
    _withheld()
    _document_version()
    _run_batch()
    _same_as()
    _attachment()
    _relation()
    _signature_verdict()
    _refuse_change()


def _document() -> None:
    op.create_table(
        "document",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("source_key", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("current_version", sa.Integer(), nullable=False),
        sa.Column("first_received_at", MOMENT, nullable=False),
        sa.Column("gone_from_source_at", MOMENT, nullable=True),
        sa.CheckConstraint("kind IN ('document', 'status', 'other')", name="ck_document_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
        sa.UniqueConstraint("source_key", "source", name="uq_document_source_key_source"),
        schema=SCHEMA,
    )


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("outcome", KEY, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("object", KEY, nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("prev_hash", KEY, nullable=False),
        sa.Column("hash", KEY, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_event"),
        schema=SCHEMA,
    )
    op.create_index("ix_event_object", "event", ["object"], schema=SCHEMA)


def _object() -> None:
    op.create_table(
        "object",
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("stored_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_object"),
        schema=SCHEMA,
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("source_key", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("stage", KEY, nullable=False),
        sa.Column("reason", KEY, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("original_sha256", KEY, nullable=True),
        sa.Column("context", postgresql.JSONB(), nullable=False),
        sa.Column("first_run", sa.UUID(), nullable=False),
        sa.Column("last_run", sa.UUID(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolved_why", sa.Text(), nullable=True),
        sa.Column("resolved_at", MOMENT, nullable=True),
        sa.CheckConstraint("stage IN ('read', 'gate', 'map', 'verify', 'load')", name="ck_quarantine_stage"),
        sa.CheckConstraint("state IN ('open', 'released', 'rejected')", name="ck_quarantine_state"),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
        sa.UniqueConstraint(
            "source", "source_key", "revision", name="uq_quarantine_source_source_key_revision"
        ),
        schema=SCHEMA,
    )
    op.create_index("ix_quarantine_state_reason", "quarantine", ["state", "reason"], schema=SCHEMA)


def _run() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("run_key", KEY, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("started", MOMENT, nullable=False),
        sa.Column("finished", MOMENT, nullable=True),
        sa.Column("state", KEY, nullable=False),
        sa.Column("window_start", MOMENT, nullable=True),
        sa.Column("window_end", MOMENT, nullable=True),
        sa.Column("plan", sa.Integer(), nullable=False),
        sa.Column("batches", sa.Integer(), nullable=True),
        sa.Column("listed", sa.Integer(), nullable=True),
        sa.Column("unchanged_at_plan", sa.Integer(), nullable=True),
        sa.Column("archived", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('sync', 'backfill')", name="ck_run_kind"),
        sa.CheckConstraint("state IN ('running', 'finished', 'failed')", name="ck_run_state"),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("source", "run_key", "attempt", name="uq_run_source_run_key_attempt"),
        schema=SCHEMA,
    )
    op.create_index("ix_run_started", "run", ["started"], schema=SCHEMA)


def _source() -> None:
    op.create_table(
        "source",
        sa.Column("name", KEY, nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_source"),
        schema=SCHEMA,
    )


def _withheld() -> None:
    op.create_table(
        "withheld",
        sa.Column("source", KEY, nullable=False),
        sa.Column("key_sha256", KEY, nullable=False),
        sa.Column("revision_sha256", KEY, nullable=False),
        sa.Column("level", KEY, nullable=False),
        sa.Column("rule", KEY, nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint(
            "source", "key_sha256", "revision_sha256", "level", "rule", name="pk_withheld"
        ),
        schema=SCHEMA,
    )


def _document_version() -> None:
    op.create_table(
        "document_version",
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("manifest_sha256", KEY, nullable=False),
        sa.Column("original_sha256", KEY, nullable=False),
        sa.Column("original_type", sa.Text(), nullable=False),
        sa.Column("original_size", sa.BigInteger(), nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("uid", KEY, nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("notation", sa.Text(), nullable=True),
        sa.Column("symbol", sa.Text(), nullable=True),
        sa.Column("symbol_norm", KEY, nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("issued_date", sa.Date(), nullable=True),
        sa.Column("issued_place", sa.Text(), nullable=True),
        sa.Column("issuer_name", sa.Text(), nullable=True),
        sa.Column("issuer_id", KEY, nullable=True),
        sa.Column("issuer_norm", KEY, nullable=True),
        sa.Column("type_name", sa.Text(), nullable=True),
        sa.Column("type_code", KEY, nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("direction", KEY, nullable=False),
        sa.Column("urgency", KEY, nullable=True),
        sa.Column("use_regime", sa.Text(), nullable=True),
        sa.Column("business_type", KEY, nullable=True),
        sa.Column("status_code", KEY, nullable=True),
        sa.Column("arrival_number", sa.Text(), nullable=True),
        sa.Column("arrival_date", sa.Date(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("signers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("recipients", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("file_code", KEY, nullable=True),
        sa.Column("file_title", sa.Text(), nullable=True),
        sa.Column("retention", sa.Text(), nullable=True),
        sa.Column("term", sa.Text(), nullable=True),
        sa.Column("page_count", sa.Integer(), nullable=True),
        sa.Column("flags", postgresql.JSONB(), nullable=False),
        sa.Column("search_text", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["archive.document.id"], name="fk_document_version_document_id"
        ),
        sa.PrimaryKeyConstraint("document_id", "version", name="pk_document_version"),
        sa.UniqueConstraint("document_id", "revision", name="uq_document_version_document_id_revision"),
        schema=SCHEMA,
    )
    op.create_index("ix_document_version_issued_date", "document_version", ["issued_date"], schema=SCHEMA)
    op.create_index(
        "ix_document_version_manifest_sha256", "document_version", ["manifest_sha256"], schema=SCHEMA
    )
    op.create_index(
        "ix_document_version_original_sha256", "document_version", ["original_sha256"], schema=SCHEMA
    )
    op.create_index(
        "ix_document_version_symbol_norm_issued_date",
        "document_version",
        ["symbol_norm", "issued_date"],
        schema=SCHEMA,
    )
    op.create_index("ix_document_version_uid", "document_version", ["uid"], schema=SCHEMA)


def _run_batch() -> None:
    op.create_table(
        "run_batch",
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("plan", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attempt", KEY, nullable=False),
        sa.Column("records_sha256", KEY, nullable=False),
        sa.Column("archived", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Integer(), nullable=False),
        sa.Column("loaded_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["archive.run.id"], name="fk_run_batch_run_id"),
        sa.PrimaryKeyConstraint("run_id", "plan", "number", name="pk_run_batch"),
        schema=SCHEMA,
    )


def _same_as() -> None:
    op.create_table(
        "same_as",
        sa.Column("document_a", sa.UUID(), nullable=False),
        sa.Column("document_b", sa.UUID(), nullable=False),
        sa.Column("grade", KEY, nullable=False),
        sa.Column("evidence", KEY, nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_why", sa.Text(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.CheckConstraint("grade IN ('A', 'B', 'C')", name="ck_same_as_grade"),
        sa.CheckConstraint("state IN ('found', 'confirmed', 'refused')", name="ck_same_as_state"),
        sa.CheckConstraint("document_a < document_b", name="ck_same_as_order"),
        sa.ForeignKeyConstraint(["document_a"], ["archive.document.id"], name="fk_same_as_document_a"),
        sa.ForeignKeyConstraint(["document_b"], ["archive.document.id"], name="fk_same_as_document_b"),
        sa.PrimaryKeyConstraint("document_a", "document_b", "grade", name="pk_same_as"),
        schema=SCHEMA,
    )
    op.create_index("ix_same_as_document_b", "same_as", ["document_b"], schema=SCHEMA)


def _attachment() -> None:
    op.create_table(
        "attachment",
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("declared_type", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("wrapped_sha256", KEY, nullable=True),
        sa.Column("defects", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id", "version"],
            ["archive.document_version.document_id", "archive.document_version.version"],
            name="fk_attachment_document_id_version",
        ),
        sa.PrimaryKeyConstraint("document_id", "version", "ordinal", name="pk_attachment"),
        schema=SCHEMA,
    )
    op.create_index("ix_attachment_sha256", "attachment", ["sha256"], schema=SCHEMA)


def _relation() -> None:
    op.create_table(
        "relation",
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("target_uid", KEY, nullable=True),
        sa.Column("target_number", sa.Text(), nullable=True),
        sa.Column("target_notation", sa.Text(), nullable=True),
        sa.Column("target_symbol_norm", KEY, nullable=True),
        sa.Column("target_issued_date", sa.Date(), nullable=True),
        sa.Column("target_organ_id", KEY, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("effective", sa.Date(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("target_document", sa.UUID(), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id", "version"],
            ["archive.document_version.document_id", "archive.document_version.version"],
            name="fk_relation_document_id_version",
        ),
        sa.ForeignKeyConstraint(
            ["target_document"], ["archive.document.id"], name="fk_relation_target_document"
        ),
        sa.PrimaryKeyConstraint("document_id", "version", "ordinal", name="pk_relation"),
        schema=SCHEMA,
    )
    op.create_index("ix_relation_target_document", "relation", ["target_document"], schema=SCHEMA)
    op.create_index(
        "ix_relation_target_symbol_norm_target_issued_date",
        "relation",
        ["target_symbol_norm", "target_issued_date"],
        schema=SCHEMA,
    )
    op.create_index("ix_relation_target_uid", "relation", ["target_uid"], schema=SCHEMA)


def _signature_verdict() -> None:
    op.create_table(
        "signature_verdict",
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("check_no", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("attachment", sa.Integer(), nullable=True),
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("format", KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("indication", KEY, nullable=False),
        sa.Column("sub_indication", KEY, nullable=False),
        sa.Column("integrity", KEY, nullable=False),
        sa.Column("coverage", KEY, nullable=False),
        sa.Column("modification", KEY, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("role", KEY, nullable=False),
        sa.Column("signer_name", sa.Text(), nullable=True),
        sa.Column("signer_organization", sa.Text(), nullable=True),
        sa.Column("signer_issuer", sa.Text(), nullable=True),
        sa.Column("signer_serial", KEY, nullable=True),
        sa.Column("signer_sha256", KEY, nullable=True),
        sa.Column("signer_not_after", MOMENT, nullable=True),
        sa.Column("claimed_time", MOMENT, nullable=True),
        sa.Column("best_time", MOMENT, nullable=True),
        sa.Column("best_time_source", KEY, nullable=False),
        sa.Column("revocation", KEY, nullable=False),
        sa.Column("revocation_source", sa.Text(), nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("trust_epoch", KEY, nullable=False),
        sa.Column("verified_at", MOMENT, nullable=True),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("verdict", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id", "version"],
            ["archive.document_version.document_id", "archive.document_version.version"],
            name="fk_signature_verdict_document_id_version",
        ),
        sa.PrimaryKeyConstraint(
            "document_id", "version", "check_no", "position", name="pk_signature_verdict"
        ),
        schema=SCHEMA,
    )
    op.create_index("ix_signature_verdict_sha256", "signature_verdict", ["sha256"], schema=SCHEMA)


def _refuse_change() -> None:
    op.execute(
        """CREATE FUNCTION archive.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          RAISE EXCEPTION '% of %.% is refused: what is archived is never changed',
            TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$"""
    )
    for table in APPEND_ONLY:
        op.execute(
            f"""CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.{table}
            FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change()"""
        )
