"""Which documents belong together: targets of relations, and the same document seen in two sources.

Both are computed from what the tables hold, for the versions that just came in, in both directions: a recall
may arrive before its document. The order of arrival does not matter, and nothing is guessed: of two
candidates neither is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from archive.copying import copy_rows, word_array
from archive.rows import Version, relation_rows
from schemas.document import RelationKind

MOST_SHARED = 50
"""A file or symbol that more documents share than this tells nothing (a form, a logo), and links nobody."""

# A backfill fills empty tables faster than their statistics follow. LATERAL with OFFSET 0 goes from the batch's few
# keys to the rows by an index, whatever the statistics say; the loader's settings forbid to read whole tables.
_FRESH = (
    "fresh AS (SELECT * FROM unnest(%(documents)s::uuid[], %(versions)s::int[]) AS f(document_id, version))"
)
_VERSION = """LATERAL (SELECT * FROM archive.document_version
    WHERE document_id = fresh.document_id AND version = fresh.version OFFSET 0)"""

# A recall or an update repeats the identifier and the symbol of the document that it is about: who names those
# means the document.
_ABOUT_ANOTHER = "10 * (coalesce(w.business_type, 'new') <> 'new')::int"

# The one document that a relation of ``asking`` (alias ``a``) names: nearest by rank, and only if it is the only one.
_BEST = f"""LATERAL (
    SELECT CASE WHEN count(DISTINCT target) = 1 THEN min(target::text)::uuid END AS target FROM (
      SELECT t.id AS target, CASE WHEN t.source = a.source THEN 1 ELSE 4 END AS rank
      FROM archive.document t WHERE t.source_key = a.target_uid
      UNION ALL
      SELECT t.id, CASE WHEN t.source = a.source THEN 2 ELSE 4 END + {_ABOUT_ANOTHER}
      FROM (SELECT document_id, business_type FROM archive.document_version
        WHERE uid = a.target_uid OFFSET 0) w
      CROSS JOIN LATERAL (SELECT id, source FROM archive.document WHERE id = w.document_id OFFSET 0) t
      UNION ALL
      SELECT t.id, CASE WHEN t.source = a.source THEN 6 ELSE 8 END + {_ABOUT_ANOTHER}
      FROM (SELECT document_id, business_type, coalesce(issuer_code, issuer_id) AS issuer, issuer_norm
        FROM archive.document_version
        WHERE symbol_norm = a.target_symbol_norm AND issued_date = a.target_issued_date OFFSET 0) w
      CROSS JOIN LATERAL (SELECT id, source FROM archive.document WHERE id = w.document_id OFFSET 0) t
      WHERE CASE
        WHEN a.target_organ_id IS NOT NULL
          THEN w.issuer = coalesce(a.target_organ_code, a.target_organ_id)
            -- a sender that takes its own document back names the receiver there
            OR (a.kind = 'status_of' AND archive.same_issuer(a.issuer, a.issuer_norm, w.issuer, w.issuer_norm))
        WHEN a.kind IN ('recalls', 'replaces', 'amends', 'corrects')  -- only the issuer may do that
          THEN archive.same_issuer(a.issuer, a.issuer_norm, w.issuer, w.issuer_norm)
        ELSE true END) candidate
    WHERE target <> a.document_id GROUP BY rank ORDER BY rank LIMIT 1) best"""  # noqa: S608 - constants of this module

_NAMES = (
    "kind",
    "target_uid",
    "target_symbol_norm",
    "target_issued_date",
    "target_organ_id",
    "target_organ_code",
)
_TARGETS = f"""
WITH asking AS MATERIALIZED (
  SELECT r.*, d.source, v.issuer_norm, coalesce(v.issuer_code, v.issuer_id) AS issuer
  FROM unnest(%s::uuid[], %s::int[], %s::text[], %s::text[], %s::text[], %s::date[], %s::text[], %s::text[])
    WITH ORDINALITY AS r(document_id, version, {", ".join(_NAMES)}, place)
  CROSS JOIN LATERAL (SELECT source FROM archive.document WHERE id = r.document_id OFFSET 0) d
  CROSS JOIN LATERAL (SELECT issuer_norm, issuer_code, issuer_id FROM archive.document_version
    WHERE document_id = r.document_id AND version = r.version OFFSET 0) v)
