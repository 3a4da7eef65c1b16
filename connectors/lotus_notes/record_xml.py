"""A record's XML, parsed in C under limits of our own.

No DTD is loaded, no entity is known but XML's five, nothing is fetched; depth and number of elements are limited;
large base64 is decoded while it is read and never stands in memory as text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Protocol

from lxml import etree

from connectors.lotus_notes.base64_sink import LIMIT
from connectors.lotus_notes.binary_cuts import BinaryCuts
from connectors.lotus_notes.encoding import UTF8, Encoding
from connectors.lotus_notes.nodes import BINARY, NO_ATTRIBUTES, BinaryNode, Node
from connectors.lotus_notes.spool import Spool
from schemas.errors import RecordError
from schemas.record import Content, chunks

MAX_DEPTH = 200
MAX_ELEMENTS = 1_000_000
MAX_QUOTES = 8_000_000
MAX_MARKUP = 512 << 20
"""Most bytes of a record beside its large binary elements."""

_PIECE = 4 << 20
_PREFIX = re.compile(rb"[<\s]([A-Za-z_][\w.-]*):[A-Za-z_]")
_XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
_ERRORS = etree.ErrorTypes
_ENCODING_ERRORS = frozenset({_ERRORS.ERR_INVALID_ENCODING, _ERRORS.ERR_UNSUPPORTED_ENCODING})


class Element(Protocol):
    """What is used of an element of ``lxml.etree``."""

    tag: str
    text: str | None
    tail: str | None
    sourceline: int | None
    nsmap: dict[str | None, str]

    def items(self) -> list[tuple[str, str]]:
        """Its attributes in order; a name in a namespace is ``{uri}name``."""
        ...

    def __iter__(self) -> Iterator[Element]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, at: int) -> Element: ...


class XmlError(RecordError):
    """A record's XML cannot be read. ``reason`` is the snake_case class, ``line`` and ``column`` count from 1."""

    def __init__(self, reason: str, what: str, line: int = 1, column: int = 1) -> None:
        self.reason = reason
        self.line = line
        self.column = column
        super().__init__(what, where=f"line {line}, column {column} of the record")


class _LocalNames(dict[str, str]):
    """Local name by qualified name."""

    def __missing__(self, tag: str) -> str:
        name = self[tag] = tag.rpartition("}")[2]
        return name


class RecordXml:
    """The parsed XML of one record.

    Attributes:
        root: its element.
    """

    def __init__(self, root: Element, cuts: BinaryCuts, prefixed: bool) -> None:
        self.root = root
        self._cuts = cuts
        self._prefixed = prefixed
        self._names = _LocalNames()

    def name(self, element: Element) -> str:
        """Its local name."""
        return self._names[element.tag]

    def attributes(self, element: Element) -> dict[str, str]:
        """As printed, without declarations of namespaces."""
        found = dict(element.items())
        return _printed(found, element) if self._prefixed else found

    def line(self, element: Element) -> int:
        """Line of its start tag in the record, from 1."""
        return self._cuts.line(element.sourceline or 0)

    def node(self, element: Element, depth: int = 1) -> Node:
        """``element`` and all that it holds.

        Args:
            element: of this record.
            depth: how many elements it stands in.

        Raises:
            XmlError: ``too_deep``.
        """
        if depth >= MAX_DEPTH:
            said = f"the record's elements are nested more than {MAX_DEPTH} deep"
            raise XmlError("too_deep", said, self.line(element))
        name = self._names[element.tag]
        attributes = self.attributes(element) or NO_ATTRIBUTES
        line = self.line(element)
        if name in BINARY:
            return self._binary(element, name, line, depth)
        text = element.text
        if not len(element):
            return Node(name, attributes, line, (text,) if text else ())
        parts: list[str | Node] = [text] if text else []
        for child in element:
            parts.append(self.node(child, depth + 1))
            text = child.tail
            if text:
                parts.append(text)
        return Node(name, attributes, line, parts)

    def _binary(self, element: Element, name: str, line: int, depth: int) -> Node:
        children = list(element)
        text = (element.text or "") + "".join(child.tail or "" for child in children)
        sink = self._cuts.sink(text)
        content = sink.content()
        parts = [self.node(child, depth + 1) for child in children]
        return BinaryNode(name, self.attributes(element), line, parts, content, sink.defects)


def read_xml(original: Content, encoding: Encoding, base64_limit: int = LIMIT) -> RecordXml:
    """Parses a record.

    Args:
        original: the record's bytes, from ``<`` to ``>``.
        encoding: of those bytes.
        base64_limit: most decoded bytes of one binary element.

    Raises:
        XmlError: the record is not well formed (``xml_malformed``), is in another encoding (``encoding_invalid``),
            declares a document type (``entity_declared``), or exceeds a limit (``too_deep``, ``too_large``,
            ``too_many_elements``).
    """
    cuts = BinaryCuts(_as_utf8(original, encoding), base64_limit)
    markup = cuts.markup
    _check_size(markup)
    prefixed = b"xmlns:" in markup or b"xml:" in markup
    try:
        root = _parsed(markup)
    except etree.XMLSyntaxError as error:
        if error.code != _ERRORS.NS_ERR_UNDEFINED_NAMESPACE:
            raise _failed(error, encoding, cuts) from error
        prefixed = True
        root = _parsed_with_prefixes(markup, encoding, cuts)
    return RecordXml(root, cuts, prefixed)


def _check_size(markup: bytes) -> None:
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
    parser = etree.XMLParser(
        encoding=UTF8,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        collect_ids=False,
        remove_comments=True,
        remove_pis=True,
    )
    root: Element = etree.fromstring(markup, parser)
    return root


def _parsed_with_prefixes(markup: bytes, encoding: Encoding, cuts: BinaryCuts) -> Element:
    """Parses a record whose prefixes are declared above it, in the export's root element."""
    found = sorted(set(_PREFIX.findall(markup)) - {b"xml", b"xmlns"})
    declared = b"".join(b" xmlns:%s='urn:prefix:%s'" % (prefix, prefix) for prefix in found)
    try:
        return _parsed(b"<export%s>%s</export>" % (declared, markup))[0]
    except etree.XMLSyntaxError as error:
        raise _failed(error, encoding, cuts) from error


def _failed(error: etree.XMLSyntaxError, encoding: Encoding, cuts: BinaryCuts) -> XmlError:
    line, column = error.position
    reason = "xml_malformed"
    if error.code in _ENCODING_ERRORS:
        reason = "encoding_invalid"
    elif error.code == _ERRORS.ERR_RESOURCE_LIMIT:
        reason = "too_deep"
    said = " ".join(str(error.msg).partition(", line ")[0].split())
    what = f"the record is not well-formed XML in {encoding.name}: {said}"
    return XmlError(reason, what, cuts.line(line), column)


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


def _printed(attributes: dict[str, str], element: Element) -> dict[str, str]:
    """Attributes by their names with prefixes instead of namespaces."""
    prefixes = {uri: prefix for prefix, uri in element.nsmap.items() if prefix}
    prefixes[_XML_NAMESPACE] = "xml"
    named = {}
    for key, value in attributes.items():
        uri, closed, name = key.lstrip("{").partition("}")
        named[f"{prefixes[uri]}:{name}" if closed else key] = value
    return named
