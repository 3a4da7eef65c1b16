"""Which documents belong together: targets of relations, and the same document seen in two sources.

Both are computed from what the tables hold, for the versions that just came in, in both directions: a recall
may arrive before its document. The order of arrival does not matter, and nothing is guessed: of two
candidates neither is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

MOST_SHARED = 50
"""A file or symbol that more documents share than this tells nothing (a form, a logo), and links nobody."""

_FRESH = (
    "fresh AS (SELECT * FROM unnest(%(documents)s::uuid[], %(versions)s::int[]) AS f(document_id, version))"
)

# A recall or an update repeats the identifier and the symbol of the document that it is about: who names those
# means the document.
_ABOUT_ANOTHER = "10 * (coalesce(w.business_type, 'new') <> 'new')::int"

_RESOLVE = f"""
WITH {_FRESH},
named AS MATERIALIZED (
  SELECT v.uid, v.symbol_norm, v.issued_date, d.source_key
  FROM fresh JOIN archive.document_version v USING (document_id, version)
  JOIN archive.document d ON d.id = v.document_id),
affected AS MATERIALIZED (
  SELECT r.document_id, r.version, r.ordinal FROM fresh JOIN archive.relation r USING (document_id, version)
  UNION
  SELECT r.document_id, r.version, r.ordinal FROM named n
  JOIN archive.relation r ON r.target_uid = n.uid
  UNION
  SELECT r.document_id, r.version, r.ordinal FROM named n
  JOIN archive.relation r ON r.target_uid = n.source_key
  UNION
  SELECT r.document_id, r.version, r.ordinal FROM named n JOIN archive.relation r
  ON r.target_symbol_norm = n.symbol_norm AND r.target_issued_date = n.issued_date),
asking AS MATERIALIZED (
  SELECT r.*, d.source, v.issuer_norm, coalesce(v.issuer_code, v.issuer_id) AS issuer
  FROM affected JOIN archive.relation r USING (document_id, version, ordinal)
  JOIN archive.document d ON d.id = r.document_id
  JOIN archive.document_version v ON v.document_id = r.document_id AND v.version = r.version),
candidate AS (
  SELECT a.document_id, a.version, a.ordinal, t.id AS target,
    CASE WHEN t.source = a.source THEN 1 ELSE 4 END AS rank
  FROM asking a JOIN archive.document t ON t.source_key = a.target_uid
  UNION ALL
  SELECT a.document_id, a.version, a.ordinal, t.id,
    CASE WHEN t.source = a.source THEN 2 ELSE 4 END + {_ABOUT_ANOTHER}
  FROM asking a JOIN archive.document_version w ON w.uid = a.target_uid
  JOIN archive.document t ON t.id = w.document_id
  UNION ALL
  SELECT a.document_id, a.version, a.ordinal, t.id,
    CASE WHEN t.source = a.source THEN 6 ELSE 8 END + {_ABOUT_ANOTHER}
  FROM asking a JOIN archive.document_version w
  ON w.symbol_norm = a.target_symbol_norm AND w.issued_date = a.target_issued_date
  JOIN archive.document t ON t.id = w.document_id
  WHERE CASE
    WHEN a.target_organ_id IS NOT NULL
      THEN coalesce(w.issuer_code, w.issuer_id) = coalesce(a.target_organ_code, a.target_organ_id)
        -- a sender that takes its own document back names the receiver there
        OR (a.kind = 'status_of'
          AND archive.same_issuer(a.issuer, a.issuer_norm, coalesce(w.issuer_code, w.issuer_id), w.issuer_norm))
    WHEN a.kind IN ('recalls', 'replaces', 'amends', 'corrects')  -- only the issuer may do that
      THEN archive.same_issuer(a.issuer, a.issuer_norm, coalesce(w.issuer_code, w.issuer_id), w.issuer_norm)
    ELSE true END),
best AS (
  SELECT document_id, version, ordinal, rank,
    min(target::text)::uuid AS target, count(DISTINCT target) AS found,
    row_number() OVER (PARTITION BY document_id, version, ordinal ORDER BY rank) AS place
  FROM candidate WHERE target <> document_id GROUP BY document_id, version, ordinal, rank),
chosen AS (
  SELECT a.document_id, a.version, a.ordinal, CASE WHEN b.found = 1 THEN b.target END AS target
  FROM affected a LEFT JOIN best b USING (document_id, version, ordinal) WHERE coalesce(b.place, 1) = 1)
UPDATE archive.relation r SET target_document = c.target FROM chosen c
WHERE (r.document_id, r.version, r.ordinal) = (c.document_id, c.version, c.ordinal)
  AND r.target_document IS DISTINCT FROM c.target
