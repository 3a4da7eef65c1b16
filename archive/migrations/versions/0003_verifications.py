"""Verification after ingest: its runs, the lists they knew, and which verdict of a signature is in force.

Verdicts from before are taken as provisional, because what they rested on is only in their JSON.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

SCHEMA = "archive"
KEY = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)
OF_VERSION = ["archive.document_version.document_id", "archive.document_version.version"]


def upgrade() -> None:
    """Widen the verdicts, then make the tables, their guard and the view."""
    op.add_column(
        "signature_verdict",
        sa.Column("provisional", sa.Boolean(), nullable=False, server_default=sa.true()),
        schema=SCHEMA,
    )
    op.alter_column("signature_verdict", "provisional", server_default=None, schema=SCHEMA)
    for name in ("revocation_issued", "tsa_not_after"):
        op.add_column("signature_verdict", sa.Column(name, MOMENT, nullable=True), schema=SCHEMA)
    _index("signature_verdict", "signer_serial")
    _index("signature_verdict", "indication", "sub_indication")
    _index("signature_verdict", "trust_epoch")
    _index("signature_verdict", "signer_not_after")
    _index("signature_verdict", "tsa_not_after")
    op.create_index(
        "ix_signature_verdict_provisional",
        "signature_verdict",
        ["document_id", "version"],
        schema=SCHEMA,
        postgresql_where=sa.text("provisional"),
    )
    _verification_run()
    _known_list()
    _verification()
    _verdict_set_aside()
    for table in ("verification", "verdict_set_aside"):
        op.execute(
            f"""CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.{table}
            FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change()"""
        )
    op.execute(
        """CREATE VIEW archive.verdict_in_force AS
        SELECT s.* FROM archive.signature_verdict s
        WHERE NOT EXISTS (SELECT FROM archive.verdict_set_aside a
          WHERE a.document_id = s.document_id AND a.version = s.version
            AND a.check_no = s.check_no AND a.position = s.position)"""
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), schema=SCHEMA)


def _verification_run() -> None:
    op.create_table(
        "verification_run",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("run_key", KEY, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("started", MOMENT, nullable=False),
        sa.Column("finished", MOMENT, nullable=True),
        sa.Column("trust_epoch", KEY, nullable=False),
        sa.Column("policy", postgresql.JSONB(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_verification_run"),
        sa.UniqueConstraint("run_key", name="uq_verification_run_run_key"),
        schema=SCHEMA,
    )
    _index("verification_run", "started")


def _known_list() -> None:
    op.create_table(
        "known_list",
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("this_update", MOMENT, nullable=False),
        sa.Column("next_update", MOMENT, nullable=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_known_list"),
        schema=SCHEMA,
    )


def _verification() -> None:
    op.create_table(
        "verification",
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("check_no", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("trust_epoch", KEY, nullable=False),
        sa.Column("verified_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id", "version"], OF_VERSION, name="fk_verification_document_id_version"
        ),
        sa.PrimaryKeyConstraint("document_id", "version", "check_no", name="pk_verification"),
        schema=SCHEMA,
    )
    _index("verification", "run_id")


def _verdict_set_aside() -> None:
    op.create_table(
        "verdict_set_aside",
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("check_no", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("by_check", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id", "version"], OF_VERSION, name="fk_verdict_set_aside_document_id_version"
        ),
        sa.PrimaryKeyConstraint(
            "document_id", "version", "check_no", "position", name="pk_verdict_set_aside"
        ),
        schema=SCHEMA,
    )
