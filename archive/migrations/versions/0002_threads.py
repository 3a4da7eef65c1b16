"""Threads: the handling history of a document, and which relations are in force and by whom.

Rows from before keep what they said. Of the versions that were archived before, the history holds what the
tables know (the status messages, without their words); the rest comes with the next rebuild from manifests.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SCHEMA = "archive"
KEY = sa.Text(collation="C")


def upgrade() -> None:
    """Add columns and the table of steps, fill it from the status messages, then make function and view."""
    op.add_column("document_version", sa.Column("issuer_code", KEY, nullable=True), schema=SCHEMA)
    op.add_column("relation", sa.Column("target_symbol", sa.Text(), nullable=True), schema=SCHEMA)
    op.add_column("relation", sa.Column("target_organ_code", KEY, nullable=True), schema=SCHEMA)
    _handling_step()
    op.execute(
        """INSERT INTO archive.handling_step
          (document_id, version, ordinal, organ_id, organ_name, moment, status_code)
        SELECT document_id, version, 1, issuer_id, issuer_name, changed_at, status_code
        FROM archive.document_version WHERE kind = 'status' AND status_code IS NOT NULL"""
    )
    op.execute(
        """CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.handling_step
        FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change()"""
    )
    # Codes decide where both have one: organs of different provinces bear the same name.
    op.execute(
        """CREATE FUNCTION archive.same_issuer(code_a text, name_a text, code_b text, name_b text)
        RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN CASE WHEN code_a IS NOT NULL AND code_b IS NOT NULL THEN code_a = code_b
          ELSE coalesce(name_a = name_b, false) END"""
    )
    # A relation counts while the version that states it is the current one: a corrected record takes it back.
    op.execute(
        """CREATE VIEW archive.relation_in_force AS
        SELECT r.document_id, r.version, r.ordinal, r.kind, r.target_document,
          archive.same_issuer(coalesce(w.issuer_code, w.issuer_id), w.issuer_norm,
            coalesce(v.issuer_code, v.issuer_id), v.issuer_norm) AS by_issuer
        FROM archive.relation r
        JOIN archive.document o ON o.id = r.document_id AND o.current_version = r.version
        JOIN archive.document_version w ON w.document_id = r.document_id AND w.version = r.version
        JOIN archive.document t ON t.id = r.target_document
        JOIN archive.document_version v ON v.document_id = t.id AND v.version = t.current_version"""
    )


def _handling_step() -> None:
    op.create_table(
        "handling_step",
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("organ_id", KEY, nullable=True),
        sa.Column("organ_name", sa.Text(), nullable=True),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=True),
        sa.Column("staff", sa.Text(), nullable=True),
        sa.Column("status_code", KEY, nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id", "version"],
            ["archive.document_version.document_id", "archive.document_version.version"],
            name="fk_handling_step_document_id_version",
        ),
        sa.PrimaryKeyConstraint("document_id", "version", "ordinal", name="pk_handling_step"),
        schema=SCHEMA,
    )
