"""``lienthong quarantine``: what could not be read or understood, and why."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from archive.access_roles import Role
from archive.queries import quarantine_list
from pipeline.access_accounts import open_for
from pipeline.commands.output import Output
from pipeline.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("quarantine", help="Hồ sơ bị cách ly và lý do / what is in quarantine, and why.")(quarantine)


def quarantine(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="Chỉ nguồn này / this source only")] = None,
    every: Annotated[bool, typer.Option("--all", help="Cả hồ sơ đã xử lý / resolved ones too")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Một dòng JSON mỗi hồ sơ / a JSON line each")
    ] = False,
) -> None:
    """Print what is in quarantine; each record is tried again whenever its source is synced."""
    output: Output = context.obj
    found = quarantine_list(
        open_for(load_settings(), Role.CLERK).engine, source=source, state=None if every else "open"
    )
    if as_json:
        for item in found:
            output.json(asdict(item))
        return
    rows = [
        (item.source, output.words(item.stage), output.words(item.reason), item.message, item.location)
        for item in found
    ]
    output.table(output.words("quarantine_title"), ("source", "stage", "reason", "message", "where"), rows)
