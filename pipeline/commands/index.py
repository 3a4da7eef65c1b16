"""``lienthong index``: bring the search index up to date, or make it anew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from archive.indexing import Indexed
from archive.indexing import index as run_index
from archive.search_missing import Missing
from pipeline.commands.output import Output
from pipeline.settings import load_settings
from pipeline.stages import open_stores


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("index", help="Lập chỉ mục tìm kiếm / bring the search index up to date.")(index)


def tell_of_missing(output: Output, done: Indexed) -> None:
    """A line where search cannot find everything."""
    if done.missing != Missing():
        output.line(output.words("index_unreadable", **asdict(done.missing)), style="yellow")


def index(
    context: typer.Context,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Lập lại từ đầu / make every entry anew")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Một dòng JSON / one JSON line")] = False,
) -> None:
    """Index what changed since the last time; every sync does this, too."""
    output: Output = context.obj
    stores = open_stores(load_settings())
    with output.progress(as_json) as bar:
        task = bar.add_task("", total=None)
        done = run_index(
            stores.engine,
            stores.objects,
            rebuild=rebuild,
            on_progress=lambda number: bar.update(task, completed=number),
        )
    if as_json:
        output.json(asdict(done))
        return
    if not done.whole:
        output.line(output.words("index_busy"))
        return
    output.line(output.words("indexed", documents=done.documents, removed=done.removed, files=done.files))
    tell_of_missing(output, done)
    if done.outcomes:
        rows = [(output.words(f"extracted_{name}"), count) for name, count in sorted(done.outcomes.items())]
        output.table("", ("outcome", "count"), rows)
