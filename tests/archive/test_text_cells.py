from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from archive.text_cells import LONGEST_CELL, text_cell


def written(folder: Path, text: str) -> object:
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    sheet.append([text_cell(sheet, text)])
    workbook.save(folder / "a.xlsx")
    return load_workbook(folder / "a.xlsx").worksheets[0]["A1"]


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+84", "-1", "@SUM(A1)", "Số 01", "0123", "1/2"])
def test_a_cell_holds_the_text_and_computes_nothing(tmp_path: Path, text: str) -> None:
    cell = written(tmp_path, text)
    assert (cell.value, cell.data_type, cell.number_format, cell.quotePrefix) == (text, "s", "@", True)


@pytest.mark.parametrize("odd", ["\0", "\x1b", "\ud800", "\ufffe", "\uffff"])
def test_what_a_sheet_cannot_hold_is_shown_as_unknown(tmp_path: Path, odd: str) -> None:
    assert written(tmp_path, f"V/v{odd} họp").value == "V/v\ufffd họp"


def test_a_text_that_is_cut_says_so(tmp_path: Path) -> None:
    value = written(tmp_path, "ă" * (LONGEST_CELL + 1)).value
    assert len(value) == LONGEST_CELL
    assert value.endswith("ă… [còn tiếp trong kho lưu trữ]")
    assert written(tmp_path, "ă" * LONGEST_CELL).value == "ă" * LONGEST_CELL
