"""``TIMEDATE``: eight bytes that Notes keeps a moment in (HCL Notes C API, *Data* reference; global.h).

Little-endian: hundredths of a second since midnight in GMT, then a day (24 bits, a Julian day number) and a zone (8
bits: 0-3 hours, 4-5 quarters of an hour, 6 east of Greenwich, 7 daylight saving, which adds an hour). All bits of a
half set: that half is not given.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone

_HALVES = struct.Struct("<II")
_NONE = 0xFFFFFFFF
_DAY_MASK = 0xFFFFFF
_BEFORE_YEAR_1 = 1_721_425  # Julian day number of the day before 0001-01-01
_HUNDREDTHS_A_DAY = 24 * 60 * 60 * 100


def iso_of_timedate(data: bytes) -> str | None:
    """The moment as ``values.iso_of`` prints one: in its own zone, with hundredths; a date or a time alone.

    ``None`` for what is no moment of the calendar.
    """
    if len(data) != _HALVES.size:
        return None
    hundredths, day = _HALVES.unpack(data)
    try:
        date = (
            None if day & _DAY_MASK == _DAY_MASK else datetime.fromordinal((day & _DAY_MASK) - _BEFORE_YEAR_1)
        )
        if hundredths == _NONE:
            return None if date is None else date.date().isoformat()
        if hundredths >= _HUNDREDTHS_A_DAY:
            return None
        since_midnight = timedelta(milliseconds=hundredths * 10)
        if date is None:
            moment = datetime(2000, 1, 1) + since_midnight  # noqa: DTZ001 - a time of any day has no zone
            return f"T{moment:%H:%M:%S}.{moment.microsecond // 10_000:02}"
        moment = (date.replace(tzinfo=UTC) + since_midnight).astimezone(timezone(_offset(day >> 24)))
    except (OverflowError, ValueError):
        return None
    zone = moment.strftime("%z")
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 10_000:02}{zone[:3]}:{zone[3:]}"


def _offset(zone: int) -> timedelta:
    size = timedelta(hours=zone & 0x0F, minutes=15 * (zone >> 4 & 0x03))
    east = size if zone & 0x40 else -size
    return east + timedelta(hours=1) if zone & 0x80 else east