SELECT best.target FROM asking a LEFT JOIN {_BEST} ON true ORDER BY a.place
"""  # noqa: S608 - constants of this module

_RESOLVE = f"""
WITH {_FRESH},
named AS MATERIALIZED (
  SELECT v.uid, v.symbol_norm, v.issued_date, d.source_key
  FROM fresh CROSS JOIN {_VERSION} v
  CROSS JOIN LATERAL (SELECT source_key FROM archive.document WHERE id = fresh.document_id OFFSET 0) d),
affected AS MATERIALIZED (
  SELECT r.* FROM named CROSS JOIN LATERAL (
    SELECT document_id, version, ordinal FROM archive.relation
    WHERE target_uid = ANY(ARRAY[named.uid, named.source_key]) OFFSET 0) r
  UNION
  SELECT r.* FROM named CROSS JOIN LATERAL (
    SELECT document_id, version, ordinal FROM archive.relation
    WHERE target_symbol_norm = named.symbol_norm AND target_issued_date = named.issued_date OFFSET 0) r),
asking AS MATERIALIZED (
  SELECT r.*, d.source, v.issuer_norm, coalesce(v.issuer_code, v.issuer_id) AS issuer
  FROM affected
  CROSS JOIN LATERAL (SELECT ctid AS place, * FROM archive.relation WHERE document_id = affected.document_id
    AND version = affected.version AND ordinal = affected.ordinal OFFSET 0) r
  CROSS JOIN LATERAL (SELECT source FROM archive.document WHERE id = affected.document_id OFFSET 0) d
  CROSS JOIN LATERAL (SELECT issuer_norm, issuer_code, issuer_id FROM archive.document_version
    WHERE document_id = affected.document_id AND version = affected.version OFFSET 0) v),
chosen AS MATERIALIZED (
  SELECT a.place, a.target_document AS before, best.target
  FROM asking a LEFT JOIN {_BEST} ON true)
UPDATE archive.relation r SET target_document = c.target FROM chosen c
WHERE r.ctid = c.place AND c.before IS DISTINCT FROM c.target
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

_DIFFERENT_SOURCES = """CROSS JOIN LATERAL (SELECT source, kind FROM archive.document WHERE id = one OFFSET 0) a
CROSS JOIN LATERAL (SELECT source, kind FROM archive.document WHERE id = other OFFSET 0) b
WHERE a.source <> b.source AND a.kind = 'document' AND b.kind = 'document'"""

_SAME_FILE = f"""
WITH {_FRESH},
shared AS MATERIALIZED (
  SELECT x.document_id AS one, y.document_id AS other, x.sha256
  FROM fresh
  CROSS JOIN LATERAL (SELECT document_id, sha256 FROM archive.attachment
    WHERE document_id = fresh.document_id AND version = fresh.version AND ordinal = 1 AND size > 0 OFFSET 0) x
  -- "+ 0": PostgreSQL 18 would rather skip through the whole primary key for the ordinal than look up the hash.
  CROSS JOIN LATERAL (SELECT document_id, count(*) OVER () AS sharing FROM (
    SELECT document_id FROM archive.attachment WHERE sha256 = x.sha256 AND ordinal + 0 = 1
    LIMIT {MOST_SHARED + 1}) z) y
  WHERE y.sharing <= {MOST_SHARED} AND y.document_id <> x.document_id)
INSERT INTO archive.same_as (document_a, document_b, grade, evidence, found_at, state)
SELECT DISTINCT ON (1, 2) least(one, other), greatest(one, other), 'A', sha256, %(at)s::timestamptz, 'found'
FROM shared {_DIFFERENT_SOURCES}
ORDER BY 1, 2, sha256
ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants of this module

_SAME_SYMBOL = f"""
WITH {_FRESH},
shared AS MATERIALIZED (
  SELECT v.document_id AS one, w.document_id AS other, v.symbol_norm
  FROM fresh CROSS JOIN {_VERSION} v
  CROSS JOIN LATERAL (SELECT * FROM archive.document_version
    WHERE symbol_norm = v.symbol_norm AND issued_date = v.issued_date OFFSET 0) w
  WHERE w.document_id <> v.document_id AND v.number <> '' AND w.number <> ''
    AND v.kind = 'document' AND w.kind = 'document'
    AND (w.issuer_id = v.issuer_id OR w.issuer_norm = v.issuer_norm))
