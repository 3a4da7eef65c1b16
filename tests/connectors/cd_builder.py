"""Composite data and LMBCS, written as Notes keeps them on disk."""

from __future__ import annotations

import struct

_LONG = frozenset({96, 97, 124, 125, 149, 150, 151, 153, 154, 155, 156, 157, 158, 159, 160, 197})
_BYTE = frozenset(
    {
        87,
        89,
        98,
        99,
        106,
        107,
        108,
        110,
        111,
        127,
        129,
        131,
        163,
        164,
        165,
        166,
        170,
        174,
        207,
        208,
        209,
        210,
        221,
        222,
    }
)


def lmbcs(text: str) -> bytes:
    """``text`` in LMBCS: ASCII as it is, every other character in the Unicode group."""
    pieces = []
    for letter in text:
        if letter in "\0\t\n\r" or " " <= letter <= "~":
            pieces.append(letter.encode())
            continue
        data = letter.encode("utf-16-be", "surrogatepass")
        for high, low in zip(data[::2], data[1::2], strict=True):
            pieces.append(bytes((0x14, 0xF6, high)) if low == 0 else bytes((0x14, high, low)))
    return b"".join(pieces)


def record(signature: int, body: bytes = b"") -> bytes:
    """A record with its header and its padding."""
    if signature in _LONG:
        head = struct.pack("<BBI", signature, 0x00, len(body) + 6)
    elif signature in _BYTE:
        head = struct.pack("<BB", signature, len(body) + 2)
    else:
        head = struct.pack("<BBH", signature, 0xFF, len(body) + 4)
    whole = head + body
    return whole + b"\0" * (len(whole) & 1)


def text(said: str, face: int = 1, attributes: int = 0, color: int = 0, size: int = 10) -> bytes:
    """``CDTEXT``."""
    return record(133, bytes((face, attributes, color, size)) + lmbcs(said))


def paragraph(*records: bytes, definition: int = 1) -> bytes:
    """``CDPARAGRAPH``, ``CDPABREFERENCE``, and what is in it."""
    return record(129) + record(131, definition.to_bytes(2, "little")) + b"".join(records)


def definition(number: int, flags: int = 0, flags_2: int = 0, justified: int = 0) -> bytes:
    """``CDPABDEFINITION``."""
    words = struct.pack("<9H", number, justified, 0, 0, 0, 1440, 0, 1440, 0)
    return record(130, words + b"\0" * 40 + struct.pack("<HIH", flags, 0, flags_2))


def cell(
    row: int, column: int, *records: bytes, rows: int = 1, columns: int = 1, nested: bool = False
) -> bytes:
    """``CDTABLECELL`` and what is in it."""
    body = struct.pack("<BBHHHBBHBBH", row, column, 0, 0, 0, 0, 0, 0, rows, columns, 0)
    return record(208 if nested else 164, body) + b"".join(records)


def table(*cells: bytes, nested: bool = False) -> bytes:
    """``CDTABLEBEGIN`` to ``CDTABLEEND``."""
    begin, end = (207, 209) if nested else (163, 165)
    return record(begin, b"\0" * 12) + b"".join(cells) + record(end)


def label(said: str) -> bytes:
    """``CDTABLELABEL``."""
    return record(227, lmbcs(said).ljust(128, b"\0") + struct.pack("<3HH", 0, 0, 0, 2))


def hotspot(kind: int, flags: int, data: bytes, *records: bytes, signature: int = 169) -> bytes:
    """``CDHOTSPOTBEGIN`` to ``CDHOTSPOTEND``."""
    begin = record(signature, struct.pack("<HIH", kind, flags, len(data)) + data)
    return begin + b"".join(records) + record({169: 170, 173: 174, 126: 127}[signature])


def fonts(**names: str) -> bytes:
    """``CDFONTTABLE``: ``fonts(f5='.VnTime')``."""
    faces = b"".join(struct.pack("<BB32s", int(number[1:]), 0, lmbcs(name)) for number, name in names.items())
    return record(139, struct.pack("<H", len(names)) + faces)
