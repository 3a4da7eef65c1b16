"""Dossiers from records: which document belongs to which, and what the dossier says of itself.

A record names its dossier by code (or, without one, by title) and term of office. ``refresh`` makes the tables say what
the current versions say; nothing that a person decided is touched, and what is right already is not written again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive.cursors import psycopg_cursor
from archive.failures import database_errors
from archive.identities import dossier_id, lock_key, organ_id
from archive.retention_periods import read_period
from schemas.vocabulary import organs

_LOCK = lock_key("dossiers")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh changed.

    Attributes:
        dossiers: made, changed or, because nothing is in them any more, removed.
        memberships: documents that came into a dossier or left it.
    """

    dossiers: int
    memberships: int


def lock_dossiers(cursor: psycopg.Cursor[TupleRow]) -> None:
    """Be the only one who changes dossiers until the transaction ends; taken before any of their rows."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def refresh(engine: sa.Engine) -> Refreshed:
    """Make dossiers, memberships and organs what records and vocabularies say.

    Raises:
        RetriableError: the database is away or busy. FatalError: it refuses. Nothing was written.
    """
    with database_errors("refreshing the dossiers"), engine.begin() as connection:
        cursor = psycopg_cursor(connection)
        lock_dossiers(cursor)
        # Everything is compared with everything, and of rows that came a moment ago the planner knows nothing: it would
        # take them for few and walk through them for each other row.
        cursor.execute("SET LOCAL enable_nestloop = off")
        refresh_organs(cursor)
        _hold_names(cursor)
        made = _count(cursor, _MAKE)
        memberships = _count(cursor, _LEAVE) + _count(cursor, _ENTER)
        cursor.execute("SELECT DISTINCT retention FROM archive.document_version WHERE retention IS NOT NULL")
        printed = [row[0] for row in cursor.fetchall()]
        ranks = {"printed": printed, "ranks": [read_period(text).rank for text in printed]}
        removed = _count(cursor, _REMOVE)
        changed = _count(cursor, _DESCRIBE, ranks)
        return Refreshed(made + changed + removed, memberships)


def refresh_organs(cursor: psycopg.Cursor[TupleRow]) -> None:
    """Make the organs those of the vocabulary; what a person decided on the same organ and span stays."""
    terms = {organ_id(term.system, term.code, term.valid_from): term for term in organs()}
    rows = [
        (
            identity, term.code, term.name, term.system, term.valid_from, term.valid_to, term.successor,
            list(term.former_codes), list(term.letters), term.source,
        )
        for identity, term in terms.items()
    ]  # fmt: skip
    # Compared here: an upsert that changes nothing would still lock the row.
    cursor.execute(
        """SELECT id, code, name, system, valid_from, valid_to, successor, former_codes, letters, basis
        FROM archive.organ"""
    )
    known = set(map(_comparable, cursor.fetchall()))
    cursor.executemany(_ORGAN, [row for row in rows if _comparable(row) not in known])
    cursor.execute(
        "DELETE FROM archive.organ WHERE origin = 'vocabulary' AND id <> ALL(%s::uuid[])", (list(terms),)
    )


def _comparable(row: Iterable[object]) -> tuple[object, ...]:
    return tuple(tuple(field) if isinstance(field, list) else field for field in row)


def _hold_names(cursor: psycopg.Cursor[TupleRow]) -> None:
    """The names by which current versions call dossiers, and whose they are."""
    cursor.execute(_NAMES)
    names = list(_identified(cursor.fetchall()))
    cursor.execute(
        """CREATE TEMPORARY TABLE dossier_name (source text, code text, title text, term text, id uuid)
        ON COMMIT DROP"""
    )
    with cursor.copy("COPY dossier_name FROM STDIN") as copy:
        for name in names:
            copy.write_row(name)
    # Once, and with statistics: joined anew in each statement below, it was walked through for every membership.
    cursor.execute(_HOLD)
    cursor.execute("ANALYZE dossier_name, belongs")


def _identified(rows: Iterable[TupleRow]) -> Iterable[tuple[str, str, str, str, UUID]]:
    for source, code, title, term in rows:
        yield source, code, title, term, dossier_id(source, code or f"title {title}", term)


def _count(
    cursor: psycopg.Cursor[TupleRow], statement: str, values: dict[str, list[str] | list[int]] | None = None
) -> int:
    cursor.execute(statement, values)
    return cursor.rowcount


_ORGAN = """
INSERT INTO archive.organ AS o (id, origin, code, name, system, valid_from, valid_to, successor, former_codes,
  letters, basis)
