"""Disposals are written by functions that ask themselves, not by whoever may write rows.

The functions run as the owner. What they are handed by a clerk they hold against the archive; only the owner, who makes
a database again from its ledger, is believed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from archive.identities import lock_key

revision = "0011"
down_revision = "0010"

_DISPOSAL, _REMOVAL = lock_key("disposal"), lock_key("removal of objects")


def upgrade() -> None:
    """Make the functions; what lay in quarantine has no row that says its size."""
    op.alter_column("disposed_object", "size", existing_type=sa.BigInteger(), nullable=True, schema="archive")
    for function in (
        *(IS_OWNER, OWN_ACCOUNT, IS_HELD, IS_DESTROYED, NEEDED, TRACE, REQUEST, CLOSE, DISPOSE, REMOVED),
    ):
        op.execute(function)


IS_OWNER = """
CREATE FUNCTION archive.works_as_owner() RETURNS boolean LANGUAGE sql STABLE
RETURN pg_has_role(archive.working_role(), 'archive_owner', 'USAGE')"""

# A login that may not become the owner is one person's. One that may is the archive's own, for all accounts of its
# machine, and whoever has it needs no disposal to destroy.
OWN_ACCOUNT = """
CREATE FUNCTION archive.refuse_foreign_account(account text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT pg_has_role(session_user, 'archive_owner', 'MEMBER') AND account IS DISTINCT FROM session_user::text THEN
    RAISE EXCEPTION 'the login % acts under the account %', session_user, account
      USING ERRCODE = 'insufficient_privilege';
  END IF;
END $$"""

IS_HELD = """
CREATE FUNCTION archive.is_held(document uuid) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM archive.legal_hold h WHERE h.released_at IS NULL
    AND (h.object_id = document OR h.object_id IN (SELECT x.dossier_id FROM archive.dossier_document x
      WHERE x.document_id = document AND NOT x.taken_out)))
$$"""

IS_DESTROYED = """
CREATE FUNCTION archive.is_destroyed(document uuid) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM archive.document d JOIN archive.disposed_version z
    ON z.document_id = d.id AND z.version = d.current_version WHERE d.id = document)
$$"""

# What a document left in quarantine before it was archived is its own.
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
    OR EXISTS (SELECT FROM archive.quarantine q
      WHERE (q.original_sha256 = object OR object = ANY (q.files))
        AND NOT (q.state = 'released' AND EXISTS (SELECT FROM archive.document d
          WHERE d.id = but_for AND d.source = q.source AND d.source_key = q.source_key)))
    OR EXISTS (SELECT FROM archive.known_list k WHERE k.sha256 = object)
    OR EXISTS (SELECT FROM archive.anchor a
      WHERE object IN (a.segment_sha256, a.record_sha256, a.token_sha256))
$$"""

