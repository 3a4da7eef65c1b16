"""Anchors of the ledger; and the ledger takes no event that does not continue it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

SCHEMA = "archive"
KEY = sa.Text(collation="C")


def upgrade() -> None:
    """Make the table and its guard, then the ledger's."""
    op.create_table(
        "anchor",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("root", KEY, nullable=False),
        sa.Column("head", KEY, nullable=False),
        sa.Column("segment_sha256", KEY, nullable=False),
        sa.Column("record_sha256", KEY, nullable=False),
        sa.Column("token_sha256", KEY, nullable=True),
        sa.Column("previous", KEY, nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_anchor"),
        sa.UniqueConstraint("tree_size", name="uq_anchor_tree_size"),
        schema=SCHEMA,
    )
    op.execute(
        """CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.anchor
        FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change()"""
    )
    _needed()
    op.execute(CONTINUES)
    op.execute(
        """CREATE TRIGGER continues AFTER INSERT ON archive.event
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION archive.continue_ledger()"""
    )


def _needed() -> None:
    # What nobody may see still needs its objects: whether it does is asked as the owner.
    op.create_index("ix_verification_sha256", "verification", ["sha256"], schema=SCHEMA)
    op.execute(
        """CREATE FUNCTION archive.is_needed(object text, but_for uuid) RETURNS boolean LANGUAGE sql STABLE
          SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
          SELECT EXISTS (SELECT FROM archive.document_version v
              WHERE object IN (v.original_sha256, v.manifest_sha256) AND v.document_id IS DISTINCT FROM but_for
                AND NOT EXISTS (SELECT FROM archive.disposed_version z
                  WHERE z.document_id = v.document_id AND z.version = v.version))
            OR EXISTS (SELECT FROM archive.attachment x
              WHERE x.sha256 = object AND x.document_id IS DISTINCT FROM but_for)
            OR EXISTS (SELECT FROM archive.attachment x
              WHERE x.wrapped_sha256 = object AND x.document_id IS DISTINCT FROM but_for)
            OR EXISTS (SELECT FROM archive.verification c
              WHERE c.sha256 = object AND c.document_id IS DISTINCT FROM but_for)
            OR EXISTS (SELECT FROM archive.quarantine q WHERE q.original_sha256 = object)
            OR EXISTS (SELECT FROM archive.known_list k WHERE k.sha256 = object)
            OR EXISTS (SELECT FROM archive.anchor a
              WHERE object IN (a.segment_sha256, a.record_sha256, a.token_sha256)) $$"""
    )


# Once a statement, over all its rows: a trigger for each row would cost the loader's COPY a tenth. With a search_path
# of its own: whoever adds an event must not be able to put operators of theirs into the comparison.
CONTINUES = """
CREATE FUNCTION archive.continue_ledger() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  first record;
  before record;
BEGIN
  SELECT seq, prev_hash INTO first FROM added ORDER BY seq LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT seq, hash INTO before FROM archive.event WHERE seq < first.seq ORDER BY seq DESC LIMIT 1;
  IF first.seq <> coalesce(before.seq, 0) + 1 OR first.prev_hash <> coalesce(before.hash, repeat('0', 64))
    OR EXISTS (
      SELECT FROM (
        SELECT seq, prev_hash, lag(seq) OVER w AS seq_before, lag(hash) OVER w AS hash_before
        FROM added WINDOW w AS (ORDER BY seq)) a
      WHERE seq <> seq_before + 1 OR prev_hash <> hash_before)
    OR (SELECT max(seq) FROM archive.event) <> (SELECT max(seq) FROM added)
  THEN
    RAISE EXCEPTION 'an event that does not continue the ledger is refused'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END $$
"""
