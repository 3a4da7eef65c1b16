"""Writing what does not enter the archive: the quarantine, and the line that a secret record was withheld."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from archive.canonical import Json
from archive.identities import quarantine_id
from archive.ledger import Event, EventType
from archive.objects import ObjectStore
from archive.outcomes import Quarantined, Withheld
from archive.quarantine_record import QUARANTINE_TYPE, quarantine_bytes
from archive.removal_warrant import secret_warrants
from archive.rows import json_text
from archive.stored_text import column_text, key_text
from archive.versions import StoredFile, write_objects


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when records are set aside: the source, the run, and the moment for resolutions."""

    source: str
    run: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SetAside:
    """What was written.

    Attributes:
        events: what is new.
        again: quarantine rows that only counted another attempt.
    """

    events: list[Event]
    again: list[UUID]


_AGAIN = "UPDATE archive.quarantine SET last_run = %s, attempts = attempts + 1 WHERE id = %s"
_FAILURE = ("stage", "reason", "message", "location", "original_sha256", "context")


@dataclass(frozen=True, slots=True)
class _Standing:
    failure: tuple[object, ...]  # the columns of ``_FAILURE``
    state: str
    last_run: str
    by_gate: bool  # it turned out to be secret: whatever fails about it, its words are not kept


def set_aside(
    cursor: psycopg.Cursor[TupleRow],
    objects: ObjectStore,
    place: Place,
    quarantined: Sequence[Quarantined],
    withheld: Sequence[Withheld],
    archived: Sequence[tuple[str, str]],
) -> SetAside:
    """Bring quarantine and withheld up to the batch's outcomes.

    What a failed record said goes into ``objects``, and leaves them again when the record turns out to be secret.
    ``archived`` are the (key, revision) that just entered the archive: those in quarantine leave it.
    The same failure in another run only counts an attempt; in the same run it changes nothing.
    """
    waiting = {_id(place, record.key, record.revision): record for record in quarantined}
    secret = {_id(place, record.key, record.revision): record for record in withheld}
    released = [quarantine_id(place.source, key, revision) for key, revision in archived]
    standing = _locked(cursor, [*waiting, *secret, *released])
    events = _release(cursor, place, [row for row in released if row in standing], standing)
    fresh = {row: record for row, record in waiting.items() if row not in standing}
    told = _enter(cursor, place, fresh)
    known = {row: record for row, record in waiting.items() if row in standing}
    changed, again = _repeat(cursor, place, known, standing)
    events += _told(cursor, objects, place, {**told, **changed})
    events += _empty(
        cursor, objects, place, {row: record for row, record in secret.items() if row in standing}
    )
    return SetAside(events + _withhold(cursor, place, withheld), again)


def _id(place: Place, key: str, revision: str) -> UUID:
    return quarantine_id(place.source, key, revision)


def _locked(cursor: psycopg.Cursor[TupleRow], rows: Sequence[UUID]) -> dict[UUID, _Standing]:
    cursor.execute(
        f"""SELECT id, state, last_run::text, resolved_by IS NOT DISTINCT FROM 'gate', {", ".join(_FAILURE)}
        FROM archive.quarantine WHERE id = ANY(%s) ORDER BY id FOR UPDATE""",  # noqa: S608 - constants of this module
        (list(rows),),
    )
    return {row[0]: _Standing(row[4:], row[1], row[2], row[3]) for row in cursor.fetchall()}


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
) -> dict[UUID, Quarantined]:
    if not records:
        return {}
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
    return {row: record for row, record in records.items() if row in entered}


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
) -> tuple[dict[UUID, Quarantined], list[UUID]]:
    """Failures that are known: those that are others now, or that a release did not help; and mere repeats.

    What the secrecy gate resolved counts as a repeat, whatever it says.
    """
    told: dict[UUID, Quarantined] = {}
    again: list[UUID] = []
    for row, record in records.items():
        before = standing[row]
        _, _, _, _, *values, run = _values(place, row, record)
        if not before.by_gate and (before.state == "released" or not _same_failure(before.failure, values)):
            told[row] = record
        elif before.last_run == place.run:
            continue
        else:
            again.append(row)
        if before.by_gate:
            cursor.execute(_AGAIN, (run, row))
            continue
        cursor.execute(
            """UPDATE archive.quarantine SET stage = %s, reason = %s, message = %s, location = %s,
            original_sha256 = %s, context = %s::jsonb, last_run = %s, attempts = attempts + 1,
            state = CASE state WHEN 'released' THEN 'open' ELSE state END WHERE id = %s""",
            (*values, run, row),
        )
    return told, again


def _same_failure(before: Sequence[object], now: Sequence[object]) -> bool:
    *words, context = now
    return (*words, json.loads(str(context))) == tuple(before)


def _told(
    cursor: psycopg.Cursor[TupleRow], objects: ObjectStore, place: Place, records: Mapping[UUID, Quarantined]
) -> list[Event]:
    kept = {row: objects.put_bytes(quarantine_bytes(place.source, record)) for row, record in records.items()}
    files = [StoredFile(one.sha256, one.size, QUARANTINE_TYPE) for one in kept.values()]
    write_objects(cursor, sorted(files, key=lambda file: file.sha256), place.at)
    return [_quarantine_event(place, row, record, kept[row].sha256) for row, record in records.items()]


def _quarantine_event(place: Place, row: UUID, record: Quarantined, told: str) -> Event:
    payload = {
        "key": key_text(record.key),
        "revision": key_text(record.revision),
        "stage": record.stage,
        "reason": record.reason,
        "original_sha256": record.original_sha256,
        "record_sha256": told,
    }
    return Event(EventType.QUARANTINE, "failure", place.source, str(row), place.run, payload)


def _empty(
    cursor: psycopg.Cursor[TupleRow], objects: ObjectStore, place: Place, records: Mapping[UUID, Withheld]
) -> list[Event]:
    """A quarantined record that turns out to be secret leaves no words behind, in rows or objects."""
    events: list[Event] = []
    for row, record in records.items():
        cursor.execute(
            """UPDATE archive.quarantine SET message = '', location = '', context = '{}', state = 'rejected',
            resolved_by = 'gate', resolved_why = %s, resolved_at = %s, last_run = %s
            WHERE id = %s AND resolved_by IS DISTINCT FROM 'gate'""",
            (key_text(record.rule), place.at, place.run, row),
        )
        if cursor.rowcount == 0:
            continue
        told = secret_warrants(cursor, _told_before(cursor, row))
        for warrant in told:
            # Before the commit: a row without its bytes is a smaller evil than secret words that a crash leaves.
            objects.remove(warrant)
        payload: dict[str, Json] = {
            "rule": key_text(record.rule),
            "objects": [warrant.sha256 for warrant in told],
        }
        events.append(Event(EventType.DELETION, "success", place.source, str(row), place.run, payload))
    return events


def _told_before(cursor: psycopg.Cursor[TupleRow], row: UUID) -> list[str]:
    """The records of this row's failures, as the ledger names them."""
    cursor.execute(
        "SELECT payload FROM archive.event WHERE object = %s AND type = %s ORDER BY seq",
        (str(row), EventType.QUARANTINE.value),
    )
    named = [json.loads(payload).get("record_sha256") for (payload,) in cursor.fetchall()]
    return sorted({str(sha256) for sha256 in named if sha256})


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
