"""``lienthong reverify``: verify again what new lists, other roots or the passing of dates concern."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from pipeline.commands.output import Output
from pipeline.reverify import reverify as run_reverify
from pipeline.reverify import take_in
from pipeline.settings import load_settings
from pipeline.stages import open_stores


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("reverify", help="Kiểm tra lại chữ ký trong kho / verify archived signatures again.")(
        reverify
    )


def reverify(
    context: typer.Context,
    reason: Annotated[
        str, typer.Option(help="Lý do, ghi vào hồ sơ / a person's reason, for the record")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Mọi chữ ký, không chỉ cái bị ảnh hưởng / every signature")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Chỉ đếm, không ghi / count only, write nothing")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Một dòng JSON / a JSON line")] = False,
) -> None:
    """Take dropped lists in, then verify the signatures that they, or the passing of time, concern."""
    output: Output = context.obj
    settings = load_settings()
    now = datetime.now(UTC)
    if not dry_run:
        take_in(settings, now)
    stores = open_stores(settings)
    with output.progress(as_json) as bar:
        task = bar.add_task(output.words("check"), total=None)
        done = run_reverify(
            settings,
            stores,
            f"cli/{now.isoformat()}/{os.getpid()}",
            why=reason,
            everything=everything,
            dry_run=dry_run,
            now=now,
            on_progress=lambda number, total: bar.update(task, completed=number, total=total),
        )
    if as_json:
        output.json({"dry_run": dry_run, **asdict(done)})
        return
    output.line(output.words("would_reverify" if dry_run else "reverified", **asdict(done)))
    if done.reasons:
        rows = [(output.words(f"reason_{name}"), count) for name, count in done.reasons.items()]
        output.table("", ("reason", "count"), rows)
