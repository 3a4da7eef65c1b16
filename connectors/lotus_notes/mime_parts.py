"""Item type 19: a part of a MIME message (``MIME_PART``, HCL Notes C API, *Data* reference; mimeods.h).

Little-endian: version (2 bytes), flags (4), type of the part (1), spare (1), then the lengths (2 each) of all that
follows, of the boundary and of the headers, and six spare bytes; then boundary, headers and body. All three are the
bytes of the message, so that the parts of a message one behind the other are the message. The body of a large part
lies in a ``$FILE`` object instead, and the name of that object stands in its place.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from email import message_from_bytes
from enum import IntEnum

_DESCRIPTION = struct.Struct("<HIBBHHHHI")
_BODY_IN_OBJECT = 0x04  # MIME_PART_BODY_IN_DBOBJECT
LARGEST = _DESCRIPTION.size + 0xFFFF
"""Most bytes of one item."""


class Kind(IntEnum):
    """``MIMEPARTTYPE``: what a part is of its message."""

    PROLOG = 1
    """Headers of a multipart, and the text before its first part."""
    BODY = 2
    EPILOG = 3
    """The closing boundary, and the text after it."""
    RETRIEVE_INFO = 4
    """What the server knows of the message; no part of it."""
    MESSAGE = 5
    """Headers of a message inside the message."""


@dataclass(frozen=True, slots=True)
class MimePart:
    """A part as an item holds it.

    Attributes:
        kind: what it is.
        boundary: the line that parts it from the one before, with its line ends as stored; may be empty.
        headers: as in the message, the empty line behind them included.
        body: as in the message, encoded; empty where it lies in an object.
        in_object: name of the ``$FILE`` that holds the body; ``""`` if it is here.
        defects: ``mime_part_truncated``: fewer bytes are there than the part says;
            ``mime_part_overlong``: more.
    """

    kind: Kind
    boundary: bytes
    headers: bytes
    body: bytes
    in_object: str = ""
    defects: tuple[str, ...] = ()

    @property
    def payload(self) -> bytes:
        """The body without the empty line that ends the headers, where that is stored with the body."""
        return self.body if self._ends_headers else re.sub(rb"\A\r?\n", b"", self.body)

    @property
    def has_blank_line(self) -> bool:
        """False when the empty line between headers and body is stored nowhere."""
        return self._ends_headers or self.body.startswith((b"\r\n", b"\n"))

    @property
    def _ends_headers(self) -> bool:
        return self.headers.endswith((b"\n\r\n", b"\n\n")) or self.headers in {b"\r\n", b"\n"}

    @property
    def declares(self) -> str:
        """The boundary that the headers of a multipart give it; ``""`` if none."""
        return message_from_bytes(self.headers).get_boundary("") if b"oundary" in self.headers else ""

    @property
    def encoding(self) -> str:
        """``Content-Transfer-Encoding``, in lower case; ``7bit`` where none is named."""
        return str(message_from_bytes(self.headers).get("Content-Transfer-Encoding", "7bit")).strip().lower()


def part_of(data: bytes) -> MimePart | None:
    """The part in the bytes of an item; ``None`` when they are no part: unknown type, lengths that do not fit."""
    if len(data) < _DESCRIPTION.size:
        return None
    _, flags, kind, _, size, boundary, headers, _, _ = _DESCRIPTION.unpack_from(data)
    if kind not in _KINDS or boundary + headers > size:
        return None
    found = data[_DESCRIPTION.size :]
    if boundary + headers > len(found):
        return None
    # Items have an even number of bytes: one byte more is padding.
    defects = () if size <= len(found) <= size + (size & 1) else (_DEFECTS[len(found) > size],)
    body = found[boundary + headers : size]
    in_object = body.partition(b"\0")[0].decode("utf-8", "replace").strip() if flags & _BODY_IN_OBJECT else ""
    return MimePart(
        kind=Kind(kind),
        boundary=found[:boundary],
        headers=found[boundary : boundary + headers],
        body=b"" if in_object else body,
        in_object=in_object,
        defects=defects,
    )


_KINDS = frozenset(Kind)
_DEFECTS = {False: "mime_part_truncated", True: "mime_part_overlong"}
