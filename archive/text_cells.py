"""Cells of a spreadsheet that hold text and nothing else, whatever a document says: none is ever computed."""

from __future__ import annotations

import re

from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

LONGEST_CELL = 32_767
"""Characters that a cell can hold (ECMA-376 part 1, 18.3.1.4; the limit of every program that opens it)."""

_CUT = "… [còn tiếp trong kho lưu trữ]"
_UNWRITABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")


def is_too_long(text: str) -> bool:
    """True for a text of which ``text_cell`` keeps the beginning only."""
    return len(text) > LONGEST_CELL


def text_cell(sheet: WriteOnlyWorksheet, text: str) -> Cell:
    """A cell of ``sheet`` with ``text``; what XML cannot hold is U+FFFD, and a text that is cut says so at its end."""
    kept = _UNWRITABLE.sub("\ufffd", ILLEGAL_CHARACTERS_RE.sub("\ufffd", text))
    if is_too_long(kept):
        kept = kept[: LONGEST_CELL - len(_CUT)] + _CUT
    cell = WriteOnlyCell(sheet, value=None)
    if kept:
        cell.value = kept
        cell.data_type = "s"  # whatever it begins with: "=", "+" and "@" start no formula
    cell.number_format = "@"
    cell.quotePrefix = True  # stays text also after a person has edited it
    return cell
