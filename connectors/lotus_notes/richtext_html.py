"""Rich text of DXL as HTML that is safe to open: the same text as ``richtext``, with its looks.

==================  =================================================================================================
paragraph           ``div`` with alignment and margin; ``data-hidden`` where the source hides it
list                ``ul``, or ``ol`` (the export has no numbers; the browser counts each list from 1, as Notes does)
run                 ``span`` with size, colour and ``data-font``; ``b``, ``i``, ``u``, ``s``, ``sup``, ``sub``, ``mark``
table               ``table``; the label of a tab is a row above its row
section             ``details``, open
link                ``a`` where the scheme is one of ``safe_html.SCHEMES``; documents and views by ``notes:``
picture             ``img`` with a ``data:`` link (GIF, JPEG, PNG up to a limit), else a ``span`` with its SHA-256
attachment          ``span`` with ``data-name``, where its icon stands
pass-through HTML   ``code``, as text: it is never run
==================  =================================================================================================

What an element says beside is in ``data-`` attributes. Legacy Vietnamese text keeps its characters unless the caller
decodes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from connectors.lotus_notes import safe_html
from connectors.lotus_notes.nodes import NO_ATTRIBUTES, Node
from connectors.lotus_notes.richtext_html_tables import write_stray_row, write_table
from connectors.lotus_notes.richtext_looks import Looks, looks_within
from connectors.lotus_notes.richtext_model import (
    BLOCKS,
    LIST_MARKS,
    SILENT,
    Paragraph,
    Paragraphs,
    substitute,
    without_layout,
)
from connectors.lotus_notes.safe_html import color, content, length, pixels, style, tag
from connectors.lotus_notes.values import special, text_of

Decode = Callable[[str, str | None], str]
"""Text and the name of its font → the text to show."""

PICTURE_LIMIT = 1 << 20
"""Bytes of a picture that is put into the page; a larger one is named by its SHA-256."""

_ALIGNMENTS = {"right": "right", "center": "center", "full": "justify"}
_ORDERED = {"number": "1", "alphaupper": "A", "alphalower": "a", "romanupper": "I", "romanlower": "i"}
_BULLETS = frozenset({"bullet", "circle", "square"})
_FONT_TAGS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "superscript": "sup",
    "subscript": "sub",
}
_DATA = {
    "anchor": ("name",),
    "area": (),
    "attachmentref": ("name",),
    "button": (),
    "compositedata": ("type",),
    "computedtext": (),
    "databaselink": ("database", "server", "description"),
    "doclink": ("document", "view", "database", "server", "anchor", "description"),
    "embeddednavigator": ("name",),
    "embeddedoutline": ("name", "outline"),
    "embeddedview": ("name",),
    "javaapplet": (),
    "namedelementlink": ("type", "name", "database"),
    "objectref": ("name", "class", "description"),
    "richtextdata": ("type",),
    "subformref": ("name",),
    "urllink": ("href",),
    "viewlink": ("view", "database", "server", "description"),
}
"""Elements that are marked by a class of their own name, and their attributes that are kept."""
_NOTES_LINKS = frozenset({"databaselink", "doclink", "viewlink"})


def html_of(richtext: Node, decode: Decode | None = None, picture_limit: int = PICTURE_LIMIT) -> str:
    """The ``<richtext>`` element as one ``<div class="richtext">``.

    Args:
        richtext: the element.
        decode: called with each stretch of text in one font; by default text stays as it is.
        picture_limit: most bytes of a picture that is put into the page.
    """
    writer = HtmlWriter(decode, picture_limit)
    writer.element(richtext, Looks())
    return writer.html()


class HtmlWriter:
    """Writes one ``<richtext>``."""

    def __init__(self, decode: Decode | None, picture_limit: int) -> None:
        self._decode = decode
        self._picture_limit = picture_limit
        self._pieces: list[str] = []
        self._paragraphs = Paragraphs()
        self._shown = 0

    def html(self) -> str:
        """What was written."""
        return "".join(self._pieces)

    def element(self, node: Node, looks: Looks) -> None:
        """Any element, wherever it stands."""
        name = node.name
        if name == "pardef":
            self._paragraphs.define(node)
        elif name == "par":
            self._paragraph(node, self._paragraphs.of(node), looks, "div")
        elif name == "imageref":
            self.open("span", {"class": "picture", "data-name": node.attributes.get("name", "")})
            self.close("span")
        elif name in SILENT:
            return
        elif name in _WRITERS:
            _WRITERS[name](self, node, looks_within(node, looks))
        elif name in BLOCKS:
            self._block(node, looks)
        else:
            self._marked(node, looks_within(node, looks))

    def _block(self, node: Node, looks: Looks) -> None:
        passthru = " passthru" if node.attributes.get("html") == "true" else ""
        self.open("div", {"class": node.name + passthru})
        self.blocks(node.parts, looks_within(node, looks))
        self.close("div")

    def blocks(self, parts: Iterable[str | Node], looks: Looks) -> None:
        """Paragraphs and what stands beside them; those of one list follow one another in it."""
        opened = ""
        for part in parts:
            if isinstance(part, Node) and part.name in SILENT:
                self.element(part, looks)
                continue
            if isinstance(part, str) and part.isspace():
                continue
            wanted = self._list_of(part)
            if wanted != opened:
                self._end_list(opened)
                self._pieces.append(wanted)
                opened = wanted
            if isinstance(part, str):
                self.open("div")
                self.text(part, looks)
                self.close("div")
            elif wanted:
                self._paragraph(part, self._paragraphs.of(part), looks, "li")
            else:
                self.element(part, looks)
        self._end_list(opened)

    def _list_of(self, part: str | Node) -> str:
        """The start tag of the list that ``part`` is an item of, or ``""``."""
        if isinstance(part, str) or part.name != "par":
            return ""
        kind = self._paragraphs.of(part).list
        if kind in _ORDERED:
            return tag("ol", {"type": _ORDERED[kind]})
        return tag("ul", {"class": kind}) if kind in _BULLETS else ""

    def _end_list(self, opened: str) -> None:
        if opened:
            self.close(opened[1:3])

    def _paragraph(self, par: Node, definition: Paragraph, looks: Looks, name: str) -> None:
        css = style(
            text_align=_ALIGNMENTS.get(definition.align, ""),
            margin_left=length(definition.indent) if name == "div" else "",
        )
        self.open(name, {"class": "par", "style": css, **_hidden(definition.hidden)})
        if definition.list in LIST_MARKS:
            self.text(LIST_MARKS[definition.list], looks)
        self.inside(par.parts, looks_within(par, looks))
        self.close(name)

    def inside(self, parts: Iterable[str | Node], looks: Looks) -> None:
        """Running text: stretches of it are decoded whole."""
        pending: list[str] = []
        for part in parts:
            if isinstance(part, str):
                pending.append(part if looks.keep_space else without_layout(part))
            elif part.name == "nonxmlchar":
                pending.append(special(part))
            elif part.name != "font":
                self.text("".join(pending), looks)
                pending.clear()
                self.element(part, looks)
        self.text("".join(pending), looks)

    def text(self, text: str, looks: Looks) -> None:
        """Text in one font."""
        if not text:
            return
        if text.strip():
            self._shown += 1
        if self._decode is not None:
            text = self._decode(text, looks.font)
        self._pieces.append(content(text))

    def run(self, node: Node, looks: Looks) -> None:
        """``<run>``: its font holds for all of it."""
        font = node.child("font")
        drawn = font.attributes if font is not None else NO_ATTRIBUTES
        tags = [_FONT_TAGS[each] for each in drawn.get("style", "").split() if each in _FONT_TAGS]
        highlight = color(node.attributes.get("highlight"))
        if node.attributes.get("html") == "true":
            self.open("code", {"class": "passthru"})
        # A font that only draws legacy code points as letters would draw decoded text wrongly.
        family = "" if self._decode is not None else safe_html.font_family(drawn.get("name"))
        css = style(font_family=family, font_size=length(drawn.get("size")), color=color(drawn.get("color")))
        self.open("span", {"style": css, "data-font": drawn.get("name", "")})
        if highlight:
            self.open("mark", {"style": style(background_color=highlight)})
        for name in tags:
            self.open(name)
        self.inside(node.parts, looks)
        for name in reversed(tags):
            self.close(name)
        if highlight:
            self.close("mark")
        self.close("span")
        if node.attributes.get("html") == "true":
            self.close("code")

    def line_end(self, node: Node, looks: Looks) -> None:
        """``<break>``."""
        self._pieces.append(tag("br"))

    def rule(self, node: Node, looks: Looks) -> None:
        """``<horizrule>``."""
        self._pieces.append(tag("hr"))

    def letter(self, node: Node, looks: Looks) -> None:
        """``<nonxmlchar>`` where no text stands around it."""
        self.text(special(node), looks)

    def keyword(self, node: Node, looks: Looks) -> None:
        """``<keyword>`` of a control, ticked or not."""
        self.open("div", {"class": "keyword"})
        self.text(LIST_MARKS["check" if node.attributes.get("on") == "true" else "uncheck"], looks)
        self.inside(node.parts, looks)
        self.close("div")

    def caption(self, node: Node, looks: Looks) -> None:
        """``<caption>`` of a picture."""
        self._wrap("span", {"class": "caption"}, node, looks)

    def popup(self, node: Node, looks: Looks) -> None:
        """``<popup>``: the hot text, then what pops up."""
        texts = [child for child in node.children if child.name == "popuptext"]
        self.open("span", {"class": "popup"})
        self.inside((part for part in node.parts if part not in texts), looks)
        self.close("span")
        for text in texts:
            self.open("span", {"class": "popuptext", **_hidden(True)})
            self.text(f" [{text_of(text)}]", looks)
            self.close("span")

    def section(self, node: Node, looks: Looks) -> None:
        """``<section>``: a title that opens and closes it, where it has one."""
        parts = [part for part in node.parts if not (isinstance(part, str) and part.isspace())]
        first = parts[0] if parts else None
        titled = isinstance(first, Node) and first.name == "sectiontitle"
        self.open("details" if titled else "div", {"class": "section", "open": "open" if titled else ""})
        if isinstance(first, Node) and titled:
            self._title(first, looks, "summary")
        self.blocks(parts[1:] if titled else parts, looks)
        self.close("details" if titled else "div")

    def title(self, node: Node, looks: Looks) -> None:
        """``<sectiontitle>`` that is not the first thing of a section."""
        self._title(node, looks, "div")

    def _title(self, node: Node, looks: Looks, name: str) -> None:
        hidden = self._paragraphs.of_title(node).hidden
        self._wrap(name, {"class": "title", **_hidden(hidden)}, node, looks_within(node, looks))

    def picture(self, node: Node, looks: Looks) -> None:
        """``<picture>``: shown where that is safe, else named."""
        image = next((child for child in node.children if child.content is not None), None)
        source = safe_html.picture_source(image, self._picture_limit) if image is not None else ""
        facts = {"class": "picture", **safe_html.picture_facts(image)}
        if source:
            at, shown = len(self._pieces), self._shown
            self.inside(node.parts, looks)
            alt = substitute(node) if looks.stands_in and self._shown == shown else ""
            size = {name: pixels(node.attributes.get(name)) for name in ("width", "height")}
            self._pieces.insert(at, tag("img", {**facts, "src": source, "alt": alt, **size}))
            self._shown += bool(alt)
        else:
            self.open("span", facts)
            self._content(node, looks)
            self.close("span")

    def link(self, node: Node, looks: Looks) -> None:
        """Every link: followed only by a safe scheme, and never inside another link."""
        notes = node.name in _NOTES_LINKS
        href = safe_html.notes_link(node.attributes) if notes else safe_html.link(node.attributes.get("href"))
        if not href or looks.linked:
            self._marked(node, looks)
            return
        facts = {"class": node.name, "href": href, "rel": "noopener noreferrer nofollow", **_facts(node)}
        self.open("a", facts)
        self._content(node, replace(looks, linked=True))
        self.close("a")

    def _marked(self, node: Node, looks: Looks) -> None:
        """An element of running text: a ``span`` of its name if it is known, else its content."""
        if node.name in _DATA:
            self.open("span", {"class": node.name, **_facts(node)})
            self._content(node, looks)
            self.close("span")
        else:
            self._content(node, looks)

    def _content(self, node: Node, looks: Looks) -> None:
        """What the element holds or, where that is nothing, what stands for it."""
        shown = self._shown
        inside = replace(looks, stands_in=False) if node.name == "attachmentref" else looks
        self.inside(node.parts, inside)
        if looks.stands_in and self._shown == shown:
            self.text(substitute(node), looks)

    def _wrap(self, name: str, attributes: dict[str, str], node: Node, looks: Looks) -> None:
        self.open(name, attributes)
        self.inside(node.parts, looks)
        self.close(name)

    def open(self, name: str, attributes: Mapping[str, str] | None = None) -> None:
        """A start tag, or all of an empty element."""
        self._pieces.append(tag(name, attributes))

    def close(self, name: str) -> None:
        """An end tag."""
        self._pieces.append(f"</{name}>")


def _hidden(hidden: bool) -> dict[str, str]:
    return {"data-hidden": "true"} if hidden else {}


def _facts(node: Node) -> dict[str, str]:
    return {f"data-{name}": node.attributes.get(name, "") for name in _DATA.get(node.name, ())}


_WRITERS: dict[str, Callable[[HtmlWriter, Node, Looks], None]] = {
    "break": HtmlWriter.line_end,
    "caption": HtmlWriter.caption,
    "databaselink": HtmlWriter.link,
    "doclink": HtmlWriter.link,
    "horizrule": HtmlWriter.rule,
    "keyword": HtmlWriter.keyword,
    "nonxmlchar": HtmlWriter.letter,
    "picture": HtmlWriter.picture,
    "popup": HtmlWriter.popup,
    "run": HtmlWriter.run,
    "section": HtmlWriter.section,
    "sectiontitle": HtmlWriter.title,
    "table": write_table,
    "tablerow": write_stray_row,
    "urllink": HtmlWriter.link,
    "viewlink": HtmlWriter.link,
}
