"""Runs, and the account of each: every listed record is archived, unchanged, quarantined or withheld."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

import sqlalchemy as sa

from archive import identities, ledger
from archive.canonical import Json
from archive.cursors import psycopg_cursor
from archive.failures import database_errors
from archive.ledger import Event, EventType
from archive.stored_text import key_text
from schemas.errors import ConfigurationError, FatalError
from schemas.record import Window

RunId: TypeAlias = str
"""Identity of a run in the archive: the text of a UUID."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run and its account. Until the account is made, the counts are those of the batches so far.

    Attributes:
        run: its identity.
        source: name of the source. kind: ``sync`` or ``backfill``. run_key: the caller's identity of it.
        attempt: 1, or more when a run that had ended was started again under its key.
        started: the run's clock. finished: when its account was made; ``None`` for a run that never ended.
        state: ``running``, ``finished`` or ``failed``.
        window_start, window_end: which changes it looked for.
        batches: planned; ``None`` before the plan. batches_loaded: finished.
        last_batch: when the last of them was loaded, under this plan or an earlier one; ``None``: none yet. Nobody
            tells the archive that a run was killed: how long it has been silent is what can be known.
        listed: lines of the inventory; ``None`` before the plan.
        archived, unchanged, quarantined, withheld: where they ended.
        failure: why it failed, or ``None``.
    """

    run: RunId
    source: str
    kind: str
    run_key: str
    attempt: int
    started: datetime
    finished: datetime | None
    state: str
    window_start: datetime | None
    window_end: datetime | None
    batches: int | None
    batches_loaded: int
    listed: int | None
    archived: int
    unchanged: int
    quarantined: int
    withheld: int
    failure: str | None = None
    last_batch: datetime | None = None

    def silent_since(self) -> datetime | None:
        """Since when nothing has been heard of a run that has not ended; ``None`` of one that has."""
        return (self.last_batch or self.started) if self.state == "running" else None


def start_run(
    engine: sa.Engine, source: str, kind: str, window: Window, run_key: str, *, now: datetime | None = None
) -> RunId:
    """Start a run, or go on with the one that ``run_key`` started and that has not ended.

    A run that has ended, finished or failed, is not opened again: the key then gets a run of its own.

    Args:
        engine: of the migrated database.
        source: name of the source.
        kind: ``sync`` or ``backfill``.
        window: which changes it looks for.
        run_key: the caller's identity of the run, such as Airflow's run id.
        now: the run's clock, aware; the present by default.
    """
    if "|" in source or not source:
        raise ConfigurationError(f"{source!r} cannot name a source", expected="a name without '|'")
    key = key_text(run_key)
    started = (now or datetime.now(UTC)).astimezone(UTC)
    values = {"source": source, "run_key": key, "kind": kind, "started": started}
    with database_errors("starting a run"), engine.begin() as connection:
        connection.execute(
            sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": identities.lock_key("run", source, key)}
        )
        connection.execute(
            sa.text(
                "INSERT INTO archive.source (name, first_seen_at) VALUES (:source, :started)"
                " ON CONFLICT DO NOTHING"
            ),
            values,
        )
        newest = connection.execute(_NEWEST, values).first()
        if newest is not None and newest.state == "running":
            return str(newest.id)
        attempt = newest.attempt + 1 if newest is not None else 1
        run = identities.run_id(source, key, attempt)
        connection.execute(
            _START,
            {**values, "id": run, "attempt": attempt, "window_start": window.start, "window_end": window.end},
        )
        _note(
            connection,
            _step(source, run, "started", run_key=key, attempt=attempt, kind=kind, **_window(window)),
            started,
        )
        return str(run)


def run_clock(engine: sa.Engine, run: RunId) -> datetime:
    """When the run started, aware: the one clock of its manifests and verdicts."""
    return run_summary(engine, run).started


def record_listed(
    engine: sa.Engine,
    run: RunId,
    listed: int,
    unchanged_at_plan: int,
    batches: int,
    *,
    now: datetime | None = None,
) -> None:
    """Keep what the run's inventory came to. A new plan replaces the one before; batches count anew."""
    at = (now or datetime.now(UTC)).astimezone(UTC)
    counts: dict[str, Json] = {"listed": listed, "unchanged_at_plan": unchanged_at_plan, "batches": batches}
    with database_errors("keeping a run's inventory"), engine.begin() as connection:
        row = connection.execute(_LISTED, {"id": run, **counts}).first()
        if row is None:
            raise _unknown(run)
        _note(connection, _step(row.source, run, "planned", plan=row.plan, **counts), at)


