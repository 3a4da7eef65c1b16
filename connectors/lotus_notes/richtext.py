"""Rich text of DXL as runs of text with their fonts.

Every paragraph, section title, tab label and caption begins a line. Paragraphs that the source hides are kept
and marked. Line ends inside character data are layout of the export, not text, and go as the DTD says
(comment of ``<par>``), unless ``keepindentation='true'``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import groupby

from connectors.lotus_notes.nodes import BINARY, Node
from connectors.lotus_notes.values import special, text_of
from schemas.record import Field, TextRun, sha256_of

HIDING_TOKENS = frozenset({"read", "notes", "web", "mobile", "preview"})
"""Tokens of ``pardef/@hide`` that hide from a reader (DTD ``%pardef.hide.tokens``); the others hide while
editing, printing, copying or embedding."""

MARKS = frozenset(
    {"attachmentref", "databaselink", "doclink", "imageref", "objectref", "picture", "urllink", "viewlink"}
)
"""Elements that become ``Field.children``: what the text refers to, in order."""

_LINES = frozenset({"par", "caption", "sectiontitle"})
_BLOCKS = frozenset({"richtext", "table", "tablerow", "tablecell", "section", "block", "layer"})
_SILENT = BINARY | {
    "border",
    "cellbackground",
    "code",
    "field",
    "font",
    "formula",
    "imageref",
    "pardef",
    "sharedfieldref",
    "tablecolumn",
    "tablerowstyle",
}
_LAYOUT = re.compile(r"\n[ \t\n]*")


@dataclass(frozen=True, slots=True)
class _Style:
    font: str | None = None
    hidden: bool = False
    keep_space: bool = False


def runs_of(richtext: Node) -> tuple[tuple[TextRun, ...], tuple[Field, ...]]:
    """The text of a ``<richtext>`` in reading order, and what it refers to (``MARKS``) in order."""
    writer = _Writer()
    writer.block(richtext, _Style())
    return writer.runs(), tuple(writer.marks)


class _Writer:
    def __init__(self) -> None:
        self.marks: list[Field] = []
        self._runs: list[TextRun] = []
        self._hidden: set[str] = set()
        self._begun = False
        self._fresh_line = False
        self._last_definition = ""

    def runs(self) -> tuple[TextRun, ...]:
        """Neighbours of one style joined."""

        def look(run: TextRun) -> tuple[str | None, bool]:
            return run.font, run.hidden

        return tuple(
            TextRun("".join(run.text for run in alike), font, hidden)
            for (font, hidden), alike in groupby(self._runs, look)
        )

    def block(self, node: Node, style: _Style) -> None:
        """Content of an element that holds paragraphs: white space between them is nothing."""
        style = self._styled(node, style)
        for part in node.parts:
            if isinstance(part, Node):
                self._element(part, style)
            elif part.strip():
                self._line(style)
                self._write(part, style)

    def _element(self, node: Node, style: _Style) -> None:
        if node.name == "pardef":
            self._define(node)
        elif node.name == "tablerow" and node.attributes.get("tablabel"):
            self._line(style)
            self._write(node.attributes["tablabel"], style)
            self.block(node, style)
        elif node.name in _BLOCKS:
            self.block(node, style)
        elif node.name not in _SILENT:
            self._inline(node, style)
        if node.name == "imageref":
            self.marks.append(_mark(node, ""))

    def _inline(self, node: Node, style: _Style) -> None:
        style = self._styled(node, style)
        if node.name == "par":
            hidden = self._is_hidden(node)
            style = _Style(style.font, True, style.keep_space) if hidden else style
        if node.name in _LINES:
            self._line(style, empty_lines=node.name == "par")
        if node.name in {"break", "nonxmlchar"}:
            self._write(special(node), style)
        elif node.name == "popuptext":
            self._write(text_of(node), replace(style, hidden=True))
        else:
            before = len(self._runs)
            place = len(self.marks)
            self._parts(node, style)
            self._refer(node, style, before, place)

    def _parts(self, node: Node, style: _Style) -> None:
        for part in node.parts:
            if isinstance(part, Node):
                self._element(part, style)
            else:
                self._write(part if style.keep_space else _without_layout(part), style)

    def _refer(self, node: Node, style: _Style, before: int, place: int) -> None:
        """Notes a reference; an attachment whose icon carries no text shows its name, as Notes draws it."""
        if node.name not in MARKS:
            return
        shown = "".join(run.text for run in self._runs[before:])
        if node.name == "attachmentref" and not shown.strip():
            shown = node.attributes.get("displayname") or node.attributes.get("name", "")
            self._write(shown, style)
        self.marks.insert(place, _mark(node, shown))

    def _styled(self, node: Node, style: _Style) -> _Style:
        font = node.child("font")
        if font is not None:
            # The font is an empty child and applies to all of its container, text before it included.
            style = _Style(font.attributes.get("name"), style.hidden, style.keep_space)
        keep = node.attributes.get("keepindentation")
        return style if keep is None else _Style(style.font, style.hidden, keep == "true")

    def _define(self, node: Node) -> None:
        tokens = set(node.attributes.get("hide", "").split())
        formula = any(
            code.attributes.get("event") == "hidewhen" and code.attributes.get("enabled") != "false"
            for code in node.children
            if code.name == "code"
        )
        identity = node.attributes.get("id", "")
        if formula or tokens & HIDING_TOKENS:
            self._hidden.add(identity)
        else:
            self._hidden.discard(identity)

    def _is_hidden(self, par: Node) -> bool:
        """By its definition; a paragraph that names none goes on with the one before (6.5 prints so)."""
        self._last_definition = par.attributes.get("def", self._last_definition)
        return self._last_definition in self._hidden

    def _line(self, style: _Style, empty_lines: bool = False) -> None:
        """Begins a line; where one has just begun, only if the one before is to stay as an empty line."""
        if self._begun and (empty_lines or not self._fresh_line):
            self._runs.append(TextRun("\n", style.font, style.hidden))
        self._begun = True
        self._fresh_line = True

    def _write(self, text: str, style: _Style) -> None:
        if text:
            self._runs.append(TextRun(text, style.font, style.hidden))
            self._fresh_line = False


def _mark(node: Node, shown: str) -> Field:
    """A reference: the text shown for it, its attributes, and what a picture holds."""
    attributes = dict(node.attributes)
    for child in node.children:
        if node.name == "picture" and child.content is not None:
            attributes |= {
                "format": child.name,
                "size": str(child.content.size),
                "sha256": sha256_of(child.content),
            }
    return Field(
        name=node.name,
        type="element",
        values=(shown,) if shown else (),
        attributes=attributes,
        line=node.line,
    )


def _without_layout(text: str) -> str:
    if "\n" not in text:
        return text

    def kept(found: re.Match[str]) -> str:
        at_edge = found.start() == 0 or found.end() == len(text)
        return "" if at_edge or text[found.start() - 1] in " \t" else " "

    return _LAYOUT.sub(kept, text)
