"""``lienthong status``: the runs, and what the archive holds, refuses and keeps out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from archive.queries import quarantine_list, totals, verdict_counts, withheld_counts
from archive.runs import RunSummary, newest_runs, runs
from pipeline.access_accounts import open_for_reading
from pipeline.commands.output import Output
from pipeline.settings import load_settings
from pipeline.stages import Stores
from pipeline.tasks import summary_value

_ABANDONED = timedelta(days=1)
"""After a day without a batch somebody has to look whether a run is still alive."""


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("status", help="Các lượt chạy và kho lưu trữ / runs and the archive.")(status)


def status(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="Chỉ nguồn này / this source only")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Số lượt chạy / number of runs")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Một dòng JSON / a JSON line")] = False,
) -> None:
    """Print the newest runs first; exit status 1 when a source's newest run did not add up, or is silent for a day."""
    output: Output = context.obj
    stores = open_for_reading(load_settings())
    found = runs(stores.engine, limit=limit, source=source)
    if as_json:
        output.json({"runs": [summary_value(run) for run in found], "archive": asdict(totals(stores.engine))})
    else:
        print_runs(output, found)
        print_holdings(output, stores)
    newest = newest_runs(stores.engine, source)
    failed = [run for run in newest if run.state == "failed"]
    silent = [run for run in newest if _silence(run) >= _ABANDONED]
    if not as_json:
        for run in failed:
            if run not in found:
                _print_failure(output, run)
        for run in silent:
            told = output.words("run_abandoned", source=run.source, time=_span(output, _silence(run)))
            output.line(told, style="bold red")
    if failed or silent:
        raise typer.Exit(1)


def print_runs(output: Output, found: list[RunSummary]) -> None:
    """The runs as a table."""
    if not found:
        output.line(output.words("no_runs"))
        return
    columns = ("source", "started", "state", "listed", "archived", "unchanged", "quarantined", "withheld")
    rows = [
        (
            run.source,
            _when(output, run),
            _state(output, run),
            run.listed,
            run.archived,
            run.unchanged,
            run.quarantined,
            run.withheld,
        )
        for run in found
    ]
    output.table(output.words("runs"), columns, rows)
    for run in found:
        if run.failure:
            _print_failure(output, run)


def _state(output: Output, run: RunSummary) -> str:
    """Its state; of one that has not ended also how long nothing has been heard of it."""
    if run.state != "running":
        return output.words(run.state)
    word = "run_last_batch" if run.last_batch else "run_no_batch"
    return "\n".join((output.words("running"), output.words(word, time=_span(output, _silence(run)))))


def _silence(run: RunSummary) -> timedelta:
    since = run.silent_since()
    return datetime.now(UTC) - since if since is not None else timedelta()


def _span(output: Output, time: timedelta) -> str:
    """``time`` in the largest unit of which it has two or more, rounded down."""
    for unit, length in (("days", timedelta(days=1)), ("hours", timedelta(hours=1))):
        if time >= 2 * length:
            return output.words(f"span_{unit}", count=time // length)
    return output.words("span_minutes", count=max(time, timedelta()) // timedelta(minutes=1))


def _print_failure(output: Output, run: RunSummary) -> None:
    output.line(f"{run.source}: {run.failure}", style="bold red")


def _when(output: Output, run: RunSummary) -> str:
    """Day, time, and what kind of run it was, one under the other: the table must fit 80 columns."""
    day, _, time = output.cell(run.started).partition(" ")
    return "\n".join((day, time, *([output.words(run.kind)] if run.kind != "sync" else [])))


def print_holdings(output: Output, stores: Stores) -> None:
    """What is in the archive, in quarantine, and outside."""
    engine = stores.engine
    held = totals(engine)
    rows = [(output.words(name), count) for name, count in asdict(held).items() if count is not None]
    output.table(output.words("archive_title"), ("detail", "count"), rows)
    print_verdicts(output, stores)
    if held.withheld is not None:  # what a reader may not know of
        _print_set_aside(output, stores)


def _print_set_aside(output: Output, stores: Stores) -> None:
    engine = stores.engine
    waiting = quarantine_list(engine, state="open")
    if waiting:
        found = [
            (item.source, output.words(item.stage), output.words(item.reason), item.message)
            for item in waiting
        ]
        output.table(output.words("quarantine_title"), ("source", "stage", "reason", "message"), found)
    outside = [
        (item.source, output.words(item.level), item.rule, item.records) for item in withheld_counts(engine)
    ]
    if outside:
        output.table(output.words("withheld_title"), ("source", "level", "rule", "count"), outside)


def print_verdicts(output: Output, stores: Stores) -> None:
    """How the signatures in the archive were judged."""
    rows = [
        (found.source, output.words(found.indication), found.sub_indication, found.verdicts)
        for found in verdict_counts(stores.engine)
    ]
    if rows:
        output.table(output.words("verdicts_title"), ("source", "verdict", "detail", "count"), rows)
