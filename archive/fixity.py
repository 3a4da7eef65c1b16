"""Fixity: every stored object read again and compared with its name, the one that waited longest first.

    report = check_objects(engine, objects, byte_budget=11 * 10**9)
    report.sound        nothing wrong was found, now or before
    report.failures     what is wrong: missing, changed, of the wrong length, unreadable
    report.orphans      objects that nothing in the database names, older than a day

A run may be killed at any moment: what was checked is written in batches, and the next run goes on with what has
waited longest. Every batch contains files that were planted wrong (``archive.fixity_check.canaries``); they go the
way of all others, and a run that does not report them fails: a checker that has stopped checking looks like one that
finds everything in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from uuid import UUID, uuid4

import sqlalchemy as sa

from archive import ledger
from archive.canonical import Json
from archive.cursors import psycopg_cursor
from archive.failures import database_errors
from archive.fixity_check import CheckedObject, FixityOutcome, Wanted, canaries, check_each
from archive.fixity_names import NameComparison
from archive.identities import lock_key
from archive.ledger import Event, EventType
from archive.objects import ObjectStore
from archive.stored_text import column_text
from schemas.errors import FatalError, RetriableError

_PAGE = 4_000
_BATCH = 500
_BATCH_BYTES = 1 << 30
_SLICE = 25
_SLICE_BYTES = 1 << 24
_NAMED = 1_000
_YOUNG = timedelta(days=1)

_Running = list[Future[list[CheckedObject]]]


@dataclass(frozen=True, slots=True)
class FixityReport:
    """What a run found.

    Attributes:
        run: identity of the run; its event in the ledger has it as ``object``.
        started, finished: aware, UTC.
        checked: objects. read: bytes read from the medium for them.
        outcomes: how many objects ended in which outcome.
        failures: the findings that are not intact, the first 1,000 of them; ``outcomes`` counts all.
        standing: objects of the archive whose last finding, of this run or an earlier one, is not intact.
        unchecked: objects of the archive that were never checked.
        oldest: when the object that waits longest was last checked; ``None`` when one never was, or there is none.
        orphans: names of objects that the database does not know, older than a day; the first 1,000 of them.
        orphan_count: how many there are.
        young: how many more there are that are younger: a run may be about to enter them.
        canaries: how many planted files were found wrong, as they must be.
    """

    run: UUID
    started: datetime
    finished: datetime
    checked: int
    read: int
    outcomes: Mapping[FixityOutcome, int]
    failures: tuple[CheckedObject, ...]
    standing: int
    unchecked: int
    oldest: datetime | None
    orphans: tuple[str, ...]
    orphan_count: int
    young: int
    canaries: int

    @property
    def sound(self) -> bool:
        """No object of the archive is known to be wrong. Says nothing of those that were never checked."""
        return self.standing == 0


@dataclass(slots=True)
class _Tally:
    outcomes: Counter[FixityOutcome] = field(default_factory=Counter)
    failures: list[CheckedObject] = field(default_factory=list)
    read: int = 0
    canaries: int = 0

    def add(self, findings: Sequence[CheckedObject], canaries: int) -> None:
        self.canaries += canaries
        for finding in findings:
            self.outcomes[finding.outcome] += 1
            self.read += finding.read
            if finding.outcome is not FixityOutcome.INTACT and len(self.failures) < _NAMED:
                self.failures.append(finding)

    @property
    def checked(self) -> int:
        return self.outcomes.total()


@dataclass(frozen=True, slots=True)
class _Run:
    engine: sa.Engine
    objects: ObjectStore
    id: UUID
    started: datetime
    clock: Callable[[], datetime]


class _Budget:
    """What may still be read; the first object always may."""

    def __init__(self, size: int | None, count: int | None) -> None:
        self._size = size
        self._count = count
        self._first = True

    def take(self, page: Sequence[Wanted]) -> list[Wanted]:
        """The objects at the beginning of ``page`` that fit."""
        taken = []
        for one in page:
            size = one.size or 0
            if not self._first and (self._size is not None and size > self._size):
                break
            if self._count is not None and self._count < 1:
                break
            self._first = False
            self._size = None if self._size is None else self._size - size
            self._count = None if self._count is None else self._count - 1
            taken.append(one)
        return taken

    def half(self) -> _Budget:
        """A budget for what must not starve the rest."""
        return _Budget(*(None if left is None else left // 2 for left in (self._size, self._count)))


def check_objects(
    engine: sa.Engine,
    objects: ObjectStore,
    *,
    byte_budget: int | None = None,
    limit: int | None = None,
    threads: int = 4,
    orphan_age: timedelta = _YOUNG,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    on_progress: Callable[[int, int], None] = lambda _objects, _bytes: None,
) -> FixityReport:
    """Check the objects of the archive: those that were wrong, then those whose names are missing, then the longest
    unchecked.

    Every name is compared in every run, whatever the budget. Writes the table ``fixity``, an event for each failure,
    and one for the run. To be run by one process at a time; more than one is refused.

    Args:
        engine: of the migrated database.
        objects: the store.
        byte_budget: read no more bytes than this, but check at least one object; ``None``: all. What was wrong
            before may take half of it.
        limit: the same for the number of objects.
        threads: that read and hash at once.
        orphan_age: an object that the database does not know is harmless while it is younger than this.
        clock: the time; aware.
        on_progress: told objects and bytes so far, after each batch.

    Raises:
        FatalError: a planted wrong file was not reported: nothing that this run says can be believed.
        RetriableError: another check is running, or the database is away; what was written stays.
    """
    with database_errors("checking the stored objects"), _alone(engine):
        run = _Run(engine, objects, uuid4(), clock().astimezone(UTC), clock)
        _enrol(engine)
        names = NameComparison(engine, objects, run.started - orphan_age)
        tally = _Tally()
        with ThreadPoolExecutor(threads) as pool, canaries(objects) as planted:
            for page in _pages(run, names, _Budget(byte_budget, limit)):
                for findings in _checked(pool, objects, page, planted):
                    _write(run, findings)
                    tally.add(findings, len(planted))
                    on_progress(tally.checked, tally.read)
            if not tally.canaries:  # an empty archive: the checker still has to show that it works
                _end(_begin(pool, objects, planted), planted)
                tally.add([], len(planted))
        return _close(run, tally, names)


def _pages(run: _Run, names: NameComparison, budget: _Budget) -> Iterator[list[Wanted]]:
    """What to check, in pages; each is asked for when the one before it is written."""
    yield budget.take(budget.half().take(_select(run, _WRONG)))
    for missing in names.missing():
        yield [Wanted(name, size) for name, size in missing]
    while page := budget.take(_select(run, _WAITING)):
        yield page


def _select(run: _Run, query: sa.TextClause) -> list[Wanted]:
    with run.engine.connect() as connection:
        rows = connection.execute(query, {"run": run.id, "limit": _PAGE})
        return [Wanted(row.sha256, row.size) for row in rows]


def _parts(wanted: Sequence[Wanted], count: int, size: int) -> Iterator[list[Wanted]]:
    """``wanted`` in parts of at most ``count`` objects and, but for single objects, ``size`` bytes."""
    part: list[Wanted] = []
    total = 0
    for one in wanted:
        if part and (len(part) == count or total + (one.size or 0) > size):
            yield part
            part, total = [], 0
        part.append(one)
        total += one.size or 0
    if part:
        yield part


def _checked(
    pool: ThreadPoolExecutor, objects: ObjectStore, page: Sequence[Wanted], planted: Sequence[Wanted]
) -> Iterator[list[CheckedObject]]:
    """The findings on ``page``, batch by batch; the next one is under way while the caller writes the last."""
    running: _Running = []
    for batch in _parts(page, _BATCH, _BATCH_BYTES):
        following = _begin(pool, objects, [*batch, *planted])
        if running:
            yield _end(running, planted)
        running = following
    if running:
        yield _end(running, planted)


def _begin(pool: ThreadPoolExecutor, objects: ObjectStore, wanted: Sequence[Wanted]) -> _Running:
    return [pool.submit(check_each, objects, part) for part in _parts(wanted, _SLICE, _SLICE_BYTES)]


def _end(running: _Running, planted: Sequence[Wanted]) -> list[CheckedObject]:
    """The findings of a batch, once those on the planted files came back among them and were right."""
    findings = [found for part in running for found in part.result()]
    names = Counter(one.sha256 for one in planted)
    reported = [found for found in findings if found.sha256 in names]
    if Counter(found.sha256 for found in reported if found.outcome is FixityOutcome.CHANGED) != names:
        raise FatalError(
            "the fixity check did not report a file that was planted wrong",
            expected=f"{len(planted)} planted files to be found changed",
            action="believe no result of this run; something between the disk and the report does not work",
        )
    return [found for found in findings if found.sha256 not in names]


def _enrol(engine: sa.Engine) -> None:
    """Enter what the archive keeps and was never checked; drop what it keeps no more."""
    with engine.begin() as connection:
        connection.execute(_ENROL)
        connection.execute(_DROP)


def _write(run: _Run, findings: Sequence[CheckedObject]) -> None:
    at = run.clock().astimezone(UTC)
    found = sorted(findings, key=lambda one: one.sha256)
    with run.engine.begin() as connection:
        cursor = psycopg_cursor(connection)
        cursor.execute(
            _UPDATE,
            (
                at,
                run.id,
                [one.sha256 for one in found],
                [one.outcome.value for one in found],
                [one.basis for one in found],
                [one.stored_size for one in found],
                [column_text(one.detail) for one in found],
            ),
        )
        failures = [_failure(run, one) for one in found if one.outcome is not FixityOutcome.INTACT]
        if failures:
            ledger.lock(cursor)
            ledger.append(cursor, failures, at)


def _failure(run: _Run, finding: CheckedObject) -> Event:
    payload: dict[str, Json] = {
        "check": str(run.id),
        "outcome": finding.outcome.value,
        "stored_size": finding.stored_size,
        "detail": finding.detail,
    }
    return Event(EventType.FIXITY, "failure", "", finding.sha256, payload=payload)


def _close(run: _Run, tally: _Tally, names: NameComparison) -> FixityReport:
    at = run.clock().astimezone(UTC)
    with run.engine.begin() as connection:
        state = connection.execute(_STATE).one()
        report = FixityReport(
            run=run.id,
            started=run.started,
            finished=at,
            checked=tally.checked,
            read=tally.read,
            outcomes=MappingProxyType(dict(tally.outcomes)),
            failures=tuple(tally.failures),
            standing=state.standing,
            unchecked=state.unchecked,
            oldest=None if state.unchecked else state.oldest,
            orphans=tuple(names.orphans),
            orphan_count=names.orphan_count,
            young=names.young,
            canaries=tally.canaries,
        )
        cursor = psycopg_cursor(connection)
        ledger.lock(cursor)
        ledger.append(cursor, [_closing(report)], at)
    return report


def _closing(report: FixityReport) -> Event:
    outcomes: dict[str, Json] = {outcome.value: count for outcome, count in report.outcomes.items()}
    payload: dict[str, Json] = {
        "checked": report.checked,
        "bytes": report.read,
        "outcomes": outcomes,
        "standing": report.standing,
        "unchecked": report.unchecked,
        "orphans": report.orphan_count,
        "canaries": report.canaries,
    }
    return Event(
        EventType.FIXITY, "success" if report.sound else "failure", "", str(report.run), payload=payload
    )


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[None]:
    key = {"key": lock_key("fixity")}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), key):
            raise RetriableError(
                "another fixity check is running", action="wait for it to end, or stop it first"
            )
        try:
            yield
        finally:
            if not connection.invalidated:
                connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), key)


_ENROL = sa.text(
    """INSERT INTO archive.fixity (sha256, outcome, detail)
    SELECT sha256, 'unchecked', '' FROM (
      SELECT sha256 FROM archive.object
      UNION SELECT original_sha256 FROM archive.quarantine WHERE original_sha256 IS NOT NULL
      UNION SELECT unnest(files) FROM archive.quarantine) kept
    WHERE NOT EXISTS (SELECT FROM archive.fixity f WHERE f.sha256 = kept.sha256) ON CONFLICT DO NOTHING"""
)
_DROP = sa.text(
    """DELETE FROM archive.fixity f
    WHERE NOT EXISTS (SELECT FROM archive.object o WHERE o.sha256 = f.sha256)
      AND NOT EXISTS (SELECT FROM archive.quarantine q WHERE q.original_sha256 = f.sha256)
      AND f.sha256 NOT IN (SELECT unnest(files) FROM archive.quarantine)"""
)
_WRONG = sa.text(
    """SELECT f.sha256, o.size FROM archive.fixity f LEFT JOIN archive.object o USING (sha256)
    WHERE f.outcome NOT IN ('intact', 'unchecked') AND f.run_id IS DISTINCT FROM :run
    ORDER BY f.checked_at NULLS FIRST, f.sha256 LIMIT :limit"""
)
# By run, not by time: a clock that was put back must neither repeat an object for ever nor skip one.
_WAITING = sa.text(
    """SELECT f.sha256, o.size FROM archive.fixity f LEFT JOIN archive.object o USING (sha256)
    WHERE f.run_id IS DISTINCT FROM :run
    ORDER BY f.checked_at NULLS FIRST, f.sha256 LIMIT :limit"""
)
_UPDATE = """UPDATE archive.fixity f SET checked_at = %s, run_id = %s, outcome = u.outcome, basis = u.basis,
      stored_size = u.stored_size, detail = u.detail
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[])
      AS u(sha256, outcome, basis, stored_size, detail) WHERE f.sha256 = u.sha256"""
_STATE = sa.text(
    """SELECT count(*) FILTER (WHERE outcome NOT IN ('intact', 'unchecked')) AS standing,
      count(*) FILTER (WHERE outcome = 'unchecked') AS unchecked, min(checked_at) AS oldest FROM archive.fixity"""
)
