"""The parts of a raw MIME message, byte for byte, because a signature is over bytes that parsers rewrite.

RFC 5322 §2.2, RFC 2046 §5.1. Nothing is decoded but what the caller asks for.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32

MAX_DEPTH = 20
MAX_PARTS = 1_000
_HEADER_LIMIT = 1 << 20
_HEADER = re.compile(rb"(?:From [^\n]*(?:\n|\Z))?(?:[!-9;-~]+[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z))*")
_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n|\A\r?\n")


class MimeError(ValueError):
    """The message breaks MIME in a way that readers take differently."""


@dataclass(frozen=True, slots=True)
class Part:
    """A MIME entity.

    Attributes:
        raw: all of it, header and body, as it stands in the message.
        header: its header fields.
        body: what follows the blank line.
        type: lower-case media type; ``text/plain`` without Content-Type.
        parameters: of the Content-Type, names in lower case.
    """

    raw: bytes
    header: Message
    body: bytes
    type: str
    parameters: Mapping[str, str]

    @property
    def decoded(self) -> bytes:
        """The body without its transfer encoding.

        Raises:
            MimeError: it is encoded in a way that nobody knows, or not as it says.
        """
        coding = str(self.header.get("Content-Transfer-Encoding", "7bit")).strip().lower()
        if coding == "base64":
            try:
                return binascii.a2b_base64(self.body)
            except binascii.Error as error:
                raise MimeError(f"a part is not base64: {error}") from error
        if coding == "quoted-printable":
            return quopri.decodestring(self.body)
        if coding in {"7bit", "8bit", "binary", ""}:
            return self.body
        raise MimeError(f"transfer encoding {coding[:40]!r} is not known")


def read_part(raw: bytes) -> Part:
    """The entity that ``raw`` is.

    Raises:
        MimeError: it has two Content-Types, or a header without end; in a message that speaks of signing also a
            header with a line that is no field (RFC 5322 §2.2).
    """
    found = _BLANK.search(raw, 0, _HEADER_LIMIT)
    if found is None and len(raw) > _HEADER_LIMIT:
        raise MimeError(f"a header of more than {_HEADER_LIMIT} bytes")
    head, body = (raw, b"") if found is None else (raw[: found.start()], raw[found.end() :])
    if not _HEADER.fullmatch(head) and speaks_of_signing(raw):
        raise MimeError("a header with a line that is no field: where it ends depends on the reader")
    header = BytesHeaderParser(policy=compat32).parsebytes(head + b"\n\n")
    for name in ("Content-Type", "Content-Transfer-Encoding"):
        if len(header.get_all(name, [])) > 1:
            raise MimeError(f"a part with more than one {name}")
    listed = header.get_params(failobj=[("text/plain", "")]) or [("text/plain", "")]
    parameters = {str(name).lower(): str(value) for name, value in listed[1:]}
    return Part(raw, header, body, str(listed[0][0]).strip().lower(), parameters)


def children(part: Part) -> list[bytes]:
    """The raw entities inside a multipart, without the line ends that belong to the delimiters.

    Raises:
        MimeError: it has no boundary, or its end is missing.
    """
    boundary = part.parameters.get("boundary", "").encode("utf-8", "surrogateescape")
    if not boundary:
        raise MimeError("a multipart without a boundary")
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    found: list[bytes] = []
    start: int | None = None
    for match in delimiter.finditer(part.body):
        if start is not None:
            found.append(part.body[start : match.start()])
        if match[1]:
            return found
        start = _after_line_end(part.body, match.end())
        if len(found) > MAX_PARTS:
            raise MimeError(f"more than {MAX_PARTS} parts")
    raise MimeError("a multipart that does not end")


def speaks_of_signing(data: bytes) -> bool:
    """True when a signature of S/MIME may be in these bytes, however damaged."""
    lowered = data.lower()
    return b"multipart/signed" in lowered or b"pkcs7" in lowered


def canonical(raw: bytes) -> bytes:
    """``raw`` with CRLF line ends, the form in which mail is signed (RFC 8551 §3.1.1)."""
    return re.sub(rb"\r?\n", b"\r\n", raw)


def _after_line_end(data: bytes, position: int) -> int:
    if data[position : position + 2] == b"\r\n":
        return position + 2
    return position + 1
