"""A record's XML, parsed in C under limits of our own.

No DTD is loaded, no entity is known but XML's five, nothing is fetched; depth and number of elements are limited;
large base64 is decoded while it is read and never stands in memory as text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise
from xml.etree.ElementTree import Element, ParseError, XMLParser
from xml.parsers import expat

from connectors.lotus_notes.base64_sink import LIMIT
from connectors.lotus_notes.binary_cuts import BinaryCuts
from connectors.lotus_notes.encoding import UTF8, Encoding
from connectors.lotus_notes.nodes import BINARY, NO_ATTRIBUTES, BinaryNode, Node
from connectors.lotus_notes.spool import Spool
from schemas.errors import RecordError
from schemas.record import Content, chunks

MAX_DEPTH = 120
"""Most elements in one another: readers of rich text call themselves five times for each."""
MAX_ELEMENTS = 1_000_000
MAX_QUOTES = 8_000_000
MAX_MARKUP = 512 << 20
"""Most bytes of a record beside its large binary elements."""

_PIECE = 4 << 20
_PREFIX = re.compile(rb"[<\s]([A-Za-z_][\w.-]*):[A-Za-z_]")
_DECLARED = re.compile(rb"""\sxmlns:([\w.-]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')""")
_CHILD = re.compile(
    rb"<(?:[^\s<>/:!?'\"=]+:)?(?:item|noteinfo|updatedby|revisions|wassignedby|textproperties|mime)(?=[\s/>])"
)
_XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
_UNBOUND_PREFIX = expat.errors.codes[expat.errors.XML_ERROR_UNBOUND_PREFIX]
_INVALID_TOKEN = expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN]
_UNDEFINED_ENTITY = expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]


class XmlError(RecordError):
    """A record's XML cannot be read. ``reason`` is the snake_case class, ``line`` and ``column`` count from 1."""

    def __init__(self, reason: str, what: str, line: int = 1, column: int = 1) -> None:
        self.reason = reason
        self.line = line
        self.column = column
        super().__init__(what, where=f"line {line}, column {column} of the record")


def _local(tag: str) -> str:
    return tag if tag[0] != "{" else tag.rpartition("}")[2]


class RecordXml:
    """The parsed XML of one record.

    Attributes:
        root: its element.
    """

    def __init__(self, root: Element, cuts: BinaryCuts, prefixes: Mapping[str, str]) -> None:
        self.root = root
        self._cuts = cuts
        self._prefixes = prefixes

    def name(self, element: Element) -> str:
        """Its local name."""
        return _local(element.tag)

    def attributes(self, element: Element) -> Mapping[str, str]:
        """As printed, without declarations of namespaces."""
        return self._printed(element.attrib) if self._prefixes else element.attrib

    def children(self) -> Iterator[tuple[Element, int]]:
        """The children of the root in order, each with the line of its start tag in the record."""
        lines = self._cuts.line
        for child, line in zip(self.root, self._lines(self._cuts.markup), strict=True):
            yield child, lines(line)

    def node(self, element: Element, line: int = 1, depth: int = 1) -> Node:
        """``element`` and all that it holds.

        Args:
            element: of this record.
            line: that the node and all nodes in it are said to stand at.
            depth: how many elements it stands in.

        Raises:
            XmlError: ``too_deep``.
        """
        if depth >= MAX_DEPTH:
            raise XmlError("too_deep", f"the record's elements are nested more than {MAX_DEPTH} deep", line)
        name = _local(element.tag)
        attributes: Mapping[str, str] = element.attrib or NO_ATTRIBUTES
        if self._prefixes:
            attributes = self._printed(attributes)
        if name in BINARY:
            return self._binary(element, name, attributes, line, depth)
        text = element.text
        if not len(element):
            return Node(name, attributes, line, (text,) if text else ())
        parts: list[str | Node] = [text] if text else []
        for child in element:
            parts.append(self.node(child, line, depth + 1))
            text = child.tail
            if text:
                parts.append(text)
        return Node(name, attributes, line, parts)

    def _binary(
        self, element: Element, name: str, attributes: Mapping[str, str], line: int, depth: int
    ) -> Node:
        sink = self._cuts.sink((element.text or "") + "".join(child.tail or "" for child in element))
        content = sink.content()
        parts = [self.node(child, line, depth + 1) for child in element]
        return BinaryNode(name, attributes, line, parts, content, sink.defects)

    def _printed(self, attributes: Mapping[str, str]) -> dict[str, str]:
        """Attributes by their names with prefixes instead of namespaces."""
        named = {}
        for key, value in attributes.items():
            uri, closed, name = key.lstrip("{").partition("}")
            named[f"{self._prefixes.get(uri, '')}:{name}" if closed else key] = value
        return named

    def _lines(self, markup: bytes) -> list[int]:
        """Lines of the markup at which the children of the root begin."""
        before = _CHILD.split(markup)
        before.pop()
        if len(before) != len(self.root) or b"<!" in markup or b"<?" in markup:
            before = _before_children(markup)
        # Otherwise there are as many as children: each is the start tag of one, and none lies deeper.
        return [1 + breaks for breaks in accumulate(text.count(b"\n") for text in before)]


