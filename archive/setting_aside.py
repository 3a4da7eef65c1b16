"""Writing what does not enter the archive: the quarantine, and the line that a secret record was withheld."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from archive.identities import quarantine_id
from archive.ledger import Event, EventType
from archive.outcomes import Quarantined, Withheld
from archive.rows import json_text
from archive.stored_text import column_text, key_text


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when records are set aside: the source, the run, and the moment for resolutions."""

    source: str
    run: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Standing:
    stage: str
    reason: str
    state: str
    attempts: int
    last_run: str


def set_aside(
    cursor: psycopg.Cursor[TupleRow],
    place: Place,
    quarantined: Sequence[Quarantined],
    withheld: Sequence[Withheld],
    archived: Sequence[tuple[str, str]],
) -> list[Event]:
    """Bring quarantine and withheld up to the batch's outcomes; returns what is new, as events.

    ``archived`` are the (key, revision) that just entered the archive: those in quarantine leave it.
    The same failure in another run only counts an attempt; in the same run it changes nothing.
    """
    waiting = {_id(place, record.key, record.revision): record for record in quarantined}
    secret = {_id(place, record.key, record.revision): record for record in withheld}
    released = [quarantine_id(place.source, key, revision) for key, revision in archived]
    standing = _locked(cursor, [*waiting, *secret, *released])
    events = _release(cursor, place, [row for row in released if row in standing], standing)
    events += _enter(cursor, place, {row: record for row, record in waiting.items() if row not in standing})
    events += _repeat(
        cursor, place, {row: record for row, record in waiting.items() if row in standing}, standing
    )
    _empty(cursor, place, {row: record for row, record in secret.items() if row in standing})
    return events + _withhold(cursor, place, withheld)


def _id(place: Place, key: str, revision: str) -> UUID:
    return quarantine_id(place.source, key, revision)


def _locked(cursor: psycopg.Cursor[TupleRow], rows: Sequence[UUID]) -> dict[UUID, _Standing]:
    cursor.execute(
        """SELECT id, stage, reason, state, attempts, last_run::text FROM archive.quarantine
        WHERE id = ANY(%s) ORDER BY id FOR UPDATE""",
        (list(rows),),
    )
    return {row[0]: _Standing(*row[1:]) for row in cursor.fetchall()}


def _release(
    cursor: psycopg.Cursor[TupleRow], place: Place, rows: Sequence[UUID], standing: Mapping[UUID, _Standing]
) -> list[Event]:
    rows = [row for row in rows if standing[row].state != "released"]
    if rows:
        cursor.execute(
            """UPDATE archive.quarantine SET state = 'released', last_run = %s, attempts = attempts + 1,
            resolved_by = 'retry', resolved_why = 'archived', resolved_at = %s WHERE id = ANY(%s)""",
            (place.run, place.at, rows),
        )
    return [
        Event(EventType.RELEASE, "success", place.source, str(row), place.run, {"by": "retry"})
        for row in rows
    ]


def _enter(
    cursor: psycopg.Cursor[TupleRow], place: Place, records: Mapping[UUID, Quarantined]
) -> list[Event]:
    if not records:
        return []
    columns = list(zip(*(_values(place, row, records[row]) for row in sorted(records)), strict=True))
    cursor.execute(
        """INSERT INTO archive.quarantine (id, source, source_key, revision, stage, reason, message, location,
          original_sha256, context, first_run, last_run, attempts, state)
        SELECT id, source, source_key, revision, stage, reason, message, location, original_sha256,
          context::jsonb, run, run, 1, 'open'
        FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
          %s::text[], %s::text[], %s::text[], %s::uuid[]) AS q(id, source, source_key, revision, stage,
          reason, message, location, original_sha256, context, run)
        ORDER BY id ON CONFLICT DO NOTHING RETURNING id""",
        [list(column) for column in columns],
    )
    entered = {row[0] for row in cursor.fetchall()}
    return [_quarantine_event(place, row, record) for row, record in records.items() if row in entered]


def _values(place: Place, row: UUID, record: Quarantined) -> tuple[object, ...]:
    return (
        row,
        place.source,
        key_text(record.key),
        key_text(record.revision),
        record.stage,
        key_text(record.reason),
        column_text(record.message),
        column_text(record.where),
        record.original_sha256,
        json_text(dict(record.context)),
        place.run,
    )


def _repeat(
    cursor: psycopg.Cursor[TupleRow],
    place: Place,
    records: Mapping[UUID, Quarantined],
    standing: Mapping[UUID, _Standing],
) -> list[Event]:
    """Failures that are known: another attempt, another reason, or one that a release did not help."""
    events: list[Event] = []
    for row, record in records.items():
        before = standing[row]
        reopened = before.state == "released"
        changed = (before.stage, before.reason) != (record.stage, key_text(record.reason))
        if before.last_run == place.run and not changed and not reopened:
            continue
        _, _, _, _, *values, run = _values(place, row, record)
        cursor.execute(
            """UPDATE archive.quarantine SET stage = %s, reason = %s, message = %s, location = %s,
            original_sha256 = %s, context = %s::jsonb, last_run = %s, attempts = attempts + 1,
            state = CASE state WHEN 'released' THEN 'open' ELSE state END WHERE id = %s""",
            (*values, run, row),
        )
        if changed or reopened:
            events.append(_quarantine_event(place, row, record))
    return events


def _quarantine_event(place: Place, row: UUID, record: Quarantined) -> Event:
    payload = {
        "key": key_text(record.key),
        "revision": key_text(record.revision),
        "stage": record.stage,
        "reason": record.reason,
        "original_sha256": record.original_sha256,
    }
    return Event(EventType.QUARANTINE, "failure", place.source, str(row), place.run, payload)


def _empty(cursor: psycopg.Cursor[TupleRow], place: Place, records: Mapping[UUID, Withheld]) -> None:
    """A quarantined record that turns out to be secret leaves no words behind."""
    for row, record in records.items():
        cursor.execute(
            """UPDATE archive.quarantine SET message = '', location = '', context = '{}', state = 'rejected',
            resolved_by = 'gate', resolved_why = %s, resolved_at = %s, last_run = %s
            WHERE id = %s AND resolved_by IS DISTINCT FROM 'gate'""",
            (key_text(record.rule), place.at, place.run, row),
        )


def _withhold(cursor: psycopg.Cursor[TupleRow], place: Place, records: Sequence[Withheld]) -> list[Event]:
    if not records:
        return []
    lines = sorted(
        {(key_sha256(r.key), key_sha256(r.revision), key_text(r.level), key_text(r.rule)) for r in records}
    )
    cursor.execute(
        """INSERT INTO archive.withheld (source, key_sha256, revision_sha256, level, rule, run_id, seen_at)
        SELECT %s, key_sha256, revision_sha256, level, rule, %s::uuid, %s
        FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
          AS w(key_sha256, revision_sha256, level, rule)
        ON CONFLICT DO NOTHING RETURNING key_sha256, revision_sha256, level, rule""",
        (place.source, place.run, place.at, *(list(column) for column in zip(*lines, strict=True))),
    )
    return [
        Event(
            EventType.WITHHOLDING,
            "success",
            place.source,
            key,
            place.run,
            {"revision_sha256": revision, "level": level, "rule": rule},
        )
        for key, revision, level, rule in sorted(cursor.fetchall())
    ]


def key_sha256(text: str) -> str:
    """How a withheld record's key and revision are kept: nobody reads from it what they said."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
