"""A DXL ``<richtext>`` element put together from marks that begin and end things, in the order of composite data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.lotus_notes.nodes import Node

_DEEPEST_BLOCK = 60
_DEEPEST_INLINE = 20
# Deeper ones are not opened, what they hold stays: nobody writes so, and readers of the tree call themselves.


@dataclass(slots=True)
class _Open:
    """An element that is not finished."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    parts: list[str | Node] = field(default_factory=list)
    row: int = -1


class Tree:
    """Puts paragraphs, tables and hotspots together.

    Args:
        line: of every element.

    Attributes:
        root: the ``<richtext>``; whole after ``finish``.
    """

    def __init__(self, line: int) -> None:
        self._line = line
        self._blocks = [_Open("richtext", {"keepindentation": "true"})]
        self.root = self._node("richtext", self._blocks[0].attributes, self._blocks[0].parts)
        self._paragraph: _Open | None = None
        self._inline: list[_Open] = []
        self._suspended = 0
        self._hotspots: list[str] = []
        self._defined: dict[str, Mapping[str, str]] = {}

    def paragraph(self) -> None:
        """A new paragraph."""
        self._end_paragraph(keep_empty=True)
        self._begin_paragraph()

    def refer(self, definition: str) -> None:
        """The paragraph is of this definition, unless it holds something already (editods.h says so)."""
        paragraph = self._begin_paragraph()
        if not paragraph.parts and not self._inline:
            paragraph.attributes["def"] = definition

    def define(self, identity: str, said: Mapping[str, str]) -> None:
        """A definition, once."""
        if self._defined.get(identity) != said:
            self._defined[identity] = said
            self._blocks[-1].parts.append(self._node("pardef", {"id": identity, **said}))

    def text(self, text: str, font: dict[str, str]) -> None:
        """A run of text; U+0000 in it ends a line."""
        parts: list[str | Node] = [self._node("font", font)]
        for at, line in enumerate(text.split("\0")):
            if at:
                parts.append(self._node("break", {}))
            if line:
                parts.append(line)
        self._into().append(self._node("run", {}, parts))

    def add(self, name: str, attributes: dict[str, str], text: str = "") -> Node:
        """An element of running text."""
        node = self._node(name, attributes, [text] if text else [])
        self._into().append(node)
        return node

    def add_block(self, name: str, text: str) -> None:
        """An element beside paragraphs that holds a text."""
        self._end_paragraph()
        if text:
            self._blocks[-1].parts.append(self._node(name, {}, [self._node("text", {}, [text])]))

    def open_block(self, name: str) -> None:
        """An element that holds paragraphs."""
        self._end_paragraph()
        if name == "section":
            self._hotspots.append(name)
        if len(self._blocks) < _DEEPEST_BLOCK:
            self._blocks.append(_Open(name))

    def close_block(self, name: str) -> None:
        """The end of the innermost element of that name, and of all in it; nothing if there is none."""
        if not any(block.name == name for block in self._blocks[1:]):
            return
        self._end_paragraph()
        while self._blocks[-1].name != name:
            self._close_one()
        self._close_one()

    def is_new_row(self, row: int) -> bool:
        """True when a cell of this row begins a row of the table."""
        table = next((block for block in reversed(self._blocks) if block.name == "table"), None)
        return table is None or table.row != row

    def cell(self, row: int, attributes: dict[str, str], label: str) -> None:
        """A cell of the innermost table; one outside a table begins a table."""
        self._end_paragraph()
        at = next((at for at in range(len(self._blocks) - 1, 0, -1) if self._blocks[at].name == "table"), 0)
        if not at:
            self._blocks.append(_Open("table"))
            at = len(self._blocks) - 1
        table = self._blocks[at]
        while len(self._blocks) > at + (2 if table.row == row else 1):
            self._close_one()
        if table.row != row:
            table.row = row
            self._blocks.append(_Open("tablerow", {"tablabel": label} if label else {}))
        self._blocks.append(_Open("tablecell", attributes))

    def open_inline(self, name: str, attributes: dict[str, str] | None = None) -> None:
        """A hotspot in running text; where a paragraph ends inside, it goes on in the next."""
        self._begin_paragraph()
        self._hotspots.append(name)
        if len(self._inline) < _DEEPEST_INLINE:
            self._inline.append(_Open(name, attributes or {}))

    def close_hotspot(self) -> None:
        """The end of the hotspot that was opened last."""
        if not self._hotspots:
            return
        if self._hotspots.pop() == "section":
            self.close_block("section")
        elif self._inline:
            self._close_inline()
        elif self._suspended:
            self._suspended -= 1

    def finish(self) -> None:
        """The end: everything that is open is closed."""
        self._end_paragraph()
        while len(self._blocks) > 1:
            self._close_one()

    def _begin_paragraph(self) -> _Open:
        if self._paragraph is None:
            self._paragraph = _Open("par")
            self._inline = [_Open("region") for _ in range(self._suspended)]
            self._suspended = 0
        return self._paragraph

    def _into(self) -> list[str | Node]:
        paragraph = self._begin_paragraph()
        return self._inline[-1].parts if self._inline else paragraph.parts

    def _end_paragraph(self, keep_empty: bool = False) -> None:
        """A paragraph without anything is one only when another follows it: tables stand in such."""
        if self._paragraph is None:
            return
        self._suspended += len(self._inline)
        while self._inline:
            self._close_inline()
        paragraph, self._paragraph = self._paragraph, None
        if paragraph.parts or keep_empty:
            self._blocks[-1].parts.append(self._node("par", paragraph.attributes, paragraph.parts))

    def _close_inline(self) -> None:
        hotspot = self._inline.pop()
        if hotspot.parts or hotspot.name != "region":
            self._into().append(self._node(hotspot.name, hotspot.attributes, hotspot.parts))

    def _close_one(self) -> None:
        block = self._blocks.pop()
        self._blocks[-1].parts.append(self._node(block.name, block.attributes, block.parts))
        if block.name == "section" and "section" in self._hotspots:
            self._hotspots.remove("section")

    def _node(self, name: str, attributes: dict[str, str], parts: list[str | Node] | None = None) -> Node:
        return Node(name, attributes, self._line, parts if parts is not None else [])
