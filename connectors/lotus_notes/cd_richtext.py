"""Composite data as the rich text that the DXL exporter would have printed: text, paragraphs, tables, links.

The structures are those of editods.h (HCL Notes C API, *Data* reference). What draws, runs or positions is passed over;
records of kinds that nobody has described are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.lotus_notes.cd_records import CdError, CdRecord, cd_records
from connectors.lotus_notes.cd_tree import Tree
from connectors.lotus_notes.lmbcs import decode_lmbcs
from connectors.lotus_notes.nodes import Node

_GENERIC_FACES = {0: "serif", 1: "sans-serif", 2: "multilingual", 3: "user-interface", 4: "monospace"}
_STYLES = {
    0x01: "bold",
    0x02: "italic",
    0x04: "underline",
    0x08: "strikethrough",
    0x10: "superscript",
    0x20: "subscript",
}
_COLORS = (
    *("", "white", "red", "lime", "blue", "fuchsia", "yellow", "aqua"),
    *("maroon", "green", "navy", "purple", "olive", "teal", "gray", "silver"),
)
"""By ``NOTES_COLOR_…``; black is the default."""
_ALIGNMENTS = ("left", "right", "full", "center", "none")
_HIDING_FLAGS = 0x0010 | 0x0800 | 0x2000 | 0x8000  # PABFLAG_HIDE_RO, _IF, _PV, _NOTES
_HIDING_FLAGS_2 = 0x0001  # PABFLAG2_HIDE_WEB
_BULLET, _NUMBERED = 0x0400, 0x1000
_LISTS_2 = {0x0002: "check", 0x0800: "circle", 0x1000: "square", 0x2000: "uncheck"}
_POPUP, _BUTTON, _FILE, _LINK, _MOUSE_OVER = 1, 3, 4, 11, 22
_SECTIONS = frozenset({7, 12, 13})
_FORMULA, _URL, _COMPUTED = 0x10, 0x1000, 0x40000  # HOTSPOTREC_RUNFLAG_…
_TITLE_IS_FORMULA, _TITLE_HAS_COLOR = 0x2000, 0x4000000  # BARREC_…
_LABEL_SIZE = 128

SILENT = frozenset(
    {
        *range(83, 88), 88, 89, *range(90, 104), *range(105, 118), *range(119, 126), 128, 132, 134, 135, 136, 138, 139,
        142, 143, *range(147, 153), *range(154, 163), *range(166, 169), 176, 177, 178, *range(183, 193), 193, 194, 195,
        196, 197, 204, 205, 206, 210, 211, *range(220, 227), *range(228, 235), *range(236, 243), *range(244, 250),
        251, 252, 253, 254, 255,
    }
)  # fmt: skip
"""Kinds that hold no text of the document: pictures, formulas, scripts, borders, margins, fields, properties."""


@dataclass(slots=True)
class CdText:
    """Rich text that was read from composite data.

    Attributes:
        richtext: as the DXL element, for ``richtext.runs_of`` and ``richtext_html.html_of``.
        records: how many records were read.
        unknown: how many of them are of no known kind, and were skipped.
        undecoded: how many characters could not be decoded.
        unnamed: numbers of fonts that no item of the document names.
        broken: why reading stopped before the end, or ``""``.
    """

    richtext: Node
    records: int = 0
    unknown: int = 0
    undecoded: int = 0
    unnamed: frozenset[int] = frozenset()
    broken: str = ""

    def defects(self, found: bool) -> list[tuple[str, str]]:
        """Code and sentence of what a reader has to know of this text; ``found``: there is some."""
        said = []
        if found:
            told = f"{self.records} records of composite data, {self.unknown} of them of unknown kinds and skipped"
            said.append(
                ("richtext_from_raw_cd", f"the text was read from {told}; compare it with the source")
            )
        if self.broken:
            said.append(("richtext_cd_broken", f"the composite data ends early: {self.broken}"))
        if self.unnamed:
            numbers = ", ".join(map(str, sorted(self.unnamed)))
            told = (
                f"fonts {numbers} have no name: export $Fonts too, a legacy Vietnamese font may be among them"
            )
            said.append(("richtext_fonts_unknown", told))
        if self.undecoded:
            said.append(
                ("lmbcs_undecoded", f"{self.undecoded} characters of Notes' own character set are not known")
            )
        return said


@dataclass(slots=True)
class Definitions:
    """Definitions of paragraphs, by number. Rich text that is stored in several items has them in the first."""

    by_number: dict[int, dict[str, str]] = field(default_factory=dict)


def richtext_of(data: bytes, fonts: Mapping[int, str], known: Definitions, line: int) -> CdText:
    """Reads the composite data of an item.

    Args:
        data: its bytes.
        fonts: of the document (``cd_records.fonts_of``).
        known: definitions of the items of the same name in front; those of this one are added.
        line: of the item in the export.
    """
    reader = _Reader(fonts, known, line)
    text = CdText(reader.tree.root)
    try:
        for record in cd_records(data):
            text.records += 1
            handler = _HANDLERS.get(record.signature)
            if handler is not None:
                handler(reader, record)
            elif record.signature not in SILENT:
                text.unknown += 1
    except CdError as error:
        text.broken = str(error)
    reader.tree.finish()
    text.undecoded = reader.undecoded
    text.unnamed = frozenset(reader.unnamed)
    return text


class _Reader:
    def __init__(self, fonts: Mapping[int, str], known: Definitions, line: int) -> None:
        self.tree = Tree(line)
        self.undecoded = 0
        self.unnamed: set[int] = set()
        self._fonts = fonts
        self._known = known
        self._labels: list[str] = []
        self._large = False
        self._picture: Node | None = None

    def paragraph(self, record: CdRecord) -> None:
        """``CDPARAGRAPH``; between the two ``CDLARGEPARAGRAPH`` it only cuts a large paragraph to size."""
        if not self._large:
            self.tree.paragraph()

    def large_paragraph(self, record: CdRecord) -> None:
        """``CDLARGEPARAGRAPH``."""
        self._large = bool(record.number(2) & 1)

    def definition(self, record: CdRecord) -> None:
        """``CDPABDEFINITION``."""
        flags, flags_2 = record.number(58), record.number(64)
        listed = next((name for bit, name in _LISTS_2.items() if flags_2 & bit), "")
        if not listed:
            listed = "bullet" if flags & _BULLET else "number" if flags & _NUMBERED else "none"
        justified = record.number(2)
        self._known.by_number[record.number(0)] = {
            "align": _ALIGNMENTS[justified] if justified < len(_ALIGNMENTS) else "left",
            "hide": "read" if flags & _HIDING_FLAGS or flags_2 & _HIDING_FLAGS_2 else "",
            "list": listed,
        }

    def reference(self, record: CdRecord) -> None:
        """``CDPABREFERENCE``."""
        number = record.number(0)
        if number in self._known.by_number:
            self.tree.define(str(number), self._known.by_number[number])
        self.tree.refer(str(number))

    def text(self, record: CdRecord) -> None:
        """``CDTEXT``: a zero byte in it ends a line."""
        if len(record.body) > 4:
            self.tree.text(self._decoded(record.body[4:]), self._font(record.body[:4]))

    def table(self, record: CdRecord) -> None:
        """``CDTABLEBEGIN``."""
        self.tree.open_block("table")

    def cell(self, record: CdRecord) -> None:
        """``CDTABLECELL``."""
        spans = {
            "rowspan": str(max(1, record.number(12, 1))),
            "columnspan": str(max(1, record.number(13, 1))),
        }
        label = self._labels.pop(0) if self._labels and self.tree.is_new_row(record.number(0, 1)) else ""
        self.tree.cell(record.number(0, 1), spans, label)

    def table_end(self, record: CdRecord) -> None:
        """``CDTABLEEND``."""
        self._labels.clear()
        self.tree.close_block("table")

    def label(self, record: CdRecord) -> None:
        """``CDTABLELABEL``: they come in the order of the rows."""
        self._labels.append(self._string(record.body[:_LABEL_SIZE]))

    def hotspot(self, record: CdRecord) -> None:
        """``CDHOTSPOTBEGIN``."""
        kind, flags = record.number(0), record.number(2, 4)
        data = record.body[8 : 8 + record.number(6)]
        if kind in _SECTIONS:
            self.tree.open_block("section")
        elif flags & _COMPUTED:
            self.tree.open_inline("computedtext")
        elif kind in {_POPUP, _MOUSE_OVER} and not flags & _FORMULA:
            self.tree.open_inline("popup")
            self.tree.add("popuptext", {}, self._string(data))
        elif kind == _FILE:
            names = dict(zip(("name", "displayname"), self._decoded(data).split("\0"), strict=False))
            self.tree.open_inline("attachmentref", names)
        elif kind == _LINK and flags & _URL:
            self.tree.open_inline("urllink", {"href": self._string(data)})
        else:
            self.tree.open_inline("button" if kind == _BUTTON else "actionhotspot")

    def hotspot_end(self, record: CdRecord) -> None:
        """``CDHOTSPOTEND``."""
        self.tree.close_hotspot()

    def button(self, record: CdRecord) -> None:
        """``CDBUTTON``: its label."""
        self.tree.text(self._string(record.body[12:]), self._font(record.body[8:12]))

    def bar(self, record: CdRecord) -> None:
        """``CDBAR``: the title of a section."""
        flags = record.number(0, 4)
        title = (
            ""
            if flags & _TITLE_IS_FORMULA
            else self._string(record.body[10 if flags & _TITLE_HAS_COLOR else 8 :])
        )
        self.tree.add_block("sectiontitle", title)

    def link(self, record: CdRecord) -> None:
        """``CDLINK2``: the link's target is in another item, by number."""
        self._doclink(record.body[2:], {})

    def exported_link(self, record: CdRecord) -> None:
        """``CDLINKEXPORT2``."""
        database, view, document = record.body[:8], record.body[8:24], record.body[24:40]
        target = {"database": database[::-1], "view": _unid(view), "document": _unid(document)}
        self._doclink(record.body[40:], {name: value.hex().upper() for name, value in target.items()})

    def rule(self, record: CdRecord) -> None:
        """``CDHRULE``."""
        self.tree.add("horizrule", {})

    def anchor(self, record: CdRecord) -> None:
        """``CDANCHOR``."""
        self.tree.add("anchor", {"name": self._decoded(record.body[6 : 6 + record.number(4)])})

    def picture(self, record: CdRecord) -> None:
        """``CDGRAPHIC``: a picture begins; its caption and alternative text follow."""
        self._picture = self.tree.add("picture", {})

    def alternative(self, record: CdRecord) -> None:
        """``CDALTTEXT``."""
        said = self._decoded(record.body[4 : 4 + record.number(0)])
        if self._picture is None:
            self._picture = self.tree.add("picture", {})
        self._picture.attributes = {"alttext": said}

    def caption(self, record: CdRecord) -> None:
        """``CDCAPTION``."""
        self.tree.add("caption", {}, self._decoded(record.body[24 : 24 + record.number(0)]))

    def _doclink(self, strings: bytes, target: dict[str, str]) -> None:
        named = dict(
            zip(("description", "server", "anchor"), self._decoded(strings).split("\0"), strict=False)
        )
        self.tree.add("doclink", {**target, **{name: value for name, value in named.items() if value}})

    def _font(self, said: bytes) -> dict[str, str]:
        face, attributes, color, size = said.ljust(4, b"\0")
        name = self._fonts.get(face) or _GENERIC_FACES.get(face, "")
        if not name:
            self.unnamed.add(face)
        styles = " ".join(style for bit, style in _STYLES.items() if attributes & bit)
        looks = {"name": name, "size": f"{size}pt" if size else "", "style": styles}
        looks["color"] = _COLORS[color] if color < len(_COLORS) else ""
        return {key: value for key, value in looks.items() if value}

    def _string(self, data: bytes) -> str:
        """Text that ends at its first zero byte outside a character, or at the end."""
        return self._decoded(data).partition("\0")[0]

    def _decoded(self, data: bytes) -> str:
        text, unknown = decode_lmbcs(data)
        self.undecoded += unknown
        return text


def _unid(data: bytes) -> bytes:
    return data[7::-1] + data[:7:-1]


_HANDLERS: dict[int, Callable[[_Reader, CdRecord], None]] = {
    104: _Reader.large_paragraph,
    116: _Reader.hotspot,
    118: _Reader.caption,
    126: _Reader.hotspot,
    127: _Reader.hotspot_end,
    129: _Reader.paragraph,
    130: _Reader.definition,
    131: _Reader.reference,
    133: _Reader.text,
    145: _Reader.link,
    146: _Reader.exported_link,
    153: _Reader.picture,
    163: _Reader.table,
    164: _Reader.cell,
    165: _Reader.table_end,
    169: _Reader.hotspot,
    170: _Reader.hotspot_end,
    171: _Reader.button,
    172: _Reader.bar,
    173: _Reader.hotspot,
    174: _Reader.hotspot_end,
    201: _Reader.rule,
    202: _Reader.alternative,
    203: _Reader.anchor,
    207: _Reader.table,
    208: _Reader.cell,
    209: _Reader.table_end,
    227: _Reader.label,
}
"""By signature (``SIG_CD_…`` of editods.h)."""
