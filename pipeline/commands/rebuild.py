"""``lienthong rebuild``: the database made again from the object store alone, and compared with the living one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from archive.rebuild_compare import NOT_COMPARED
from pipeline.commands.output import Output
from pipeline.rebuilding import Compared, rebuild_and_compare, rebuild_into
from pipeline.settings import load_settings

_SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command(
        "rebuild",
        help="Dựng lại cơ sở dữ liệu chỉ từ kho tệp và so sánh / make the database again from the object store alone"
        " and compare.",
    )(rebuild)


def rebuild(
    context: typer.Context,
    into: Annotated[
        str,
        typer.Option(
            help="Cơ sở dữ liệu rỗng để dựng vào và giữ lại / an empty database that keeps what is made"
        ),
    ] = "",
    comparing: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="So với cơ sở dữ liệu đang dùng (mặc định khi không có --into) / compare with the living database",
        ),
    ] = False,
    head: Annotated[
        str, typer.Option(help="Mã băm của neo giữ bên ngoài / hash of an anchor's last event, kept outside")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """Exit status 1 unless all was made again and, where compared, every row is equal."""
    output: Output = context.obj
    settings = load_settings()
    with output.progress(quiet=as_json) as bar:
        task = bar.add_task(output.words("rebuild_events"), total=None)

        def on_progress(count: int) -> None:
            bar.update(task, completed=count)

        if comparing or not into:
            done = rebuild_and_compare(settings, into, head, on_progress)
        else:
            done = rebuild_into(settings, into, head, on_progress)
    if as_json:
        output.json(_fields(done))
    else:
        _show(output, done)
    if not done.equal:
        raise typer.Exit(1)


def _fields(done: Compared) -> dict[str, object]:
    return {
        "equal": done.equal,
        **asdict(done.made),
        "tables": [asdict(table) for table in done.tables],
        "not_compared": dict(NOT_COMPARED) if done.tables else {},
    }


def _show(output: Output, done: Compared) -> None:
    made = done.made
    output.line(
        output.words(
            "rebuild_made",
            objects=made.objects,
            events=made.events,
            documents=made.documents,
            anchors=made.anchors,
        )
    )
    for trouble in made.troubles[:_SHOWN]:
        output.line(f"  {output.words(f'rebuild_{trouble.kind}')}: {trouble.where}: {trouble.message}")
    if len(made.troubles) > _SHOWN:
        output.line(output.words("rebuild_more", count=len(made.troubles) - _SHOWN))
    if done.tables:
        rows = [
            (table.name, table.rows, table.other_rows, output.words("yes" if table.equal else "no"))
            for table in done.tables
        ]
        output.table("", ("rebuild_table", "rebuild_living", "rebuild_again", "rebuild_equal"), rows)
        for table in done.tables:
            for key, kind in table.keys:
                output.line(f"  {table.name} {key}: {output.words(f'rebuild_{kind}')}")
    verdict = "rebuild_is_equal" if done.tables else "rebuild_is_whole"
    output.line(output.words(verdict if done.equal else "rebuild_is_not"))
