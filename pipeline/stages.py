"""The stages of a run, as Airflow and the command line call them.

``open_run → receive_batch → judge_batch → load_batch → close_run``. Each takes and gives ids, paths and counts
only,
may be repeated after a kill at any instruction, and leaves the same archive behind.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from archive.access_roles import Role, usable_role
from archive.database import create_engine, database_url
from archive.dossiers import refresh as refresh_dossiers
from archive.loader import Archive, Batch, LoadReport
from archive.migrate import migrate
from archive.objects import ObjectStore
from archive.presence import mark_presence
from archive.runs import RunSummary, account, record_listed, run_clock, run_summary, start_run
from mappings.config import SourceConfig
from pipeline.batch_lines import PlanLine, read_planned, read_present, read_stage, write_lines
from pipeline.judge import judge
from pipeline.object_store import configured_object_store
from pipeline.outcomes import outcomes
from pipeline.plan import Counts, count_only, write_plan
from pipeline.receive import receive
from pipeline.settings import Settings, source_config
from pipeline.sources import open_source
from pipeline.workspace import BatchRef, Workspace
from schemas.errors import FatalError
from schemas.record import Window
from signatures.trust import load_trust

_log = logging.getLogger(__name__)

_ABANDONED = timedelta(days=1)
"""A temporary object file that is older was left by a killed process."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The archive's database and object store, opened."""

    engine: sa.Engine
    objects: ObjectStore
    archive: Archive
    role: Role = Role.LOADER


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is asked to do.

    Attributes:
        source: name of the configured source.
        kind: ``sync`` or ``backfill``.
        run_key: the caller's identity of the run (Airflow's run id); a repeated order with the same key goes on.
        window: which changes; open ends mean everything.
        folder: read this folder, ZIP or file instead of the source's drop folder.
        batch_size: records a batch; ``None`` takes the source's.
    """

    source: str
    kind: str
    run_key: str
    window: Window
    folder: Path | None = None
    batch_size: int | None = None


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A planned run."""

    run: str
    counts: Counts
    batches: int


def open_stores(settings: Settings, *roles: Role) -> Stores:
    """Connect, migrate where needed, and open the object store.

    Args:
        settings: where things are.
        roles: every query runs under the first of them that the login has, and the database refuses what that one may
            not do; the loader without any.

    Raises:
        ConfigurationError: the login has none of ``roles`` (the message carries the GRANT to run); the object store
             cannot be reached as configured, or its key ring is not there.
        FatalError: the database is of a newer version than this program, or refuses the login.
        RetriableError: the database or the object store is away.
    """
    url = database_url()
    login = create_engine(url)
    try:
        migrate(login)
        role = usable_role(login, roles or (Role.LOADER,))
    finally:
        login.dispose()
    engine = create_engine(url, role)
    objects = configured_object_store(settings)
    return Stores(engine, objects, Archive(engine, objects), role)


def dry_run(settings: Settings, stores: Stores, order: Order) -> Counts:
    """What ``order`` would do, writing nothing anywhere."""
    config = source_config(settings, order.source)
    return count_only(open_source(config, settings, order.folder), stores.archive, order.window)


def open_run(
    settings: Settings, stores: Stores, order: Order, on_progress: Callable[[int], None] = lambda _: None
) -> OpenedRun:
    """Take the inventory and write the batches; an order that was planned before goes on with that plan."""
    config = source_config(settings, order.source)
    source = open_source(config, settings, order.folder)
    run = start_run(stores.engine, config.source, order.kind, order.window, order.run_key)
    workspace = Workspace(settings.work, run)
    plan = _read_plan(workspace)
    if plan is None:
        size = order.batch_size or config.batch_size
        counts, batches = write_plan(source, stores.archive, order.window, workspace, size, on_progress)
        plan = PlanLine(
            source=order.source,
            folder=order.folder,
            listed=counts.listed,
            unchanged=counts.unchanged,
            batches=batches,
        )
        write_lines(_plan_file(workspace), [plan])
        fresh = True
    else:
        # A task killed between the file and the row finds the file and must still write the row; writing it twice
        # would make the batches that are loaded already count anew.
        fresh = run_summary(stores.engine, run).listed is None
    if fresh:
        record_listed(stores.engine, run, plan.listed, plan.unchanged, plan.batches)
    return OpenedRun(run, Counts(plan.listed, plan.unchanged), plan.batches)


def receive_batch(settings: Settings, stores: Stores, batch: BatchRef) -> None:
    """Fetch, screen, store and normalise one batch."""
    workspace = Workspace(settings.work, batch.run)
    config, folder = _planned(settings, workspace)
    source = open_source(config, settings, folder)
    listings = [line.listing() for line in read_planned(workspace.existing(batch.number, "planned"))]
    write_lines(workspace.file(batch.number, "received"), receive(source, config, stores.objects, listings))


def judge_batch(settings: Settings, stores: Stores, batch: BatchRef) -> None:
    """Verify every signature of one batch and store the manifests."""
    workspace = Workspace(settings.work, batch.run)
    trust = load_trust(settings.trust)
    at = run_clock(stores.engine, batch.run)
    received = read_stage(workspace.existing(batch.number, "received"))
    write_lines(workspace.file(batch.number, "verified"), judge(received, stores.objects, trust, at))


def load_batch(settings: Settings, stores: Stores, batch: BatchRef, attempt: str) -> LoadReport:
    """Load one batch in one transaction; ``attempt`` tells this try from a killed one that may still be running."""
    workspace = Workspace(settings.work, batch.run)
    config, _ = _planned(settings, workspace)
    lines = read_stage(workspace.existing(batch.number, "verified"))
    return stores.archive.load(
        Batch(run=batch.run, source=config.source, number=batch.number, attempt=attempt),
        list(outcomes(lines, stores.objects)),
    )


def close_run(settings: Settings, stores: Stores, run: str) -> RunSummary:
    """Account for the run, bring the dossiers up to date, then remove its work folder.

    Raises:
        FatalError: the counts do not add up, or a batch is missing. The work folder stays for the inquiry.
    """
    summary = account(stores.engine, run)
    refresh_dossiers(stores.engine)
    workspace = Workspace(settings.work, run)
    if workspace.present.is_file():
        _mark_presence(stores, summary, workspace)
    workspace.remove()
    stores.objects.sweep_temporary(_ABANDONED)
    return summary


def _mark_presence(stores: Stores, summary: RunSummary, workspace: Workspace) -> None:
    # The run's clock is older than every document that another run may have brought since the inventory.
    found = mark_presence(
        stores.engine, summary.source, summary.run, read_present(workspace.present), summary.started
    )
    if found.gone or found.back:
        _log.info(
            "source %s: %d gone, %d back since its last complete inventory",
            summary.source,
            found.gone,
            found.back,
        )


def _plan_file(workspace: Workspace) -> Path:
    return workspace.folder / "plan.json"


def _read_plan(workspace: Workspace) -> PlanLine | None:
    try:
        return PlanLine.model_validate_json(_plan_file(workspace).read_bytes())
    except FileNotFoundError:
        return None


def _planned(settings: Settings, workspace: Workspace) -> tuple[SourceConfig, Path | None]:
    plan = _read_plan(workspace)
    if plan is None:
        raise FatalError(
            f"run {workspace.run} has no plan",
            where=str(workspace.folder),
            expected="the plan stage to have finished on the same data folder",
            action="clear the run from its first task",
        )
    return source_config(settings, plan.source), plan.folder
