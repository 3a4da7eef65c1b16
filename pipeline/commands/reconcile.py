"""``lienthong reconcile``: what came in against what was listed, numbered, cited and asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from archive.reconciliation import Reconciliation, Table, reconcile
from pipeline.commands.deciding import AsJson
from pipeline.commands.output import Output
from pipeline.listed_classes import listed_classes
from pipeline.settings import configured_sources, load_settings
from pipeline.stages import open_stores
from pipeline.table_files import shown_cell, write_csv, write_xlsx

_SHOWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "runs": ("source", "started", "state", "listed", "archived", "difference"),
        "sources": ("source", "documents", "quarantine_open", "withheld", "gone", "last_finished"),
        "inventory": ("source", "taken_at", "listed", "archived", "stateless"),
        "missing": ("source", "key", "taken_at"),
        "gone": ("source", "symbol", "issued_date", "subject", "gone_at"),
        "gaps": ("series", "first", "last", "gap_state", "may_be_secret"),
        "known_gaps": ("series", "first", "last", "gap_reason", "by", "why"),
        "duplicates": ("series", "number", "symbol", "issued_date", "subject"),
        "unjudged": ("source", "unjudged_reason", "count"),
        "unlinked": ("symbol", "issued_date", "source", "other_source"),
        "cited": ("relation", "target", "target_date", "times", "symbol", "candidates"),
        "awaited": ("arrival_number", "symbol", "issuer", "due_date", "days_late", "subject"),
    }
)
"""What a terminal of 80 columns can show of each table; the files and JSON hold every column."""


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("reconcile", help="Đối chiếu: đã liệt kê, đánh số, dẫn chiếu, hẹn trả lời / reconciliation.")(
        reconciliation
    )


def reconciliation(
    context: typer.Context,
    csv: Annotated[
        Path | None, typer.Option(help="Ghi mỗi bảng một tệp CSV vào đây / a CSV file each")
    ] = None,
    xlsx: Annotated[
        Path | None, typer.Option(help="Ghi mọi bảng vào sổ tính này / all into a workbook")
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="Chỉ bảng này, mọi dòng / this table only, all rows")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Số dòng in ra mỗi bảng / rows of each table")] = 20,
    as_json: AsJson = False,
) -> None:
    """Print the tables; the exit status is 1 when a listed record is in no counted state."""
    output: Output = context.obj
    settings = load_settings()
    policies = {name: config.numbering for name, config in configured_sources(settings).items()}
    found = reconcile(open_stores(settings).engine, policies, classes=listed_classes())
    if table is not None and table not in {one.name for one in found.tables}:
        raise typer.BadParameter(" | ".join(one.name for one in found.tables), param_hint="--table")
    chosen = tuple(one for one in found.tables if table in (None, one.name))
    if csv is not None:
        write_csv(csv, chosen, output.words)
    if xlsx is not None:
        write_xlsx(xlsx, chosen, output.words)
    if as_json:
        output.json(_json(found, chosen))
    else:
        for one in chosen:
            _print(output, one, None if table else limit)
        output.line(output.words("questions_in_all", count=found.questions))
        output.line(output.words("all_columns"))
    if not found.in_order:
        raise typer.Exit(1)


def _print(output: Output, table: Table, limit: int | None) -> None:
    if not table.rows:
        return
    columns = _SHOWN[table.name]
    places = [table.columns.index(column) for column in columns]
    cells = [
        [
            _day(shown_cell(output.words, column, row[place]))
            for column, place in zip(columns, places, strict=True)
        ]
        for row in table.rows[:limit]
    ]
    output.table(output.words(f"table_{table.name}"), columns, cells)
    if limit is not None and len(table.rows) > limit:
        output.line(output.words("more_rows", count=len(table.rows) - limit, table=table.name))


def _day(value: object) -> object:
    return value.strftime("%d/%m/%Y") if isinstance(value, date) else value


def _json(found: Reconciliation, tables: tuple[Table, ...]) -> dict[str, object]:
    return {
        "made_at": found.made_at.isoformat(),
        "in_order": found.in_order,
        "questions": found.questions,
        "tables": {
            table.name: [dict(zip(table.columns, row, strict=True)) for row in table.rows] for table in tables
        },
    }