VALUES (%s, 'vocabulary', %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, valid_to = excluded.valid_to, successor = excluded.successor,
  former_codes = excluded.former_codes, letters = excluded.letters, basis = excluded.basis
WHERE o.origin = 'vocabulary'
"""

# A title names a dossier only where the record has no code.
_NAMED = """
SELECT d.id AS document_id, d.source, coalesce(v.file_code, '') AS code,
  CASE WHEN v.file_code IS NULL THEN v.file_title ELSE '' END AS title, coalesce(v.term, '') AS term
FROM archive.document d
JOIN archive.document_version v ON v.document_id = d.id AND v.version = d.current_version
WHERE coalesce(v.file_code, v.file_title) <> ''
"""

_NAMES = f"SELECT DISTINCT source, code, title, term FROM ({_NAMED}) n"  # noqa: S608 - constants of this module

_BELONGS = f"""
SELECT DISTINCT n.document_id, k.id AS dossier_id FROM ({_NAMED}) n
JOIN dossier_name k ON (k.source, k.code, k.title, k.term) = (n.source, n.code, n.title, n.term)
"""  # noqa: S608 - constants of this module

_HOLD = f"CREATE TEMPORARY TABLE belongs ON COMMIT DROP AS {_BELONGS}"

_MAKE = """
INSERT INTO archive.dossier (id, origin, source, keywords, decided)
SELECT DISTINCT id, 'records', source, '{}'::text[], '{}'::text[] FROM dossier_name ON CONFLICT DO NOTHING
"""

_ENTER = """
INSERT INTO archive.dossier_document (dossier_id, document_id, origin, taken_out)
SELECT dossier_id, document_id, 'records', false FROM belongs b
WHERE NOT EXISTS (SELECT FROM archive.dossier_document x
  WHERE x.dossier_id = b.dossier_id AND x.document_id = b.document_id)
"""

# What is in a held dossier stays there, whatever its records come to say: outside, nothing would hold it.
_LEAVE = """
DELETE FROM archive.dossier_document x WHERE x.origin = 'records'
AND NOT EXISTS (SELECT FROM belongs b WHERE b.dossier_id = x.dossier_id AND b.document_id = x.document_id)
AND NOT EXISTS (SELECT FROM archive.legal_hold h WHERE h.object_id = x.dossier_id AND h.released_at IS NULL)
"""

_DESCRIBE = """
WITH period AS (SELECT * FROM unnest(%(printed)s::text[], %(ranks)s::int[]) AS p(printed, rank)),
member AS (
  SELECT x.dossier_id AS id, d.id AS document_id, d.current_version
  FROM archive.dossier_document x JOIN archive.document d ON d.id = x.document_id WHERE NOT x.taken_out),
found AS (
  SELECT m.id, mode() WITHIN GROUP (ORDER BY v.file_title COLLATE "C") AS title,
    min(v.issued_date) AS start_date, max(v.issued_date) AS end_date,
    CASE WHEN count(v.page_count) = count(*) THEN least(sum(v.page_count), 2147483647)::int END AS page_count
  FROM member m JOIN archive.document_version v
    ON v.document_id = m.document_id AND v.version = m.current_version
  GROUP BY m.id),
-- Of all versions: a later one that says less shortens nothing.
kept AS (
  SELECT m.id, (array_agg(v.retention ORDER BY p.rank DESC, v.retention COLLATE "C"))[1] AS retention
  FROM member m JOIN archive.document_version v USING (document_id) JOIN period p ON p.printed = v.retention
  GROUP BY m.id),
named AS (
  SELECT id, min(nullif(btrim(code), '') COLLATE "C") AS code, min(nullif(btrim(term), '') COLLATE "C") AS term,
    min(nullif(btrim(title), '') COLLATE "C") AS title
  FROM dossier_name GROUP BY id),
wanted AS (
  SELECT s.id,
    CASE WHEN 'code' = ANY(s.decided) THEN s.code ELSE coalesce(n.code, s.code) END AS code,
    CASE WHEN 'term' = ANY(s.decided) THEN s.term ELSE coalesce(n.term, s.term) END AS term,
    CASE WHEN 'title' = ANY(s.decided) THEN s.title ELSE coalesce(f.title, n.title) END AS title,
    CASE WHEN 'start_date' = ANY(s.decided) THEN s.start_date ELSE f.start_date END AS start_date,
    CASE WHEN 'end_date' = ANY(s.decided) THEN s.end_date ELSE f.end_date END AS end_date,
    CASE WHEN 'page_count' = ANY(s.decided) THEN s.page_count ELSE f.page_count END AS page_count,
    CASE WHEN 'retention' = ANY(s.decided) THEN s.retention ELSE k.retention END AS retention,
    CASE WHEN 'fonds_id' = ANY(s.decided) THEN s.fonds_id
      ELSE (SELECT min(o.id::text)::uuid FROM archive.fonds o WHERE s.source = ANY(o.sources)
        HAVING count(*) = 1) END AS fonds_id
  FROM archive.dossier s LEFT JOIN found f USING (id) LEFT JOIN kept k USING (id) LEFT JOIN named n USING (id))
UPDATE archive.dossier s SET code = w.code, term = w.term, title = w.title, start_date = w.start_date,
  end_date = w.end_date, page_count = w.page_count, retention = w.retention, fonds_id = w.fonds_id
FROM wanted w WHERE w.id = s.id
AND (s.code, s.term, s.title, s.start_date, s.end_date, s.page_count, s.retention, s.fonds_id)
  IS DISTINCT FROM (w.code, w.term, w.title, w.start_date, w.end_date, w.page_count, w.retention, w.fonds_id)
"""

_REMOVE = """
DELETE FROM archive.dossier s WHERE s.origin = 'records' AND s.decided = '{}'
AND NOT EXISTS (SELECT FROM archive.dossier_document x WHERE x.dossier_id = s.id)
AND NOT EXISTS (SELECT FROM archive.legal_hold h WHERE h.object_id = s.id)
"""
