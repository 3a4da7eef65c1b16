"""Rich text that the exporter printed as raw data: the items of a document gathered, and read together.

They are read together because fonts are numbers into an item of their own, ``$Fonts``, which may come last, and
because rich text that is stored in several items has its paragraph definitions in the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.lotus_notes.cd_records import fonts_of
from connectors.lotus_notes.cd_richtext import CdText, Definitions, richtext_of

FONTS = "$fonts"
"""Name of the item of fonts, in lower case (``ITEM_NAME_FONTS``)."""


@dataclass(frozen=True, slots=True)
class CdItem:
    """An item of composite data (type 1).

    Attributes:
        name: the item's.
        data: its bytes.
        line: of the item in the export.
    """

    name: str
    data: bytes
    line: int

    @property
    def is_fonts(self) -> bool:
        """True for the item of fonts: no rich text, though of its type."""
        return self.name.lower() == FONTS


@dataclass(slots=True)
class CdItems:
    """The items of one document, as they come."""

    fonts: dict[int, str] = field(default_factory=dict)
    _items: list[tuple[int, CdItem]] = field(default_factory=list)

    def add(self, position: int, item: CdItem) -> None:
        """The next item; ``position`` is where its text belongs."""
        if item.is_fonts:
            self.fonts |= fonts_of(item.data)
        else:
            self._items.append((position, item))

    def read(self) -> Iterator[tuple[int, CdItem, CdText]]:
        """Every item of rich text, with its position and what was read of it."""
        known: dict[str, Definitions] = {}
        for position, item in self._items:
            definitions = known.setdefault(item.name.lower(), Definitions())
            yield position, item, richtext_of(item.data, self.fonts, definitions, item.line)
