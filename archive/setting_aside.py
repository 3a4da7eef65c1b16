"""Writing what does not enter the archive: the quarantine, and the line that a secret record was withheld.

What was stored of a record before the secrecy gate withheld it leaves again: ``archive.taking_back``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from archive.canonical import Json
from archive.copying import word_array
from archive.identities import key_sha256, quarantine_id, quarantine_ids
from archive.ledger import Event, EventType
from archive.objects import ObjectStore
from archive.outcomes import Outcome, Quarantined, Withheld
from archive.quarantine_record import QUARANTINE_TYPE, quarantine_bytes
from archive.removal_warrant import Leaving
from archive.rows import json_text
from archive.stored_text import column_text, key_text
from archive.taking_back import Place, files_of, take_back, withheld_before
from archive.versions import StoredFile, write_objects


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
_FAILURE = ("stage", "reason", "message", "location", "original_sha256", "files", "context")


@dataclass(frozen=True, slots=True)
class _Standing:
    failure: tuple[object, ...]  # the columns of ``_FAILURE``
    state: str
    last_run: str
    by_gate: bool


def set_aside(
    cursor: psycopg.Cursor[TupleRow],
    objects: ObjectStore,
    place: Place,
    quarantined: Sequence[Quarantined],
    withheld: Sequence[Withheld],
    archived: Sequence[tuple[str, str]],
    overruled: Sequence[Outcome] = (),
) -> SetAside:
    """Bring quarantine and withheld up to the batch's outcomes.

    What a failed record said goes into ``objects``, and leaves them again with its bytes when the record turns out to
    be secret; so does what ``overruled`` outcomes, of records that the batch withholds as well, had stored.
    ``archived`` are the (key, revision) that just entered the archive: those in quarantine leave it.
    The same failure in another run only counts an attempt; in the same run it changes nothing. A record that the gate
    withheld before is not kept by failing now: no words, no bytes.

    Raises:
        RetriableError: bytes have to leave and ``place`` is not alone; nothing may be committed.
    """
    waiting = {_id(place, record.key, record.revision): record for record in quarantined}
    secret = {_id(place, record.key, record.revision): record for record in withheld}
    entered = quarantine_ids(place.source, archived)
    standing = _locked(cursor, [*map(str, waiting), *map(str, secret), *entered])
    barred = withheld_before(cursor, place.source, quarantined)
    leaving = [_leaving(place, record) for row, record in waiting.items() if row in barred]
    rows = {str(row): row for row in standing}
    events = _release(cursor, place, [rows[row] for row in entered if row in rows], standing)
    fresh = {row: record for row, record in waiting.items() if row not in standing and row not in barred}
    told = _enter(cursor, place, fresh)
    known = {row: record for row, record in waiting.items() if row in standing}
    changed, again = _repeat(cursor, place, known, standing, barred)
    events += _told(cursor, objects, place, {**told, **changed})
    leaving += _empty(cursor, place, {row: record for row, record in secret.items() if row in standing})
    leaving += [_leaving(place, outcome) for outcome in overruled]
    withholding = _withhold(cursor, place, withheld)
    events += take_back(cursor, objects, place, leaving)
    return SetAside(events + withholding, again)


def _id(place: Place, key: str, revision: str) -> UUID:
    return quarantine_id(place.source, key, revision)


def _leaving(place: Place, outcome: Outcome) -> Leaving:
    row = _id(place, outcome.key, outcome.revision)
    return Leaving(row, key_sha256(outcome.key), key_sha256(outcome.revision), files_of(outcome))


def _locked(cursor: psycopg.Cursor[TupleRow], rows: Sequence[str]) -> dict[UUID, _Standing]:
    cursor.execute(
        f"""SELECT id, state, last_run::text, resolved_by IS NOT DISTINCT FROM 'gate', {", ".join(_FAILURE)}
        FROM archive.quarantine WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE""",  # noqa: S608 - constants of this module
        (word_array(rows),),
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
          original_sha256, files, context, first_run, last_run, attempts, state)
        SELECT id, source, source_key, revision, stage, reason, message, location, original_sha256,
          files::text[], context::jsonb, run, run, 1, 'open'
        FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
          %s::text[], %s::text[], %s::text[], %s::text[], %s::uuid[]) AS q(id, source, source_key, revision, stage,
          reason, message, location, original_sha256, files, context, run)
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
        word_array(record.files),
        json_text(dict(record.context)),
        place.run,
    )


def _repeat(
    cursor: psycopg.Cursor[TupleRow],
    place: Place,
    records: Mapping[UUID, Quarantined],
    standing: Mapping[UUID, _Standing],
    barred: Collection[UUID],
) -> tuple[dict[UUID, Quarantined], list[UUID]]:
    """Failures that are known: those that are others now, or that a release did not help; and mere repeats.

    What the secrecy gate withheld counts as a repeat, whatever it says. Bytes of earlier tries stay named.
    """
    told: dict[UUID, Quarantined] = {}
    again: list[UUID] = []
    for row, failed in records.items():
        before = standing[row]
        is_secret = before.by_gate or row in barred
        record = _with_earlier_files(failed, before)
        _, _, _, _, *values, run = _values(place, row, record)
        if not is_secret and (before.state == "released" or not _same_failure(before.failure, values)):
            told[row] = record
        elif before.last_run == place.run:
            continue
        else:
            again.append(row)
        if is_secret:
            cursor.execute(_AGAIN, (run, row))
            continue
        cursor.execute(
            """UPDATE archive.quarantine SET stage = %s, reason = %s, message = %s, location = %s,
            original_sha256 = %s, files = %s::text[], context = %s::jsonb, last_run = %s, attempts = attempts + 1,
            state = CASE state WHEN 'released' THEN 'open' ELSE state END WHERE id = %s""",
            (*values, run, row),
        )
    return told, again


def _with_earlier_files(record: Quarantined, before: _Standing) -> Quarantined:
    *_, original, files, _ = before.failure
    assert isinstance(files, list)
    names = dict.fromkeys((*files, *([original] if isinstance(original, str) else []), *record.files))
    return replace(record, files=tuple(name for name in names if name != record.original_sha256))


def _same_failure(before: Sequence[object], now: Sequence[object]) -> bool:
    *words, files, context = now
    *_, files_before, _ = before
    assert isinstance(files_before, list)
    return (*words, files, json.loads(str(context))) == (*before[:-2], word_array(files_before), before[-1])


def _told(
    cursor: psycopg.Cursor[TupleRow], objects: ObjectStore, place: Place, records: Mapping[UUID, Quarantined]
) -> list[Event]:
    kept = {row: objects.put_bytes(quarantine_bytes(place.source, record)) for row, record in records.items()}
    files = [StoredFile(one.sha256, one.size, QUARANTINE_TYPE) for one in kept.values()]
    write_objects(cursor, sorted(files, key=lambda file: file.sha256), place.at)
    return [_quarantine_event(place, row, record, kept[row].sha256) for row, record in records.items()]


def _quarantine_event(place: Place, row: UUID, record: Quarantined, told: str) -> Event:
    payload: dict[str, Json] = {
        "key": key_text(record.key),
        "revision": key_text(record.revision),
        "stage": record.stage,
        "reason": record.reason,
        "original_sha256": record.original_sha256,
        "record_sha256": told,
    }
    if record.files:
        payload["files"] = list(record.files)
    return Event(EventType.QUARANTINE, "failure", place.source, str(row), place.run, payload)


def _empty(cursor: psycopg.Cursor[TupleRow], place: Place, records: Mapping[UUID, Withheld]) -> list[Leaving]:
    """A quarantined record that turns out to be secret leaves nothing in its row but that there was one."""
    leaving = []
    for row, record in records.items():
        key, revision = key_sha256(record.key), key_sha256(record.revision)
        cursor.execute(
            """UPDATE archive.quarantine SET source_key = %s, revision = %s, message = '', location = '',
            original_sha256 = NULL, files = '{}', context = '{}', state = 'rejected', resolved_by = 'gate',
            resolved_why = %s, resolved_at = %s, last_run = %s
            WHERE id = %s AND (resolved_by IS DISTINCT FROM 'gate' OR source_key <> %s)""",
            (key, revision, key_text(record.rule), place.at, place.run, row, key),
        )
        if cursor.rowcount:
            named = _named_before(cursor, row)
            leaving.append(Leaving(row, key, revision, named, key_text(record.rule)))
    return leaving


def _named_before(cursor: psycopg.Cursor[TupleRow], row: UUID) -> list[str]:
    """All objects that failures of this row left, as the ledger names them: their records, their bytes."""
    cursor.execute(
        "SELECT payload FROM archive.event WHERE object = %s AND type = %s ORDER BY seq",
        (str(row), EventType.QUARANTINE.value),
    )
    named: list[str | None] = []
    for (payload,) in cursor.fetchall():
        told = json.loads(payload)
        named += [told.get("record_sha256"), told.get("original_sha256"), *told.get("files", ())]
    return [name for name in named if name]


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
