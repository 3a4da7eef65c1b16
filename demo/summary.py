"""What a night of the demo came to, beside what its makers know it must come to."""

from __future__ import annotations

from collections.abc import Mapping

from archive.runs import RunSummary, runs
from demo.report import SourceCounts
from pipeline.commands.output import Output
from pipeline.commands.status import print_holdings, print_runs
from pipeline.settings import load_settings
from pipeline.stages import open_stores


def print_summary(
    output: Output, promised: Mapping[str, SourceCounts], listed_again: Mapping[str, int]
) -> bool:
    """Print runs, archive, quarantine and what was withheld; true when all is as ``promised``, by source.

    ``listed_again`` says of a source how many records it shows twice with the same content; they count once.
    """
    stores = open_stores(load_settings())
    try:
        newest = {run.source: run for run in reversed(runs(stores.engine, limit=50))}
        output.line()
        print_runs(output, list(newest.values()))
        print_holdings(output, stores)
        wrong = [
            told
            for source, expected in promised.items()
            for told in _wrong(source, newest.get(source), expected, listed_again.get(source, 0))
        ]
    finally:
        stores.engine.dispose()
    for told in wrong:
        output.line(told, style="bold red")
    if not wrong:
        output.line(
            "Đúng như văn phòng mẫu đã biết trước. / As the made-up office knew beforehand.", style="green"
        )
    return not wrong


def _wrong(source: str, run: RunSummary | None, expected: SourceCounts, listed_again: int) -> list[str]:
    if run is None:
        return [f"{source}: không có lượt chạy / no run"]
    # A later night finds what the first one archived unchanged.
    found = {
        "archived + unchanged": run.archived + run.unchanged - listed_again,
        "quarantined": run.quarantined,
        "withheld": run.withheld,
    }
    wanted = {
        "archived + unchanged": expected.archived,
        "quarantined": expected.quarantined,
        "withheld": expected.withheld,
    }
    return [
        f"{source}: {name}: {found[name]}, phải là / must be {wanted[name]}"
        for name in wanted
        if found[name] != wanted[name]
    ]
