"""What the tasks of the DAGs do, as functions of values that may pass between tasks: ids, days and counts.

Knows no Airflow; the DAG files name these functions and wire them. Each call opens the stores for itself, because each
Airflow task is a process of its own.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from archive.runs import RunSummary
from pipeline import stages
from pipeline.quiet import quiet_libraries
from pipeline.reverify import reverify as run_reverify
from pipeline.reverify import take_in
from pipeline.settings import Settings, load_settings, source_config
from pipeline.window import civil_days, window
from pipeline.workspace import BatchRef
from schemas.errors import FatalError
from schemas.record import Window

_log = logging.getLogger(__name__)

DRY_RUN = "dry-run"


class Planned(TypedDict):
    """What the planning task hands on.

    ``run`` is ``DRY_RUN`` after a dry run, which has no run in the archive and no batches.
    """

    run: str
    batches: list[BatchValue]
    listed: int
    unchanged: int


class BatchValue(TypedDict):
    """A batch reference between tasks."""

    run: str
    number: int


def plan_sync(source: str, context: Mapping[str, object]) -> Planned:
    """Plan a run of ``sync__<source>`` over the window of the Airflow run ``context``."""
    settings = load_settings()
    span = window(context, source_config(settings, source))
    return _plan(settings, stages.Order(source, "sync", run_key(context), span))


def plan_backfill(source: str, context: Mapping[str, object]) -> Planned:
    """Plan a run of ``backfill__<source>`` from its form (see ``dags/sync_sources.py``)."""
    form = context["params"]
    if not isinstance(form, Mapping):
        raise FatalError("a backfill run came without its form", expected="params")
    span = civil_days(form.get("from_day"), form.get("to_day"))
    folder = str(form.get("folder") or "").strip()
    order = stages.Order(
        source,
        "backfill",
        run_key(context),
        span,
        folder=Path(folder) if folder else None,
        batch_size=int(form["batch_size"]) if form.get("batch_size") else None,
    )
    return _plan(load_settings(), order, dry_run=bool(form.get("dry_run")))


def receive(batch: BatchValue) -> BatchValue:
    """Fetch, screen, store and normalise one batch."""
    with opened_stores() as (settings, stores):
        stages.receive_batch(settings, stores, BatchRef(**batch))
    return batch


def judge(batch: BatchValue) -> BatchValue:
    """Verify every signature of one batch."""
    with opened_stores() as (settings, stores):
        stages.judge_batch(settings, stores, BatchRef(**batch))
    return batch


def load(batch: BatchValue) -> dict[str, int]:
    """Load one batch; returns its counts."""
    with opened_stores() as (settings, stores):
        report = stages.load_batch(settings, stores, BatchRef(**batch), attempt=uuid.uuid4().hex)
    return asdict(report)


def account(run: str | None) -> dict[str, object]:
    """Account for the run; returns its summary, empty after a dry run.

    Raises:
        FatalError: the counts do not add up, a batch is missing, or the planning task never finished.
    """
    if run is None:
        raise FatalError(
            "there is no plan to account for",
            expected="the planning task to have succeeded",
            action="see its log",
        )
    if run == DRY_RUN:
        return {}
    with opened_stores() as (settings, stores):
        summary = stages.close_run(settings, stores, run)
    return summary_value(summary)


def report(summary: Mapping[str, object]) -> dict[str, object]:
    """Write the run's summary to the log, in Vietnamese for the administrator; returns what the asset event carries."""
    if not summary:
        _log.info("Chạy thử: không ghi gì vào kho lưu trữ.")
        return {}
    _log.info(
        "Nguồn %s: liệt kê %s = lưu %s + không đổi %s + cách ly %s + giữ ngoài %s",
        *(summary[name] for name in ("source", "listed", "archived", "unchanged", "quarantined", "withheld")),
    )
    return dict(summary)


def take_in_lists(context: Mapping[str, object]) -> dict[str, int]:
    """Take dropped revocation lists in, unless the form asks for a dry run; how many files had which outcome."""
    if run_form(context).get("dry_run"):
        return {}
    taken = take_in(load_settings(), datetime.now(UTC))
    for item in taken:
        _log.info("Tiếp nhận %s: %s %s", item.file, item.outcome, item.reason)
    return dict(Counter(item.outcome for item in taken))


def reverify(context: Mapping[str, object]) -> dict[str, object]:
    """Verify again what has been affected since the last run; returns the summary (see ``pipeline.reverify``)."""
    form = run_form(context)
    with opened_stores() as (settings, stores):
        done = run_reverify(
            settings,
            stores,
            run_key(context),
            why=str(form.get("reason") or ""),
            everything=bool(form.get("everything")),
            dry_run=bool(form.get("dry_run")),
        )
    return asdict(done)


def report_reverified(summary: Mapping[str, object]) -> dict[str, object]:
    """Write the summary to the log, in Vietnamese for the administrator; returns what the asset event carries."""
    _log.info(
        "Kiểm tra lại %s tệp của %s văn bản, %s tệp đổi kết luận, %s danh sách thu hồi mới; lý do: %s",
        *(summary[name] for name in ("files", "versions", "changed", "new_lists", "reasons")),
    )
    return dict(summary)


def run_form(context: Mapping[str, object]) -> Mapping[str, object]:
    """The form of the Airflow run ``context``."""
    form = context["params"]
    if not isinstance(form, Mapping):
        raise FatalError("a run came without its form", expected="params")
    return form


def run_key(context: Mapping[str, object]) -> str:
    """The identity of an Airflow run for the archive: a retried task goes on with the same run.

    A run that was cleared after it had ended gets a run of its own; ``start_run`` sees to that.
    """
    dag_run = context["dag_run"]
    return f"{getattr(dag_run, 'dag_id', '')}/{getattr(dag_run, 'run_id', '')}"


def summary_value(summary: RunSummary) -> dict[str, object]:
    """A run's summary as JSON values."""
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in asdict(summary).items()
    }


def _plan(settings: Settings, order: stages.Order, dry_run: bool = False) -> Planned:
    with opened_stores() as (_, stores):
        if dry_run:
            counts = stages.dry_run(settings, stores, order)
            _log.info(
                "Chạy thử %s (%s): liệt kê %d, không đổi %d, sẽ lấy %d; không ghi gì.",
                order.source,
                _span(order.window),
                counts.listed,
                counts.unchanged,
                counts.pending,
            )
            return Planned(run=DRY_RUN, batches=[], listed=counts.listed, unchanged=counts.unchanged)
        opened = stages.open_run(settings, stores, order)
    return Planned(
        run=opened.run,
        batches=[BatchValue(run=opened.run, number=number) for number in range(1, opened.batches + 1)],
        listed=opened.counts.listed,
        unchanged=opened.counts.unchanged,
    )


def _span(span: Window) -> str:
    start, end = (moment.isoformat() if moment else "…" for moment in (span.start, span.end))
    return f"{start} – {end}"


@contextmanager
def opened_stores() -> Iterator[tuple[Settings, stages.Stores]]:
    """The settings and the stores of this installation, closed afterwards."""
    quiet_libraries()
    settings = load_settings()
    stores = stages.open_stores(settings)
    try:
        yield settings, stores
    finally:
        stores.engine.dispose()
