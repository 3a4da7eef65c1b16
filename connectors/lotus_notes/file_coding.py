"""Files that Notes stores as a mail message carried them (``<file encoding='…'>``), decoded where that can be proved.

The DTD does not say whether the exporter decodes such a file. The original ``size`` tells: a file that has it already
is plain, and a decoding that comes to it is the file. A uuencoded file proves itself by its first and last line.
"""

from __future__ import annotations

import binascii
import quopri
import re

from connectors.lotus_notes.base64_sink import Base64Sink
from schemas.record import BytesContent, Content, chunks

CODINGS = frozenset({"base64", "quotedprintable", "uuencode"})
"""Values of ``encoding`` that name a transfer encoding (RFC 2045 clause 6; POSIX ``uuencode``)."""

_LARGEST = 256 << 20
_UU_BEGIN = re.compile(rb"\s*begin [0-7]{3,4} [^\r\n]*\r?\n")
_UU_END = re.compile(rb"\r?\nend\s*\Z")


def plain_file(content: Content, coding: str, size: int | None) -> Content | None:
    """The file that ``content`` holds in ``coding``; ``None`` where it cannot be proved.

    Args:
        content: the file's data as exported.
        coding: one of ``CODINGS``.
        size: original size in bytes, if the export tells it.
    """
    if content.size == size:
        return content
    if content.size > _LARGEST:
        return None
    data = b"".join(chunks(content))
    if coding == "uuencode":
        decoded = _uudecoded(data)
        return decoded if decoded is not None and size in {None, decoded.size} else None
    decoded = _base64_decoded(data) if coding == "base64" else BytesContent(quopri.decodestring(data))
    return decoded if decoded is not None and decoded.size == size else None


def _base64_decoded(data: bytes) -> Content | None:
    sink = Base64Sink()
    sink.feed(data)
    decoded = sink.content()
    return None if sink.defects else decoded


def _uudecoded(data: bytes) -> Content | None:
    begin, end = _UU_BEGIN.match(data), _UU_END.search(data)
    if begin is None or end is None or end.start() < begin.end() - 1:
        return None
    try:
        lines = data[begin.end() : end.start()].splitlines()
        return BytesContent(b"".join(binascii.a2b_uu(line) for line in lines))
    except binascii.Error:
        return None
