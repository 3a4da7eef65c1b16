"""``lienthong anchor``: bring the ledger's root out of the database, now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.anchoring import anchor_ledger, anchored_value
from pipeline.commands.output import Output
from pipeline.settings import load_settings
from pipeline.stages import open_stores


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("anchor", help="Neo sổ cái ra ngoài cơ sở dữ liệu / anchor the ledger outside the database.")(
        anchor
    )


def anchor(
    context: typer.Context,
    begin: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="THƯ-MỤC",
            help="Thư mục neo mới, hoặc ghi bù từ đầu / a new folder of anchors, or one to fill anew",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Một dòng JSON / a JSON line")] = False,
) -> None:
    """Anchor the events since the last anchor; exit status 1 when a folder or the authority was not reached."""
    output: Output = context.obj
    settings = load_settings()
    done = anchor_ledger(settings, open_stores(settings), begin=begin or ())
    told = anchored_value(done)
    if as_json:
        output.json(told)
    elif done.anchored is None:
        output.line(output.words("anchor_nothing"))
    else:
        output.line(output.words("anchor_made" if done.anchored.made else "anchor_unchanged", **told))
        output.line(output.words("anchor_root", **told))
    for failure in () if as_json else done.failures:
        output.line(output.words("anchor_failure", failure=failure), style="yellow")
    if done.failures:
        raise typer.Exit(1)
