"""A register as a spreadsheet: every cell is text, nothing in it is ever computed, and it prints as the form asks."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path
from typing import IO, cast

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.worksheet import Worksheet

from archive.handover.register_forms import Ending, Form, Heading
from archive.text_cells import is_too_long, text_cell

_LINE = Side(style="thin", color="999999")
_BOX = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_HEAD = Font(name="Times New Roman", size=11, bold=True)
_PLAIN = Font(name="Times New Roman", size=11)
_TITLE = Font(name="Times New Roman", size=16, bold=True)
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


class TextSheet:
    """A sheet into which texts are written row by row, in flat memory.

    Attributes:
        cut: how many cells were longer than a cell can be; such a text ends in words that say so.
    """

    def __init__(self, workbook: Workbook, title: str, shares: tuple[float, ...] = ()) -> None:
        self.sheet: WriteOnlyWorksheet = workbook.create_sheet(title)
        self.cut = 0
        self._row = 0
        for index, share in enumerate(shares, start=1):
            self.sheet.column_dimensions[get_column_letter(index)].width = max(6.0, share * 0.62)

    def add(self, values: tuple[str, ...], font: Font = _PLAIN, boxed: bool = True) -> int:
        """Append a row; returns its number."""
        self.sheet.append([self._cell(value, font, boxed) for value in values])
        self._row += 1
        return self._row

    def _cell(self, value: str, font: Font, boxed: bool) -> Cell:
        self.cut += is_too_long(value)
        cell = text_cell(self.sheet, value)
        cell.font = font
        if boxed:
            cell.border = _BOX
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        return cell


class RegisterSheet:
    """Writes a register as an XLSX file."""

    def __init__(self, heading: Heading) -> None:
        self._workbook = Workbook(write_only=True)
        form = heading.form
        self._sheet = TextSheet(
            self._workbook, sheet_title(form.title), tuple(column.share for column in form.columns)
        )
        first = 6  # below the three lines of the heading, the empty one, and the headers
        sheet = self._sheet.sheet
        sheet.print_title_rows = f"{first - 1}:{first}"
        sheet.freeze_panes = f"A{first + 1}"
        _set_up_page(sheet, form)
        self._sheet.add((heading.organ,), _HEAD, boxed=False)
        self._sheet.add((form.title.upper(),), _TITLE, boxed=False)
        self._sheet.add((f"{heading.period} · lập ngày {heading.printed} · {form.basis}",), boxed=False)
        self._sheet.add((), boxed=False)
        self._sheet.add(tuple(column.header for column in form.columns), _HEAD)
        self._sheet.add(tuple(f"({number})" for number in range(1, len(form.columns) + 1)))
        self._form = form

    @property
    def cut(self) -> int:
        """Cells whose text was longer than a cell can be."""
        return self._sheet.cut

    def add(self, row: tuple[str, ...]) -> None:
        """Write an entry."""
        self._sheet.add(row)

    def finish(self, ending: Ending, path: Path) -> None:
        """Write the closing lines and the places for signatures, and save; equal registers give equal bytes."""
        self._sheet.add((), boxed=False)
        for line in ending.lines():
            self._sheet.add((line,), boxed=False)
        self._sheet.add((), boxed=False)
        gap = max(1, len(self._form.columns) // len(self._form.signers))
        places = [""] * len(self._form.columns)
        notes = list(places)
        for number, signer in enumerate(self._form.signers):
            places[number * gap] = signer.upper()
            notes[number * gap] = "(Ký, ghi rõ họ tên)"
        self._sheet.add(tuple(places), _HEAD, boxed=False)
        self._sheet.add(tuple(notes), boxed=False)
        save_workbook(self._workbook, path)


def sheet_title(title: str) -> str:
    """``title`` as the name of a sheet: 31 characters, none that a sheet's name may not have."""
    return re.sub(r"[\[\]:*?/\\]", " ", title)[:31].strip()


def save_workbook(workbook: Workbook, path: Path) -> None:
    """Save ``workbook`` to ``path`` so that equal content gives equal bytes: no time of saving is kept in it."""
    partial = path.with_name(path.name + ".partial")
    workbook.save(partial)
    with zipfile.ZipFile(partial) as saved, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in saved.namelist():
            entry = zipfile.ZipInfo(name, _FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with saved.open(name) as source, fixed.open(entry, "w", force_zip64=True) as target:
                _copy_part(name, source, target)
    partial.unlink()


def _copy_part(name: str, source: IO[bytes], target: IO[bytes]) -> None:
    if name == "docProps/core.xml":
        target.write(re.sub(rb">[0-9TZ:.+-]{19,}<", b">1980-01-01T00:00:00Z<", source.read()))
        return
    shutil.copyfileobj(source, target)


def _set_up_page(written: WriteOnlyWorksheet, form: Form) -> None:
    sheet = cast("Worksheet", written)  # it has these by delegation, which the library's types do not tell
    assert sheet.sheet_properties.pageSetUpPr is not None
    assert sheet.oddFooter is not None
    assert sheet.oddHeader is not None
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_margins.left, sheet.page_margins.right = 0.8, 0.4  # inches; the left edge is bound
    sheet.oddFooter.center.text = "Trang &P/&N"
    sheet.oddHeader.right.text = form.title
