"""What a source no longer lists: a deleted source document stays archived, marked as gone from its source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive import ledger
from archive.cursors import psycopg_cursor
from archive.failures import database_errors
from archive.identities import document_id, key_sha256
from archive.ledger import Event, EventType
from archive.runs import RunId
from archive.stored_text import key_text


@dataclass(frozen=True, slots=True)
class Presence:
    """How many documents a complete inventory found changed in their presence.

    Attributes:
        gone: archived, and no longer listed by their source.
        back: marked as gone before, and listed again (a restored file, a late replication).
    """

    gone: int
    back: int


def mark_presence(engine: sa.Engine, source: str, run: RunId, keys: Iterable[str], at: datetime) -> Presence:
    """Compare a complete inventory of ``source`` with its archived documents and mark what is gone or back.

    The same inventory again changes nothing.

    Args:
        engine: of the migrated database.
        source: name of the source.
        run: the run that took the inventory.
        keys: every key that the source listed, repeats allowed; a key left out counts as deleted there.
        at: when the inventory was taken, aware. A document that another run first received later is left alone.

    Raises:
        RetriableError: the database is away or busy. FatalError: it refuses. Nothing was written.
    """
    with database_errors("marking what a source no longer lists"), engine.begin() as connection:
        cursor = psycopg_cursor(connection)
        _hold(cursor, source, keys)
        _compare(cursor, source, run, at)
        changed = _changed(cursor, source, at)
        if changed:
            _mark(cursor, changed, at)
            ledger.lock(cursor)
            ledger.append(cursor, [_event(source, run, document, gone) for document, gone in changed], at)
    gone = sum(is_gone for _, is_gone in changed)
    return Presence(gone, len(changed) - gone)


def _hold(cursor: psycopg.Cursor[TupleRow], source: str, keys: Iterable[str]) -> None:
    cursor.execute(
        'CREATE TEMPORARY TABLE listed (id uuid NOT NULL, key text COLLATE "C", sha256 text) ON COMMIT DROP'
    )
    with cursor.copy("COPY listed FROM STDIN") as copy:
        for key in keys:
            copy.write_row((document_id(source, key), key_text(key), key_sha256(key)))
    cursor.execute("ANALYZE listed")


def _compare(cursor: psycopg.Cursor[TupleRow], source: str, run: RunId, at: datetime) -> None:
    """Keep where each listed key stands, for the reconciliation; an older inventory replaces no newer one."""
    cursor.execute(
        """WITH state AS (
          SELECT DISTINCT ON (l.id) l.key, CASE WHEN d.id IS NOT NULL THEN 'archived'
            WHEN q.source IS NOT NULL THEN 'quarantined' WHEN w.source IS NOT NULL THEN 'withheld' ELSE 'missing' END
            AS state
          FROM listed l LEFT JOIN archive.document d ON d.id = l.id
          LEFT JOIN archive.quarantine q ON q.source = %(source)s AND q.source_key = l.key AND q.state <> 'released'
          LEFT JOIN archive.withheld w ON w.source = %(source)s AND w.key_sha256 = l.sha256 ORDER BY l.id)
        INSERT INTO archive.inventory AS i (source, run_id, taken_at, listed, archived, quarantined, withheld, missing,
          missing_keys)
        SELECT %(source)s, %(run)s, %(at)s, count(*), count(*) FILTER (WHERE state = 'archived'),
          count(*) FILTER (WHERE state = 'quarantined'), count(*) FILTER (WHERE state = 'withheld'),
          count(*) FILTER (WHERE state = 'missing'),
          coalesce((array_agg(key ORDER BY key) FILTER (WHERE state = 'missing'))[1:1000], '{}')
        FROM state
        ON CONFLICT (source) DO UPDATE SET run_id = excluded.run_id, taken_at = excluded.taken_at,
          listed = excluded.listed, archived = excluded.archived, quarantined = excluded.quarantined,
          withheld = excluded.withheld, missing = excluded.missing, missing_keys = excluded.missing_keys
        WHERE i.taken_at <= excluded.taken_at""",
        {"source": source, "run": run, "at": at},
    )


def _changed(cursor: psycopg.Cursor[TupleRow], source: str, at: datetime) -> list[tuple[UUID, bool]]:
    """Locked in the order of the loader: documents and whether they are gone, where that is new."""
    cursor.execute(
        """SELECT d.id, d.gone_from_source_at IS NULL FROM archive.document d
        WHERE d.source = %s AND d.first_received_at <= %s
          AND (d.gone_from_source_at IS NULL) <> EXISTS (SELECT FROM listed l WHERE l.id = d.id)
        ORDER BY d.id FOR NO KEY UPDATE""",
        (source, at),
    )
    return [(row[0], row[1]) for row in cursor.fetchall()]


def _mark(cursor: psycopg.Cursor[TupleRow], changed: list[tuple[UUID, bool]], at: datetime) -> None:
    cursor.execute(
        """UPDATE archive.document d SET gone_from_source_at = CASE WHEN c.gone THEN %s::timestamptz END
        FROM unnest(%s::uuid[], %s::bool[]) AS c(id, gone) WHERE d.id = c.id""",
        (at, [document for document, _ in changed], [gone for _, gone in changed]),
    )


def _event(source: str, run: RunId, document: UUID, gone: bool) -> Event:
    kind = EventType.GONE if gone else EventType.BACK
    return Event(kind, "success", source, str(document), run)
