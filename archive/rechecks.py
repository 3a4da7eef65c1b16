"""Writing later checks: their verdicts, which of them are in force, their manifests, and an event for each.

Rows of earlier checks are never touched. What a check takes out of force stands in ``verdict_set_aside``; the view
``verdict_in_force`` is what everybody reads.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive import ledger
from archive.affected import Affected, NewList
from archive.canonical import Json
from archive.copying import copy_rows
from archive.cursors import psycopg_cursor
from archive.disposal_trace import keep_objects
from archive.failures import database_errors
from archive.identities import lock_key, verification_run_id
from archive.ledger import Event, EventType
from archive.manifest import FileVerdict, read_verdict
from archive.objects import ObjectStore
from archive.rows import check_rows
from archive.stored_text import column_text, key_text
from archive.verification import VERIFICATION_TYPE, Verification, verification_bytes
from archive.versions import StoredFile, evidence_types, write_objects
from signatures.succession import standing
from signatures.verdict import Indication, Verdict, worst


@dataclass(frozen=True, slots=True)
class VerificationRun:
    """A run of later verification.

    Attributes:
        id: identity. started: its clock, aware: the validation time of all its checks.
        trust_epoch: hash of the anchors.
    """

    id: UUID
    started: datetime
    trust_epoch: str


@dataclass(frozen=True, slots=True)
class ToCheck:
    """A version to verify again: where its manifest is, and when the archive received it."""

    affected: Affected
    source: str
    key: str
    manifest_sha256: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Check:
    """What a later check of a version found."""

    of: ToCheck
    verdicts: tuple[FileVerdict, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many files were checked, and in how many the verdict in force became another one."""

    files: int
    changed: int


def start_verification(
    engine: sa.Engine, run_key: str, why: str, trust_epoch: str, policy: Mapping[str, Json], now: datetime
) -> VerificationRun:
    """Start a run, or go on with the one that ``run_key`` started; its clock and anchors stay those of the start.

    Args:
        engine: of the migrated database.
        run_key: the caller's identity of the run, such as Airflow's run id.
        why: a person's own words, or empty.
        trust_epoch: hash of the anchors.
        policy: cut-off dates of algorithms, kept to notice when they change.
        now: the run's clock, aware.
    """
    key = key_text(run_key)
    values = {
        "id": verification_run_id(key),
        "key": key,
        "why": column_text(why),
        "now": now.astimezone(UTC),
        "epoch": trust_epoch,
        "policy": json.dumps(policy, sort_keys=True),
    }
    with database_errors("starting a verification"), engine.begin() as connection:
        started = connection.execute(_START, values).rowcount
        row = connection.execute(_STARTED, values).one()
        if started:
            facts: dict[str, Json] = {
                "run_key": key,
                "why": column_text(why),
                "trust_epoch": trust_epoch,
                "policy": policy,
            }
            _note(connection, row.id, "verification started", now, **facts)
    return VerificationRun(row.id, row.started, row.trust_epoch)


def last_policy(engine: sa.Engine, before: UUID | None = None) -> Mapping[str, Json] | None:
    """The cut-off dates that the newest finished run (other than ``before``) knew; ``None`` without one."""
    with database_errors("reading the last verification"), engine.connect() as connection:
        found = connection.scalar(_LAST_POLICY, {"before": before})
    return found if isinstance(found, dict) else None


def known_lists(engine: sa.Engine) -> set[str]:
    """The first 16 digits of the SHA-256 of every list whose consequences were drawn."""
    with database_errors("reading the known lists"), engine.connect() as connection:
        return set(connection.scalars(sa.text("SELECT left(sha256, 16) FROM archive.known_list")))


def to_check(engine: sa.Engine, found: Sequence[Affected]) -> list[ToCheck]:
    """Where the manifests of ``found`` are, in its order."""
    with database_errors("finding what to verify"), engine.connect() as connection:
        rows = connection.execute(
            _MANIFESTS,
            {"ids": [item.document for item in found], "versions": [item.version for item in found]},
        )
        places = {(row.id, row.version): row for row in rows}
    return [
        ToCheck(item, row.source, row.source_key, row.manifest_sha256, row.received_at)
        for item in found
        for row in (places[item.document, item.version],)
    ]


