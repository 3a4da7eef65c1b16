"""Turns parser events into fields and payload places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import MappingProxyType
from xml.parsers.expat import XMLParserType

from schemas.record import Defect, Field

NAMESPACES = ("http://www.mic.gov.vn/TBT/QCVN_102",)
"""What the namespace of a v2 package begins with (QCVN 102:2016/BTTTT; the amendment of 2022 kept it)."""

MAX_DEPTH = 64
"""Levels of elements; the standard needs nine."""
MAX_ELEMENTS = 200_000
"""Elements of one package; ten thousand recipients with all fields are 80 000."""
MAX_TEXT = 32 << 20
"""Characters outside payloads in one package."""

_XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
_WRAPPERS = frozenset({"edXML", "edXMLEnvelope", "edXMLHeader", "edXMLBody"})
_PAYLOAD = "ContentTransferEncoded"
_ATTACHMENTS = frozenset({"AttachmentEncoded", "Attachment"})
_PREDECLARED = {"xml": "http://www.w3.org/XML/1998/namespace"}
_NO_ATTRIBUTES: MappingProxyType[str, str] = MappingProxyType({})


class RefusedError(Exception):
    """The file cannot be read as a package; ``scan`` turns this into its ``Refusal``."""

    def __init__(self, reason: str, message: str, where: str) -> None:
        self.reason, self.message, self.where = reason, message, where
        super().__init__(reason, message, where)


@dataclass(frozen=True, slots=True)
class Payload:
    """The text of a ``ContentTransferEncoded`` as bytes ``[start, end)`` of the file."""

    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class EncodedAttachment:
    """An ``Attachment`` element and its payload, if it has one."""

    field: Field
    payload: Payload | None


@dataclass(slots=True)
class _Open:
    name: str
    attributes: MappingProxyType[str, str]
    namespaces: dict[str, str]
    line: int
    text: list[str] = field(default_factory=list)
    children: list[Field] = field(default_factory=list)
    payload: Payload | None = None


class ElementReader:
    """Collects the elements of a package; one reader may follow several root elements."""

    def __init__(self) -> None:
        self.fields: list[Field] = []
        self.attachments: list[EncodedAttachment] = []
        self.recognised = False
        self.root_closed = False
        self.payload_open = False
        self.payload_marked_up = False
        self.payload_start: int | None = None
        self._open: list[_Open] = []
        self._defects: list[Defect] = []
        self._unbound: dict[str, int] = {}
        self._elements = 0
        self._text_size = 0
        self._silent = 0  # levels inside a signature, whose text belongs to the signature engine

    def begin(self, parser: XMLParserType, position: Callable[[], tuple[int, int]]) -> None:
        """Listen to ``parser``; ``position`` tells (byte, line) of the event in the file."""
        self._parser = parser
        self._position = position
        self.root_closed = False
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartCdataSectionHandler = self._cdata_begins

    def defects(self) -> Iterator[Defect]:
        """What was wrong in the elements."""
        yield from self._defects
        for prefix, line in self._unbound.items():
            yield Defect(
                "unbound_prefix", f"the prefix {prefix!r} is declared nowhere around it", f"line {line}"
            )

    def _start(self, qualified: str, attributes: dict[str, str]) -> None:
        _, line = self._position()
        prefix, _, name = qualified.rpartition(":")
        namespaces = self._open[-1].namespaces if self._open else _PREDECLARED
        kept = _NO_ATTRIBUTES
        if attributes:
            namespaces = _declared(attributes, namespaces)
            kept = self._attributes(attributes, namespaces, line)
        self._count(attributes, line)
        if prefix and prefix not in namespaces:
            self._unbound.setdefault(prefix, line)
        if not self._open or self._open[-1].name in _WRAPPERS:
            self._check_place(name, namespaces.get(prefix, ""), line)
        self._open.append(_Open(name, kept, namespaces, line))
        if self._silent or name == "Signature":
            self._silent += 1
        if name == _PAYLOAD and not self.payload_open:
            self._begin_payload()

    def _attributes(
        self, attributes: dict[str, str], namespaces: dict[str, str], line: int
    ) -> MappingProxyType[str, str]:
        kept = {}
        for qualified, value in attributes.items():
            prefix, _, name = qualified.rpartition(":")
            if qualified == "xmlns" or prefix == "xmlns":
                continue
            if prefix and prefix not in namespaces:
                self._unbound.setdefault(prefix, line)
            kept[name] = value
        return MappingProxyType(kept) if kept else _NO_ATTRIBUTES

    def _end(self, _: str) -> None:
        element = self._open.pop()
        self.root_closed = not self._open
        if self.payload_open and element.name == _PAYLOAD:
            self._end_payload(element)
        if self._silent:
            self._silent -= 1
        if element.name in _WRAPPERS and all(parent.name in _WRAPPERS for parent in self._open):
            self._note_stray(element)
            return
        made = self._field(element)
        if element.name == "Attachment":
            self.attachments.append(EncodedAttachment(made, element.payload))
        parent = self._open[-1] if self._open else None
        if parent is None or parent.name in _WRAPPERS:
            self.fields.append(made)
        else:
            parent.children.append(made)
            if element.payload and element.name == _PAYLOAD and parent.payload is None:
                parent.payload = element.payload

    def _characters(self, text: str) -> None:
        if self._open and not self._silent:
            self._text_size += len(text)
            if self._text_size > MAX_TEXT:
                raise RefusedError(
                    "header_too_large", f"more than {MAX_TEXT} characters of text", self._where()
                )
            self._open[-1].text.append(text)

    def _field(self, element: _Open) -> Field:
        text = "".join(element.text)
        if element.children and not text.strip():
            text = ""
        attributes = element.attributes
        if element.name == _PAYLOAD and element.payload:
            size = element.payload.end - element.payload.start
            attributes = MappingProxyType({**attributes, "size": str(size)})
        return Field(
            name=element.name,
            type="element",
            values=(text,) if text else (),
            children=tuple(element.children),
            attributes=attributes,
            line=element.line,
        )

    def _begin_payload(self) -> None:
        self.payload_open = True
        self.payload_marked_up = False
        self.payload_start = None
        # Unbuffered, so that the first text event still stands at its own byte.
        self._parser.buffer_text = False
        self._parser.CharacterDataHandler = self._payload_text

    def _payload_text(self, _: str) -> None:
        if self.payload_start is None:
            self.payload_start = self._position()[0]
        self._parser.CharacterDataHandler = None

    def _cdata_begins(self) -> None:
        if self.payload_open and self.payload_start is None:
            self.payload_start = self._position()[0]

    def _end_payload(self, element: _Open) -> None:
        end = self._position()[0]
        start = end if self.payload_start is None else self.payload_start
        element.payload = Payload(start, end, element.line)
        self.payload_open = False
        self._parser.buffer_text = True
        self._parser.CharacterDataHandler = self._characters

    def _check_place(self, name: str, namespace: str, line: int) -> None:
        parent = self._open[-1].name if self._open else None
        if parent is None:
            self._check_root(name, namespace, line)
        elif (
            name in _ATTACHMENTS and parent in _WRAPPERS and (name, parent) != ("AttachmentEncoded", "edXML")
        ):
            self._defects.append(
                Defect(
                    "attachments_misplaced",
                    f"{name} stands in {parent}, not beside the envelope",
                    f"line {line}",
                )
            )
        elif name == "Signature" and parent in _WRAPPERS and namespace != _XMLDSIG:
            message = f"Signature is in the namespace {namespace!r}, not that of XML signatures"
            self._defects.append(Defect("signature_wrong_namespace", message, f"line {line}"))

    def _check_root(self, name: str, namespace: str, line: int) -> None:
        if name in _ATTACHMENTS and self.recognised:
            message = f"{name} follows the end of the package instead of standing in it"
            self._defects.append(Defect("attachments_outside_root", message, f"line {line}"))
        elif name not in _WRAPPERS:
            raise RefusedError("not_edxml", f"the root element is {name}, not edXML", f"line {line}")
        elif self.recognised:
            raise RefusedError(
                "several_packages", "a second package follows the first in one file", f"line {line}"
            )
        elif not namespace.startswith(NAMESPACES):
            message = f"the root element is in the namespace {namespace!r}"
            self._defects.append(Defect("unknown_namespace", message, f"line {line}"))
        self.recognised = True

    def _note_stray(self, element: _Open) -> None:
        if text := "".join(element.text).strip():
            message = f"text outside any field of {element.name}: {text[:60]!r}"
            self._defects.append(Defect("stray_text", message, f"line {element.line}"))

    def _count(self, attributes: dict[str, str], line: int) -> None:
        self._elements += 1
        if attributes:
            self._text_size += sum(map(len, attributes.values()))
        if len(self._open) >= MAX_DEPTH:
            raise RefusedError("xml_too_deep", f"more than {MAX_DEPTH} levels of elements", f"line {line}")
        if self._elements > MAX_ELEMENTS:
            raise RefusedError("xml_too_large", f"more than {MAX_ELEMENTS} elements", f"line {line}")

    def _where(self) -> str:
        return f"line {self._position()[1]}"


def _declared(attributes: dict[str, str], inherited: dict[str, str]) -> dict[str, str]:
    """The namespaces by prefix inside an element with ``attributes``."""
    declared = {
        attribute.partition(":")[2]: uri
        for attribute, uri in attributes.items()
        if attribute == "xmlns" or attribute.startswith("xmlns:")
    }
    return {**inherited, **declared} if declared else inherited
