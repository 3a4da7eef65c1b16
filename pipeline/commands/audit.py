"""``lienthong audit``: is the archive what its ledger says, and is the ledger the one that was anchored?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.auditing import NIGHTLY_BYTES, audit_archive, audit_lines, audit_value
from pipeline.commands.output import Output
from pipeline.settings import load_settings
from pipeline.stages import open_stores

EXIT_FAILED = 4


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("audit", help="Kiểm toán kho: sổ cái, mốc neo, tệp, dữ liệu / audit the whole archive.")(
        audit
    )


def audit(
    context: typer.Context,
    full: Annotated[
        bool, typer.Option("--full", help="Mọi tệp và mọi phiên bản / every object and every version")
    ] = False,
    budget: Annotated[
        int, typer.Option(help="Số byte tệp đọc lại khi không --full / bytes of objects to read again")
    ] = NIGHTLY_BYTES,
    anchors: Annotated[
        list[Path] | None,
        typer.Option(help="Thư mục mốc neo, ví dụ đĩa sao ở nơi khác / folder of anchors to compare with"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Một dòng JSON / a JSON line")] = False,
) -> None:
    """Audit the archive; exit status 4 when anything is wrong."""
    output: Output = context.obj
    settings = load_settings()
    stores = open_stores(settings)
    with output.progress(as_json) as bar:
        task = bar.add_task(output.words("check"), total=None)
        done = audit_archive(
            settings,
            stores,
            full=full,
            budget=budget,
            folders=(*settings.anchors, *(anchors or ())),
            on_progress=lambda objects, _bytes: bar.update(task, completed=objects),
        )
    told = audit_value(done, output.words)
    if as_json:
        output.json(told)
    else:
        for line in audit_lines(told, output.words):
            output.line(line, style="red" if line.startswith("  [") else "")
    if not done.clean:
        raise typer.Exit(EXIT_FAILED)
