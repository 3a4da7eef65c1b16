"""Tables as files for a spreadsheet: CSV and XLSX whose cells never compute anything, whatever a document says.

A text stays a text: in CSV one that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV
injection), in XLSX its cell is of type text. Numbers and days are numbers and days.
"""

from __future__ import annotations

import csv
import os
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from archive.reconciliation import Cell, Table
from archive.text_cells import text_cell
from pipeline.window import LOCAL_ZONE
from pipeline.wording import Wording

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")
_WORDS = ("kind", "state", "gap_state", "gap_reason", "unjudged_reason", "relation", "may_be_secret")
"""Columns whose cells are keys of the wording."""


def shown_cell(words: Wording, column: str, value: Cell) -> Cell:
    """The cell as a person reads it: keys as words, moments as local time without a zone."""
    if isinstance(value, bool):
        return words("yes" if value else "no")
    if column in _WORDS and isinstance(value, str):
        return words(f"{column}_{value}") if f"{column}_{value}" in words else words(value)
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(LOCAL_ZONE)).replace(tzinfo=None, microsecond=0)
    return value


def write_csv(folder: Path, tables: Sequence[Table], words: Wording) -> list[Path]:
    """Write each table as ``<name>.csv`` into ``folder``: UTF-8 with a byte order mark, which Excel needs."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_whole(folder / f"{table.name}.csv", partial(_csv, table=table, words=words)) for table in tables]


def write_xlsx(path: Path, tables: Sequence[Table], words: Wording) -> Path:
    """Write the tables as the sheets of one workbook, row by row, in flat memory."""
    workbook = Workbook(write_only=True)
    for table in tables:
        sheet = workbook.create_sheet(_SHEET_NAME.sub(" ", words(f"table_{table.name}"))[:31])
        sheet.freeze_panes = "A2"
        for number, column in enumerate(table.columns, start=1):
            sheet.column_dimensions[get_column_letter(number)].width = 14 if column != "subject" else 60
        sheet.append([_header(sheet, words(column)) for column in table.columns])
        for row in table.rows:
            sheet.append(
                [
                    _cell(sheet, shown_cell(words, column, value))
                    for column, value in zip(table.columns, row, strict=True)
                ]
            )
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        workbook.save(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def harmless(text: str) -> str:
    """``text`` for a CSV cell: what a spreadsheet would compute gets an apostrophe in front."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _csv(stream: TextIO, table: Table, words: Wording) -> None:
    writer = csv.writer(stream)
    writer.writerow([harmless(words(column)) for column in table.columns])
    for row in table.rows:
        cells = (shown_cell(words, column, value) for column, value in zip(table.columns, row, strict=True))
        writer.writerow([_csv_cell(cell) for cell in cells])


def _csv_cell(value: Cell) -> str | int:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%d/%m/%Y %H:%M")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return value if isinstance(value, int) else harmless(value)


def _cell(sheet: WriteOnlyWorksheet, value: Cell) -> SheetCell:
    if isinstance(value, str):
        return text_cell(sheet, value)
    cell = WriteOnlyCell(sheet)
    cell.value = value
    if isinstance(value, datetime):
        cell.number_format = "dd/mm/yyyy hh:mm"
    elif isinstance(value, date):
        cell.number_format = "dd/mm/yyyy"
    return cell


def _header(sheet: WriteOnlyWorksheet, text: str) -> SheetCell:
    cell = text_cell(sheet, text)
    cell.font = Font(bold=True)
    return cell


def _whole(path: Path, write: Callable[[TextIO], None]) -> Path:
    """Write ``path`` by rename, so that nobody sees half of it."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with unfinished.open("w", encoding="utf-8-sig", newline="") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path
