"""Values of items that the exporter prints as their canonical bytes (``<rawitemdata>``; HCL Notes C API, *Data*
reference: ``TYPE_NUMBER``, ``TYPE_NUMBER_RANGE``, ``TYPE_TIME``, ``TYPE_TIME_RANGE``, ``TYPE_TEXT``,
``TYPE_TEXT_LIST``, ``RANGE``, ``LIST``).

Everything is little-endian. A range holds two counts (2 bytes each), so many single values, then so many pairs. A list
holds a count, so many lengths (2 bytes each), then the texts.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from connectors.lotus_notes.lmbcs import decode_lmbcs
from connectors.lotus_notes.timedate import iso_of_timedate

Values = tuple[str, ...]

HOST_ORDER = frozenset({"7", "c", "16", "100", "300", "301", "400", "401", "501", "700"})
"""Types that ``<itemdata>`` of 6.x prints in the layout of its machine, which it does not name (DTD, ``itemdata``)."""

_WHOLE = 1 << 53


def number(data: bytes) -> Values | None:
    """One number (8 bytes, IEEE 754)."""
    return None if len(data) != 8 else (_number(data),)


def numbers(data: bytes) -> Values | None:
    """Numbers, then pairs of them as ``first/last``."""
    return _range(data, _number)


def time(data: bytes) -> Values | None:
    """One date-time (``timedate``)."""
    iso = iso_of_timedate(data)
    return None if iso is None else (iso,)


def times(data: bytes) -> Values | None:
    """Date-times, then ranges of them as ``first/last``."""
    return _range(data, iso_of_timedate)


def text(data: bytes) -> Values | None:
    """One text in LMBCS; a zero byte ends a line."""
    letters = _text(data)
    return None if letters is None else (letters,)


def texts(data: bytes) -> Values | None:
    """A list of texts."""
    if len(data) < 2:
        return None
    count = int.from_bytes(data[:2], "little")
    start = 2 + 2 * count
    if start > len(data):
        return None
    lengths = struct.unpack_from(f"<{count}H", data, 2)
    if start + sum(lengths) != len(data):
        return None
    found: list[str] = []
    for length in lengths:
        letters = _text(data[start : start + length])
        if letters is None:
            return None
        found.append(letters)
        start += length
    return tuple(found)


READERS: dict[str, Callable[[bytes], Values | None]] = {
    "300": number,
    "301": numbers,
    "400": time,
    "401": times,
    "500": text,
    "501": texts,
}
"""By item type: the values, or ``None`` where the bytes do not hold what the type says, to the last byte and letter."""


def _range(data: bytes, one: Callable[[bytes], str | None]) -> Values | None:
    if len(data) < 4:
        return None
    single, pairs = struct.unpack_from("<HH", data)
    if len(data) != 4 + 8 * (single + 2 * pairs):
        return None
    found = [one(data[at : at + 8]) for at in range(4, len(data), 8)]
    if None in found:
        return None
    printed = [each for each in found if each is not None]
    ends = iter(printed[single:])
    return (*printed[:single], *(f"{first}/{last}" for first, last in zip(ends, ends, strict=True)))


def _number(data: bytes) -> str:
    """As short as it can be printed and read back; whole numbers without a point, as DXL prints them."""
    (value,) = struct.unpack("<d", data)
    return str(int(value)) if value.is_integer() and abs(value) < _WHOLE else repr(value)


def _text(data: bytes) -> str | None:
    letters, unknown = decode_lmbcs(data)
    return None if unknown else letters.replace("\0", "\n")
