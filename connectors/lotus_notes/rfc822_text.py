"""Item type 502: a mail header that Notes keeps as it came (``RFC822ITEMDESC``, HCL Notes C API, *Data* reference).

Little-endian: version (2 bytes), flags (4), then the lengths (2 each) of the native value, the header's name, the
delimiter and the body; then these four in that order. The native value is Notes' own rendering, LMBCS text or a
``TIMEDATE``; name, delimiter and body are what stood in the message.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from connectors.lotus_notes.timedate import iso_of_timedate

_DESCRIPTION = struct.Struct("<HIHHHH")
_FORMAT, _DATE = 0x07, 0x01  # RFC822_ITEM_FORMAT_MASK, RFC822_ITEM_FORMAT_DATE


@dataclass(frozen=True, slots=True)
class MailHeader:
    """A header of a message.

    Attributes:
        name: as in the message (``Message-ID``), not the item's.
        text: its body with RFC 2047 words decoded and folds undone.
        moment: ISO 8601, for a header that is a date and whose native value says when; else ``None``.
        line: the header as it stood in the message, folds and all, to its line end.
    """

    name: str
    text: str
    moment: str | None
    line: bytes


def header_of(data: bytes) -> MailHeader | None:
    """The header in the bytes of an item; ``None`` when the lengths do not fit ``data``."""
    if len(data) < _DESCRIPTION.size:
        return None
    _, flags, *lengths = _DESCRIPTION.unpack_from(data)
    if _DESCRIPTION.size + sum(lengths) > len(data):
        return None
    parts = []
    start = _DESCRIPTION.size
    for length in lengths:
        parts.append(data[start : start + length])
        start += length
    native, name, delimiter, body = parts
    line = name + delimiter + body
    return MailHeader(
        name=name.decode("ascii", "replace"),
        text=_text_of(body),
        moment=iso_of_timedate(native) if flags & _FORMAT == _DATE else None,
        line=line if line.endswith(b"\n") else line + b"\r\n",
    )


def _text_of(body: bytes) -> str:
    try:
        printed = body.decode("utf-8")
    except UnicodeDecodeError:
        printed = body.decode("windows-1252", "replace")
    return decoded_words(" ".join(line.strip() for line in printed.splitlines()))


def decoded_words(unfolded: str) -> str:
    """A header's body with its encoded words (RFC 2047) decoded; as it is where they cannot be."""
    try:
        return str(make_header(decode_header(unfolded))).strip()
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return unfolded.strip()