def record(
    engine: sa.Engine, objects: ObjectStore, run: VerificationRun, checks: Sequence[Check], at: datetime
) -> Recorded:
    """Write ``checks`` in one transaction, whole or not at all.

    Raises:
        RetriableError: the database is away or busy; nothing was written. FatalError: it refuses.
    """
    with database_errors("recording a verification"), engine.begin() as connection:
        cursor = psycopg_cursor(connection)
        # One writer at a time: check numbers and what is in force must follow one another.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key("verification"),))
        keep_objects(cursor)
        checks = _not_destroyed(cursor, checks)
        before = _in_force(cursor, checks)
        numbers = _check_numbers(cursor, checks)
        written = [
            _settled(run, check, numbers[_place(check)] + 1, before[_place(check)], at) for check in checks
        ]
        files = [_put(objects, check) for check, _, _ in written]
        evidence = _evidence(objects, checks)
        kept = {file.sha256: file for file in (*files, *evidence)}
        write_objects(cursor, [kept[sha256] for sha256 in sorted(kept)], at)
        write_checks(
            cursor, [(check, file.sha256) for (check, _, _), file in zip(written, files, strict=True)]
        )
        changed = sum(count for _, count, _ in written)
        cursor.execute(
            "UPDATE archive.verification_run SET files = files + %s, changed = changed + %s WHERE id = %s",
            (sum(len(check.of.affected.attachments) for check in checks), changed, run.id),
        )
        ledger.lock(cursor)
        events = [
            _event(one, len(check.of.affected.attachments), file.sha256, {found.sha256 for found in evidence})
            for check, one, file in zip(checks, written, files, strict=True)
        ]
        ledger.append(cursor, events, at)
    return Recorded(sum(len(check.of.affected.attachments) for check in checks), changed)


def finish_verification(
    engine: sa.Engine, run: VerificationRun, lists: Iterable[NewList], at: datetime
) -> Recorded:
    """Note that the consequences of ``lists`` are drawn, and close the run; its totals."""
    with database_errors("closing a verification"), engine.begin() as connection:
        known = [
            fields for item in lists for fields in (_known(item),) if _enter_list(connection, run.id, fields)
        ]
        finished = connection.execute(_FINISH, {"id": run.id, "at": at}).rowcount
        if known or finished:
            _note(connection, run.id, "verification finished", at, lists=known)
        row = connection.execute(_TOTALS, {"id": run.id}).one()
    return Recorded(row.files, row.changed)


def _known(item: NewList) -> dict[str, Json]:
    return {
        "sha256": item.sha256,
        "kind": item.kind,
        "issuer": column_text(item.issuer),
        "this_update": item.this_update.isoformat(),
        "next_update": item.next_update.isoformat() if item.next_update else None,
        "received_at": item.received_at.isoformat(),
    }


def _enter_list(connection: sa.Connection, run: UUID, fields: Mapping[str, Json]) -> bool:
    return connection.execute(_KNOW, {**fields, "run": run}).rowcount == 1


def _note(connection: sa.Connection, run: UUID, step: str, at: datetime, **facts: Json) -> None:
    """A step of a verification run with the facts that its rows get, so that the ledger can make them again."""
    cursor = psycopg_cursor(connection)
    payload: dict[str, Json] = {"step": step, **facts}
    ledger.lock(cursor)
    ledger.append(
        cursor, [Event(EventType.ACCOUNTING, "success", "", str(run), str(run), payload)], at.astimezone(UTC)
    )


_Place = tuple[UUID, int]
_Standing = dict[int | None, list[tuple[tuple[int, int], Verdict]]]
_Written = tuple[Verification, int, Indication]


def _place(check: Check) -> _Place:
    return check.of.affected.document, check.of.affected.version


def _not_destroyed(cursor: psycopg.Cursor[TupleRow], checks: Sequence[Check]) -> list[Check]:
    """Without those whose content a disposal took while they were verified."""
    cursor.execute(
        "SELECT document_id, version FROM archive.disposed_version WHERE document_id = ANY(%s)",
        ([_place(check)[0] for check in checks],),
    )
    destroyed = set(cursor.fetchall())
    return [check for check in checks if _place(check) not in destroyed]


def _in_force(cursor: psycopg.Cursor[TupleRow], checks: Sequence[Check]) -> dict[_Place, _Standing]:
    cursor.execute(
        """SELECT s.document_id, s.version, s.attachment, s.check_no, s.position, s.verdict
        FROM unnest(%s::uuid[], %s::int[]) AS a(document_id, version)
        JOIN archive.verdict_in_force s USING (document_id, version)
        ORDER BY s.document_id, s.version, s.check_no, s.position""",
        ([_place(check)[0] for check in checks], [_place(check)[1] for check in checks]),
    )
    found: dict[_Place, _Standing] = defaultdict(lambda: defaultdict(list))
    for document, version, attachment, check, position, verdict in cursor:
        found[document, version][attachment].append(((check, position), read_verdict(verdict)))
    return found


def _check_numbers(cursor: psycopg.Cursor[TupleRow], checks: Sequence[Check]) -> dict[_Place, int]:
    cursor.execute(
        """SELECT a.document_id, a.version, coalesce(max(s.check_no), 1)
        FROM unnest(%s::uuid[], %s::int[]) AS a(document_id, version)
        LEFT JOIN archive.signature_verdict s USING (document_id, version) GROUP BY 1, 2""",
        ([_place(check)[0] for check in checks], [_place(check)[1] for check in checks]),
    )
    return {(document, version): number for document, version, number in cursor}