def account(engine: sa.Engine, run: RunId, *, now: datetime | None = None) -> RunSummary:
    """Close the run: the numbers must add up. Its state is committed before anything is raised.

    Raises:
        FatalError: a batch is missing, or listed is not archived + unchanged + quarantined + withheld.
    """
    at = (now or datetime.now(UTC)).astimezone(UTC)
    with database_errors("accounting for a run"), engine.begin() as connection:
        connection.execute(sa.text("SELECT FROM archive.run WHERE id = :id FOR UPDATE"), {"id": run})
        before = _read(connection, run)
        failure = _failure(before)
        state = "failed" if failure else "finished"
        if (state, failure) != (before.state, before.failure):
            connection.execute(
                _CLOSE, {"id": run, "state": state, "failure": failure, "finished": at, **_counts(before)}
            )
            _note(connection, _accounting(before, failure), at)
        summary = _read(connection, run)
    if failure:
        raise FatalError(
            f"the run of {summary.source} does not add up: {failure}",
            where=f"run {summary.run} ({summary.run_key})",
            expected="listed = archived + unchanged + quarantined + withheld, and every planned batch loaded",
            action="run the missing batches again, then the account; nothing was lost from the source",
        )
    return summary


def run_summary(engine: sa.Engine, run: RunId) -> RunSummary:
    """One run. Raises ``FatalError`` when there is none of that identity."""
    with database_errors("reading a run"), engine.connect() as connection:
        return _read(connection, run)


def runs(engine: sa.Engine, limit: int = 20, source: str | None = None) -> list[RunSummary]:
    """The newest runs first, of one source or of all."""
    wanted = sa.text(_SUMMARY + "WHERE (CAST(:source AS text) IS NULL OR r.source = :source) " + _ORDER)
    with database_errors("reading the runs"), engine.connect() as connection:
        rows = connection.execute(wanted, {"source": source, "limit": limit}).mappings()
        return [_summary(row) for row in rows]


def newest_runs(engine: sa.Engine, source: str | None = None) -> list[RunSummary]:
    """The newest run of each source, or of ``source``."""
    newest = "SELECT DISTINCT ON (source) id FROM archive.run ORDER BY source, started DESC, id"
    wanted = sa.text(
        f"{_SUMMARY}WHERE r.id IN ({newest}) AND (CAST(:source AS text) IS NULL OR r.source = :source)"
    )
    with database_errors("reading the runs"), engine.connect() as connection:
        return [_summary(row) for row in connection.execute(wanted, {"source": source}).mappings()]


