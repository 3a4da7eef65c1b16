"""What an element of DXL says, as plain values that no parser stands behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from schemas.record import Content

BINARY = frozenset(
    {
        "bitmap",
        "cgm",
        "compositedata",
        "filedata",
        "gif",
        "itemdata",
        "jpeg",
        "nativeimage",
        "notesbitmap",
        "png",
        "rawitemdata",
        "richtextdata",
    }
)
"""Elements whose text is base64 (DTD entity ``%binary;``)."""

NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


class Node:
    """An element.

    Attributes:
        name: local name.
        attributes: as printed.
        line: of its start tag, from 1, in the record's own text.
        parts: its text and child elements in order.
        content: the decoded bytes of a binary element; ``None`` for other elements.
        defects: of that decoding.
    """

    __slots__ = ("attributes", "line", "name", "parts")

    content: Content | None = None
    defects: tuple[str, ...] = ()

    def __init__(
        self, name: str, attributes: Mapping[str, str], line: int, parts: Sequence[str | Node]
    ) -> None:
        self.name = name
        self.attributes = attributes
        self.line = line
        self.parts = parts

    @property
    def children(self) -> list[Node]:
        """The child elements, in order."""
        return [part for part in self.parts if isinstance(part, Node)]

    def child(self, name: str) -> Node | None:
        """The first child element called ``name``."""
        for part in self.parts:
            if isinstance(part, Node) and part.name == name:
                return part
        return None

    @property
    def text(self) -> str:
        """Its own text, without that of children."""
        return "".join(part for part in self.parts if isinstance(part, str))


class BinaryNode(Node):
    """An element of ``BINARY``: its text is decoded into ``content`` and stands in no part."""

    __slots__ = ("content", "defects")

    def __init__(
        self,
        name: str,
        attributes: Mapping[str, str],
        line: int,
        parts: Sequence[str | Node],
        content: Content,
        defects: tuple[str, ...],
    ) -> None:
        super().__init__(name, attributes, line, parts)
        self.content = content
        self.defects = defects
