"""A record's XML as small trees, one a top-level child, read by expat under limits of our own.

No DTD is loaded, no entity is known but XML's five, nothing is fetched; depth and number of elements are
limited; base64 is decoded while it is read and never stands in memory as text.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.parsers import expat

from connectors.lotus_notes.base64_sink import LIMIT, Base64Sink
from connectors.lotus_notes.encoding import Encoding
from schemas.errors import RecordError
from schemas.record import Content, chunks

MAX_DEPTH = 200
MAX_ELEMENTS = 1_000_000
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

_PIECE = 4 << 20


class Node:
    """An element.

    Attributes:
        name: local name.
        attributes: as printed.
        line: of its start tag, from 1, in the record's own text.
        parts: its text and child elements in order.
        content: the decoded bytes of a binary element.
        defects: of that decoding.
    """

    __slots__ = ("attributes", "content", "defects", "line", "name", "parts")

    def __init__(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.name = name
        self.attributes = attributes
        self.line = line
        self.parts: list[str | Node] = []
        self.content: Content | None = None
        self.defects: tuple[str, ...] = ()

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


class XmlError(RecordError):
    """A record's XML cannot be read. ``reason`` is the snake_case class, ``offset`` the byte in the
    record."""

    def __init__(self, reason: str, what: str, line: int, offset: int) -> None:
        self.reason = reason
        self.offset = offset
        super().__init__(what, where=f"line {line}, byte {offset} of the record")


def read_nodes(
    original: Content, encoding: Encoding, deliver: Callable[[Node], None], base64_limit: int = LIMIT
) -> Node:
    """Reads a record and hands each child of its root to ``deliver`` as soon as it is complete.

    Args:
        original: the record's bytes, from ``<`` to ``>``.
        encoding: of those bytes.
        deliver: called with each child of the root, in order; the child is not kept.
        base64_limit: most decoded bytes of one binary element.

    Returns:
        The root, with its attributes and without children.

    Raises:
        XmlError: the record is not well formed, is in another encoding, declares a DTD, or exceeds a limit.
            ``deliver`` may
            have been called by then.
    """
    return _Reader(encoding, deliver, base64_limit).read(original)


class _Reader:
    def __init__(self, encoding: Encoding, deliver: Callable[[Node], None], base64_limit: int) -> None:
        self._deliver = deliver
        self._limit = base64_limit
        self._stack: list[Node] = []
        self._root: Node | None = None
        self._elements = 0
        self._sink: Base64Sink | None = None
        self._encoding = encoding
        parser = expat.ParserCreate(encoding.expat)
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        self._parser = parser

    def read(self, original: Content) -> Node:
        try:
            for piece in chunks(original, _PIECE):
                self._parser.Parse(piece, False)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise self._failed(error, original) from error
        if self._root is None:
            raise XmlError("xml_malformed", "the record holds no element", 1, 0)
        return self._root

    def _failed(self, error: expat.ExpatError, original: Content) -> XmlError:
        offset = self._parser.ErrorByteIndex
        reason, said = "xml_malformed", expat.ErrorString(error.code)
        if error.code == _INVALID_TOKEN and _is_letter_byte(original, offset):
            reason, said = "encoding_invalid", "a byte that is no letter there"
        what = f"the record is not well-formed XML in {self._encoding.name}: {said}"
        return XmlError(reason, what, error.lineno, offset)

    def _refuse(self, reason: str, what: str) -> XmlError:
        return XmlError(reason, what, self._parser.CurrentLineNumber, self._parser.CurrentByteIndex)

    def _doctype(self, *_: object) -> None:
        raise self._refuse("entity_declared", "the record declares a document type")

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        stack = self._stack
        depth = len(stack)
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise self._refuse("too_many_elements", f"the record holds more than {MAX_ELEMENTS} elements")
        if depth >= MAX_DEPTH:
            raise self._refuse("too_deep", f"the record's elements are nested more than {MAX_DEPTH} deep")
        if ":" in name:
            name = name.rpartition(":")[2]
        node = Node(name, attributes, self._parser.CurrentLineNumber)
        if depth > 1:
            stack[-1].parts.append(node)
        elif not depth:
            self._root = node
        stack.append(node)
        if node.name in BINARY:
            self._sink = Base64Sink(self._limit)

    def _close(self, name: str) -> None:
        node = self._stack.pop()
        if self._sink is not None and node.name in BINARY:
            node.content = self._sink.content()
            node.defects = self._sink.defects
            self._sink = None
        if len(self._stack) == 1:
            self._deliver(node)

    def _text(self, text: str) -> None:
        if self._sink is not None:
            self._sink.feed(text)
        elif len(self._stack) > 1:
            self._stack[-1].parts.append(text)


_INVALID_TOKEN = expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN]


def _is_letter_byte(original: Content, offset: int) -> bool:
    """True when expat stopped at a byte above ASCII: no markup is written so, the encoding is wrong."""
    with original.open() as stream:
        stream.seek(offset)
        return stream.read(1) >= b"\x80"