_NEWEST = sa.text(
    "SELECT id, attempt, state FROM archive.run WHERE source = :source AND run_key = :run_key"
    " ORDER BY attempt DESC LIMIT 1"
)
_START = sa.text(
    """INSERT INTO archive.run (id, source, run_key, attempt, kind, started, state, window_start, window_end,
    plan, archived, unchanged, quarantined, withheld)
    VALUES (:id, :source, :run_key, :attempt, :kind, :started, 'running', :window_start, :window_end,
    0, 0, 0, 0, 0)"""
)
_LISTED = sa.text(
    """UPDATE archive.run SET plan = plan + 1, listed = :listed, unchanged_at_plan = :unchanged_at_plan,
    batches = :batches, state = 'running', finished = NULL, failure = NULL WHERE id = :id
    RETURNING source, plan"""
)
_CLOSE = sa.text(
    """UPDATE archive.run SET state = :state, failure = :failure, finished = :finished, archived = :archived,
    unchanged = :unchanged, quarantined = :quarantined, withheld = :withheld WHERE id = :id"""
)
_SUMMARY = """SELECT r.*, b.*, (SELECT max(loaded_at) FROM archive.run_batch WHERE run_id = r.id) AS last_batch
FROM archive.run r CROSS JOIN LATERAL (
  SELECT count(*) AS batches_loaded, coalesce(sum(archived), 0) AS batch_archived,
    coalesce(sum(unchanged), 0) AS batch_unchanged, coalesce(sum(quarantined), 0) AS batch_quarantined,
    coalesce(sum(withheld), 0) AS batch_withheld
  FROM archive.run_batch WHERE run_id = r.id AND plan = r.plan) b
"""
_ORDER = "ORDER BY r.started DESC, r.id LIMIT :limit"


def _read(connection: sa.Connection, run: RunId) -> RunSummary:
    row = connection.execute(sa.text(_SUMMARY + "WHERE r.id = :id"), {"id": run}).mappings().first()
    if row is None:
        raise _unknown(run)
    return _summary(row)


def _summary(row: sa.RowMapping) -> RunSummary:
    return RunSummary(
        run=str(row["id"]),
        archived=int(row["batch_archived"]),
        unchanged=int(row["batch_unchanged"]) + (row["unchanged_at_plan"] or 0),
        quarantined=int(row["batch_quarantined"]),
        withheld=int(row["batch_withheld"]),
        **{name: row[name] for name in _SAME_NAMES},
    )


_SAME_NAMES = (
    "source",
    "kind",
    "run_key",
    "attempt",
    "started",
    "finished",
    "state",
    "window_start",
    "window_end",
    "batches",
    "batches_loaded",
    "listed",
    "failure",
    "last_batch",
)


def _failure(summary: RunSummary) -> str | None:
    if summary.listed is None or summary.batches is None:
        return "its inventory was never finished"
    if summary.batches_loaded != summary.batches:
        return f"{summary.batches_loaded} of {summary.batches} batches are loaded"
    total = summary.archived + summary.unchanged + summary.quarantined + summary.withheld
    if total != summary.listed:
        return (
            f"listed {summary.listed}, but archived {summary.archived} + unchanged {summary.unchanged}"
            f" + quarantined {summary.quarantined} + withheld {summary.withheld} = {total}"
        )
    return None


def _counts(summary: RunSummary) -> Mapping[str, int]:
    return {name: getattr(summary, name) for name in ("archived", "unchanged", "quarantined", "withheld")}


def _accounting(summary: RunSummary, failure: str | None) -> Event:
    return Event(
        EventType.ACCOUNTING,
        "failure" if failure else "success",
        summary.source,
        summary.run,
        summary.run,
        {
            "step": "closed",
            "listed": summary.listed,
            "batches": summary.batches,
            **_counts(summary),
            "failure": failure,
        },
    )


def _step(source: str, run: RunId | UUID, step: str, **facts: Json) -> Event:
    """A step of a run with the facts that its row gets, so that the ledger can make the row again."""
    payload: dict[str, Json] = {"step": step, **facts}
    return Event(EventType.ACCOUNTING, "success", source, str(run), str(run), payload)


def _window(window: Window) -> dict[str, Json]:
    ends = {"window_start": window.start, "window_end": window.end}
    return {name: end.isoformat() if end else None for name, end in ends.items()}


def _note(connection: sa.Connection, event: Event, at: datetime) -> None:
    cursor = psycopg_cursor(connection)
    ledger.lock(cursor)
    ledger.append(cursor, [event], at)


def _unknown(run: RunId) -> FatalError:
    return FatalError(f"the archive knows no run {run}", action="start the run again from its first task")
