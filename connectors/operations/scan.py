"""One pass over an edXML file of either dialect: its elements as fields, and where its payloads lie.

Payload text never reaches the parser: a package of any size is parsed as its skeleton. Nothing outside the
file is ever read, and document types are refused, so that no entity exists.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from connectors.operations.defects import defect
from connectors.operations.elements import (
    MAX_ELEMENTS,
    ElementReader,
    EncodedAttachment,
    Payload,
    bare_content_id,
)
from connectors.operations.mime_parts import Multipart, Part, read_opening, read_parts
from connectors.operations.payload_text import transfer_decoded
from connectors.operations.shapes import Texts, read_known
from connectors.operations.skeleton import MAX_SKELETON, RefusedError, read_skeleton
from connectors.operations.spool import Spool, SpoolFullError, head_of, slice_of
from connectors.operations.xml_tree import parse_fragment, parse_package
from schemas.media_type import EDXML, sniff
from schemas.record import Content, Defect, Field, chunks

_HEAD = 4096
_MIME_HEAD = 64 << 10
_BOM = b"\xef\xbb\xbf"
_UTF16_STARTS = {
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
    b"<\x00": "utf-16-le",
    b"\x00<": "utf-16-be",
}
_ENCODING = re.compile(rb"""(<\?xml[^>]{0,80}?)\s+encoding\s*=\s*["']([\w.\-]*)["']""", re.IGNORECASE)
_UTF16_NAME = re.compile(rb"utf-?16\w*|ucs-?2", re.IGNORECASE)


class Scan(NamedTuple):
    """What a package says.

    Attributes:
        version: ``2`` (QCVN 102:2016) or ``1`` (SOAP, before 2016).
        fields: the parts of header and body in order (``MessageHeader``, ``TraceHeaderList``, ``Signature``,
            ``edXMLManifest``, ``AttachmentEncoded`` and whatever else is there; ``Part`` for each MIME part).
        attachments: every attachment with its payload.
        defects: what was wrong and survived.
        texts: all that stand in ``fields``, if they were read by themselves.
    """

    version: str
    fields: tuple[Field, ...]
    attachments: tuple[EncodedAttachment, ...]
    defects: tuple[Defect, ...]
    texts: Texts | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file is no readable package: class, sentence, position."""

    reason: str
    message: str
    where: str


def scan(content: Content) -> Scan | Refusal:
    """Read the elements of the edXML package ``content``; payloads are located, not decoded."""
    try:
        with content.open() as stream:
            head = stream.read(_HEAD)
            if not head:
                raise RefusedError("empty_file", "the file is empty; an edXML package was expected", "byte 0")
            if head.lstrip()[:1] == b"<":
                return _scan_xml(content, stream, head)
            if (message := _multipart(stream, head)) is not None:
                return _scan_mime(content, message)
            return _scan_xml(content, stream, head)
    except RefusedError as refused:
        return Refusal(refused.reason, refused.message, refused.where)


def looks_like_package(content: Content) -> bool:
    """True when the bytes of ``content``, whatever its name, are those of a package of either dialect."""
    head = head_of(content, _MIME_HEAD)
    if sniff(head) == EDXML:
        return True
    # The envelope need not be the first part of a MIME message.
    return read_opening(head) is not None and isinstance(scan(content), Scan)


def envelope_of(content: Content) -> Content:
    """The XML of a package: the root part of a MIME message, else ``content`` itself."""
    with content.open() as stream:
        head = stream.read(_HEAD)
        message = None if head.lstrip()[:1] == b"<" else _multipart(stream, head)
    return content if message is None else _part_content(content, message.parts[message.root])


def _multipart(stream: BinaryIO, head: bytes) -> Multipart | None:
    opening = read_opening(head + stream.read(_MIME_HEAD - len(head)))
    if opening is None:
        return None
    message = read_parts(stream, opening)
    return message if message.parts else None


def _scan_mime(content: Content, message: Multipart) -> Scan:
    envelope = _part_content(content, message.parts[message.root])
    with envelope.open() as stream:
        found = _scan_xml(envelope, stream, stream.read(_HEAD))
    others = [(at, part) for at, part in enumerate(message.parts, start=1) if at != message.root + 1]
    parts = tuple(_part_field(part) for part in message.parts)
    attached = tuple(_attached(content, at, part) for at, part in others)
    cut = () if message.terminated else (defect("mime_unterminated", f"Part[{len(message.parts)}]"),)
    return found._replace(
        fields=(*found.fields, *parts),
        attachments=(*found.attachments, *attached),
        defects=(*cut, *found.defects),
    )


def _part_content(content: Content, part: Part) -> Content:
    raw = slice_of(content, part.start, part.end)
    if part.encoding not in {"base64", "quoted-printable"}:
        return raw
    try:
        return Spool(total_limit=2 * MAX_SKELETON).keep(transfer_decoded(raw, part.encoding))
    except (ValueError, SpoolFullError) as error:
        raise RefusedError(
            "envelope_undecodable", f"the SOAP part is not {part.encoding}: {error}", f"byte {part.start}"
        ) from None


def _part_field(part: Part) -> Field:
    return Field(
        "Part", "mime", children=tuple(Field(name, "header", (value,)) for name, value in part.headers)
    )


def _attached(content: Content, at: int, part: Part) -> EncodedAttachment:
    return EncodedAttachment(
        item=f"Part[{at}]",
        content_id=bare_content_id(part.content_id or part.location),
        name=part.name,
        declared=part.media_type,
        line=None,
        payload=Payload(slice_of(content, part.start, part.end), part.encoding),
    )


def _scan_xml(source: Content, stream: BinaryIO, head: bytes) -> Scan:
    if wide := _UTF16_STARTS.get(head[:2]):
        source = _as_utf8(source, wide)
        with source.open() as narrow:
            return _scan_xml(source, narrow, narrow.read(_HEAD))
    start, encoding, defects = _opening(head)
    skeleton = read_skeleton(stream, start)
    if skeleton.data.count(b"<") > 2 * MAX_ELEMENTS:
        raise RefusedError("xml_too_large", f"more than {MAX_ELEMENTS} elements", "line 1")
    first_line = 1 + head.count(b"\n", 0, start)
    known = read_known(skeleton, source, first_line) if encoding is None else None
    if known is not None:
        return Scan(known.version, known.fields, known.attachments, tuple(defects), known.texts)
    tree = parse_package(skeleton.data, encoding, first_line)
    reader = ElementReader(source, skeleton.spans, first_line)
    reader.read(tree.root)
    rest = _read_rest(skeleton.data, tree.end, reader, encoding, first_line)
    return Scan(
        reader.version,
        tuple(reader.fields),
        tuple(reader.attachments),
        (*defects, *reader.defects, *tree.defects, *rest),
    )


def _as_utf8(source: Content, encoding: str) -> Content:
    """``source`` in UTF-8 and without the declaration of another encoding."""
    try:
        return Spool().keep(_recoded(source, encoding))
    except UnicodeDecodeError as error:
        raise RefusedError(
            "xml_malformed", f"not {encoding.upper()}: {error.reason}", f"byte {error.start}"
        ) from None


def _recoded(source: Content, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    first = True
    for piece in chunks(source):
        text = decoder.decode(piece).encode()
        if first:
            text = _ENCODING.sub(rb"\1", text.removeprefix(_BOM), count=1)
            first = False
        yield text
    decoder.decode(b"", True)


def _opening(head: bytes) -> tuple[int, str | None, list[Defect]]:
    """(where the XML starts, encoding to force, defects) from the first bytes."""
    defects: list[Defect] = []
    start = 0
    if head.startswith(_BOM):
        start = len(_BOM)
        defects.append(defect("byte_order_mark", "byte 0"))
    first = _first_markup(head, start)
    if first is None:
        found = "an edXML file with no start" if sniff(head) == EDXML else sniff(head)
        raise RefusedError("not_xml", f"the file does not begin as XML; it looks like {found}", "byte 0")
    if first > start:
        junk = head[start : min(first, start + 40)]
        defects.append(defect("junk_before_prolog", f"byte {start}", count=first - start, junk=junk))
    declared = _ENCODING.match(head, first)
    lies = declared is not None and _UTF16_NAME.fullmatch(declared.group(2)) is not None
    if declared is not None and lies:
        defects.append(defect("wrong_encoding_declared", "line 1", said=declared.group(2).decode("ascii")))
    return first, "utf-8" if lies else None, defects


def _first_markup(head: bytes, start: int) -> int | None:
    if head.startswith(b"<", start):
        return start
    for mark in (b"<?xml", b"<edXML", b"<"):
        if (at := head.find(mark, start)) >= 0:
            return at
    return None


def _read_rest(
    data: bytes, end: int, reader: ElementReader, encoding: str | None, first_line: int
) -> list[Defect]:
    """Read what follows the end of the package: attachments that belong into it; anything else is named."""
    rest = data[end:]
    if not rest.strip():
        return []
    line = first_line + data.count(b"\n", 0, end)
    markup = rest[: rest.rfind(b">") + 1] if rest.lstrip().startswith(b"<") else b""
    defects: list[Defect] = []
    if markup:
        tree = parse_fragment(markup, data, encoding, line)
        reader.read_after_root(tree.root, line)
        defects += tree.defects
    if junk := len(rest[len(markup) :].strip(b" \t\r\n")):
        breaks = markup.count(b"\n")
        defects.append(defect("junk_after_root", f"line {line + breaks}", count=junk))
    return defects
