"""The parts of a SOAP message with attachments (MIME multipart/related), found without decoding them.

RFC 2045 (headers, transfer encodings), RFC 2046 §5.1 (boundaries), RFC 2387 (root part), RFC 2392 (``cid:``).
Files saved by SOAP libraries begin at the first boundary, without the header that names it; both are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_string
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import BinaryIO

MAX_HEADER = 64 << 10
"""Bytes of the header of a message or a part."""
MAX_PARTS = 2000

_CHUNK = 1 << 20
_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_HEADER_LINE = re.compile(rb"[A-Za-z][A-Za-z0-9\-]*[ \t]*:")
_BOUNDARY_LINE = re.compile(rb"--([^\r\n]{1,200}?)[ \t]*\r?\n(?=[A-Za-z][A-Za-z0-9\-]*[ \t]*:|\r?\n)")
_AFTER_DELIMITER = re.compile(rb"(--)?[ \t]*(?:\r?\n|$)")
_XML_TYPES = frozenset({"text/xml", "application/xml", "application/soap+xml", "application/xop+xml"})


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its header and the bytes ``[start, end)`` of the message that it holds, still encoded.

    Attributes:
        headers: name and value of each line, in order.
        content_id: without brackets, ``""`` when absent.
        location: Content-Location, ``""`` when absent.
        media_type: declared media type, ``""`` when absent.
        name: file name that the header gives, ``""`` when absent.
        encoding: Content-Transfer-Encoding in lower case; ``binary`` when absent.
    """

    headers: tuple[tuple[str, str], ...]
    content_id: str
    location: str
    media_type: str
    name: str
    encoding: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Multipart:
    """The parts of a message.

    Attributes:
        parts: all, in order. root: which of them is the SOAP envelope.
        terminated: the closing boundary is there.
    """

    parts: tuple[Part, ...]
    root: int
    terminated: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """How a MIME file begins: its boundary, where its body does, the identifier of its root part if given."""

    boundary: bytes
    body: int
    root_id: str


def read_opening(head: bytes) -> Opening | None:
    """How the file that begins with ``head`` opens as MIME multipart, ``None`` when it is no such file."""
    start = len(head) - len(head.lstrip())
    if bare := _BOUNDARY_LINE.match(head, start):
        return Opening(bare.group(1), start, "")
    if not _HEADER_LINE.match(head, start):
        return None
    blank = _BLANK_LINE.search(head, start)
    if blank is None:
        return None
    header = _parsed(head[start : blank.start()])
    boundary = _answer(header.get_boundary)
    if _answer(header.get_content_maintype) != "multipart" or not boundary:
        return None
    root_id = _answer(lambda: collapse_rfc2231_value(header.get_param("start") or ""))
    return Opening(boundary.encode("utf-8"), blank.end(), _bare_id(root_id))


def read_parts(stream: BinaryIO, opening: Opening) -> Multipart:
    """The parts of the message in ``stream``; what stands before the first and after the last is passed over."""
    parts: list[Part] = []
    begun: int | None = None
    terminated = False
    for start, end, closing in _delimiters(stream, opening):
        if begun is not None and len(parts) < MAX_PARTS:
            parts.append(_part(stream, begun, start))
        begun, terminated = end, closing
        if closing:
            break
    if begun is not None and not terminated:
        parts.append(_part(stream, begun, stream.seek(0, 2)))
    return Multipart(tuple(parts), _root(stream, parts, opening.root_id), terminated)


def _root(stream: BinaryIO, parts: list[Part], root_id: str) -> int:
    for at, part in enumerate(parts):
        if root_id and part.content_id == root_id:
            return at
    for at, part in enumerate(parts):
        if part.media_type in _XML_TYPES:
            return at
    for at, part in enumerate(parts):
        stream.seek(part.start)
        if stream.read(min(256, part.end - part.start)).lstrip().startswith(b"<"):
            return at
    return 0


def _delimiters(stream: BinaryIO, opening: Opening) -> Iterator[tuple[int, int, bool]]:
    """(where the part before ends, where the next begins, whether it is the closing one) of each boundary."""
    mark = b"--" + opening.boundary
    held, at = b"\n", opening.body - 1  # the body's first line may be a boundary
    stream.seek(opening.body)
    more = True
    while more:
        piece = stream.read(_CHUNK)
        more = bool(piece)
        held += piece
        position = 0
        while (found := held.find(mark, position)) >= 0:
            after = _AFTER_DELIMITER.match(held, found + len(mark))
            if found + len(mark) + 80 > len(held) and more:
                break  # its line may go on in the next piece
            position = found + len(mark)
            if after and found > 0 and held[found - 1 : found] == b"\n":
                end = found - 1 - (held[found - 2 : found - 1] == b"\r")
                position = after.end()
                yield at + max(end, 0), at + position, after.group(1) is not None
                # The caller has read parts from the stream meanwhile.
                stream.seek(at + len(held))
        keep = found - 2 if found >= 0 else len(held) - len(mark) - 2
        keep = max(position - 2, keep, 0)
        held, at = held[keep:], at + keep


def _part(stream: BinaryIO, begin: int, end: int) -> Part:
    stream.seek(begin)
    head = stream.read(min(MAX_HEADER, max(0, end - begin)))
    if head.startswith((b"\n", b"\r\n")):
        header, start = b"", begin + (2 if head.startswith(b"\r") else 1)
    elif blank := _BLANK_LINE.search(head):
        header, start = head[: blank.start()], begin + blank.end()
    else:
        header, start = b"", begin
    parsed = _parsed(header)
    return Part(
        headers=tuple((name, _text(str(value))) for name, value in parsed.items()),
        content_id=_bare_id(_header(parsed, "Content-ID")),
        location=_header(parsed, "Content-Location"),
        media_type=_answer(parsed.get_content_type) if "Content-Type" in parsed else "",
        name=_text(_answer(parsed.get_filename)),
        encoding=_header(parsed, "Content-Transfer-Encoding").lower() or "binary",
        start=min(start, end),
        end=end,
    )


def _parsed(header: bytes) -> Message:
    """Headers as text: raw UTF-8 is as common in them as RFC 2047 and RFC 2231."""
    return message_from_string(header.decode("utf-8", "replace") + "\n\n")


def _answer(question: Callable[[], str | None]) -> str:
    """What the library says of a header; nothing when a parameter is spoilt, at which it may raise any of these."""
    try:
        return question() or ""
    except (MessageError, LookupError, ValueError, TypeError, AttributeError):
        return ""


def _header(parsed: Message, name: str) -> str:
    return _text(str(parsed.get(name, "")))


def _text(value: str) -> str:
    """``value`` unfolded, its encoded words decoded where they can be."""
    unfolded = _FOLD.sub(" ", value).strip()
    if "=?" not in unfolded:
        return unfolded
    try:
        return str(make_header(decode_header(unfolded)))
    except (MessageError, LookupError, ValueError, TypeError, AttributeError):
        return unfolded


def _bare_id(value: str) -> str:
    return value.strip().strip("<>").removeprefix("cid:")
