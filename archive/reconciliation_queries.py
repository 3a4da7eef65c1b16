"""The questions of the reconciliation to the database. Columns are named as the tables name them.

``:classes`` are the classes of access whose documents are listed; NULL: all.
"""

from __future__ import annotations

import sqlalchemy as sa

_CURRENT = "JOIN archive.document_version v ON v.document_id = d.id AND v.version = d.current_version"
_SHOWN = "(CAST(:classes AS text[]) IS NULL OR d.access = ANY(CAST(:classes AS text[])))"

NUMBERED = sa.text(
    f"""WITH numbered AS (
      SELECT d.id::text AS document, d.source, v.direction = 'outgoing' AS outgoing, v.number, v.notation, v.symbol,
        v.type_code, v.issued_date, v.term, v.issuer_norm, v.arrival_number, v.arrival_date,
        coalesce(v.business_type, 'new') <> 'new' AS repeats,
        count(*) OVER (PARTITION BY d.source, v.symbol_norm, v.issuer_norm) AS times
      FROM archive.document d {_CURRENT} WHERE d.kind = 'document')
    SELECT document, source, outgoing, number, notation, symbol, type_code, issued_date, term, issuer_norm,
      arrival_number, arrival_date, repeats
    FROM numbered
    WHERE outgoing OR (arrival_number <> '' AND source = ANY(:arrivals)) OR (times > 1 AND number <> '')"""  # noqa: S608
)
"""Of the documents of other organs only those whose number somebody else has: no other can come out."""

SUBJECTS = sa.text(
    f"""SELECT d.id::text AS document, v.subject FROM archive.document d {_CURRENT}
    WHERE d.id = ANY(CAST(:ids AS uuid[])) AND {_SHOWN}"""  # noqa: S608
)

