"""What leaves whole when a record turns out to be secret: also what was stored of it before it failed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"

SCHEMA = "archive"


def upgrade() -> None:
    """Add the column, then the functions that ask for it."""
    op.add_column(
        "quarantine",
        sa.Column("files", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}"),
        schema=SCHEMA,
    )
    op.alter_column("quarantine", "files", server_default=None, schema=SCHEMA)
    op.execute(NEEDED)
    op.execute("DROP FUNCTION archive.give_up_failures")
    op.execute(GIVE_UP)


NEEDED = """
CREATE OR REPLACE FUNCTION archive.is_needed(object text, but_for uuid) RETURNS boolean LANGUAGE sql STABLE
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
    OR EXISTS (SELECT FROM archive.quarantine q WHERE q.original_sha256 = object OR object = ANY (q.files))
    OR EXISTS (SELECT FROM archive.known_list k WHERE k.sha256 = object)
    OR EXISTS (SELECT FROM archive.anchor a
      WHERE object IN (a.segment_sha256, a.record_sha256, a.token_sha256))
$$"""

# As the owner, because the loader may forget no object but those of a record that the gate withheld. Of these, what has
# a row in the table of objects belongs to a document, or to a verdict as its evidence, but for the words of a failure:
# these must be that record's own.
GIVE_UP = """
CREATE FUNCTION archive.give_up_secret(failure uuid, origin text, key text, revision text, names text[])
RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  gone text[];
BEGIN
  IF NOT EXISTS (SELECT FROM archive.withheld w WHERE w.source = give_up_secret.origin
      AND w.key_sha256 = give_up_secret.key AND w.revision_sha256 = give_up_secret.revision) THEN
    RAISE EXCEPTION 'the secrecy gate withheld no such record' USING ERRCODE = 'insufficient_privilege';
  END IF;
  gone := ARRAY(
    SELECT DISTINCT n FROM unnest(names) AS n
    WHERE NOT archive.is_needed(n, NULL)
      AND NOT EXISTS (SELECT FROM archive.object o WHERE o.sha256 = n
        AND (o.media_type <> 'application/vnd.lienthong.quarantine+json'
          OR NOT EXISTS (SELECT FROM archive.event e
            WHERE e.object = failure::text AND e.type = 'quarantine' AND position(n in e.payload) > 0)))
    ORDER BY n);
  DELETE FROM archive.object o WHERE o.sha256 = ANY (gone);
  DELETE FROM archive.fixity f WHERE f.sha256 = ANY (gone);
  DELETE FROM archive.extracted_text x WHERE x.sha256 = ANY (gone);
  RETURN QUERY SELECT unnest(gone);
END $$"""
