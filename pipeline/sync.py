"""A whole run in this process tree: what ``lienthong sync`` does without Airflow, with the same stages."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

from archive.runs import RunSummary
from pipeline.quiet import quiet_libraries
from pipeline.settings import Settings
from pipeline.stages import (
    Order,
    Stores,
    close_run,
    judge_batch,
    load_batch,
    open_run,
    open_stores,
    receive_batch,
)
from pipeline.workspace import BatchRef


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, for a progress bar.

    Attributes:
        stage: ``inventory`` or ``batches``.
        done: listings read, or batches finished.
        total: batches in all; ``None`` while unknown.
    """

    stage: str
    done: int
    total: int | None


def run_here(
    settings: Settings,
    stores: Stores,
    order: Order,
    jobs: int = 1,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> RunSummary:
    """Carry out ``order`` and account for it.

    ``jobs`` processes work on batches at once; one process does everything here.

    Raises:
        FatalError: the run failed; its row in the archive says so too.
    """
    opened = open_run(settings, stores, order, lambda n: on_progress(Progress("inventory", n, None)))
    batches = [BatchRef(opened.run, number) for number in range(1, opened.batches + 1)]
    if jobs > 1 and len(batches) > 1:
        _spread(settings, batches, jobs, on_progress)
    else:
        for done, batch in enumerate(batches, start=1):
            run_batch(settings, stores, batch)
            on_progress(Progress("batches", done, len(batches)))
    return close_run(settings, stores, opened.run)


def run_batch(settings: Settings, stores: Stores, batch: BatchRef) -> None:
    """The three stages of one batch, one after the other."""
    receive_batch(settings, stores, batch)
    judge_batch(settings, stores, batch)
    load_batch(settings, stores, batch, attempt=uuid.uuid4().hex)


def _spread(
    settings: Settings,
    batches: list[BatchRef],
    jobs: int,
    on_progress: Callable[[Progress], None],
) -> None:
    # spawn: a forked child would share the parent's database connections.
    workers = min(jobs, len(batches), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_ignore_interrupt) as pool:
        futures = [pool.submit(_run_batch_alone, settings, batch) for batch in batches]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                on_progress(Progress("batches", done, len(batches)))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _ignore_interrupt() -> None:
    # Ctrl-C goes to the whole group; the parent decides, and a batch under way ends its transaction.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run_batch_alone(settings: Settings, batch: BatchRef) -> None:
    quiet_libraries()
    stores = open_stores(settings)
    try:
        run_batch(settings, stores, batch)
    finally:
        stores.engine.dispose()
