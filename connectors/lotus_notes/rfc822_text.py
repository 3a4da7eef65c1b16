"""Item type 502: a mail header that Notes keeps as it came (``RFC822ITEMDESC``, HCL Notes C API, *Data* reference).

Little-endian: version (2 bytes), flags (4), then the lengths (2 each) of the native value, the header's name, the
delimiter and the body; then these four in that order. The native value is Notes' own rendering, LMBCS text or a
time; the body is what stood in the message, and is what is read here.
"""

from __future__ import annotations

import struct
from email.errors import HeaderParseError
from email.header import decode_header, make_header

_DESCRIPTION = struct.Struct("<HIHHHH")


def header_text(data: bytes) -> str | None:
    """The header's text, RFC 2047 words decoded and folds undone; ``None`` when the lengths do not fit ``data``."""
    if len(data) < _DESCRIPTION.size:
        return None
    _, _, native, name, delimiter, body = _DESCRIPTION.unpack_from(data)
    start = _DESCRIPTION.size + native + name + delimiter
    if start + body > len(data):
        return None
    raw = data[start : start + body]
    try:
        printed = raw.decode("utf-8")
    except UnicodeDecodeError:
        printed = raw.decode("windows-1252", "replace")
    unfolded = " ".join(line.strip() for line in printed.splitlines())
    try:
        return str(make_header(decode_header(unfolded))).strip()
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return unfolded.strip()
