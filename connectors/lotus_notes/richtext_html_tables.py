"""Tables of rich text as HTML. What stands in a table outside its cells becomes a cell, so that no browser moves it out
of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from connectors.lotus_notes.nodes import Node
from connectors.lotus_notes.richtext_looks import Looks, looks_within
from connectors.lotus_notes.richtext_model import SILENT
from connectors.lotus_notes.safe_html import color, length, spanned, style

_VALIGN = {"center": "middle", "bottom": "bottom"}


class Writer(Protocol):
    """What a table is written by."""

    def open(self, name: str, attributes: Mapping[str, str] | None = None) -> None:
        """A start tag."""
        ...

    def close(self, name: str) -> None:
        """An end tag."""
        ...

    def text(self, text: str, looks: Looks) -> None:
        """Text."""
        ...

    def blocks(self, parts: Iterable[str | Node], looks: Looks) -> None:
        """Paragraphs and what stands beside them."""
        ...


def write_table(writer: Writer, node: Node, looks: Looks) -> None:
    """``<table>``."""
    columns = [child for child in node.children if child.name == "tablecolumn"]
    filled = node.attributes.get("bgcolor") if node.attributes.get("colorstyle") == "solid" else ""
    writer.open("table", {"class": "table", "style": style(background_color=color(filled))})
    if columns:
        writer.open("colgroup")
        for column in columns:
            writer.open("col", {"style": style(width=length(column.attributes.get("width")))})
        writer.close("colgroup")
    writer.open("tbody")
    for part in node.parts:
        if isinstance(part, Node) and part.name == "tablerow":
            _row(writer, part, looks, len(columns))
        elif _is_stray(part):
            writer.open("tr")
            _cell(writer, {}, (part,), looks)
            writer.close("tr")
    writer.close("tbody")
    writer.close("table")


def write_stray_row(writer: Writer, node: Node, looks: Looks) -> None:
    """``<tablerow>`` outside a table."""
    writer.open("table", {"class": "table"})
    writer.open("tbody")
    _row(writer, node, looks, 0)
    writer.close("tbody")
    writer.close("table")


def _row(writer: Writer, node: Node, looks: Looks, columns: int) -> None:
    label = node.attributes.get("tablabel")
    if label:
        writer.open("tr", {"class": "tab"})
        writer.open("th", {"colspan": spanned(str(columns))})
        writer.text(label, looks)
        writer.close("th")
        writer.close("tr")
    writer.open("tr")
    for part in node.parts:
        if isinstance(part, Node) and part.name == "tablecell":
            _cell(writer, part.attributes, part.parts, looks_within(part, looks))
        elif _is_stray(part):
            _cell(writer, {}, (part,), looks)
    writer.close("tr")


def _cell(writer: Writer, said: Mapping[str, str], parts: Iterable[str | Node], looks: Looks) -> None:
    name = "th" if "true" in {said.get("rowheader"), said.get("columnheader")} else "td"
    css = style(
        background_color=color(said.get("bgcolor")), vertical_align=_VALIGN.get(said.get("valign", ""), "")
    )
    spans = {"colspan": spanned(said.get("columnspan")), "rowspan": spanned(said.get("rowspan"))}
    writer.open(name, {**spans, "style": css})
    writer.blocks(parts, looks)
    writer.close(name)


def _is_stray(part: str | Node) -> bool:
    return not (part.isspace() if isinstance(part, str) else part.name in SILENT)
