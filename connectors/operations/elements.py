"""Turns the tree of a package into fields and finds its attachments.

Names are taken without their prefixes, because real senders leave prefixes unbound and mix namespaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote

from lxml import etree

from connectors.operations.defects import defect
from connectors.operations.element_path import first_text
from connectors.operations.qualified_names import local_name, namespace_of
from connectors.operations.signature_shape import signature_defects
from connectors.operations.skeleton import RefusedError, Span
from connectors.operations.spool import slice_of
from schemas.record import NO_ATTRIBUTES, Content, Defect, Field

V2_NAMESPACES = ("http://www.mic.gov.vn/TBT/QCVN_102",)
"""What the namespace of a v2 package begins with (QCVN 102:2016/BTTTT; the amendment of 2022 kept it)."""
V1_NAMESPACES = ("http://www.e-doc.vn/Schema", "http://www.go.vn/eDoc")
"""The same of the dialect before 2016."""
SOAP_NAMESPACES = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")

MAX_DEPTH = 64
"""Levels of elements; the standard needs nine."""
MAX_ELEMENTS = 200_000
"""Elements of one package; ten thousand recipients with all fields are 80 000."""

PAYLOAD = "ContentTransferEncoded"
ATTACHMENT = "Attachment"
ROOTS = frozenset({"edXML", "Envelope"})
_WRAPPERS = frozenset(
    {"edXML", "edXMLEnvelope", "edXMLHeader", "edXMLBody", "Envelope", "Header", "Body"}
    # The services of v1 put their own action around the parts.
    | {f"{action}{end}" for action in ("SendDocument", "GetDocument", "UpdateTraces", "GetTraces")
       for end in ("", "Request", "Response")}
)  # fmt: skip
_ATTACHMENTS = frozenset({"AttachmentEncoded", ATTACHMENT})
_PARTS = frozenset(
    {"MessageHeader", "TraceHeaderList", "ErrorList", "Status", "edXMLManifest", "Manifest", "Signature"}
    | _ATTACHMENTS
)
_new = tuple.__new__  # without the call that ``Field(…)`` is in Python, for each leaf of each package
_UNKNOWN_LINE = 65_535  # what libxml2 says of an element further down whose line it cannot tell


class Payload(NamedTuple):
    """An attachment as it travels.

    Attributes:
        raw: the encoded bytes.
        encoding: ``base64``, ``quoted-printable``, ``binary`` or whatever the part's header says.
        marked_up: entities, CDATA or comments are in ``raw``.
    """

    raw: Content
    encoding: str = "base64"
    marked_up: bool = False


class EncodedAttachment(NamedTuple):
    """An attachment as the package describes it.

    Attributes:
        item: its place: ``AttachmentEncoded/Attachment[1]``, ``Part[2]``.
        content_id: without ``cid:`` and brackets. name: as printed. declared: media type as printed.
        line: in the file, ``None`` for a part. payload: ``None`` when there is none.
    """

    item: str
    content_id: str
    name: str
    declared: str
    line: int | None
    payload: Payload | None


class ElementReader:
    """Collects the parts of a package; one reader may follow several root elements of one file.

    Attributes:
        fields: the parts of header and body, in order.
        attachments: of every ``Attachment`` element.
        defects: what was wrong in the elements.
        version: ``2`` (QCVN 102:2016), ``1`` (SOAP, before 2016), ``""`` before a root was read.
    """

    def __init__(self, source: Content, spans: Sequence[Span], first_line: int) -> None:
        self.fields: list[Field] = []
        self.attachments: list[EncodedAttachment] = []
        self.version = ""
        self._source = source
        self._spans = spans
        self._line = first_line - 1
        self.defects: list[Defect] = []
        self._payload: Payload | None = None

    def read(self, root: etree._Element) -> None:
        """Read the package whose root element is ``root``.

        Raises:
            RefusedError: it is no package, or has too many elements or levels.
        """
        name = local_name(root.tag)
        namespace = namespace_of(root.tag)
        if name not in ROOTS:
            raise RefusedError("not_edxml", f"the root element is {name}, not edXML", self._where(root))
        old = name == "Envelope" or namespace.startswith(V1_NAMESPACES)
        self.version = "1" if old else "2"
        expected = SOAP_NAMESPACES if name == "Envelope" else V1_NAMESPACES if old else V2_NAMESPACES
        if not namespace.startswith(expected):
            self._note("unknown_namespace", root, name="the root element", namespace=namespace)
        self._read_wrapper(root, name, 1)
        if name == "Envelope" and not any(field.name in _PARTS for field in self.fields):
            raise RefusedError("not_edxml", "a SOAP message that holds no edXML element", "line 1")

    def read_after_root(self, rest: etree._Element, first_line: int) -> None:
        """Read the elements in ``rest``, which follow the end of the package; ``first_line`` is that of ``rest``.

        Raises:
            RefusedError: one of them is another package.
        """
        self._line = first_line - 1
        for element in rest:
            name = local_name(element.tag)
            if name in ROOTS:
                raise RefusedError(
                    "several_packages",
                    "a second package follows the first in one file",
                    self._where(element),
                )
            self._note("attachments_outside_root", element, name=name)
            self._read_part(element, name, 1)

    def _read_wrapper(self, element: etree._Element, name: str, depth: int) -> None:
        stray = element.text or ""
        for child in element:
            part = local_name(child.tag)
            stray += child.tail or ""
            if part in _WRAPPERS:
                self._read_wrapper(child, part, self._deeper(child, depth))
            elif part not in _PARTS and any(local_name(below.tag) in _PARTS for below in child):
                self._note("unexpected_wrapper", child, name=part)
                self._read_wrapper(child, part, self._deeper(child, depth))
            else:
                self._check_place(child, part, name)
                self._read_part(child, part, depth)
        if stray and not stray.isspace():
            self._note("stray_text", element, name=name, text=stray.strip())

    def _read_part(self, element: etree._Element, name: str, depth: int) -> None:
        if name == "Signature":
            self.defects += signature_defects(element, self._where(element))
            self.fields.append(self._silent(element, depth))
            return
        below = element.iter()
        next(below)
        self.fields.append(self._field(element, below, depth))

    def _field(self, element: etree._Element, below: Iterator[etree._Element], depth: int) -> Field:
        """The element with all that is in it, which ``below`` gives next, in document order.

        Leaves, which most elements are, are made without a call. One iterator serves all levels, because lxml
        makes one in the time of several elements.
        """
        name = local_name(element.tag)
        if depth >= MAX_DEPTH:
            raise self._too_deep(element)
        text = element.text
        shift = self._line
        made = []
        for child in islice(below, len(element)):
            child_name = local_name(child.tag)
            if len(child) or child_name == PAYLOAD or child.keys():
                made.append(self._field(child, below, depth + 1))
            else:
                own, line = child.text, child.sourceline
                printed = (own,) if own else ()
                at = line + shift if line != _UNKNOWN_LINE else None
                parts = (child_name, "element", printed, (), (), NO_ATTRIBUTES, at, None)
                made.append(_new(Field, parts))
            tail = child.tail
            if tail and not tail.isspace():
                text = (text or "") + tail
        if made and text is not None and text.isspace():
            text = None
        attributes = self._attributes(element) if element.keys() else NO_ATTRIBUTES
        if name == PAYLOAD:
            attributes, text = self._take_payload(attributes, text), None
        line = element.sourceline
        at = line + shift if line != _UNKNOWN_LINE else None
        field = Field(name, "element", (text,) if text else (), (), tuple(made), attributes, at)
        if name == ATTACHMENT:
            self._attach(field)
        return field

    def _silent(self, element: etree._Element, depth: int) -> Field:
        """The elements of a signature without their text, which belongs to the signature engine."""
        below = self._deeper(element, depth)
        return Field(
            local_name(element.tag),
            "element",
            children=tuple(self._silent(child, below) for child in element),
            attributes=self._attributes(element) if element.attrib else NO_ATTRIBUTES,
            line=self._line_of(element),
        )

    def _take_payload(self, attributes: Mapping[str, str], text: str | None) -> Mapping[str, str]:
        """Hold the payload whose number is ``text`` for its attachment; give its size as an attribute."""
        payload = payload_at(text or "", self._spans, self._source)
        if self._payload is None:
            self._payload = payload
        return MappingProxyType({**attributes, "size": str(payload.raw.size)})

    def _attach(self, field: Field) -> None:
        payload, self._payload = self._payload, None
        self.attachments.append(encoded_attachment(len(self.attachments) + 1, field, payload))

    def _attributes(self, element: etree._Element) -> Mapping[str, str]:
        return MappingProxyType({local_name(name): value for name, value in element.attrib.items()})

    def _check_place(self, element: etree._Element, name: str, parent: str) -> None:
        if name in _ATTACHMENTS and (name, parent) != ("AttachmentEncoded", "edXML"):
            self._note("attachments_misplaced", element, name=name, parent=parent)

    def _deeper(self, element: etree._Element, depth: int) -> int:
        if depth >= MAX_DEPTH:
            raise self._too_deep(element)
        return depth + 1

    def _too_deep(self, element: etree._Element) -> RefusedError:
        return RefusedError("xml_too_deep", f"more than {MAX_DEPTH} levels of elements", self._where(element))

    def _note(self, code: str, element: etree._Element, **facts: object) -> None:
        self.defects.append(defect(code, self._where(element), **facts))

    def _line_of(self, element: etree._Element) -> int | None:
        line = element.sourceline
        return None if line is None or line == _UNKNOWN_LINE else line + self._line

    def _where(self, element: etree._Element) -> str:
        return f"line {self._line_of(element)}"


def payload_at(number: str, spans: Sequence[Span], source: Content) -> Payload:
    """The payload of ``source`` whose ``number`` in ``spans`` stands in its place; an empty one for any other text."""
    number = number.strip()
    span = spans[int(number)] if number.isdecimal() and int(number) < len(spans) else Span(0, 0, False)
    return Payload(slice_of(source, span.start, span.end), marked_up=span.marked_up)


def encoded_attachment(number: int, field: Field, payload: Payload | None) -> EncodedAttachment:
    """What the element ``field``, the ``Attachment`` that is the package's ``number``-th, says of its file."""
    parts = field.children
    return EncodedAttachment(
        f"AttachmentEncoded/Attachment[{number}]",
        bare_content_id(first_text(parts, "ContentId") or field.attributes.get("href", "")),
        first_text(parts, "AttachmentName") or "",
        first_text(parts, "ContentType") or "",
        field.line,
        payload,
    )


def bare_content_id(printed: str) -> str:
    """``ContentId``, ``Content-ID`` or a Reference's href without what senders write on one side only."""
    return unquote(printed.strip().strip("<>").removeprefix("cid:"))
