"""What a night of the demo came to, beside what its makers know it must come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from archive.runs import RunSummary, runs
from archive.tables import signature_verdict
from demo.report import ExpectedFile, SourceCounts
from pipeline.commands.output import Output
from pipeline.commands.status import print_holdings, print_runs
from pipeline.settings import load_settings
from pipeline.stages import open_stores
from signatures.verdict import SEVERITY, Indication


def print_summary(
    output: Output,
    promised: Mapping[str, SourceCounts],
    listed_again: Mapping[str, int],
    files: Iterable[ExpectedFile],
) -> bool:
    """Print runs, archive, quarantine and what was withheld; true when all is as it was promised.

    Args:
        output: where to.
        promised: counts by source.
        listed_again: how many records a source shows twice with the same content; they count once.
        files: every archived file whose verdict is known beforehand.
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
        wrong += wrong_verdicts(files, _first_verdicts(stores.engine))
    finally:
        stores.engine.dispose()
    for told in wrong:
        output.line(told, style="bold red")
    if not wrong:
        output.line(
            "Đúng như văn phòng mẫu đã biết trước. / As the made-up office knew beforehand.", style="green"
        )
    return not wrong


def wrong_verdicts(files: Iterable[ExpectedFile], found: Mapping[str, Indication]) -> list[str]:
    """A sentence for each file whose worst verdict, by SHA-256 in ``found``, is not one that it may have."""
    return [
        f"{file.name} ({file.case}): {said}, phải là / must be {' | '.join(file.verdicts)}"
        for file in files
        if (said := str(found.get(file.sha256, "–"))) not in file.verdicts
    ]


def _first_verdicts(engine: sa.Engine) -> dict[str, Indication]:
    """The worst verdict of each file when it came in, by SHA-256."""
    table = signature_verdict.c
    query = sa.select(table.sha256, table.indication).where(
        table.check_no == 1, table.attachment.is_not(None)
    )
    worst: dict[str, Indication] = {}
    with engine.connect() as connection:
        for sha256, indication in connection.execute(query):
            known = worst.get(sha256, Indication.TOTAL_PASSED)
            worst[sha256] = max(known, Indication(indication), key=SEVERITY.index)
    return worst


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
