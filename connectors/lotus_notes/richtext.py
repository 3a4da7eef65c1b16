"""Rich text of DXL as runs of text with their fonts.

Every paragraph, section title, tab label and caption begins a line; a row of a table whose cells are one line
each is a line with tabs, else every cell begins a line. Paragraphs that the source hides are kept and marked, as
is the text of pop-ups, which shows only on demand. Line ends inside character data are layout of the export,
not text, and go as the DTD says (comment of ``<par>``), unless ``keepindentation='true'``.
"""

from __future__ import annotations

from collections.abc import Iterable

from connectors.lotus_notes.nodes import Node
from connectors.lotus_notes.richtext_model import (
    BLOCKS,
    LINES,
    LIST_MARKS,
    MARKS,
    RAW_RECORDS,
    SILENT,
    Paragraphs,
    reads_as_row,
    substitute,
    without_layout,
)
from connectors.lotus_notes.values import special, text_of
from schemas.record import Field, TextRun, sha256_of

_Style = tuple[str | None, bool, bool]
"""Font, hidden, and whether white space is kept."""


def runs_of(richtext: Node) -> tuple[tuple[TextRun, ...], tuple[Field, ...]]:
    """The text of a ``<richtext>`` in reading order, and what it refers to (``MARKS``) in order."""
    writer = _Writer()
    writer.block(richtext, (None, False, False))
    return writer.runs(), tuple(writer.marks)


class _Writer:
    def __init__(self) -> None:
        self.marks: list[Field] = []
        self._pieces: list[tuple[str, _Style]] = []
        self._paragraphs = Paragraphs()
        self._begun = False
        self._fresh_line = False
        self._stands_in = True

    def runs(self) -> tuple[TextRun, ...]:
        """Neighbours of one style joined."""
        runs: list[TextRun] = []
        texts: list[str] = []
        font: str | None = None
        hidden = False
        for text, style in self._pieces:
            if texts and (style[0] != font or style[1] != hidden):
                runs.append(TextRun("".join(texts), font, hidden))
                texts.clear()
            texts.append(text)
            font, hidden, _ = style
        if texts:
            runs.append(TextRun("".join(texts), font, hidden))
        return tuple(runs)

    def block(self, node: Node, style: _Style) -> None:
        """Content of an element that holds paragraphs: white space between them is nothing."""
        style = _styled(node, style)
        for part in node.parts:
            if not isinstance(part, str):
                self._element(part, style)
            elif not part.isspace():
                self._line(style)
                self._write(part, style)

    def _element(self, node: Node, style: _Style) -> None:
        name = node.name
        if name == "par":
            self._paragraph(node, style)
        elif name == "pardef":
            self._paragraphs.define(node)
        elif name == "break" or name == "nonxmlchar":
            self._write(special(node), style)
        elif name == "tablerow":
            self._row(node, style)
        elif name in BLOCKS:
            self.block(node, style)
        elif name not in SILENT:
            self._inline(node, _styled(node, style))
        elif name == "imageref":
            self.marks.append(_mark(node, ""))

    def _paragraph(self, par: Node, style: _Style, begins_line: bool = True) -> None:
        definition = self._paragraphs.of(par)
        keep = par.attributes.get("keepindentation")
        if definition.hidden or keep is not None:
            style = (style[0], style[1] or definition.hidden, style[2] if keep is None else keep == "true")
        if begins_line:
            self._line(style, empty_lines=True)
        if definition.list in LIST_MARKS:
            self._write(LIST_MARKS[definition.list], style)
        self._parts(par.parts, style)

    def _parts(self, parts: Iterable[str | Node], style: _Style) -> None:
        for part in parts:
            if isinstance(part, str):
                self._write(part if style[2] else without_layout(part), style)
            elif part.name == "run":
                self._parts(part.parts, _styled(part, style))
            elif part.name != "font":
                self._element(part, style)

    def _inline(self, node: Node, style: _Style) -> None:
        name = node.name
        if name in LINES:
            self._line(style)
        if name == "sectiontitle" and self._paragraphs.of_title(node).hidden:
            style = (style[0], True, style[2])
        elif name == "keyword":
            self._write(LIST_MARKS["check" if node.attributes.get("on") == "true" else "uncheck"], style)
        if name == "popup":
            self._popup(node, style)
        elif name == "horizrule":
            self._rule(style)
        elif name in MARKS:
            self._reference(node, style)
        else:
            self._shown(node, style)

    def _reference(self, node: Node, style: _Style) -> None:
        place = len(self.marks)  # in front of those that it holds
        shown = self._shown(node, style)
        self.marks.insert(place, _mark(node, shown))

    def _shown(self, node: Node, style: _Style) -> str:
        """Writes what the element holds or, where that is nothing, what stands for it; and returns it."""
        before = len(self._pieces)
        stands_in = self._stands_in
        self._stands_in = stands_in and node.name != "attachmentref"  # its icon does not stand for its name
        self._parts(node.parts, style)
        self._stands_in = stands_in
        shown = "".join(text for text, _ in self._pieces[before:])
        if stands_in and not shown.strip():
            shown = substitute(node)
            self._write(shown, style)
        return shown

    def _row(self, row: Node, style: _Style) -> None:
        label = row.attributes.get("tablabel")
        if label:
            self._line(style)
            self._write(label, style)
        if not reads_as_row(row):
            self.block(row, style)
            return
        self._line(style)
        for at, cell in enumerate(row.children):
            if at:
                self._write("\t", style)
            for child in cell.children:
                if child.name == "par":
                    self._paragraph(child, style, begins_line=False)
                else:
                    self._element(child, style)

    def _popup(self, popup: Node, style: _Style) -> None:
        """The hot text, then what it pops up, in brackets."""
        said = [child for child in popup.children if child.name == "popuptext"]
        self._parts((part for part in popup.parts if part not in said), style)
        for text in said:
            self._write(f" [{text_of(text)}]", (style[0], True, style[2]))

    def _rule(self, style: _Style) -> None:
        if not self._fresh_line:
            self._write("\n", style)
            self._fresh_line = True

    def _line(self, style: _Style, empty_lines: bool = False) -> None:
        """Begins a line; where one has just begun, only if the one before is to stay as an empty line."""
        if self._begun and (empty_lines or not self._fresh_line):
            self._pieces.append(("\n", style))
        self._begun = True
        self._fresh_line = True

    def _write(self, text: str, style: _Style) -> None:
        if text:
            self._pieces.append((text, style))
            self._fresh_line = False


def _styled(node: Node, style: _Style) -> _Style:
    font = node.child("font")
    keep = node.attributes.get("keepindentation")
    if font is None and keep is None:
        return style
    # The font is an empty child and applies to all of its container, text before it included.
    return (
        style[0] if font is None else font.attributes.get("name"),
        style[1],
        style[2] if keep is None else keep == "true",
    )


def _mark(node: Node, shown: str) -> Field:
    """A reference: the text shown for it, its attributes, and what a picture or a raw record holds."""
    attributes = dict(node.attributes)
    for holder in (*node.children, node) if node.name in _HOLDERS else ():
        if holder.name == "nativeimage":
            attributes |= {"format": holder.name, **holder.attributes}
        elif holder.content is not None:
            attributes |= {
                "format": holder.name,
                "size": str(holder.content.size),
                "sha256": sha256_of(holder.content),
            }
    return Field(
        name=node.name,
        type="element",
        values=(shown,) if shown else (),
        attributes=attributes,
        line=node.line,
    )


_HOLDERS = RAW_RECORDS | {"picture"}
