"""Simple values of DXL: text, numbers, date-times, note references."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from connectors.lotus_notes.nodes import Node

NUL_MARK = "\N{SYMBOL FOR NULL}"
"""What stands for a NUL character: neither PostgreSQL text nor XML can hold U+0000."""

_MOMENT = re.compile(
    r"(?:(?P<date>\d{8}))?(?:T(?P<time>\d{6})(?:[,.](?P<fraction>\d{1,6}))?)?"
    r"(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?"
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
    found = _MOMENT.fullmatch(printed)
    if found is None or (found["date"] is None and found["time"] is None):
        return None
    date, time = found["date"] or "", found["time"] or ""
    if found["zone"] and not time:
        return None
    iso = "-".join((date[:4], date[4:6], date[6:])) if date else ""
    if time:
        fraction = f".{found['fraction']}" if found["fraction"] else ""
        iso += f"T{time[:2]}:{time[2:4]}:{time[4:]}{fraction}{_zone(found['zone'] or '')}"
    return iso if _is_real(date, time, found["zone"] or "") else None


def moment_of(printed: str) -> datetime | None:
    """The same as an aware moment in UTC; ``None`` unless it has a date, a time and an offset."""
    found = _MOMENT.fullmatch(printed.strip())
    if found is None or not (found["date"] and found["time"] and found["zone"]) or iso_of(printed) is None:
        return None
    moment = datetime.strptime(found["date"] + found["time"], "%Y%m%d%H%M%S")  # noqa: DTZ007
    micro = int((found["fraction"] or "0").ljust(6, "0"))
    try:
        return moment.replace(microsecond=micro, tzinfo=timezone(_offset(found["zone"]))).astimezone(UTC)
    except OverflowError:
        return None


def _zone(printed: str) -> str:
    digits = printed[1:].replace(":", "")
    if printed in {"", "Z"}:
        return printed
    return f"{printed[0]}{digits[:2]}:{digits[2:] or '00'}"


def _offset(printed: str) -> timedelta:
    if printed == "Z":
        return timedelta()
    digits = printed[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if printed[0] == "-" else offset


def _is_real(date: str, time: str, zone: str) -> bool:
    try:
        datetime.strptime((date or "20000101") + (time or "000000"), "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError:
        return False
    return abs(_offset(zone or "Z")) < timedelta(hours=24)


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
