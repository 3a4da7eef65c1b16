"""The parts of a MIME message, joined into the message (RFC 5322) that they came from.

The bytes of headers, boundaries and bodies are taken as they are. A line end is added only where one must have been:
after headers, and around a boundary. The body of a part that lies in a ``$FILE`` object is put back in the encoding
that the part's headers name.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from connectors.lotus_notes.base64_sink import Base64Sink
from connectors.lotus_notes.mime_parts import Kind, MimePart
from connectors.lotus_notes.spool import Spool
from schemas.record import BytesContent, Content, chunks

_LINE_END = b"\r\n"
_ENCODED_LINE = 76  # characters, RFC 2045 clause 6.8
_RAW_LINE = _ENCODED_LINE // 4 * 3
_BASE64_TEXT = re.compile(rb"(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]{0,76}={0,2}\s*")
_QUOTED_TEXT = re.compile(rb"(?:[\t\r\n !-<>-~]++|=[0-9A-Fa-f]{2}|=[ \t]*\r?\n)*+")
_BARE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_HEAD = 1 << 14


class Joined:
    """A message as it is put together.

    Attributes:
        defects: what was wrong, in order: those of the parts, ``mime_object_missing``, ``mime_boundary_unknown``,
            ``mime_not_closed``.
    """

    def __init__(self, headers: Iterable[bytes], objects: Mapping[str, Content]) -> None:
        self.defects: list[str] = []
        self._objects = objects
        self._spool = Spool()
        self._last = b""
        self._open: list[str] = []
        for line in headers:
            self._write(line)

    def add(self, parts: Sequence[MimePart]) -> Content:
        """All parts of the message, in their order; returns the whole."""
        for part in parts:
            if part.kind != Kind.RETRIEVE_INFO:
                self._part(part)
        if self._open:
            self.defects.append("mime_not_closed")
        return self._spool.content()

    def _part(self, part: MimePart) -> None:
        self.defects.extend(part.defects)
        if part.kind == Kind.EPILOG:
            self._boundary(part.boundary + part.headers + part.body, closing=True)
            return
        if part.boundary:
            self._boundary(part.boundary)
            self._end_line()
        self._write(part.headers)
        if not part.has_blank_line:
            self._end_line()
            self._write(_LINE_END)
        if part.declares:
            self._open.append(part.declares)
        if not part.in_object:
            self._write(part.body)
        elif part.in_object in self._objects:
            for piece in encoded(self._objects[part.in_object], part.encoding):
                self._write(piece)
        else:
            self.defects.append("mime_object_missing")

    def _boundary(self, stored: bytes, closing: bool = False) -> None:
        """A boundary as stored, on a line of its own. Some are stored without the dashes that belong to the line."""
        line = next(iter(stored.strip().splitlines()), b"").strip()
        name = self._name(line, closing)
        if name is None:
            self.defects.append("mime_boundary_unknown")
        else:
            self._close_up_to(name, closing)
            whole = b"--" + name.encode("ascii", "replace") + (b"--" if closing else b"")
            stored = stored.replace(line, whole, 1)
        if not stored.startswith((b"\r", b"\n")):
            self._end_line()
        self._write(stored)

    def _name(self, line: bytes, closing: bool) -> str | None:
        printed = line.decode("ascii", "replace")
        names = [printed.removeprefix("--"), printed]
        if closing:
            names += [name.removesuffix("--") for name in names]
        return next((name for name in names if name in self._open), None)

    def _close_up_to(self, name: str, closing: bool) -> None:
        while self._open[-1] != name:
            self.defects.append("mime_not_closed")
            self._open.pop()
        if closing:
            self._open.pop()

    def _end_line(self) -> None:
        if self._last and not self._last.endswith(b"\n"):
            self._write(_LINE_END)

    def _write(self, piece: bytes) -> None:
        if piece:
            self._spool.write(piece)
            self._last = piece


def encoded(content: Content, encoding: str) -> Iterable[bytes]:
    """The bytes of an object as they stand in a message: in ``encoding`` (RFC 2045 clause 6), unless they are
    already. Lines of base64 have 76 characters."""
    return _ENCODERS.get(encoding, chunks)(content)


def decoded(content: Content, encoding: str) -> Content:
    """The bytes that an object holds, whether Domino has stored them decoded or as in the message."""
    if encoding == "base64" and _is_base64(content):
        sink = Base64Sink()
        for piece in chunks(content):
            sink.feed(piece)
        found = sink.content()
        return content if sink.defects else found
    if encoding == "quoted-printable" and _is_quoted(content):
        return BytesContent(quopri.decodestring(b"".join(chunks(content))))
    return content


def _base64(content: Content) -> Iterable[bytes]:
    if _is_base64(content):
        yield from chunks(content)
        return
    for piece in chunks(content, _RAW_LINE << 14):
        lines = (piece[at : at + _RAW_LINE] for at in range(0, len(piece), _RAW_LINE))
        yield b"".join(binascii.b2a_base64(line, newline=False) + _LINE_END for line in lines)


def _quoted(content: Content) -> Iterable[bytes]:
    """Line ends stand as such where all of them are those of mail, else they are encoded, to come back the same."""
    data = b"".join(chunks(content))
    if _is_quoted(content):
        yield data
        return
    is_text = _BARE_LINE_END.search(data) is None
    yield _BARE_LINE_END.sub(_LINE_END, binascii.b2a_qp(data, istext=is_text))


def _is_base64(content: Content) -> bool:
    """True for text that is lines of base64. Told by the beginning: a file of such lines that is no base64 cannot be
    told from one that is."""
    with content.open() as stream:
        head = stream.read(_HEAD)
    if len(head) == _HEAD:
        head = head[: head.rfind(b"\n") + 1]
    return _BASE64_TEXT.fullmatch(head) is not None


def _is_quoted(content: Content) -> bool:
    data = b"".join(chunks(content))
    return b"=" in data and _QUOTED_TEXT.fullmatch(data) is not None


_ENCODERS: dict[str, Callable[[Content], Iterable[bytes]]] = {"base64": _base64, "quoted-printable": _quoted}
