"""Composite data: the records that rich text is on disk, one behind the other (HCL Notes C API: ods.h, editods.h).

A record begins with its signature and its length; the length counts the header, and a record of odd length is followed
by a byte of padding. All numbers are little-endian (canonical form).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.lotus_notes.lmbcs import decode_lmbcs

FONT_TABLE = 139
_FACE = struct.Struct("<BB32s")
_LONG, _WORD = 0x00, 0xFF  # second byte of a signature; any other is the length itself


@dataclass(frozen=True, slots=True)
class CdRecord:
    """A record.

    Attributes:
        signature: its kind: the first byte, ``SIG_CD_…`` without the length's own.
        body: what follows the header.
    """

    signature: int
    body: bytes

    def number(self, at: int, size: int = 2) -> int:
        """The unsigned number of ``size`` bytes at ``at`` of the body; 0 where the record ends before."""
        return int.from_bytes(self.body[at : at + size], "little")


class CdError(ValueError):
    """The bytes are no composite data from some place on."""


def cd_records(data: bytes) -> Iterator[CdRecord]:
    """The records in ``data``, in order.

    Raises:
        CdError: a record's length does not fit; those before have been given.
    """
    at = 0
    while at + 1 < len(data):
        kind = data[at + 1]
        header = {_LONG: 6, _WORD: 4}.get(kind, 2)
        size = int.from_bytes(data[at + 2 : at + header], "little") if header > 2 else kind
        if size < header or at + size > len(data):
            raise CdError(f"byte {at}: a record of {size} bytes, {len(data) - at} are left")
        yield CdRecord(data[at], data[at + header : at + size])
        at += size + (size & 1)
    if at < len(data) and data[at]:
        raise CdError(f"byte {at}: one byte is left")


def fonts_of(data: bytes) -> dict[int, str]:
    """Names of fonts by their number: the item ``$Fonts`` (``CDFONTTABLE``, ``CDFACE``); empty where it is none."""
    fonts: dict[int, str] = {}
    try:
        for record in cd_records(data):
            if record.signature != FONT_TABLE:
                continue
            faces = record.body[2 : 2 + record.number(0) * _FACE.size]
            for number, _, name in _FACE.iter_unpack(faces[: len(faces) // _FACE.size * _FACE.size]):
                fonts[number] = decode_lmbcs(name)[0].partition("\0")[0]
    except CdError:
        pass
    return fonts
