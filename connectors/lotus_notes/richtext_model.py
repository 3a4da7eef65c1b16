"""What the elements of DXL rich text are to a reader: the DTD's model, as data and small rules.

``richtext`` (plain text) and ``richtext_html`` decide by these alone, so that both show the same text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.lotus_notes.nodes import BINARY, Node

HIDING_TOKENS = frozenset({"read", "notes", "web", "mobile", "preview"})
"""Tokens of ``pardef/@hide`` that hide from a reader (DTD ``%pardef.hide.tokens``); the others hide while
editing, printing, copying or embedding."""

MARKS = frozenset(
    {
        "anchor",
        "attachmentref",
        "compositedata",
        "computedtext",
        "databaselink",
        "doclink",
        "embeddednavigator",
        "embeddedoutline",
        "embeddedview",
        "imageref",
        "namedelementlink",
        "objectref",
        "picture",
        "richtextdata",
        "subformref",
        "urllink",
        "viewlink",
    }
)
"""Elements that a reader of the record may have to follow: they become ``Field.children``, in order."""

RAW_RECORDS = frozenset({"compositedata", "richtextdata"})
"""Pieces of rich text that the exporter did not understand and printed as bytes."""

BLOCKS = frozenset({"richtext", "table", "tablerow", "tablecell", "section", "block", "layer"})
"""Elements that hold paragraphs; white space between those is nothing."""

LINES = frozenset({"par", "caption", "sectiontitle", "keyword"})
"""Elements that begin a line."""

SILENT = (BINARY - RAW_RECORDS) | {
    "appletparameters",
    "associatedfiles",
    "border",
    "cellbackground",
    "code",
    "field",
    "font",
    "formregionbegin",
    "formregionend",
    "formula",
    "imageref",
    "layerbackground",
    "namedelementref",
    "pardef",
    "point",
    "sharedfieldref",
    "tablecolumn",
    "tablerowstyle",
}
"""Elements that show nothing of their own, nor does what they hold: definitions, code, decoration, bytes. A field
shows a value that is an item of its own."""

LIST_MARKS = {"check": "\N{BALLOT BOX WITH CHECK} ", "uncheck": "\N{BALLOT BOX} "}
"""What begins a paragraph of a check list: whether the box is ticked is said nowhere else. Bullets are decoration,
and the numbers of a numbered list are not in the export; neither is text."""

_LAYOUT = re.compile(r"\n[ \t\n]*")
_BREAKING = LINES | BLOCKS | {"break", "horizrule", "richtextdata"}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The definition of a paragraph (``<pardef>``).

    Attributes:
        hidden: a hide-when formula is on, or a token hides it from readers.
        align: ``left``, ``right``, ``center``, ``full``, ``none``.
        list: ``none``, ``bullet``, ``number`` … (DTD ``%pardef.list.styles``).
        indent: the left margin as printed, or ``""``.
    """

    hidden: bool = False
    align: str = "left"
    list: str = "none"
    indent: str = ""


_PLAIN = Paragraph()


class Paragraphs:
    """The definitions of one ``<richtext>``, as they come: a later one of the same id counts from there on."""

    def __init__(self) -> None:
        self._known: dict[str, Paragraph] = {}
        self._last = ""

    def define(self, pardef: Node) -> None:
        """A ``<pardef>``."""
        formula = any(
            code.name == "code"
            and code.attributes.get("event") == "hidewhen"
            and code.attributes.get("enabled") != "false"
            for code in pardef.children
        )
        self.define_by(pardef.attributes, formula)

    def define_by(self, said: Mapping[str, str], formula: bool = False) -> None:
        """A ``<pardef>`` by its attributes, and whether a hide-when formula of it is on."""
        tokens = said.get("hide")
        self._known[said.get("id", "")] = Paragraph(
            hidden=formula or bool(tokens and HIDING_TOKENS.intersection(tokens.split())),
            align=said.get("align", "left"),
            list=said.get("list", "none"),
            indent=said.get("leftmargin", ""),
        )

    def of(self, par: Node) -> Paragraph:
        """The definition of a ``<par>``."""
        return self.called(par.attributes.get("def"))

    def called(self, identity: str | None) -> Paragraph:
        """The definition ``identity``; where none is named, the one before goes on (6.5 prints so)."""
        if identity is None:
            identity = self._last
        else:
            self._last = identity
        return self._known.get(identity, _PLAIN)

    def of_title(self, title: Node) -> Paragraph:
        """The definition of a ``<sectiontitle>``."""
        return self._known.get(title.attributes.get("pardef", ""), _PLAIN)


def without_layout(text: str) -> str:
    """Character data without the line ends that only lay the export out (comment of ``<par>`` in the DTD)."""
    if "\n" not in text:
        return text

    def kept(found: re.Match[str]) -> str:
        at_edge = found.start() == 0 or found.end() == len(text)
        return "" if at_edge or text[found.start() - 1] in " \t" else " "

    return _LAYOUT.sub(kept, text)


def substitute(node: Node) -> str:
    """What a reader sees of an element that shows no text of its own; ``""`` when that is nothing.

    The name beside an attachment's icon, as Notes draws it; in brackets what names an icon or a picture: the
    description of a link or an object, alternative text. Text that stands where an applet cannot run.
    """
    said = node.attributes
    if node.name == "attachmentref":
        path = said.get("path", "").replace("\\", "/").rpartition("/")[2]
        return said.get("caption") or said.get("displayname") or said.get("name") or path
    if node.name == "javaapplet":
        return said.get("inactivetext", "")
    name = _NAMED_BY.get(node.name)
    text = said.get(name, "").strip() if name else ""
    return f"[{text}]" if text else ""


_NAMED_BY = {
    "area": "alttext",
    "databaselink": "description",
    "doclink": "description",
    "objectref": "description",
    "picture": "alttext",
    "viewlink": "description",
}


def reads_as_row(row: Node) -> bool:
    """True for a ``<tablerow>`` of several cells that are one line of text each at most."""
    cells = row.children
    return (
        len(cells) > 1
        and not row.text.strip()
        and all(cell.name == "tablecell" and _is_line(cell) for cell in cells)
    )


def _is_line(cell: Node) -> bool:
    paragraphs = [child for child in cell.children if child.name not in SILENT]
    return (
        len(paragraphs) <= 1
        and not cell.text.strip()
        and all(child.name == "par" and not _breaks(child) for child in paragraphs)
    )


def _breaks(node: Node) -> bool:
    return any(child.name in _BREAKING or _breaks(child) for child in node.children)
