"""Simple values of DXL: text, numbers, date-times, note references."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from connectors.lotus_notes.nodes import Node

NUL_MARK = "\N{SYMBOL FOR NULL}"
"""What stands for a NUL character: neither PostgreSQL text nor XML can hold U+0000."""

_MOMENT = re.compile(
    r"(?P<date>\d{8})?(?:T(?P<time>\d{6})(?:[,.](?P<fraction>\d{1,6}))?)?(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)


def text_of(node: Node) -> str:
    """Text of ``<text>`` and its like.

    ``<break/>`` is a line feed; ``<nonxmlchar value='hex'/>`` is that character (a NUL becomes
    ``NUL_MARK``, and a value that is no character U+FFFD). Line ends inside the text are kept.
    """
    return "".join(part if isinstance(part, str) else special(part) for part in node.parts)


def special(node: Node) -> str:
    """The character that an element inside text stands for, or its text."""
    if node.name == "break":
        return "\n"
    if node.name == "nonxmlchar":
        return _character(node.attributes.get("value", ""))
    return text_of(node)


def _character(value: str) -> str:
    try:
        code = int(value, 16)
        letter = chr(code)
    except (ValueError, OverflowError):
        return "\N{REPLACEMENT CHARACTER}"
    if 0xD800 <= code < 0xE000:
        return "\N{REPLACEMENT CHARACTER}"
    return letter if code else NUL_MARK


def iso_of(printed: str) -> str | None:
    """A DXL date-time (ISO 8601 basic, hundredths after a comma) in ISO 8601 extended form, with its
    printed offset.

    ``20210828T133245,57+02`` → ``2021-08-28T13:32:45.57+02:00``; a date alone and a time alone stay so; no
    offset printed, none added; ``+0530`` → ``+05:30``; ``Z`` and ``+00`` are kept as printed (``Z``,
    ``+00:00``).

    Returns:
        The value, ``""`` for an empty one, ``None`` for what is no date-time of DXL or of the calendar.
    """
    printed = printed.strip()
    if not printed:
        return ""
    read = _read(printed)
    return None if read is None else read[0]


def moment_of(printed: str) -> datetime | None:
    """The same as an aware moment in UTC; ``None`` unless it has a date, a time and an offset."""
    read = _read(printed.strip())
    return None if read is None else read[1]


@lru_cache(maxsize=4096)
def _read(printed: str) -> tuple[str, datetime | None] | None:
    """ISO form and moment; cached, because the dates of one document are mostly the same few."""
    found = _MOMENT.fullmatch(printed)
    if found is None:
        return None
    date, time, fraction, zone = found.groups(default="")
    if not (date or time) or (zone and not time):
        return None
    try:
        offset = _offset(zone)
        real = _naive(date or "20000101", time or "000000").replace(tzinfo=timezone(offset))
    except ValueError:
        return None
    iso = f"{date[:4]}-{date[4:6]}-{date[6:]}" if date else ""
    if time:
        iso += f"T{time[:2]}:{time[2:4]}:{time[4:]}{'.' if fraction else ''}{fraction}{_zone(zone)}"
    if not (date and zone):
        return iso, None
    try:
        return iso, real.replace(microsecond=int(fraction.ljust(6, "0"))).astimezone(UTC)
    except OverflowError:
        return iso, None


def _naive(date: str, time: str) -> datetime:
    return datetime(  # noqa: DTZ001 - the caller adds the offset
        int(date[:4]), int(date[4:6]), int(date[6:]), int(time[:2]), int(time[2:4]), int(time[4:])
    )


def _zone(printed: str) -> str:
    if printed in {"", "Z"}:
        return printed
    digits = printed[1:].replace(":", "")
    return f"{printed[0]}{digits[:2]}:{digits[2:] or '00'}"


def _offset(printed: str) -> timedelta:
    if printed in {"", "Z"}:
        return timedelta()
    digits = printed[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if printed[0] == "-" else offset


def pair_of(node: Node) -> tuple[str, ...]:
    """The two printed ends of a ``<datetimepair>``."""
    return tuple(child.text for child in node.children if child.name == "datetime")


def unids_of(data: bytes) -> tuple[str, ...] | None:
    """UNIDs of a canonical NOTEREF_LIST (item type 4): a little-endian count, then 16 bytes each, two
    reversed halves.

    ``None`` when the length does not fit the count.
    """
    if len(data) < 2 or len(data) != 2 + 16 * int.from_bytes(data[:2], "little"):
        return None
    entries = (data[at : at + 16] for at in range(2, len(data), 16))
    return tuple((entry[7::-1] + entry[:7:-1]).hex().upper() for entry in entries)