# As the owner, because the trace is the document's, not what its reader may see of it: links to sealed ones, too.
# ``failures`` are the states in which the document was in quarantine before it was archived: their words and bytes go
# with its own.
TRACE = """
CREATE FUNCTION archive.disposal_trace(document uuid) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH failure AS (
    SELECT q.id, q.original_sha256, q.files FROM archive.quarantine q
    JOIN archive.document d ON d.source = q.source AND d.source_key = q.source_key
    WHERE d.id = document AND q.state = 'released'),
  failed AS (
    SELECT f.original_sha256 AS sha256 FROM failure f WHERE f.original_sha256 IS NOT NULL
    UNION SELECT unnest(f.files) FROM failure f),
  own AS (
    SELECT v.original_sha256 AS sha256 FROM archive.document_version v WHERE v.document_id = document
    UNION SELECT v.manifest_sha256 FROM archive.document_version v WHERE v.document_id = document
    UNION SELECT x.sha256 FROM archive.attachment x WHERE x.document_id = document
    UNION SELECT x.wrapped_sha256 FROM archive.attachment x
      WHERE x.document_id = document AND x.wrapped_sha256 IS NOT NULL
    UNION SELECT c.sha256 FROM archive.verification c WHERE c.document_id = document
    UNION SELECT substring(e.payload FROM '"record_sha256":"([0-9a-f]{64})"') FROM failure f
      JOIN archive.event e ON e.object = f.id::text AND e.type = 'quarantine'),
  object AS (
    SELECT o.sha256, o.size, o.media_type FROM own JOIN archive.object o USING (sha256)
    UNION SELECT f.sha256, o.size, coalesce(o.media_type, 'application/octet-stream')
      FROM failed f LEFT JOIN archive.object o USING (sha256))
  SELECT jsonb_build_object(
    'document', to_jsonb(d),
    'versions', (SELECT jsonb_agg(archive.trace_of(v) ORDER BY v.version) FROM archive.document_version v
      WHERE v.document_id = d.id),
    'relations', coalesce((SELECT jsonb_agg(to_jsonb(r) - 'reason' ORDER BY r.version, r.ordinal)
      FROM archive.relation r WHERE r.document_id = d.id), '[]'),
    'links', coalesce((SELECT jsonb_agg(to_jsonb(s) ORDER BY s.document_a, s.document_b, s.grade)
      FROM archive.same_as s WHERE d.id IN (s.document_a, s.document_b)), '[]'),
    'failures', coalesce((SELECT jsonb_agg(f.id ORDER BY f.id) FROM failure f), '[]'),
    'objects', coalesce((SELECT jsonb_agg(jsonb_build_object('sha256', o.sha256, 'size', o.size,
        'media_type', o.media_type) ORDER BY o.sha256)
      FROM object o WHERE NOT archive.is_needed(o.sha256, d.id)), '[]'))
  FROM archive.document d WHERE d.id = document AND d.access = ANY (archive.readable_classes())
$$"""

# The retention periods are the program's: what it says of due days the second person's program asks again.
REQUEST = f"""
CREATE FUNCTION archive.request_disposal(chosen uuid, title text, person text, norm text, account text, why text,
  at timestamptz, documents jsonb) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  item record;
  today date := (least(at, clock_timestamp()) AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
BEGIN
  PERFORM pg_advisory_xact_lock({_DISPOSAL});
  IF NOT archive.works_as_owner() THEN PERFORM archive.refuse_foreign_account(account); END IF;
  INSERT INTO archive.disposal (id, state, title, requested_by, requested_norm, requested_account, requested_why,
    requested_at) VALUES (chosen, 'requested', title, person, norm, account, why, at);
  FOR item IN SELECT * FROM jsonb_to_recordset(documents)
    AS x(document uuid, retention text, due_on date, basis text)
  LOOP
    IF NOT archive.works_as_owner() AND (
        NOT EXISTS (SELECT FROM archive.document d
          WHERE d.id = item.document AND d.access = ANY (archive.readable_classes()))
        OR item.due_on IS NULL OR item.due_on > today OR archive.is_held(item.document)
        OR archive.is_destroyed(item.document)
        OR EXISTS (SELECT FROM archive.disposal_document z JOIN archive.disposal p ON p.id = z.disposal_id
          WHERE z.document_id = item.document AND p.state <> 'refused' AND z.carried_out_at IS NULL)) THEN
      RAISE EXCEPTION 'the disposal of % cannot be asked for', item.document
        USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO archive.disposal_document (disposal_id, document_id, retention, due_on, basis)
    VALUES (chosen, item.document, item.retention, item.due_on, item.basis);
  END LOOP;
END $$"""  # noqa: S608 - a constant of this module

CLOSE = f"""
CREATE FUNCTION archive.close_disposal(chosen uuid, verdict text, person text, norm text, account text, why text,
  at timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  asked archive.disposal;
BEGIN
  PERFORM pg_advisory_xact_lock({_DISPOSAL});
  SELECT * INTO asked FROM archive.disposal p WHERE p.id = chosen FOR UPDATE;
  IF asked.id IS NULL OR verdict NOT IN ('approved', 'refused') THEN
    RAISE EXCEPTION 'there is no such disposal, or nothing of it to decide' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NOT archive.works_as_owner() THEN
    PERFORM archive.refuse_foreign_account(account);
    IF verdict = 'approved' AND (asked.state <> 'requested'
        OR lower(btrim(person)) = lower(btrim(asked.requested_by))
        OR EXISTS (SELECT FROM archive.disposal_document z
          WHERE z.disposal_id = chosen AND (archive.is_held(z.document_id) OR archive.is_destroyed(z.document_id))))
      OR verdict = 'refused' AND (asked.state = 'refused' OR EXISTS (SELECT FROM archive.disposal_document z
          WHERE z.disposal_id = chosen AND z.carried_out_at IS NOT NULL)) THEN
      RAISE EXCEPTION 'the disposal % cannot be % now', chosen, verdict USING ERRCODE = 'insufficient_privilege';
    END IF;
  END IF;
  UPDATE archive.disposal p SET state = verdict, decided_by = person, decided_norm = norm, decided_account = account,
    decided_why = why, decided_at = at WHERE p.id = chosen;
END $$"""  # noqa: S608 - a constant of this module