RETURNING r.kind, r.document_id, r.version, r.target_document
"""  # noqa: S608 - constants of this module

_BY_ISSUER = """
SELECT f.place, archive.same_issuer(coalesce(w.issuer_code, w.issuer_id), w.issuer_norm,
  coalesce(v.issuer_code, v.issuer_id), v.issuer_norm)
FROM unnest(%s::uuid[], %s::int[], %s::uuid[]) WITH ORDINALITY AS f(by, version, target, place)
JOIN archive.document_version w ON w.document_id = f.by AND w.version = f.version
JOIN archive.document d ON d.id = f.target
JOIN archive.document_version v ON v.document_id = d.id AND v.version = d.current_version
ORDER BY f.place
"""

# "+ 0": PostgreSQL 18 would rather skip through the whole primary key for the ordinal than look up the hash.
_SAME_FILE = f"""
WITH {_FRESH}
INSERT INTO archive.same_as (document_a, document_b, grade, evidence, found_at, state)
SELECT DISTINCT ON (1, 2) least(a.id, b.id), greatest(a.id, b.id), 'A', x.sha256, %(at)s::timestamptz, 'found'
FROM fresh JOIN archive.attachment x USING (document_id, version)
JOIN archive.document a ON a.id = x.document_id
JOIN archive.attachment y ON y.sha256 = x.sha256 AND y.ordinal + 0 = 1
JOIN archive.document b ON b.id = y.document_id
WHERE x.ordinal = 1 AND x.size > 0 AND a.source <> b.source AND a.kind = 'document' AND b.kind = 'document'
  AND (SELECT count(*) FROM (SELECT FROM archive.attachment z WHERE z.sha256 = x.sha256 AND z.ordinal + 0 = 1
       LIMIT {MOST_SHARED + 1}) shared) <= {MOST_SHARED}
ORDER BY 1, 2, x.sha256
ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants of this module

_SAME_SYMBOL = f"""
WITH {_FRESH}
INSERT INTO archive.same_as (document_a, document_b, grade, evidence, found_at, state)
SELECT DISTINCT ON (1, 2) least(a.id, b.id), greatest(a.id, b.id), 'B', v.symbol_norm,
  %(at)s::timestamptz, 'found'
FROM fresh JOIN archive.document_version v USING (document_id, version)
JOIN archive.document a ON a.id = v.document_id
JOIN archive.document_version w ON w.symbol_norm = v.symbol_norm AND w.issued_date = v.issued_date
JOIN archive.document b ON b.id = w.document_id
WHERE a.source <> b.source AND v.number <> '' AND w.number <> ''
  AND v.kind = 'document' AND w.kind = 'document'
  AND (w.issuer_id = v.issuer_id OR w.issuer_norm = v.issuer_norm)
ORDER BY 1, 2, v.symbol_norm
ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants of this module


@dataclass(frozen=True, slots=True)
class Recall:
    """A recall that found its document.

    Attributes:
        document_id: the document that is to be recalled.
        by: the record that recalls it. version: in which of its versions.
        by_issuer: whether it comes from the organ that issued the document: no other recall hides it.
    """

    document_id: UUID
    by: UUID
    version: int
    by_issuer: bool


def link(
    cursor: psycopg.Cursor[TupleRow], versions: Sequence[tuple[UUID, int]], at: datetime
) -> list[Recall]:
    """Link the given versions, and all that wait for them. Needs the ledger's lock: no one may miss another.

    Returns the recalls that now have, or by now have again, exactly one document.
    """
    if not versions:
        return []
    values = {
        "documents": [document for document, _ in versions],
        "versions": [version for _, version in versions],
        "at": at,
    }
    cursor.execute(_RESOLVE, values)
    found = sorted(
        (target, by, version)
        for kind, by, version, target in cursor.fetchall()
        if kind == "recalls" and target is not None
    )
    cursor.execute(_SAME_FILE, values)
    cursor.execute(_SAME_SYMBOL, values)
    return _judged(cursor, found)


def _judged(cursor: psycopg.Cursor[TupleRow], found: Sequence[tuple[UUID, UUID, int]]) -> list[Recall]:
    if not found:
        return []
    targets, by, versions = zip(*found, strict=True)
    cursor.execute(_BY_ISSUER, (list(by), list(versions), list(targets)))
    return [
        Recall(document, record, version, by_issuer)
        for (document, record, version), (_, by_issuer) in zip(found, cursor.fetchall(), strict=True)
    ]
