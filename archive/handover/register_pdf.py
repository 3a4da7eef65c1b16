"""A register as a PDF to print, sign and bind: a cover, numbered pages with repeated headers, room for signatures."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import TTFFont

from archive.handover.register_forms import Ending, Heading

_FONT = "SourceSerifPro"
_LEFT, _RIGHT, _TOP, _BOTTOM = 22.0, 10.0, 14.0, 14.0  # mm; the left edge is bound
_SIZE = 9.0  # points
_LINE_HEIGHT = 3.9  # mm
_PADDING = 1.0  # mm
_LONGEST_LINES = 34  # of one row on one page; a longer one goes on in the next row
_UNKNOWN = "?"


class RegisterBook:
    """Draws a register page by page; finished pages are kept compactly, so thousands of rows need little memory.

    Cells are broken into lines here and not by the library's table, which would keep all rows and take minutes.

    Attributes:
        unknown: how many characters were printed as ``?`` because the typeface has no such letter.
    """

    def __init__(self, heading: Heading, made: datetime) -> None:
        self._heading = heading
        self._pdf = FPDF(orientation="landscape", format="A4")
        self._pdf.set_creation_date(made)
        self._pdf.set_title(f"{heading.form.title} – {heading.period}")
        self._pdf.set_author(heading.organ)
        self._pdf.set_lang("vi")
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margins(_LEFT, _TOP, _RIGHT)
        typeface = files("font_source_serif_pro") / "files"
        for style, name in (("", "Regular"), ("B", "Bold")):
            with as_file(typeface / f"SourceSerifPro-{name}.ttf") as path:
                self._pdf.add_font(_FONT, style, path)
        usable = self._pdf.w - _LEFT - _RIGHT
        total = sum(column.share for column in heading.form.columns)
        self._widths = [usable * column.share / total for column in heading.form.columns]
        self._word_widths: dict[tuple[str, str], float] = {}
        regular = self._pdf.fonts[_FONT.lower()]
        assert isinstance(regular, TTFFont)
        self._letters = frozenset(regular.cmap)
        self.unknown = 0
        self._y = 0.0
        self._cover()
        self._new_page()

    def add(self, row: tuple[str, ...]) -> None:
        """Draw an entry, on a new page where it does not fit any more."""
        cells = [self._lines(text, width) for text, width in zip(row, self._widths, strict=True)]
        at = 0
        height = max(1, *(len(lines) for lines in cells))
        while at < height:
            part = min(height - at, _LONGEST_LINES)
            if self._y + part * _LINE_HEIGHT + 2 * _PADDING > self._pdf.h - _BOTTOM:
                self._new_page()
            self._draw([lines[at : at + part] for lines in cells], part)
            at += part

    def finish(self, ending: Ending, path: Path) -> None:
        """Write the closing lines and the places for signatures, and save; equal registers give equal bytes."""
        lines = ending.lines()
        needed = (len(lines) + 8) * 6.0
        if self._y + needed > self._pdf.h - _BOTTOM:
            self._new_page(headers=False)
        self._pdf.set_font(_FONT, "", 11)
        self._y += 4
        for line in (*lines, f"Sổ này có {self._pdf.page} trang, kể cả bìa."):
            for part in self._lines(line, self._pdf.w - _LEFT - _RIGHT, size=11):
                self._y += 6
                self._pdf.text(_LEFT, self._y, part)
        self._signatures()
        self._pdf.output(str(path))

    def _signatures(self) -> None:
        signers = self._heading.form.signers
        width = (self._pdf.w - _LEFT - _RIGHT) / len(signers)
        top = self._y + 12
        for number, signer in enumerate(signers):
            left = _LEFT + number * width
            for style, offset, text in (("B", 0, signer.upper()), ("", 5.5, "(Ký, ghi rõ họ tên)")):
                self._pdf.set_font(_FONT, style, 11)
                self._centred(left, width, top + offset, text)

    def _cover(self) -> None:
        self._pdf.add_page()
        page_width = self._pdf.w - _LEFT - _RIGHT
        self._pdf.set_line_width(0.8)
        self._pdf.rect(_LEFT - 4, _TOP - 2, page_width + 6, self._pdf.h - _TOP - _BOTTOM + 4)
        y = 34.0
        for style, size, text in (
            ("B", 16, self._heading.organ.upper()),
            ("B", 26, self._heading.form.title.upper()),
            ("", 16, self._heading.period),
            ("", 12, f"Lập ngày {self._heading.printed}"),
            ("", 11, self._heading.form.basis),
        ):
            self._pdf.set_font(_FONT, style, size)
            for line in self._lines(text, page_width - 20, style, size):
                self._centred(_LEFT, page_width, y, line)
                y += size * 0.5
            y += 12
        self._pdf.set_font(_FONT, "", 12)
        self._centred(_LEFT, page_width, self._pdf.h - 34, "Quyển số: ………………")
        self._pdf.set_line_width(0.15)

    def _new_page(self, headers: bool = True) -> None:
        self._pdf.add_page()
        self._pdf.set_font(_FONT, "", 8)
        foot = self._pdf.h - 7
        self._pdf.text(_LEFT, foot, self._printable(f"{self._heading.form.title} – {self._heading.period}"))
        number = f"Trang {self._pdf.page}"
        self._pdf.text(self._pdf.w - _RIGHT - self._pdf.get_string_width(number), foot, number)
        self._y = _TOP
        if headers:
            columns = self._heading.form.columns
            names = [
                self._lines(column.header, width, "B")
                for column, width in zip(columns, self._widths, strict=True)
            ]
            self._pdf.set_font(_FONT, "B", _SIZE)
            self._draw(names, max(len(lines) for lines in names), centred=True)
            self._pdf.set_font(_FONT, "", _SIZE)
            self._draw([[f"({number})"] for number in range(1, len(columns) + 1)], 1, centred=True)
        self._pdf.set_font(_FONT, "", _SIZE)

    def _draw(self, cells: list[list[str]], height: int, centred: bool = False) -> None:
        """The row ``cells`` of ``height`` lines at the present place, in the present font."""
        x, deep = _LEFT, height * _LINE_HEIGHT + 2 * _PADDING
        for lines, width in zip(cells, self._widths, strict=True):
            self._pdf.rect(x, self._y, width, deep)
            baseline = self._y + _PADDING + _LINE_HEIGHT * 0.78
            for number, line in enumerate(lines):
                if centred:
                    self._centred(x, width, baseline + number * _LINE_HEIGHT, line)
                else:
                    self._pdf.text(x + _PADDING, baseline + number * _LINE_HEIGHT, line)
            x += width
        self._y += deep

    def _centred(self, left: float, width: float, y: float, text: str) -> None:
        self._pdf.text(left + (width - self._pdf.get_string_width(text)) / 2, y, text)

    def _lines(self, text: str, width: float, style: str = "", size: float = _SIZE) -> list[str]:
        """``text`` in lines of at most ``width``; a word that is longer by itself is broken."""
        room = (
            (width - 2 * _PADDING) * _SIZE / size
        )  # as if in the size of the table, whose widths are remembered
        space = self._width(" ", style)
        lines: list[str] = []
        for paragraph in self._printable(text).split("\n"):
            line, used = "", 0.0
            for word in paragraph.split():
                for piece in self._pieces(word, room, style):
                    wide = self._width(piece, style)
                    if line and used + space + wide > room:
                        lines.append(line)
                        line, used = piece, wide
                    else:
                        line, used = (f"{line} {piece}", used + space + wide) if line else (piece, wide)
            lines.append(line)
        return lines

    def _pieces(self, word: str, room: float, style: str) -> list[str]:
        if self._width(word, style) <= room:
            return [word]
        pieces, piece, used = [], "", 0.0
        for letter in word:
            wide = self._width(letter, style)
            if piece and used + wide > room:
                pieces.append(piece)
                piece, used = "", 0.0
            piece, used = piece + letter, used + wide
        return [*pieces, piece]

    def _width(self, word: str, style: str) -> float:
        known = self._word_widths.get((word, style))
        if known is None:
            font = self._pdf.fonts[_FONT.lower() + style]
            known = font.get_text_width(word, _SIZE, None)[1] / self._pdf.k
            if (
                len(self._word_widths) < 1 << 15
            ):  # Vietnamese has some ten thousand syllables; file names are endless
                self._word_widths[(word, style)] = known
        return known

    def _printable(self, text: str) -> str:
        """``text`` composed, for the typeface has no marks to combine, and without letters that it lacks."""
        composed = unicodedata.normalize("NFC", text.replace("\t", " ").replace("\r\n", "\n"))
        if all(ord(letter) in self._letters or letter == "\n" for letter in composed):
            return composed
        kept = [
            letter if ord(letter) in self._letters or letter in "\n " else _UNKNOWN for letter in composed
        ]
        self.unknown += kept.count(_UNKNOWN) - composed.count(_UNKNOWN)
        return "".join(kept)
