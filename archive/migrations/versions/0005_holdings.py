"""Holdings: fonds, dossiers, organs over time, retention, legal hold, disposal, known gaps in numbering.

What is archived is still never changed, with one exception that the database itself watches over: of a document whose
disposal two persons decided, the content may go, and the trace may not.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

SCHEMA = "archive"
KEY = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)
DISPOSABLE = (
    "document_version",
    "attachment",
    "handling_step",
    "signature_verdict",
    "verification",
    "verdict_set_aside",
)


def upgrade() -> None:
    """Make the tables, then what a disposal needs."""
    _disposal()
    _disposed_object()
    _disposed_version()
    _fonds()
    _known_gap()
    _inventory()
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
    op.create_index(
        "ix_attachment_wrapped_sha256",
        "attachment",
        ["wrapped_sha256"],
        schema=SCHEMA,
        postgresql_where=sa.text("wrapped_sha256 IS NOT NULL"),
    )
    _traces()
    _guard()
    _restore()
    _dispose()


def _traces() -> None:
    op.execute(
        """CREATE FUNCTION archive.trace_of(v archive.document_version) RETURNS jsonb LANGUAGE sql STABLE AS $$
          SELECT to_jsonb(v) - ARRAY['subject', 'issued_place', 'use_regime', 'signers', 'recipients', 'file_title',
            'flags'] $$"""
    )


def _guard() -> None:
    # Who may write into these tables is their owner alone: for him the guard is against mistakes. Only ``dispose`` says
    # what it is at, and only for as long as the disposal of that document is approved and not yet carried out.
    op.execute(
        """CREATE FUNCTION archive.refuse_change_but_disposal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP <> 'TRUNCATE' AND (TG_OP, TG_TABLE_NAME) <> ('DELETE', 'document_version')
            AND EXISTS (SELECT FROM archive.disposal_document z JOIN archive.disposal p ON p.id = z.disposal_id
              WHERE z.document_id::text = current_setting('archive.disposing', true)
                AND z.carried_out_at IS NULL AND p.state = 'approved') THEN
            RETURN NULL;
          END IF;
          RAISE EXCEPTION '% of %.% is refused: what is archived is never changed',
            TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$"""
    )
    for table in DISPOSABLE:
        op.execute(
            f"""CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.{table}
            FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change_but_disposal()"""
        )


def _restore() -> None:
    # Of a database that is made again from manifests: those of a destroyed document are gone.
    op.execute(
        """CREATE FUNCTION archive.restore_trace(trace jsonb) RETURNS void LANGUAGE sql AS $$
          INSERT INTO archive.document SELECT * FROM jsonb_populate_record(NULL::archive.document, trace -> 'document')
          ON CONFLICT DO NOTHING;
          INSERT INTO archive.document_version
          SELECT r.* FROM jsonb_array_elements(trace -> 'versions') v, LATERAL jsonb_populate_record(
            NULL::archive.document_version, v || '{"signers": [], "recipients": [], "flags": []}') r
          ON CONFLICT DO NOTHING;
          INSERT INTO archive.relation
          SELECT r.* FROM jsonb_array_elements(trace -> 'relations') v, LATERAL jsonb_populate_record(
            NULL::archive.relation, CASE WHEN EXISTS (SELECT FROM archive.document d
              WHERE d.id::text = v ->> 'target_document') THEN v ELSE v - 'target_document' END) r
          ON CONFLICT DO NOTHING;
          INSERT INTO archive.same_as
          SELECT r.* FROM jsonb_array_elements(trace -> 'links') v, LATERAL jsonb_populate_record(
            NULL::archive.same_as, v) r
          WHERE EXISTS (SELECT FROM archive.document WHERE id = r.document_a)
            AND EXISTS (SELECT FROM archive.document WHERE id = r.document_b)
          ON CONFLICT DO NOTHING $$"""
    )


def _dispose() -> None:
    op.execute(
        """CREATE FUNCTION archive.dispose(chosen uuid, document uuid, at timestamptz, trace jsonb)
        RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        #variable_conflict use_column
        DECLARE
          gone text[] := ARRAY(SELECT o ->> 'sha256' FROM jsonb_array_elements(dispose.trace -> 'objects') o);
          numbers int[] := ARRAY(SELECT (v ->> 'version')::int
            FROM jsonb_array_elements(dispose.trace -> 'versions') v);
        BEGIN
          IF NOT EXISTS (SELECT FROM archive.disposal p JOIN archive.disposal_document z ON z.disposal_id = p.id
              WHERE p.id = dispose.chosen AND p.state = 'approved' AND z.document_id = dispose.document
                AND z.carried_out_at IS NULL
                AND z.due_on <= (dispose.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date) THEN
            RAISE EXCEPTION 'the disposal of % is not approved, not due, or done', dispose.document
              USING ERRCODE = 'insufficient_privilege';
          END IF;
          IF EXISTS (SELECT FROM archive.legal_hold h WHERE h.released_at IS NULL
              AND (h.object_id = dispose.document OR h.object_id IN (SELECT dossier_id FROM archive.dossier_document
                WHERE document_id = dispose.document AND NOT taken_out))) THEN
            RAISE EXCEPTION 'a legal hold stands on %', dispose.document USING ERRCODE = 'insufficient_privilege';
          END IF;

          PERFORM set_config('archive.disposing', dispose.document::text, true);
          PERFORM archive.restore_trace(dispose.trace);

          DELETE FROM archive.verdict_set_aside WHERE document_id = dispose.document AND version = ANY(numbers);
          DELETE FROM archive.verification WHERE document_id = dispose.document AND version = ANY(numbers);
          DELETE FROM archive.signature_verdict WHERE document_id = dispose.document AND version = ANY(numbers);
          DELETE FROM archive.handling_step WHERE document_id = dispose.document AND version = ANY(numbers);
          UPDATE archive.relation SET reason = NULL WHERE document_id = dispose.document AND version = ANY(numbers);
          DELETE FROM archive.attachment WHERE document_id = dispose.document AND version = ANY(numbers);
          UPDATE archive.document_version SET subject = NULL, issued_place = NULL, use_regime = NULL, signers = '{}',
            recipients = '{}', file_title = NULL, flags = '[]'
          WHERE document_id = dispose.document AND version = ANY(numbers);
          DELETE FROM archive.search_entry WHERE document_id = dispose.document;
          DELETE FROM archive.search_body WHERE document_id = dispose.document;

          INSERT INTO archive.disposed_version (document_id, version, disposal_id, trace, disposed_at)
          SELECT dispose.document, (v ->> 'version')::int, dispose.chosen, v, dispose.at
          FROM jsonb_array_elements(dispose.trace -> 'versions') v ON CONFLICT DO NOTHING;
          INSERT INTO archive.disposed_object (sha256, size, media_type, disposal_id, decided_at)
          SELECT o ->> 'sha256', (o ->> 'size')::bigint, o ->> 'media_type', dispose.chosen, dispose.at
          FROM jsonb_array_elements(dispose.trace -> 'objects') o
          ON CONFLICT (sha256) DO UPDATE SET disposal_id = excluded.disposal_id, decided_at = excluded.decided_at,
            removed_at = NULL;
          DELETE FROM archive.fixity WHERE sha256 = ANY(gone) AND NOT archive.is_needed(sha256, NULL);
          DELETE FROM archive.extracted_text WHERE sha256 = ANY(gone) AND NOT archive.is_needed(sha256, NULL);
          DELETE FROM archive.object WHERE sha256 = ANY(gone) AND NOT archive.is_needed(sha256, NULL);
          PERFORM set_config('archive.disposing', '', true);
          UPDATE archive.disposal_document SET carried_out_at = dispose.at
          WHERE disposal_id = dispose.chosen AND document_id = dispose.document;
        END $$"""
    )
    op.execute("REVOKE ALL ON FUNCTION archive.dispose FROM PUBLIC")


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


def _inventory() -> None:
    op.create_table(
        "inventory",
        sa.Column("source", KEY, nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("taken_at", MOMENT, nullable=False),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("archived", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("missing_keys", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_inventory"),
        schema=SCHEMA,
    )