INSERT INTO archive.same_as (document_a, document_b, grade, evidence, found_at, state)
SELECT DISTINCT ON (1, 2) least(one, other), greatest(one, other), 'B', symbol_norm,
  %(at)s::timestamptz, 'found'
FROM shared {_DIFFERENT_SOURCES}
ORDER BY 1, 2, symbol_norm
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


class Recalling(NamedTuple):
    """A relation that recalls ``target``, in a ``version`` of the document that it belongs to."""

    target: UUID
    by: UUID
    version: int


class Linked:
    """What linking found.

    Args:
        resolved: the older relations whose target is another one now.
    """

    def __init__(self, cursor: psycopg.Cursor[TupleRow], resolved: psycopg.Cursor[TupleRow] | None) -> None:
        self._cursor, self._resolved = cursor, resolved

    def recalls(self, written: Sequence[Recalling]) -> list[Recall]:
        """The recalls that now have, or by now have again, exactly one document: ``written`` ones and older ones.

        To be asked once, and not in a pipeline.
        """
        older = [
            Recalling(target, by, version)
            for kind, by, version, target in (self._resolved.fetchall() if self._resolved else ())
            if kind == RelationKind.RECALLS and target is not None
        ]
        return _judged(self._cursor, sorted([*written, *older]))


def write_relations(cursor: psycopg.Cursor[TupleRow], versions: Sequence[Version]) -> list[Recalling]:
    """Write the relations of ``versions``, whose other rows are written, each with the document that it names.

    Needs the ledger's lock, and so does ``link``: no one may miss another. Returns those that recall something.
    """
    rows = [row for version in versions for row in relation_rows(version)]
    if not rows:
        return []
    asked = [[row[name] for row in rows] for name in ("document_id", "version", *_NAMES)]
    cursor.execute(_TARGETS, asked)
    targets = [target for (target,) in cursor.fetchall()]
    copy_rows(
        cursor,
        "relation",
        ({**row, "target_document": target} for row, target in zip(rows, targets, strict=True)),
    )
    return [
        Recalling(target, UUID(str(row["document_id"])), cast(int, row["version"]))
        for row, target in zip(rows, targets, strict=True)
        if row["kind"] == RelationKind.RECALLS and target is not None
    ]


def link(cursor: psycopg.Cursor[TupleRow], versions: Sequence[Version], at: datetime) -> Linked:
    """Link ``versions``, whose rows are all written, with what waits for them, and with what is the same.

    In a pipeline of psycopg the database does it while the caller goes on. ``at`` is when a same-as was found.
    """
    if not versions:
        return Linked(cursor, None)
    values = {
        "documents": word_array(version.document_id for version in versions),
        "versions": word_array(str(version.number) for version in versions),
        "at": at,
    }
    resolved = cursor.connection.cursor().execute(_RESOLVE, values)
    cursor.execute(_SAME_FILE, values)
    cursor.execute(_SAME_SYMBOL, values)
    return Linked(cursor, resolved)


def _judged(cursor: psycopg.Cursor[TupleRow], found: Sequence[Recalling]) -> list[Recall]:
    if not found:
        return []
    targets, by, versions = zip(*found, strict=True)
    cursor.execute(_BY_ISSUER, (list(by), list(versions), list(targets)))
    return [
        Recall(document, record, version, by_issuer)
        for (document, record, version), (_, by_issuer) in zip(found, cursor.fetchall(), strict=True)
    ]
