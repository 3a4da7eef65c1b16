"""Making rows again from the events of one transaction, in the order in which they were written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from archive.access import settle_following
from archive.decision import Decision
from archive.disposal_trace import restore_trace
from archive.ledger import Entry, EventType
from archive.links import link, write_relations
from archive.manifest import Processed, read_manifest
from archive.objects import ObjectStore
from archive.outcomes import Archived
from archive.quarantine_record import QUARANTINE_TYPE, read_quarantine
from archive.rebuild_scan import Trouble
from archive.rechecks import write_checks
from archive.rows import json_text
from archive.sealing import write_seal
from archive.stored_text import column_text
from archive.verification import VERIFICATION_TYPE, Verification, read_verification
from archive.versions import (
    StoredFile,
    evidence_types,
    named_files,
    parts_of,
    write_objects,
    write_parts,
    write_versions,
)
from schemas.errors import FatalError, LienthongError

_Read = TypeVar("_Read")
_MOST_CHECKS = 500
"""A run of verification has one time for all its transactions: its checks are repeated in parts of this size."""
Told = tuple[Entry, Mapping[str, Any]]
"""An event and its payload."""


class Steps:
    """Repeats transactions of the living archive in a database that is made again.

    Args:
        cursor: in the database's transaction. objects: the store.
        disposed: the execution of the disposal of each document whose content was destroyed.
        troubles: takes what could not be made again.
    """

    def __init__(
        self,
        cursor: psycopg.Cursor[TupleRow],
        objects: ObjectStore,
        disposed: Mapping[str, Decision],
        removed: set[str],
        troubles: list[Trouble],
    ) -> None:
        self._cursor = cursor
        self._objects = objects
        self._disposed = disposed
        self._removed = removed
        self._troubles = troubles
        self.documents = 0
        self._steps: Mapping[str, Callable[[Entry, Mapping[str, Any]], None]] = {
            EventType.QUARANTINE: self._quarantine,
            EventType.RELEASE: self._release,
            EventType.WITHHOLDING: self._withhold,
            EventType.DELETION: self._empty,
            EventType.ACCESS: self._seal,
            EventType.GONE: partial(self._presence, gone=True),
            EventType.BACK: partial(self._presence, gone=False),
            EventType.ACCOUNTING: self._account,
        }

    def repeat(self, events: Sequence[Told]) -> None:
        """Make the rows of one transaction again; decisions are the caller's."""
        ingested = [told for told in events if told[0].type == EventType.INGESTION]
        loaded = next((told for told in events if told[1].get("step") == "loaded"), None)
        versions = self._ingest(ingested, loaded[1].get("evidence", []) if loaded else None)
        for entry, payload in events:
            step = self._steps.get(entry.type)
            if step is not None and "decision" not in payload:
                step(entry, payload)
        if versions:
            write_relations(self._cursor, versions)
            link(self._cursor, versions, events[0][0].at)
            settle_following(self._cursor, versions)
        self._validate([told for told in events if told[0].type == EventType.VALIDATION])

    def _ingest(self, events: Sequence[Told], evidence: Sequence[str] | None) -> list[Any]:
        records: list[tuple[str, Archived]] = []
        numbers: dict[str, int] = {}
        for entry, payload in events:
            sha256 = payload["manifest_sha256"]
            processed = self._manifest(entry, sha256)
            if processed is not None:
                records.append((entry.object, Archived(sha256, processed)))
                numbers[sha256] = payload["version"]
        if not records:
            return []
        first = events[0][0]
        assert first.run is not None
        versions = write_versions(self._cursor, first.source, first.run, records, numbers)
        self.documents += len(versions)
        write_parts(self._cursor, parts_of(versions))
        types, named = named_files(record for _, record in records)
        held = {name for name in named if self._objects.exists(name)} if evidence is None else set(evidence)
        kept = {name: named[name] for name in held & named.keys()}
        self._enter({**kept, **types}, first.at)
        return versions

    def _manifest(self, entry: Entry, sha256: str) -> Processed | None:
        if not self._objects.exists(sha256) and entry.object in self._disposed:
            restore_trace(self._cursor, self._disposed[entry.object])
            return None
        return self._read(sha256, read_manifest, f"document {entry.object}, event {entry.seq}")

    def _read(self, sha256: str, read: Callable[[bytes], _Read], where: str) -> _Read | None:
        try:
            with self._objects.open(sha256) as stream:
                data = stream.read()
            if hashlib.sha256(data).hexdigest() != sha256:
                raise FatalError(f"the object {sha256} was changed", action="restore it from the backup")
            return read(data)
        except LienthongError as error:
            kind = "unreadable" if self._objects.exists(sha256) else "missing"
            self._troubles.append(Trouble(kind, where, str(error)))
            return None

    def _enter(self, types: Mapping[str, str], at: datetime) -> None:
        files = []
        for name in sorted(types):
            if self._objects.exists(name):
                files.append(StoredFile(name, self._objects.size(name), types[name]))
            elif name not in self._removed:
                self._troubles.append(
                    Trouble("missing", f"object {name}", "the ledger names it, the store lacks it")
                )
        write_objects(self._cursor, files, at)

    def _quarantine(self, entry: Entry, payload: Mapping[str, Any]) -> None:
        message, location, context = "", "", "{}"
        sha256 = payload.get("record_sha256")
        if sha256 is None:
            self._troubles.append(
                Trouble("untold", f"quarantine {entry.object}", "an event of an older program keeps no words")
            )
        elif sha256 not in self._removed:
            told = self._read(sha256, read_quarantine, f"quarantine {entry.object}, event {entry.seq}")
            if told is not None:
                failure = told[1]
                message, location = column_text(failure.message), column_text(failure.where)
                context = json_text(dict(failure.context))
                self._enter({sha256: QUARANTINE_TYPE}, entry.at)
        self._cursor.execute(
            _QUARANTINE,
            {
                **{name: payload[name] for name in ("key", "revision", "stage", "reason", "original_sha256")},
                "files": payload.get("files", []),
                "id": UUID(entry.object), "source": entry.source, "run": entry.run,
                "message": message, "location": location, "context": context,
            },
        )  # fmt: skip

    def _release(self, entry: Entry, payload: Mapping[str, Any]) -> None:
        self._cursor.execute(
            """UPDATE archive.quarantine SET state = 'released', last_run = %s, attempts = attempts + 1,
            resolved_by = %s, resolved_why = 'archived', resolved_at = %s WHERE id = %s""",
            (entry.run, payload["by"], entry.at, UUID(entry.object)),
        )

    def _empty(self, entry: Entry, payload: Mapping[str, Any]) -> None:
        if "rule" in payload:  # else its row, if there is one, was emptied before
            self._cursor.execute(
                """UPDATE archive.quarantine SET message = '', location = '', context = '{}', state = 'rejected',
                resolved_by = 'gate', resolved_why = %s, resolved_at = %s, last_run = %s WHERE id = %s""",
                (payload["rule"], entry.at, entry.run, UUID(entry.object)),
            )
        if "key_sha256" in payload:  # events of older programs left key and bytes
            self._cursor.execute(
                """UPDATE archive.quarantine SET source_key = %s, revision = %s, original_sha256 = NULL, files = '{}'
                WHERE id = %s""",
                (payload["key_sha256"], payload["revision_sha256"], UUID(entry.object)),
            )
        self._cursor.execute(
            "DELETE FROM archive.object WHERE sha256 = ANY(%s::text[])", (payload["objects"],)
        )

    def _withhold(self, entry: Entry, payload: Mapping[str, Any]) -> None:
        self._cursor.execute(
            """INSERT INTO archive.withheld (source, key_sha256, revision_sha256, level, rule, run_id, seen_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
            (
                entry.source, entry.object, payload["revision_sha256"], payload["level"], payload["rule"],
                entry.run, entry.at,
            ),
        )  # fmt: skip

    def _seal(self, entry: Entry, payload: Mapping[str, Any]) -> None:
        write_seal(self._cursor, entry.object, payload["seen"])

    def _presence(self, entry: Entry, _: Mapping[str, Any], *, gone: bool) -> None:
        self._cursor.execute(
            "UPDATE archive.document SET gone_from_source_at = %s WHERE id = %s",
            (entry.at if gone else None, UUID(entry.object)),
        )

    def _account(self, entry: Entry, payload: Mapping[str, Any]) -> None:
        step = payload.get("step", "closed")
        facts = {**payload, "id": UUID(entry.object), "source": entry.source, "at": entry.at}
        if step == "verification started":
            facts["policy"] = json.dumps(payload["policy"])
        if step == "verification finished":
            for item in payload["lists"]:
                self._cursor.execute(_KNOWN_LIST, {**item, "run": entry.object})
        if step == "closed":
            facts["state"] = "finished" if entry.outcome == "success" else "failed"
        for statement in _ACCOUNTING[step]:
            self._cursor.execute(statement, facts)
        if step == "closed" and self._cursor.rowcount == 0:
            self._troubles.append(
                Trouble(
                    "untold", f"run {entry.object}", "an event of an older program: its start is not told"
                )
            )
        if again := payload.get("again"):
            self._cursor.execute(
                "UPDATE archive.quarantine SET attempts = attempts + 1, last_run = %s WHERE id = ANY(%s::uuid[])",
                (entry.object, again),
            )

    def _validate(self, events: Sequence[Told]) -> None:
        checks: list[tuple[Verification, str]] = []
        types: dict[str, str] = {}
        for entry, payload in events:
            sha256 = payload["verification_sha256"]
            if not self._objects.exists(sha256) and entry.object in self._disposed:
                continue
            check = self._read(sha256, read_verification, f"document {entry.object}, event {entry.seq}")
            if check is None:
                continue
            checks.append((check, sha256))
            types[sha256] = VERIFICATION_TYPE
            named: dict[str, str] = {}
            for found in check.verdicts:
                named |= evidence_types(found.verdict)
            held = payload.get("evidence", [name for name in named if self._objects.exists(name)])
            types |= {name: named[name] for name in held}
            self._cursor.execute(
                "UPDATE archive.verification_run SET files = files + %s, changed = changed + %s WHERE id = %s",
                (payload.get("files", 0), payload.get("changed_files", 0), UUID(check.run)),
            )
        if checks:
            self._enter(types, events[0][0].at)
            write_checks(self._cursor, checks)


def groups(events: Iterable[Told]) -> Iterable[list[Told]]:
    """The events of each transaction: the same run and time, up to the account of the batch; decisions alone."""
    group: list[Told] = []
    for told in events:
        entry, payload = told
        if group and (entry.run, entry.at, entry.source) != (
            group[-1][0].run, group[-1][0].at, group[-1][0].source,
        ):  # fmt: skip
            yield group
            group = []
        group.append(told)
        full = entry.type == EventType.VALIDATION and len(group) >= _MOST_CHECKS
        if full or "step" in payload or "decision" in payload:
            yield group
            group = []
    if group:
        yield group


def payload_of(entry: Entry) -> Mapping[str, Any]:
    """The particulars of an event."""
    return cast("Mapping[str, Any]", json.loads(entry.payload))


_QUARANTINE = """
INSERT INTO archive.quarantine AS q (id, source, source_key, revision, stage, reason, message, location,
  original_sha256, files, context, first_run, last_run, attempts, state)
VALUES (%(id)s, %(source)s, %(key)s, %(revision)s, %(stage)s, %(reason)s, %(message)s, %(location)s,
  %(original_sha256)s, %(files)s, %(context)s::jsonb, %(run)s, %(run)s, 1, 'open')
ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, reason = excluded.reason, message = excluded.message,
  location = excluded.location, original_sha256 = excluded.original_sha256, files = excluded.files,
  context = excluded.context,
  last_run = excluded.last_run, attempts = q.attempts + 1,
  state = CASE q.state WHEN 'released' THEN 'open' ELSE q.state END
"""
_KNOWN_LIST = """
INSERT INTO archive.known_list (sha256, kind, issuer, this_update, next_update, received_at, run_id)
VALUES (%(sha256)s, %(kind)s, %(issuer)s, %(this_update)s, %(next_update)s, %(received_at)s, %(run)s)
ON CONFLICT DO NOTHING
"""
_ACCOUNTING: Mapping[str, Sequence[str]] = {
    "started": (
        "INSERT INTO archive.source (name, first_seen_at) VALUES (%(source)s, %(at)s) ON CONFLICT DO NOTHING",
        """INSERT INTO archive.run (id, source, run_key, attempt, kind, started, state, window_start, window_end,
          plan, archived, unchanged, quarantined, withheld)
        VALUES (%(id)s, %(source)s, %(run_key)s, %(attempt)s, %(kind)s, %(at)s, 'running', %(window_start)s,
          %(window_end)s, 0, 0, 0, 0, 0)""",
    ),
    "planned": (
        """UPDATE archive.run SET plan = %(plan)s, listed = %(listed)s, unchanged_at_plan = %(unchanged_at_plan)s,
          batches = %(batches)s, state = 'running', finished = NULL, failure = NULL WHERE id = %(id)s""",
    ),
    "loaded": (
        """INSERT INTO archive.run_batch (run_id, plan, number, attempt, records_sha256, archived, unchanged,
          quarantined, withheld, loaded_at)
        VALUES (%(id)s, %(plan)s, %(number)s, %(attempt)s, %(records_sha256)s, %(archived)s, %(unchanged)s,
          %(quarantined)s, %(withheld)s, %(at)s)
        ON CONFLICT (run_id, plan, number) DO UPDATE SET attempt = excluded.attempt,
          records_sha256 = excluded.records_sha256, archived = excluded.archived, unchanged = excluded.unchanged,
          quarantined = excluded.quarantined, withheld = excluded.withheld, loaded_at = excluded.loaded_at""",
    ),
    "closed": (
        """UPDATE archive.run SET state = %(state)s, failure = %(failure)s, finished = %(at)s,
          archived = %(archived)s, unchanged = %(unchanged)s, quarantined = %(quarantined)s,
          withheld = %(withheld)s WHERE id = %(id)s""",
    ),
    "verification started": (
        """INSERT INTO archive.verification_run (id, run_key, why, started, trust_epoch, policy, files, changed)
        VALUES (%(id)s, %(run_key)s, %(why)s, %(at)s, %(trust_epoch)s, %(policy)s::jsonb, 0, 0)""",
    ),
    "verification finished": (
        "UPDATE archive.verification_run SET finished = coalesce(finished, %(at)s) WHERE id = %(id)s",
    ),
}
