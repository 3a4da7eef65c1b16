"""The loader: one batch, one transaction, and nothing twice.

A record whose (key, revision) is archived already is counted and not touched: the question is asked before its
document is locked or written. A batch of nothing else leaves its counts and one event. New rows go in by COPY, straight
into their tables, under the locks of their documents. Locks are taken in one order everywhere, each kind sorted by key:
batch, removal of objects (shared, or exclusive where a secret leaves), documents, objects, quarantine, withheld, and
last the ledger; so loaders wait for each other but never in a circle.
"""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import chain
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive import ledger
from archive.access import settle_following
from archive.canonical import Json, canonical_bytes
from archive.copying import MadeRows, array_text, word_array
from archive.cursors import psycopg_cursor
from archive.disposal_trace import keep_objects, lock_removal
from archive.failures import database_errors
from archive.identities import document_ids, lock_key
from archive.ledger import Event, EventType
from archive.links import Recall, link, write_relations
from archive.objects import ObjectStore
from archive.outcomes import Archived, Outcome, Quarantined, Unchanged, Withheld
from archive.rows import Version
from archive.sealing import hold_documents, seal, seals
from archive.setting_aside import set_aside
from archive.stored_text import key_text
from archive.taking_back import Place, takes_back
from archive.versions import StoredFiles, parts_of, stored_files, write_objects, write_parts, write_versions
from schemas.errors import FatalError

__all__ = [
    "Archive",
    "Archived",
    "Batch",
    "LoadReport",
    "Outcome",
    "Quarantined",
    "Unchanged",
    "Withheld",
]

Pair = tuple[str, str]

_CHUNK = 5_000
_SETTINGS = {
    "lock_timeout": "5min",
    "idle_in_transaction_session_timeout": "5min",
    "TimeZone": "UTC",
    # Every statement asks for the rows of some keys: whatever the statistics say, never by reading a whole table.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "jit": "off",
}
_SET = "SELECT " + ", ".join(["set_config(%s, %s, true)"] * len(_SETTINGS))
_PRECEDENCE = (Withheld, Archived, Quarantined, Unchanged)
"""Which of two outcomes for the same (key, revision) counts: what is withheld once may not enter by another
way."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of a run.

    Attributes:
        source: name of the source.
        run: identity of the run, from ``archive.runs.start_run``.
        number: position of the batch in the run, from 1.
        attempt: token of this try, kept with the counts.
    """

    source: str
    run: str
    number: int
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """How many of a batch's records ended in which state; their sum is the number of outcomes."""

    archived: int
    unchanged: int
    quarantined: int
    withheld: int


