"""The stages of a run, as Airflow and the command line call them.

``open_run → receive_batch → judge_batch → load_batch → close_run``. Each takes and gives ids, paths and counts only, may
be repeated after a kill at any instruction, and leaves the same archive behind.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from archive.database import create_engine, database_url
from archive.loader import Archive, Batch, LoadReport
from archive.migrate import migrate
from archive.objects import ObjectStore
from archive.runs import RunSummary, account, record_listed, run_clock, start_run
from mappings.config import SourceConfig
from pipeline.batch_lines import read_planned, read_stage, write_lines
from pipeline.judge import judge
from pipeline.outcomes import outcomes
from pipeline.plan import Counts, count_only, write_plan
from pipeline.receive import receive
from pipeline.settings import Settings, source_config
from pipeline.sources import open_source
from pipeline.workspace import BatchRef, Workspace
from schemas.errors import FatalError
from schemas.record import Window
from signatures.trust import load_trust


@dataclass(frozen=True, slots=True)
class Stores:
    """The archive's database and object store, opened."""

    engine: sa.Engine
    objects: ObjectStore
    archive: Archive


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


def open_stores(settings: Settings) -> Stores:
    """Connect, migrate where needed, and open the object store.

    Raises:
        FatalError: the database is of a newer version than this program, or refuses the login.
        RetriableError: the database is away.
    """
    engine = create_engine(database_url())
    migrate(engine)
    objects = ObjectStore(settings.objects)
    return Stores(engine, objects, Archive(engine, objects))


def dry_run(settings: Settings, stores: Stores, order: Order) -> Counts:
    """What ``order`` would do, writing nothing anywhere."""
    config = source_config(settings, order.source)
    return count_only(open_source(config, settings, order.folder), stores.archive, order.window)


def open_run(
    settings: Settings, stores: Stores, order: Order, on_progress: Callable[[int], None] = lambda _: None
) -> OpenedRun:
    """Take the inventory and write the batches."""
    config = source_config(settings, order.source)
    source = open_source(config, settings, order.folder)
    run = start_run(stores.engine, config.source, order.kind, order.window, order.run_key)
    workspace = Workspace(settings.work, run)
    size = order.batch_size or config.batch_size
    counts, batches = write_plan(source, stores.archive, order.window, workspace, size, on_progress)
    _order_file(workspace).write_text(
        json.dumps({"source": order.source, "folder": str(order.folder) if order.folder else None}),
        encoding="utf-8",
    )
    record_listed(stores.engine, run, counts.listed, counts.unchanged, batches)
    return OpenedRun(run, counts, batches)


def receive_batch(settings: Settings, stores: Stores, batch: BatchRef) -> None:
    """Fetch, screen, store and normalise one batch."""
    workspace = Workspace(settings.work, batch.run)
    config, folder = _ordered(settings, workspace)
    source = open_source(config, settings, folder)
    listings = [line.listing() for line in read_planned(workspace.existing(batch.number, "planned"))]
    write_lines(
        workspace.file(batch.number, "received"), receive(source, config, stores.objects, listings)
    )


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
    config, _ = _ordered(settings, workspace)
    lines = read_stage(workspace.existing(batch.number, "verified"))
    return stores.archive.load(
        Batch(run=batch.run, source=config.source, number=batch.number, attempt=attempt),
        list(outcomes(lines, stores.objects)),
    )


def close_run(settings: Settings, stores: Stores, run: str) -> RunSummary:
    """Account for the run, then remove its work folder.

    Raises:
        FatalError: the counts do not add up, or a batch is missing. The work folder stays for the inquiry.
    """
    summary = account(stores.engine, run)
    Workspace(settings.work, run).remove()
    return summary


def clock_of(stores: Stores, run: str) -> datetime:
    """When the run started, aware: the time as of which its signatures are judged."""
    return run_clock(stores.engine, run)


def _order_file(workspace: Workspace) -> Path:
    return workspace.folder / "order.json"


def _ordered(settings: Settings, workspace: Workspace) -> tuple[SourceConfig, Path | None]:
    try:
        order = json.loads(_order_file(workspace).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FatalError(
            f"run {workspace.run} has no plan",
            where=str(workspace.folder),
            expected="the plan stage to have finished on the same data folder",
            action="clear the run from its first task",
        ) from error
    folder = order["folder"]
    return source_config(settings, order["source"]), Path(folder) if folder else None
