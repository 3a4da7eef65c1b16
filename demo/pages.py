"""Sets a made-up document as an office sets a real one: header, number, title, body, recipients, signer.

Layout after Guideline 36-HD/VPTW (Party) and Decree 30/2020/NĐ-CP Appendix I (State).
"""

from __future__ import annotations

from datetime import datetime, time
from itertools import pairwise

from demo.papers import Paper
from demo.pdf_file import PAGE_HEIGHT, PAGE_WIDTH, RED, Sheet, write_pdf
from demo.typefaces import Typeface, Typefaces

_LEFT = 85.0
_RIGHT = PAGE_WIDTH - 51.0
_LEFT_AXIS = 170.0
_RIGHT_AXIS = 418.0
_TOP = 60.0
_BOTTOM = PAGE_HEIGHT - 64.0
_LEADING = 19.0
_INDENT = 28.0


def render(paper: Paper, faces: Typefaces, *, compress: bool = True, note: str = "") -> bytes:
    """The PDF of ``paper``. ``note`` is printed in small letters at the foot (a scan station's line, say)."""
    setter = _Setter(paper, faces)
    setter.header()
    setter.title()
    for paragraph in paper.body:
        setter.paragraph(paragraph)
    setter.ending()
    if note:
        setter.foot_note(note)
    made = datetime.combine(paper.day, time(8, 15))
    return write_pdf(
        setter.sheets, faces, title=f"{paper.symbol} {paper.subject}", made=made, compress=compress
    )


class _Setter:
    """Places one document's parts down the pages."""

    def __init__(self, paper: Paper, faces: Typefaces) -> None:
        self.paper = paper
        self.faces = faces
        self.sheets: list[Sheet] = []
        self.y = _TOP
        self._new_sheet()

    def header(self) -> None:
        """Superior organ, organ, asterisk and number on the left; motto, place and date on the right."""
        paper, sheet = self.paper, self.sheet
        y = self.y
        for position, line in enumerate(paper.organ.header):
            sheet.centred(_LEFT_AXIS, y, line, 12, bold=position == len(paper.organ.header) - 1)
            y += 16
        sheet.centred(_LEFT_AXIS, y, "*" if paper.organ.party else "_______", 12)
        sheet.centred(
            _LEFT_AXIS, y + 18, f"Số {paper.symbol}" if paper.organ.party else f"Số: {paper.symbol}"
        )
        self._motto()
        if paper.stamp:
            sheet.frame(_LEFT_AXIS - 45, y + 34, 90, 24)
            width = self.faces.bold.width(paper.stamp, 14)
            sheet.text(_LEFT_AXIS - width / 2, y + 51, paper.stamp, 14, bold=True, colour=RED)
        if paper.urgency != "Thường":
            sheet.centred(_LEFT_AXIS, y + (78 if paper.stamp else 46), paper.urgency.upper(), 12, bold=True)
        self.y = y + (110 if paper.stamp else 78)

    def title(self) -> None:
        """Type and subject; a công văn has its subject below the number and an addressee instead."""
        if self.paper.type_name == "Công văn":
            self._centred_lines(self.paper.subject, 12, bold=False, axis=_LEFT_AXIS, width=200)
            self.y += 14
            self._centred_lines(f"Kính gửi: {'; '.join(self.paper.recipients[:-1])}.", 13, bold=False)
        else:
            self._centred_lines(self.paper.type_name.upper(), 15, bold=True)
            self._centred_lines(self.paper.subject, 13, bold=True)
            self.sheet.centred(PAGE_WIDTH / 2, self.y, "-----")
        self.y += _LEADING + 6

    def paragraph(self, text: str, size: float = 13) -> None:
        """A justified paragraph with its first line indented."""
        lines = _wrapped(self.faces.regular, text, size, _RIGHT - _LEFT, _INDENT)
        for position, line in enumerate(lines):
            self._room(_LEADING)
            indent = _INDENT if position == 0 else 0.0
            spare = _RIGHT - _LEFT - indent - self.faces.regular.width(line, size)
            gaps = line.count(" ")
            gap = spare / gaps if gaps and position < len(lines) - 1 else 0.0
            self.sheet.text(_LEFT + indent, self.y, line, size, word_gap=gap)
            self.y += _LEADING
        self.y += 5

    def ending(self) -> None:
        """Recipients on the left, authority, position and name of the signer on the right."""
        paper = self.paper
        self._room(24 + 16 * max(len(paper.recipients) + 1, 8))
        self.y += 12
        top = self.y
        self.sheet.text(_LEFT, top, "Nơi nhận:", 11, bold=True, slanted=True)
        for position, recipient in enumerate(paper.recipients, start=1):
            end = "." if position == len(paper.recipients) else ","
            self.sheet.text(_LEFT, top + 15 * position, f"- {recipient}{end}", 11)
        line = top
        for words in (paper.official.competence, paper.official.position.upper()):
            if words:
                self.sheet.centred(_RIGHT_AXIS, line, words, 12, bold=True)
                line += 16
        self.sheet.centred(_RIGHT_AXIS, line + 70, paper.official.full_name, 13, bold=True)

    def foot_note(self, text: str) -> None:
        """A small line at the foot of the last page."""
        self.sheet.text(_LEFT, PAGE_HEIGHT - 36, text, 8)

    @property
    def sheet(self) -> Sheet:
        """The page in work."""
        return self.sheets[-1]

    def _motto(self) -> None:
        paper, sheet = self.paper, self.sheet
        place = (
            f"{paper.organ.place}, ngày {paper.day.day:02d} tháng {paper.day.month:02d} năm {paper.day.year}"
        )
        if paper.organ.party:
            sheet.centred(_RIGHT_AXIS, _TOP, "ĐẢNG CỘNG SẢN VIỆT NAM", 14, bold=True)
            sheet.line(_RIGHT_AXIS - 92, _TOP + 6, 184)
            below = _TOP + 40
        else:
            sheet.centred(_RIGHT_AXIS, _TOP, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", 12, bold=True)
            sheet.centred(_RIGHT_AXIS, _TOP + 17, "Độc lập - Tự do - Hạnh phúc", 13, bold=True)
            sheet.line(_RIGHT_AXIS - 82, _TOP + 23, 164)
            below = _TOP + 50
        width = self.faces.regular.width(place, 13)
        sheet.text(_RIGHT_AXIS - width / 2, below, place, 13, slanted=True)

    def _centred_lines(
        self, text: str, size: float, *, bold: bool, axis: float = PAGE_WIDTH / 2, width: float = 400
    ) -> None:
        face = self.faces.bold if bold else self.faces.regular
        for line in _wrapped(face, text, size, width, 0):
            self.sheet.centred(axis, self.y, line, size, bold=bold)
            self.y += _LEADING

    def _room(self, height: float) -> None:
        if self.y + height > _BOTTOM:
            self._new_sheet()

    def _new_sheet(self) -> None:
        self.sheets.append(Sheet(self.faces))
        self.y = _TOP
        if len(self.sheets) > 1:
            self.sheet.centred(PAGE_WIDTH / 2, 40, str(len(self.sheets)), 12)


def _wrapped(face: Typeface, text: str, size: float, width: float, indent: float) -> list[str]:
    """``text`` in lines no longer than ``width``, the first one shorter by ``indent``."""
    words = text.split(" ")
    space = face.width(" ", size)
    breaks, used = [0], indent
    for position, word in enumerate(words):
        length = face.width(word, size)
        if used + length > width and position > breaks[-1]:
            breaks.append(position)
            used = 0.0
        used += length + space
    return [" ".join(words[start:end]) for start, end in pairwise([*breaks, len(words)])]
