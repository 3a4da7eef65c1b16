"""``lienthong inspect``: what is in an export, record by record, without an archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from connectors.lotus_notes.inspect import inspect_dxl
from connectors.operations.inspect import holds_packages, inspect_edxml
from pipeline.commands.output import Output
from pipeline.record_pages import write_pages


def register(app: typer.Typer) -> None:
    """Add the subcommand to ``app``."""
    app.command("inspect", help="Xem bên trong tệp DXL hoặc edXML / look into DXL or edXML files.")(inspect)


def inspect(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(exists=True, help="Tệp, thư mục hoặc ZIP / files, folders, ZIPs")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Một dòng JSON mỗi hồ sơ / a JSON line a record")
    ] = False,
    pages: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FOLDER",
            file_okay=False,
            help="Ghi mỗi hồ sơ DXL thành một trang HTML an toàn / write a safe HTML page of every DXL record",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Liệt kê điều quy chuẩn sẽ từ chối ở gói edXML / list what the standard would refuse in edXML",
        ),
    ] = False,
) -> None:
    """Print every record of ``files``; the exit status is 1 when anything in them was unreadable or, with
    ``--strict``, would be refused by the standard."""
    output: Output = context.obj
    failed = False
    for path in files:
        if pages is not None and _holds_dxl(path):
            write_pages(path, pages)
        rows: list[tuple[object, ...]] = []
        refusals: list[tuple[object, ...]] = []
        skipped: Counter[str] = Counter()
        for record in records(path, skipped, strict=strict):
            failed = failed or bool(record.get("unreadable")) or bool(record.get("strict"))
            if as_json:
                output.json(record)
            else:
                rows.append(_row(record))
                refusals += _refusals(record)
        if not as_json:
            output.table(
                str(path), ("records", "kind", "subject", "items", "attachments", "unreadable"), rows
            )
            if skipped:
                counted = ", ".join(f"{count} {name}" for name, count in sorted(skipped.items()))
                output.line(f"{output.words('skipped_design')}: {counted}")
            if refusals:
                output.table("", ("file", "where", "message"), refusals)
    if failed:
        raise typer.Exit(1)


def records(
    path: Path, skipped: Counter[str] | None = None, *, strict: bool = False
) -> Iterator[dict[str, object]]:
    """The records of ``path`` as JSON values; the format is told by the bytes.

    ``skipped`` receives how many elements of a DXL export hold no document, by name.
    ``strict`` adds to edXML packages what the standard would refuse in them.
    """
    if _holds_dxl(path):
        yield from inspect_dxl(path, skipped)
    else:
        yield from inspect_edxml(path, strict=strict)


def _holds_dxl(path: Path) -> bool:
    if path.is_file():
        return not holds_packages(path)
    return any(path.rglob("*.dxl")) or not holds_packages(path)


def _row(record: dict[str, object]) -> tuple[object, ...]:
    header = record.get("header")
    subject = header.get("Subject", "") if isinstance(header, dict) else record.get("form", "")
    return (
        record.get("unid") or record.get("file") or "",
        record.get("kind", ""),
        subject,
        _length(record.get("items")),
        _length(record.get("attachments")),
        _unreadable(record.get("unreadable")),
    )


def _refusals(record: dict[str, object]) -> Iterator[tuple[object, ...]]:
    found = record.get("strict")
    for breach in found if isinstance(found, list) else []:
        yield record.get("file", ""), breach["where"], f"{breach['code']}: {breach['message']}"


def _unreadable(value: object) -> object:
    """The reason (edXML names one), or how many parts (DXL lists them); nothing when all was read."""
    return value if isinstance(value, str) else _length(value) or ""


def _length(value: object) -> int:
    return len(value) if isinstance(value, list | dict) else 0
