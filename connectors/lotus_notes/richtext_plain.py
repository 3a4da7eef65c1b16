"""Rich text that is paragraphs of runs and line breaks, read from the parsed XML without a tree of our own.

Most rich text is so, and the tree costs more than all the rest of reading it. What this reads, it reads as
``richtext.runs_of`` does; whatever else there is in the rich text is left to that.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from connectors.lotus_notes.record_xml import RecordXml
from connectors.lotus_notes.richtext_model import LIST_MARKS, Paragraphs, without_layout
from schemas.record import TextRun


def plain_runs(xml: RecordXml, richtext: Element) -> tuple[TextRun, ...] | None:
    """The text of a ``<richtext>`` with its fonts, as ``richtext.runs_of`` has it; ``None`` unless it is plain."""
    if richtext.attrib or _holds_text(richtext.text):
        return None
    paragraphs = Paragraphs()
    runs = _Runs()
    first = True
    for child in richtext:
        if _holds_text(child.tail):
            return None
        name = xml.name(child)
        if name == "pardef":
            if len(child):
                return None
            paragraphs.define_by(child.attrib)
        elif name == "par":
            definition = paragraphs.called(child.get("def"))
            if definition.list in LIST_MARKS or not _add(xml, child, definition.hidden, runs, first):
                return None
            first = False
        else:
            return None
    return runs.joined()


def _holds_text(between: str | None) -> bool:
    return bool(between and not between.isspace())


def _add(xml: RecordXml, par: Element, hidden: bool, runs: _Runs, first: bool) -> bool:
    """Adds a paragraph; ``False`` when it is not plain."""
    if "keepindentation" in par.attrib:
        return False
    if not first:
        runs.add("\n", None, hidden)
    if par.text:
        runs.add(without_layout(par.text), None, hidden)
    for part in par:
        name = xml.name(part)
        if name == "break":
            runs.add("\n", None, hidden)
        elif name != "run" or not _add_run(xml, part, hidden, runs):
            return False
        if part.tail:
            runs.add(without_layout(part.tail), None, hidden)
    return True


def _add_run(xml: RecordXml, run: Element, hidden: bool, runs: _Runs) -> bool:
    """Adds a run of text and line breaks, whose font comes first; ``False`` when it is not so."""
    if "keepindentation" in run.attrib:
        return False
    drawn = run[0] if len(run) and xml.name(run[0]) == "font" else None
    font = drawn.get("name") if drawn is not None else None
    if run.text:
        runs.add(without_layout(run.text), font, hidden)
    for part in run:
        if part is not drawn:
            if xml.name(part) != "break":
                return False
            runs.add("\n", font, hidden)
        if part.tail:
            runs.add(without_layout(part.tail), font, hidden)
    return True


class _Runs:
    """Text as it comes; neighbours of one style are one run."""

    __slots__ = ("_font", "_hidden", "_runs", "_texts")

    def __init__(self) -> None:
        self._runs: list[TextRun] = []
        self._texts: list[str] = []
        self._font: str | None = None
        self._hidden = False

    def add(self, text: str, font: str | None, hidden: bool) -> None:
        """The next text."""
        if not text:
            return
        if font != self._font or hidden != self._hidden:
            self._end()
            self._font, self._hidden = font, hidden
        self._texts.append(text)

    def joined(self) -> tuple[TextRun, ...]:
        """All of it."""
        self._end()
        return tuple(self._runs)

    def _end(self) -> None:
        if self._texts:
            self._runs.append(TextRun("".join(self._texts), self._font, self._hidden))
            self._texts.clear()