DISPOSE = f"""
CREATE OR REPLACE FUNCTION archive.dispose(chosen uuid, document uuid, at timestamptz, trace jsonb)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  gone text[] := ARRAY(SELECT o ->> 'sha256' FROM jsonb_array_elements(dispose.trace -> 'objects') o);
  numbers int[] := ARRAY(SELECT (v ->> 'version')::int
    FROM jsonb_array_elements(dispose.trace -> 'versions') v);
  today date := ((CASE WHEN archive.works_as_owner() THEN dispose.at ELSE least(dispose.at, clock_timestamp()) END)
    AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
BEGIN
  PERFORM pg_advisory_xact_lock({_DISPOSAL});
  PERFORM pg_advisory_xact_lock({_REMOVAL});
  IF NOT EXISTS (SELECT FROM archive.disposal p JOIN archive.disposal_document z ON z.disposal_id = p.id
      WHERE p.id = dispose.chosen AND p.state = 'approved' AND z.document_id = dispose.document
        AND z.carried_out_at IS NULL AND z.due_on <= today) THEN
    RAISE EXCEPTION 'the disposal of % is not approved, not due, or done', dispose.document
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF archive.is_held(dispose.document) THEN
    RAISE EXCEPTION 'a legal hold stands on %', dispose.document USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NOT archive.works_as_owner() AND dispose.trace IS DISTINCT FROM archive.disposal_trace(dispose.document) THEN
    RAISE EXCEPTION 'what is handed over as the trace of % is not what the archive holds of it', dispose.document
      USING ERRCODE = 'insufficient_privilege';
  END IF;

  PERFORM set_config('archive.disposing', dispose.document::text, true);
  IF archive.works_as_owner() THEN PERFORM archive.restore_trace(dispose.trace); END IF;

  DELETE FROM archive.verdict_set_aside WHERE document_id = dispose.document AND version = ANY(numbers);
  DELETE FROM archive.verification WHERE document_id = dispose.document AND version = ANY(numbers);
  DELETE FROM archive.signature_verdict WHERE document_id = dispose.document AND version = ANY(numbers);
  DELETE FROM archive.handling_step WHERE document_id = dispose.document AND version = ANY(numbers);
  UPDATE archive.relation SET reason = NULL WHERE document_id = dispose.document AND version = ANY(numbers);
  DELETE FROM archive.attachment WHERE document_id = dispose.document AND version = ANY(numbers);
  UPDATE archive.document_version SET subject = NULL, issued_place = NULL, use_regime = NULL, signers = '{{}}',
    recipients = '{{}}', file_title = NULL, flags = '[]'
  WHERE document_id = dispose.document AND version = ANY(numbers);
  DELETE FROM archive.search_entry WHERE document_id = dispose.document;
  DELETE FROM archive.search_body WHERE document_id = dispose.document;
  UPDATE archive.quarantine SET message = '', location = '', context = '{{}}', original_sha256 = NULL, files = '{{}}'
  WHERE state = 'released'
    AND id IN (SELECT f::uuid FROM jsonb_array_elements_text(coalesce(dispose.trace -> 'failures', '[]')) f);

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
END $$"""  # noqa: S608 - constants of this module

REMOVED = """
CREATE FUNCTION archive.note_removal(names text[], at timestamptz) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE archive.disposed_object SET removed_at = at WHERE sha256 = ANY (names) AND removed_at IS NULL
$$"""