def _settled(run: VerificationRun, check: Check, number: int, before: _Standing, at: datetime) -> _Written:
    """The check as it is kept, in how many files it changed what is in force, and the worst of them now."""
    aside: list[tuple[int, int]] = []
    now: list[Verdict] = []
    changed = 0
    for attachment in check.of.affected.attachments:
        old = before[attachment]
        later = [
            (position, found.verdict)
            for position, found in enumerate(check.verdicts, start=1)
            if found.attachment == attachment
        ]
        replaced, late = standing([verdict for _, verdict in old], [verdict for _, verdict in later])
        aside += [old[index][0] for index in replaced]
        aside += [(number, later[index][0]) for index in late]
        kept = [verdict for index, (_, verdict) in enumerate(old) if index not in replaced]
        kept += [verdict for index, (_, verdict) in enumerate(later) if index not in late]
        now += kept
        changed += _essence(kept) != _essence([verdict for _, verdict in old])
    verification = Verification(
        document=str(check.of.affected.document),
        source=check.of.source,
        key=check.of.key,
        version=check.of.affected.version,
        manifest_sha256=check.of.manifest_sha256,
        check=number,
        run=str(run.id),
        reasons=check.of.affected.reasons,
        trust_epoch=run.trust_epoch,
        verified_at=at,
        verdicts=check.verdicts,
        set_aside=tuple(sorted(aside)),
    )
    return verification, changed, worst(now)


def _essence(verdicts: list[Verdict]) -> list[tuple[str, str, str]]:
    return sorted((item.path, item.indication.value, item.sub_indication) for item in verdicts)


def _put(objects: ObjectStore, check: Verification) -> StoredFile:
    stored = objects.put_bytes(verification_bytes(check))
    return StoredFile(stored.sha256, stored.size, VERIFICATION_TYPE)


def _evidence(objects: ObjectStore, checks: Sequence[Check]) -> list[StoredFile]:
    types: dict[str, str] = {}
    for check in checks:
        for found in check.verdicts:
            types |= evidence_types(found.verdict)
    return [
        StoredFile(sha256, objects.size(sha256), media_type)
        for sha256, media_type in types.items()
        if objects.exists(sha256)
    ]


def write_checks(cursor: psycopg.Cursor[TupleRow], checks: Sequence[tuple[Verification, str]]) -> None:
    """The rows of ``checks``, each with the SHA-256 of its manifest."""
    verdicts: list[Mapping[str, object]] = []
    verifications: list[Mapping[str, object]] = []
    aside: list[Mapping[str, object]] = []
    for check, sha256 in checks:
        place = {"document_id": UUID(check.document), "version": check.version}
        verdicts += check_rows(check.document, check.version, check.check, check.run, check.verdicts)
        verifications.append(
            {
                **place,
                "check_no": check.check,
                "run_id": UUID(check.run),
                "reasons": list(check.reasons),
                "sha256": sha256,
                "trust_epoch": check.trust_epoch,
                "verified_at": check.verified_at,
            }
        )
        aside += [
            {**place, "check_no": number, "position": position, "by_check": check.check}
            for number, position in check.set_aside
        ]
    copy_rows(cursor, "signature_verdict", verdicts)
    copy_rows(cursor, "verification", verifications)
    copy_rows(cursor, "verdict_set_aside", aside)


def _event(written: _Written, files: int, sha256: str, held: set[str]) -> Event:
    check, changed, state = written
    named: set[str] = set().union(*(evidence_types(found.verdict) for found in check.verdicts))
    payload: dict[str, Json] = {
        "version": check.version,
        "check": check.check,
        "reasons": list(check.reasons),
        "verification_sha256": sha256,
        "in_force": state.value,
        "changed": bool(changed),
        "files": files,
        "changed_files": changed,
        "evidence": sorted(named & held),
    }
    outcome = "success" if state is Indication.TOTAL_PASSED else "failure"
    return Event(EventType.VALIDATION, outcome, check.source, check.document, check.run, payload)


_START = sa.text(
    """INSERT INTO archive.verification_run (id, run_key, why, started, trust_epoch, policy, files, changed)
    VALUES (:id, :key, :why, :now, :epoch, CAST(:policy AS jsonb), 0, 0) ON CONFLICT DO NOTHING"""
)
_STARTED = sa.text("SELECT id, started, trust_epoch FROM archive.verification_run WHERE id = :id")
_LAST_POLICY = sa.text(
    """SELECT policy FROM archive.verification_run
    WHERE finished IS NOT NULL AND id IS DISTINCT FROM CAST(:before AS uuid)
    ORDER BY started DESC LIMIT 1"""
)
_MANIFESTS = sa.text(
    """SELECT d.id, v.version, d.source, d.source_key, v.manifest_sha256, v.received_at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[])) AS a(id, version)
    JOIN archive.document d ON d.id = a.id
    JOIN archive.document_version v ON v.document_id = a.id AND v.version = a.version"""
)
_KNOW = sa.text(
    """INSERT INTO archive.known_list (sha256, kind, issuer, this_update, next_update, received_at, run_id)
    VALUES (:sha256, :kind, :issuer, CAST(:this_update AS timestamptz), CAST(:next_update AS timestamptz),
      CAST(:received_at AS timestamptz), :run) ON CONFLICT DO NOTHING"""
)
_FINISH = sa.text("UPDATE archive.verification_run SET finished = :at WHERE id = :id AND finished IS NULL")
_TOTALS = sa.text("SELECT files, changed FROM archive.verification_run WHERE id = :id")