def read_xml(original: Content, encoding: Encoding, base64_limit: int = LIMIT) -> RecordXml:
    """Parses a record.

    Args:
        original: the record's bytes, from ``<`` to ``>``.
        encoding: of those bytes.
        base64_limit: most decoded bytes of one binary element.

    Raises:
        XmlError: the record is not well formed (``xml_malformed``), is in another encoding (``encoding_invalid``),
            declares a document type (``entity_declared``), uses an entity that XML does not know
            (``entity_undefined``: none that an export declares is ever expanded), or exceeds a limit
            (``too_deep``, ``too_large``, ``too_many_elements``).
    """
    cuts = BinaryCuts(_as_utf8(original, encoding), base64_limit)
    markup = cuts.markup
    _check(markup)
    try:
        root = _parsed(markup)
    except ParseError as error:
        if error.code != _UNBOUND_PREFIX:
            raise _failed(error, markup, encoding, cuts) from error
        return _read_with_prefixes(markup, encoding, cuts)
    return RecordXml(root, cuts, _prefixes(markup))


def _check(markup: bytes) -> None:
    if not markup:
        raise XmlError("xml_malformed", "the record holds no element")
    if markup.lstrip()[:2] in {b"<!", b"<?"} and b"<!DOCTYPE" in markup:
        raise XmlError("entity_declared", "the record declares a document type")
    if len(markup) > MAX_MARKUP:
        raise XmlError("too_large", f"the record holds more than {MAX_MARKUP >> 20} MiB beside its files")
    if len(markup) < MAX_ELEMENTS:
        return
    if markup.count(b"<") > 2 * MAX_ELEMENTS or markup.count(b"'") + markup.count(b'"') > MAX_QUOTES:
        said = f"the record holds more than {MAX_ELEMENTS} elements, or attributes beyond measure"
        raise XmlError("too_many_elements", said)


def _parsed(markup: bytes) -> Element:
    parser = XMLParser(encoding=UTF8)  # noqa: S314 - what declares a document type never gets here
    parser.feed(markup)
    root: Element = parser.close()
    return root


def _prefixes(markup: bytes) -> dict[str, str]:
    """Prefix by namespace; empty where no attribute can have one."""
    if b"xmlns:" not in markup and b"xml:" not in markup:
        return {}
    declared = {
        (first or second).decode("utf-8"): prefix.decode("utf-8")
        for prefix, first, second in _DECLARED.findall(markup)
    }
    return declared | {_XML_NAMESPACE: "xml"}


def _read_with_prefixes(markup: bytes, encoding: Encoding, cuts: BinaryCuts) -> RecordXml:
    """Reads a record whose prefixes are declared above it, in the export's root element."""
    found = sorted(set(_PREFIX.findall(markup)) - {b"xml", b"xmlns"})
    declared = b"".join(b" xmlns:%s='urn:prefix:%s'" % (prefix, prefix) for prefix in found)
    whole = b"<export%s>%s</export>" % (declared, markup)
    try:
        root = _parsed(whole)[0]
    except ParseError as error:
        raise _failed(error, markup, encoding, cuts) from error
    return RecordXml(root, cuts, _prefixes(whole))


def _before_children(markup: bytes) -> list[bytes]:
    """The stretches of the markup that stand before each child of the root, from the start of the one before."""
    starts: list[int] = [0]
    depth = 0

    def opened(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        if depth == 1:
            starts.append(parser.CurrentByteIndex)
        depth += 1

    def closed(name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate(UTF8)
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.Parse(markup, True)
    return [markup[begin:end] for begin, end in pairwise(starts)]


def _failed(error: ParseError, markup: bytes, encoding: Encoding, cuts: BinaryCuts) -> XmlError:
    line, column = error.position
    reason = "xml_malformed"
    if error.code == _INVALID_TOKEN and not _is_utf8(markup):
        reason = "encoding_invalid"
    elif error.code == _UNDEFINED_ENTITY:
        reason = "entity_undefined"
    what = f"the record is not well-formed XML in {encoding.name}: {expat.ErrorString(error.code)}"
    return XmlError(reason, what, cuts.line(line), column + 1)


def _is_utf8(markup: bytes) -> bool:
    try:
        markup.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _as_utf8(original: Content, encoding: Encoding) -> Content:
    if encoding.name == UTF8:
        return original
    decoder = codecs.getincrementaldecoder(encoding.name)()
    spool = Spool()
    lines = 1
    try:
        for piece in chunks(original, _PIECE):
            text = decoder.decode(piece)
            lines += text.count("\n")
            spool.write(text.encode("utf-8"))
        decoder.decode(b"", True)
    except UnicodeDecodeError as error:
        what = f"the record is not text in {encoding.name}: {error.reason}"
        lines += error.object[: error.start].count(encoding.bytes_of("\n"))
        raise XmlError("encoding_invalid", what, lines) from error
    return spool.content()