_RUNS = sa.text(
    """SELECT r.source, r.run_key, r.kind, r.started, r.finished, r.state, r.listed, b.archived,
      coalesce(r.unchanged_at_plan, 0) + b.unchanged AS unchanged, b.quarantined, b.withheld,
      r.listed - coalesce(r.unchanged_at_plan, 0) - b.archived - b.unchanged - b.quarantined - b.withheld AS difference,
      r.failure
    FROM archive.run r CROSS JOIN LATERAL (
      SELECT coalesce(sum(archived), 0)::int AS archived, coalesce(sum(unchanged), 0)::int AS unchanged,
        coalesce(sum(quarantined), 0)::int AS quarantined, coalesce(sum(withheld), 0)::int AS withheld
      FROM archive.run_batch WHERE run_id = r.id AND plan = r.plan) b
    ORDER BY r.started DESC, r.source"""
)
_SOURCES = sa.text(
    """SELECT s.name AS source, coalesce(d.documents, 0) AS documents, coalesce(d.statuses, 0) AS statuses,
      coalesce(d.others, 0) AS others, coalesce(d.versions, 0) AS versions, coalesce(d.gone, 0) AS gone,
      coalesce(d.disposed, 0) AS disposed,
      (SELECT count(*) FROM archive.quarantine q WHERE q.source = s.name AND q.state = 'open') AS quarantine_open,
      (SELECT count(DISTINCT key_sha256) FROM archive.withheld w WHERE w.source = s.name) AS withheld,
      (SELECT max(finished) FROM archive.run r WHERE r.source = s.name AND r.state = 'finished') AS last_finished
    FROM archive.source s LEFT JOIN (
      SELECT d.source, count(*) FILTER (WHERE d.kind = 'document') AS documents,
        count(*) FILTER (WHERE d.kind = 'status') AS statuses, count(*) FILTER (WHERE d.kind = 'other') AS others,
        sum(v.versions)::bigint AS versions, count(d.gone_from_source_at) AS gone,
        count(z.document_id) AS disposed
      FROM archive.document d
      JOIN (SELECT document_id, count(*) AS versions FROM archive.document_version GROUP BY 1) v ON v.document_id = d.id
      LEFT JOIN archive.disposed_version z ON z.document_id = d.id AND z.version = d.current_version
      GROUP BY d.source) d ON d.source = s.name
    ORDER BY s.name"""
)
_INVENTORY = sa.text(
    """SELECT source, taken_at, listed, archived, quarantined, withheld, missing AS stateless
    FROM archive.inventory ORDER BY source"""
)
_MISSING = sa.text(
    "SELECT source, key, taken_at FROM archive.inventory, unnest(missing_keys) AS k(key) ORDER BY source, key"
)
_GONE = sa.text(
    f"""SELECT d.source, d.id::text AS document,
      v.symbol, v.issued_date, v.subject, d.gone_from_source_at AS gone_at
    FROM archive.document d {_CURRENT} WHERE d.gone_from_source_at IS NOT NULL AND {_SHOWN}
    ORDER BY d.source, d.gone_from_source_at DESC, d.id"""  # noqa: S608
)
_UNLINKED = sa.text(
    f"""SELECT v.symbol, v.issued_date, d.source, d.id::text AS document, o.source AS other_source,
      o.id::text AS other_sighting
    FROM archive.document d {_CURRENT}
    JOIN archive.document_version w ON w.symbol_norm = v.symbol_norm AND w.issued_date = v.issued_date
    JOIN archive.document o ON o.id = w.document_id AND o.current_version = w.version
    WHERE d.kind = 'document' AND o.kind = 'document' AND d.id < o.id AND d.source <> o.source
      AND v.number <> '' AND coalesce(v.business_type, 'new') = 'new' AND coalesce(w.business_type, 'new') = 'new'
      AND (archive.same_issuer(coalesce(v.issuer_code, v.issuer_id), v.issuer_norm,
          coalesce(w.issuer_code, w.issuer_id), w.issuer_norm)
        OR coalesce(v.issuer_id, v.issuer_norm) IS NULL OR coalesce(w.issuer_id, w.issuer_norm) IS NULL)
      AND NOT EXISTS (SELECT FROM archive.same_as s WHERE s.document_a = d.id AND s.document_b = o.id)
      AND {_SHOWN} AND (CAST(:classes AS text[]) IS NULL OR o.access = ANY(CAST(:classes AS text[])))
    ORDER BY v.issued_date, v.symbol, d.source, o.source"""  # noqa: S608
)
# No candidate: it is not here. Several: which of them, nobody can say. A document that names itself names nothing.
_CITED = sa.text(
    f"""WITH open AS (
      SELECT r.kind AS relation, coalesce(r.target_symbol,
          nullif(concat_ws('/', r.target_number, r.target_notation), ''), r.target_uid) AS target,
        r.target_symbol_norm, r.target_issued_date AS target_date, count(DISTINCT d.id) AS times,
        min(d.source) AS source, min(d.id::text) AS document, min(v.symbol) AS symbol
      FROM archive.relation r
      JOIN archive.document d ON d.id = r.document_id AND d.current_version = r.version
      JOIN archive.document_version v ON v.document_id = r.document_id AND v.version = r.version
      WHERE r.target_document IS NULL AND {_SHOWN} AND NOT coalesce(r.target_uid = v.uid, false)
        AND NOT coalesce(r.target_symbol_norm = v.symbol_norm AND r.target_issued_date = v.issued_date, false)
      GROUP BY 1, 2, 3, 4)
    SELECT relation, target, target_date, times, source, document, symbol, (
      SELECT count(*) FROM archive.document d {_CURRENT}
      WHERE v.symbol_norm = target_symbol_norm AND v.issued_date = target_date AND {_SHOWN}) AS candidates
    FROM open ORDER BY times DESC, relation, target, target_date"""  # noqa: S608
)
# A reply, or a status message that says "done", ends the waiting.
_AWAITED = sa.text(
    f"""SELECT d.source, d.id::text AS document,
      v.symbol, v.issuer_name AS issuer, v.arrival_number, v.due_date,
      CAST(:today AS date) - v.due_date AS days_late, v.subject
    FROM archive.document d {_CURRENT}
    WHERE d.kind = 'document' AND v.direction = 'incoming' AND v.due_date < :today AND {_SHOWN}
      AND NOT EXISTS (SELECT FROM archive.disposed_version z
        WHERE z.document_id = d.id AND z.version = d.current_version)
      AND NOT EXISTS (SELECT FROM archive.relation_in_force f
        JOIN archive.document_version w USING (document_id, version)
        WHERE f.target_document = d.id AND (f.kind IN ('replies_to', 'response_in_source')
          OR (f.kind = 'status_of' AND w.status_code = '06')))
      AND NOT EXISTS (SELECT FROM archive.handling_step h WHERE h.document_id = d.id
        AND h.version = d.current_version AND h.status_code = '06')
    ORDER BY v.due_date, d.source, d.id"""  # noqa: S608
)

TABLES = (
    ("runs", _RUNS, False),
    ("sources", _SOURCES, False),
    ("inventory", _INVENTORY, False),
    ("missing", _MISSING, True),
    ("gone", _GONE, False),
    ("unlinked", _UNLINKED, True),
    ("cited", _CITED, True),
    ("awaited", _AWAITED, True),
)
"""Name, question, and whether each row asks something of a person; in the order in which they are shown."""
