"""Removing the bytes that a disposal gave up: after its decision is committed, and again after every crash.

An object goes only while no row needs it and nobody brings in rows (``archive.disposal_trace.keep_objects``). A run
under way may have found the bytes in the store without having written its rows yet: until it has ended, they stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from archive.cursors import psycopg_cursor
from archive.decision import Decision
from archive.decisions import decide
from archive.disposal_trace import lock_removal
from archive.failures import database_errors
from archive.objects import ObjectStore
from archive.removal_warrant import Warrant, warrants

_CHUNK = 200
_ABANDONED = timedelta(days=7)
"""A run that began longer ago and never ended is not waited for: the loader refuses a batch whose bytes are gone, and a
new run fetches them again."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal did.

    Attributes:
        objects: removed, or found to be gone already. bytes: their sizes, as far as the archive had rows of them.
        kept: given up, but needed again by a document that came later.
        waiting_for: runs under way for which all objects wait; nothing was removed.
    """

    objects: int = 0
    bytes: int = 0
    kept: int = 0
    waiting_for: tuple[str, ...] = field(default=())


def remove_objects(
    engine: sa.Engine, objects: ObjectStore, *, by: str, account: str, why: str, at: datetime | None = None
) -> Removed:
    """Remove all objects that were given up and are not needed again. Repeated, it goes on where it was stopped."""
    now = (at or datetime.now(UTC)).astimezone(UTC)
    if running := _running(engine, now):
        return Removed(waiting_for=running)
    count = size = 0
    for disposal, names in _given_up(engine):
        for start in range(0, len(names), _CHUNK):
            removed = _remove(engine, objects, names[start : start + _CHUNK])
            if removed:
                values = {"objects": [warrant.sha256 for warrant in removed], "disposal": disposal}
                decide(engine, Decision("object_removal", disposal, by, account, why, values), now)
            count += len(removed)
            size += sum(warrant.size or 0 for warrant in removed)
    return Removed(count, size, sum(len(names) for _, names in _given_up(engine)))


def _remove(engine: sa.Engine, objects: ObjectStore, names: Sequence[str]) -> list[Warrant]:
    with database_errors("removing objects"), engine.begin() as connection:
        cursor = psycopg_cursor(connection)
        lock_removal(cursor)
        allowed = warrants(cursor, names)
        for warrant in allowed:
            objects.remove(warrant)
    return allowed


def _running(engine: sa.Engine, now: datetime) -> tuple[str, ...]:
    asked = sa.text(
        "SELECT source, run_key FROM archive.run WHERE state = 'running' AND started > :since ORDER BY started"
    )
    with database_errors("asking for runs under way"), engine.connect() as connection:
        rows = connection.execute(asked, {"since": now - _ABANDONED})
        return tuple(f"{row.source} ({row.run_key})" for row in rows)


def _given_up(engine: sa.Engine) -> Iterator[tuple[str, list[str]]]:
    asked = sa.text(
        """SELECT disposal_id, array_agg(sha256 ORDER BY sha256) AS names FROM archive.disposed_object
        WHERE removed_at IS NULL GROUP BY disposal_id ORDER BY disposal_id"""
    )
    with database_errors("listing what was given up"), engine.connect() as connection:
        rows: list[tuple[UUID, list[str]]] = [
            (row.disposal_id, list(row.names)) for row in connection.execute(asked)
        ]
    return iter([(str(disposal), names) for disposal, names in rows])
