"""One pass over an edXML v2 package: its elements as fields, and where its payloads lie.

Names are matched without regard to namespaces, because real senders leave prefixes unbound; expat is used
without namespace processing, so such a package is still one well-formed text. Payload text never enters the
parser beyond its first chunk: base64 holds no ``<``, so the next one ends it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO
from xml.parsers import expat

from connectors.operations.scan_elements import (
    ElementReader,
    EncodedAttachment,
    RefusedError,
)
from schemas.media_type import EDXML, sniff
from schemas.record import Content, Defect, Field

_CHUNK = 1 << 16
_SKIP_CHUNK = 1 << 20
_HEAD = 4096
_MAX_TOKEN = 4 << 20
_MAX_ROOTS = 8
_BOM = b"\xef\xbb\xbf"
_UTF16_STARTS = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_LYING_UTF16 = re.compile(rb"""<\?xml[^>]{0,80}encoding\s*=\s*["'](utf-?16\w*|ucs-?2)["']""", re.IGNORECASE)
_V1_NAMES = (b"http://www.e-doc.vn/Schema", b"http://www.go.vn/eDoc")
_ENDED_TOO_EARLY = frozenset(
    {
        expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
        expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
        expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
        expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION],
    }
)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a package says.

    Attributes:
        fields: the parts of header and body in order (``MessageHeader``, ``TraceHeaderList``, ``Signature``,
            ``edXMLManifest``, ``AttachmentEncoded`` and whatever else is there).
        attachments: every ``Attachment`` with the place of its payload.
        defects: what was wrong and survived.
        encoding: encoding forced on the parser, ``utf-16`` for such a file, else ``None``.
    """

    fields: tuple[Field, ...]
    attachments: tuple[EncodedAttachment, ...]
    defects: tuple[Defect, ...]
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file is no readable package: class, sentence, position."""

    reason: str
    message: str
    where: str


def scan(content: Content) -> Scan | Refusal:
    """Read the elements of the edXML package ``content``; payloads are located, not decoded."""
    with content.open() as stream:
        try:
            return _scan(stream, content.size)
        except RefusedError as refused:
            return Refusal(refused.reason, refused.message, refused.where)


def _scan(stream: BinaryIO, size: int) -> Scan:
    head = stream.read(_HEAD)
    start, encoding, defects = _opening(head)
    reader = ElementReader()
    line = 1 + head.count(b"\n", 0, start)
    for _ in range(_MAX_ROOTS):
        stop = _Pass(stream, reader, start, line, encoding).run()
        if stop is None:
            break
        start, line = stop
        stream.seek(start)
        if stream.read(1) != b"<":
            kept = f"{size - start} bytes follow the end of the package"
            defects.append(Defect("junk_after_root", f"{kept}; they were left out", f"line {line}"))
            break
    else:
        raise RefusedError(
            "too_many_roots", f"more than {_MAX_ROOTS} elements follow one another", f"line {line}"
        )
    if not reader.recognised:
        raise RefusedError("not_edxml", "this XML file holds no edXML element", "line 1")
    return Scan(tuple(reader.fields), tuple(reader.attachments), (*defects, *reader.defects()), encoding)


def _opening(head: bytes) -> tuple[int, str | None, list[Defect]]:
    """(where the XML starts, encoding to force, defects) from the first bytes."""
    if not head:
        raise RefusedError("empty_file", "the file is empty; an edXML package was expected", "byte 0")
    if head.startswith(_UTF16_STARTS):
        return 0, "utf-16", []
    defects: list[Defect] = []
    start = 0
    if head.startswith(_BOM):
        start = len(_BOM)
        defects.append(Defect("byte_order_mark", "a byte order mark precedes the XML declaration", "byte 0"))
    first = _first_markup(head, start)
    if any(name in head for name in _V1_NAMES) and (first is None or b"soap/envelope" in head.lower()):
        raise RefusedError(
            "edxml_v1_unsupported",
            "an edXML package of the dialect before 2016 (SOAP, e-doc.vn), which is not read yet",
            "byte 0",
        )
    if first is None:
        found = "an edXML file with no start" if sniff(head) == EDXML else sniff(head)
        raise RefusedError("not_xml", f"the file does not begin as XML; it looks like {found}", "byte 0")
    if first > start:
        junk = head[start : min(first, start + 40)]
        defects.append(
            Defect("junk_before_prolog", f"{first - start} bytes precede the XML: {junk!r}", f"byte {start}")
        )
    lie = _LYING_UTF16.match(head, first)
    if lie:
        said = lie.group(1).decode("ascii")
        defects.append(
            Defect("wrong_encoding_declared", f"declares {said} but is not; read as UTF-8", "line 1")
        )
    return first, "utf-8" if lie else None, defects


