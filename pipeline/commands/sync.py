"""``lienthong sync``: read sources into the archive, here or through Airflow."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from archive.runs import RunSummary
from pipeline.airflow_runs import run_through_airflow
from pipeline.commands.index import tell_of_missing
from pipeline.commands.output import Output
from pipeline.settings import Settings, configured_sources, load_settings
from pipeline.stages import Order, Stores, dry_run, open_stores
from pipeline.sync import Progress, run_here
from pipeline.tasks import summary_value
from pipeline.tasks_search import index_after_run
from pipeline.window import civil_days
from schemas.errors import LienthongError


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("sync", help="Đọc nguồn vào kho / read sources into the archive.")(sync)


def sync(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(help="Tên nguồn; để trống: mọi nguồn / source names, all if none")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            exists=True, resolve_path=True, help="Đọc thư mục, ZIP hoặc tệp này / read this instead"
        ),
    ] = None,
    from_day: Annotated[str | None, typer.Option("--from", help="Từ ngày YYYY-MM-DD / first day")] = None,
    to_day: Annotated[str | None, typer.Option("--to", help="Đến hết ngày / last day, included")] = None,
    only_count: Annotated[bool, typer.Option("--dry-run", help="Chỉ đếm, không ghi / count only")] = False,
    through_dag: Annotated[
        bool, typer.Option("--dag", help="Chạy qua Airflow / run through Airflow")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Số tiến trình / processes")] = os.cpu_count() or 1,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Số hồ sơ mỗi lô / records a batch")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Một dòng JSON mỗi nguồn / a JSON line a source")
    ] = False,
) -> None:
    """Read ``sources`` (all by default) into the archive and account for every record."""
    output: Output = context.obj
    settings = load_settings()
    names = sources or sorted(configured_sources(settings))
    if folder is not None and len(names) != 1:
        raise typer.BadParameter("--folder needs exactly one source", param_hint="--folder")
    span = civil_days(from_day, to_day)
    orders = [
        Order(name, "backfill" if from_day or to_day else "sync", _run_key(name), span, folder, batch_size)
        for name in names
    ]
    stores = open_stores(settings)
    if only_count and not through_dag:
        _count(output, settings, stores, orders, as_json)
        return
    failures: list[LienthongError] = []
    for order in orders:
        try:
            if through_dag:
                summary = run_through_airflow(settings, stores, order, only_count)
            else:
                summary = _run(output, settings, stores, order, jobs, as_json)
        except LienthongError as error:
            # The other source's night must not depend on this one's.
            failures.append(error)
            continue
        _print(output, [summary_value(summary)] if summary else [], as_json)
    if not through_dag:
        try:
            indexed = index_after_run(stores)
            if not as_json:
                tell_of_missing(output, indexed)
        except LienthongError as error:
            failures.append(error)
    for failure in failures[1:]:  # the first one is raised
        print(f"lienthong: {failure}", file=sys.stderr)
    if failures:
        raise failures[0]


def _run_key(source: str) -> str:
    return f"cli/{source}/{datetime.now(UTC).isoformat()}/{os.getpid()}"


def _run(
    output: Output, settings: Settings, stores: Stores, order: Order, jobs: int, quiet: bool
) -> RunSummary:
    with output.progress(quiet) as bar:
        task = bar.add_task(f"{order.source}: {output.words('inventory')}", total=None)

        def show(progress: Progress) -> None:
            description = f"{order.source}: {output.words(progress.stage)}"
            bar.update(task, description=description, completed=progress.done, total=progress.total)

        return run_here(settings, stores, order, jobs, show)


def _count(output: Output, settings: Settings, stores: Stores, orders: list[Order], as_json: bool) -> None:
    rows = []
    for order in orders:
        counts = dry_run(settings, stores, order)
        rows.append((order.source, counts.listed, counts.unchanged, counts.pending))
        if as_json:
            output.json(
                {"source": order.source, "dry_run": True, **asdict(counts), "pending": counts.pending}
            )
    if not as_json:
        output.table(output.words("dry_run"), ("source", "listed", "unchanged", "pending"), rows)


def _print(output: Output, summaries: list[dict[str, object]], as_json: bool) -> None:
    for summary in summaries:
        if as_json:
            output.json(summary)
        else:
            output.line(f"{summary['source']}: {output.words('identity', **summary)}")