class Archive:
    """The archive's database together with the object store that it is an index of.

    Args:
        engine: of the migrated database.
        objects: holds every manifest, original and attachment that is loaded.
        clock: the time of ledger events; aware.
    """

    def __init__(
        self,
        engine: sa.Engine,
        objects: ObjectStore,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.engine = engine
        self.objects = objects
        self._clock = clock

    def known(self, source: str, pairs: Sequence[Pair]) -> set[Pair]:
        """Which of these (key, revision) of ``source`` are archived.

        Raises:
            RetriableError: the database is away. FatalError: it refuses.
        """
        found: set[Pair] = set()
        with database_errors("asking what is archived"), self.engine.connect() as connection:
            cursor = psycopg_cursor(connection)
            for start in range(0, len(pairs), _CHUNK):
                part = pairs[start : start + _CHUNK]
                found |= _known(cursor, _documents(source, part), part)
        return found

    def load(self, batch: Batch, outcomes: Sequence[Outcome]) -> LoadReport:
        """Load a batch in one transaction, whole or not at all.

        Loading it again, after a success or a kill, changes nothing and gives the same report. Of two
        loaders of one batch the second waits for the first.

        Raises:
            RetriableError: the database is away or busy; nothing was written.
            FatalError: it refuses, the run is unknown, or an object is missing; nothing was written.
        """
        with (
            database_errors(f"loading batch {batch.number}"),
            _without_collector(),
            self.engine.begin() as connection,
        ):
            cursor = psycopg_cursor(connection)
            alone = _be_alone(cursor, batch, outcomes)
            plan = _plan_of(cursor, batch)
            digest = _digest(outcomes)
            if (report := _loaded_before(cursor, batch, plan, digest)) is not None:
                return report
            return self._write(cursor, batch, plan, digest, outcomes, alone=alone)

    def _write(
        self,
        cursor: psycopg.Cursor[TupleRow],
        batch: Batch,
        plan: int,
        digest: str,
        outcomes: Sequence[Outcome],
        *,
        alone: bool,
    ) -> LoadReport:
        decided = _decided(outcomes)
        pairs = list(decided)
        documents = _documents(batch.source, pairs)
        known = _known(cursor, documents, pairs)
        _refuse_false_unchanged(decided, known)
        fresh = {pair: outcome for pair, outcome in decided.items() if pair not in known}
        records = [
            (document, outcome)
            for document, outcome in zip(documents, decided.values(), strict=True)
            if isinstance(outcome, Archived) and (outcome.key, outcome.revision) in fresh
        ]
        withheld = [outcome for outcome in decided.values() if isinstance(outcome, Withheld)]
        hold_documents(cursor, batch.source, withheld, [document for document, _ in records])
        at = self._clock()
        place = Place(batch.source, batch.run, at, alone)
        versions, files = self._enter(cursor, batch, records)
        with cursor.connection.pipeline():  # the database enters the objects while the events are made
            write_objects(cursor, files.every, at)
            ingestions = [_ingestion(batch, version) for version in versions]
            written = {(version.archived.key, version.archived.revision) for version in versions}
            report = _report(outcomes, decided, known, written)
        aside = set_aside(
            cursor,
            self.objects,
            place,
            [outcome for outcome in fresh.values() if isinstance(outcome, Quarantined)],
            withheld,
            sorted(written),
            _overruled(outcomes, withheld),
        )
        others = [*aside.events, *seal(cursor, place, withheld)]
        _write_batch(cursor, batch, plan, digest, report, at)
        ledger.lock(cursor)
        growth = ledger.Growth(cursor, at)
        recalling = write_relations(cursor, versions)
        with cursor.connection.pipeline():  # the database links while the events are hashed
            linked = link(cursor, versions, at)
            growth.add(ingestions)
        recalls = linked.recalls(recalling)
        settle_following(cursor, versions)
        growth.add([*others, *(_recall(batch, recall) for recall in recalls)])
        growth.add([_loaded(batch, plan, digest, report, aside.again, files.evidence)])
        growth.write()
        return report

    def _enter(
        self, cursor: psycopg.Cursor[TupleRow], batch: Batch, records: Sequence[tuple[str, Archived]]
    ) -> tuple[list[Version], StoredFiles]:
        """Write ``records`` with what belongs to them; returns their versions, and their files in the store."""
        parts: list[Future[list[MadeRows]]] = []
        with ThreadPoolExecutor(1) as meanwhile:
            versions = write_versions(
                cursor,
                batch.source,
                batch.run,
                records,
                sent=lambda sent: parts.append(meanwhile.submit(parts_of, sent)),
            )
            # An object that the store lacks undoes the batch.
            asked = meanwhile.submit(stored_files, self.objects, [version.archived for version in versions])
            write_parts(cursor, parts[0].result())
            return versions, asked.result()


@contextmanager
def _without_collector() -> Iterator[None]:
    """Spare a batch the search for cycles: its many rows are in none, and each look would pass all of its records."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _be_alone(cursor: psycopg.Cursor[TupleRow], batch: Batch, outcomes: Sequence[Outcome]) -> bool:
    """Wait until no one else loads this batch; whoever hangs in a transaction is thrown out in the end.

    Returns whether it keeps all other loaders away: where what was stored of a secret has to leave, or to be sealed.
    """
    cursor.execute(_SET, tuple(chain.from_iterable(_SETTINGS.items())))
    cursor.execute(
        "SELECT pg_advisory_xact_lock(%s)", (lock_key("batch", batch.source, batch.run, batch.number),)
    )
    alone = takes_back(cursor, batch.source, outcomes) or seals(cursor, batch.source, outcomes)
    (lock_removal if alone else keep_objects)(cursor)
    return alone


def _plan_of(cursor: psycopg.Cursor[TupleRow], batch: Batch) -> int:
    cursor.execute("SELECT plan FROM archive.run WHERE id = %s AND source = %s", (batch.run, batch.source))
    row = cursor.fetchone()
    if row is None:
        raise FatalError(
            f"the archive knows no run {batch.run} of the source {batch.source!r}",
            where=f"batch {batch.number}",
            action="start the run again from its first task",
        )
    return int(row[0])


def _loaded_before(
    cursor: psycopg.Cursor[TupleRow], batch: Batch, plan: int, digest: str
) -> LoadReport | None:
    cursor.execute(
        """SELECT archived, unchanged, quarantined, withheld FROM archive.run_batch
        WHERE run_id = %s AND plan = %s AND number = %s AND records_sha256 = %s""",
        (batch.run, plan, batch.number, digest),
    )
    row = cursor.fetchone()
    return LoadReport(*row) if row else None


def _write_batch(
    cursor: psycopg.Cursor[TupleRow], batch: Batch, plan: int, digest: str, report: LoadReport, at: datetime
) -> None:
    cursor.execute(
        """INSERT INTO archive.run_batch (run_id, plan, number, attempt, records_sha256, archived, unchanged,
          quarantined, withheld, loaded_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (run_id, plan, number) DO UPDATE SET attempt = excluded.attempt,
          records_sha256 = excluded.records_sha256, archived = excluded.archived,
          unchanged = excluded.unchanged, quarantined = excluded.quarantined,
          withheld = excluded.withheld, loaded_at = excluded.loaded_at""",
        (
            batch.run,
            plan,
            batch.number,
            key_text(batch.attempt),
            digest,
            report.archived,
            report.unchanged,
            report.quarantined,
            report.withheld,
            at,
        ),
    )


def _known(cursor: psycopg.Cursor[TupleRow], documents: Sequence[str], pairs: Sequence[Pair]) -> set[Pair]:
    cursor.execute(
        """SELECT place FROM unnest(%s::uuid[], %s::text[]) WITH ORDINALITY AS asked(document, key, place)
        CROSS JOIN LATERAL (SELECT FROM archive.document_version
          WHERE document_id = document AND revision = key OFFSET 0) v""",
        (word_array(documents), array_text(key_text(revision) for _, revision in pairs)),
    )
    return {pairs[row[0] - 1] for row in cursor.fetchall()}


def _documents(source: str, pairs: Iterable[Pair]) -> list[str]:
    return document_ids(source, (key for key, _ in pairs))


def _decided(outcomes: Iterable[Outcome]) -> dict[Pair, Outcome]:
    """One outcome for each (key, revision), in the order of the batch."""
    decided: dict[Pair, Outcome] = {}
    for outcome in outcomes:
        pair = (outcome.key, outcome.revision)
        before = decided.get(pair)
        if before is None or _precedence(outcome) < _precedence(before):
            decided[pair] = outcome
    return decided


def _overruled(outcomes: Iterable[Outcome], withheld: Iterable[Withheld]) -> list[Outcome]:
    """What else the batch says of records that it withholds."""
    pairs = {(outcome.key, outcome.revision) for outcome in withheld}
    return [outcome for outcome in outcomes if (outcome.key, outcome.revision) in pairs] if pairs else []


def _precedence(outcome: Outcome) -> int:
    return _PRECEDENCE.index(type(outcome))


def _refuse_false_unchanged(decided: Mapping[Pair, Outcome], known: set[Pair]) -> None:
    for pair, outcome in decided.items():
        if isinstance(outcome, Unchanged) and pair not in known:
            raise FatalError(
                "a record was reported unchanged that the archive does not have",
                where=f"{pair[0]} revision {pair[1]}",
                expected="unchanged records to be archived",
                action="run the source again from its inventory",
            )


def _report(
    outcomes: Iterable[Outcome], decided: Mapping[Pair, Outcome], known: set[Pair], written: set[Pair]
) -> LoadReport:
    """Counts every outcome: a repeated record is one of the batch too."""
    counts: Counter[str] = Counter()
    counted: set[Pair] = set()
    for outcome in outcomes:
        pair = (outcome.key, outcome.revision)
        match decided[pair]:
            case Withheld():
                state = "withheld"
            case _ if pair in known:
                state = "unchanged"
            case Archived():
                state = "archived" if pair in written and pair not in counted else "unchanged"
            case _:
                state = "quarantined"
        counts[state] += 1
        counted.add(pair)
    return LoadReport(*(counts[state] for state in ("archived", "unchanged", "quarantined", "withheld")))


def _digest(outcomes: Iterable[Outcome]) -> str:
    """What tells a batch from another one with the same number: its records."""
    pairs = sorted((outcome.key, outcome.revision) for outcome in outcomes)
    return hashlib.sha256(canonical_bytes(pairs)).hexdigest()


def _ingestion(batch: Batch, version: Version) -> Event:
    payload: dict[str, Json] = {
        "version": version.number,
        "manifest_sha256": version.archived.manifest_sha256,
    }
    return Event(EventType.INGESTION, "success", batch.source, version.document_id, batch.run, payload)


def _loaded(
    batch: Batch,
    plan: int,
    digest: str,
    report: LoadReport,
    again: Sequence[UUID],
    evidence: Sequence[str],
) -> Event:
    """The batch's last event: with it the ledger can make the batch's row again, and what it did without an event."""
    payload: dict[str, Json] = {
        "step": "loaded",
        "plan": plan,
        "number": batch.number,
        "attempt": key_text(batch.attempt),
        "records_sha256": digest,
        **asdict(report),
    }
    if again:
        payload["again"] = [str(row) for row in again]
    if evidence:
        payload["evidence"] = list(evidence)
    return Event(EventType.ACCOUNTING, "success", batch.source, batch.run, batch.run, payload)


def _recall(batch: Batch, recall: Recall) -> Event:
    payload: dict[str, Json] = {"by": str(recall.by), "version": recall.version}
    if not recall.by_issuer:
        payload["why"] = "not_by_issuer"
    outcome = "success" if recall.by_issuer else "failure"
    return Event(EventType.RECALL, outcome, batch.source, str(recall.document_id), batch.run, payload)