def _first_markup(head: bytes, start: int) -> int | None:
    if head.startswith(b"<", start):
        return start
    for mark in (b"<?xml", b"<edXML", b"<"):
        if (at := head.find(mark, start)) >= 0:
            return at
    return None


class _Pass:
    """Feeds the parser from ``start`` on, jumping over payload text."""

    def __init__(
        self, stream: BinaryIO, reader: ElementReader, start: int, line: int, encoding: str | None
    ) -> None:
        self._stream = stream
        self._reader = reader
        self._offset = start  # what must be added to the parser's byte index: bytes it never saw
        self._line = line - 1
        self._wide = encoding == "utf-16"
        self._parser = expat.ParserCreate(None if self._wide else encoding)
        self._parser.buffer_text = True
        self._parser.buffer_size = _CHUNK
        self._parser.StartDoctypeDeclHandler = self._refuse_dtd
        reader.begin(self._parser, self._position)
        stream.seek(start)

    def run(self) -> tuple[int, int] | None:
        """Parse to the end; (byte, line) of what follows the root element, ``None`` if nothing does."""
        fed = 0
        try:
            while piece := self._stream.read(_CHUNK):
                self._parser.Parse(piece, False)
                fed += len(piece)
                if self._reader.payload_open and not self._wide:
                    self._jump(piece, fed + self._offset)
                elif fed - self._parser.CurrentByteIndex > _MAX_TOKEN:
                    raise RefusedError(
                        "token_too_large", "a tag or comment is larger than 4 MiB", self._where()
                    )
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            if self._reader.root_closed:
                return self._position()
            raise self._malformed(error) from None
        except (LookupError, ValueError) as error:
            raise RefusedError(
                "encoding_unsupported", f"the declared encoding cannot be read: {error}", "line 1"
            ) from None
        return None

    def _jump(self, piece: bytes, at: int) -> None:
        """Move the stream to the next ``<``, unless markup in the payload must be read whole.

        ``piece`` is what the parser got last, ``at`` the byte of the file where it ends.
        """
        start = self._reader.payload_start
        if start is None or self._reader.payload_marked_up:
            return
        begun = max(0, start - (at - len(piece)))
        if piece.find(b"<", begun) >= 0 or piece.find(b"&", begun) >= 0:
            self._reader.payload_marked_up = True
            return
        while further := self._stream.read(_SKIP_CHUNK):
            found = further.find(b"<")
            passed = found if found >= 0 else len(further)
            self._line += further.count(b"\n", 0, passed)
            self._offset += passed
            at += passed
            if found >= 0:
                break
        self._stream.seek(at)

    def _position(self) -> tuple[int, int]:
        return self._parser.CurrentByteIndex + self._offset, self._parser.CurrentLineNumber + self._line

    def _where(self) -> str:
        byte, line = self._position()
        return f"line {line}, byte {byte}"

    def _malformed(self, error: expat.ExpatError) -> RefusedError:
        problem = expat.ErrorString(error.code)
        where = f"line {error.lineno + self._line}, column {error.offset + 1}"
        if error.code in _ENDED_TOO_EARLY and not self._stream.read(1):
            return RefusedError("xml_truncated", f"the package ends in the middle: {problem}", where)
        return RefusedError("xml_malformed", f"not well-formed XML: {problem}", where)

    def _refuse_dtd(self, name: str, *_: object) -> None:
        raise RefusedError(
            "dtd_forbidden", f"declares a document type ({name}); packages have none", self._where()
        )
