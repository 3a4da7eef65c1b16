"""Dates and times as both systems print them. Nothing is guessed: what cannot be read for certain is a
problem with its text.

Local times without a zone (edXML) are Vietnam's, +07:00; so are civil days of moments printed in another
zone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

VIETNAM = timezone(timedelta(hours=7), "+07:00")
"""Indochina Time; without daylight saving since 1975."""


@dataclass(frozen=True, slots=True)
class DateReading:
    """A date or why there is none: ``problem`` is ``""``, ``impossible_date``, ``two_digit_year`` or
    ``unparsed_date``."""

    value: date | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MomentReading:
    """An aware date-time or why there is none; ``missing_time`` stands beside a value whose time was not
    printed."""

    value: datetime | None
    problem: str = ""


def parse_date(text: str) -> DateReading:
    """Read a civil date: ``dd/MM/yyyy``, ``yyyy/MM/dd``, ``yyyy-MM-dd``, ``ngày 05 tháng 3 năm 2012``, ISO
    8601 date-times.

    Empty text gives no value and no problem.
    """
    value = _squeezed(text)
    if not value:
        return DateReading(None)
    if _ISO_MOMENT.match(value) or _MOMENT.fullmatch(value):
        moment = parse_moment(value)
        return DateReading(moment.value.astimezone(VIETNAM).date() if moment.value else None, moment.problem)
    for pattern in _DATES:
        if match := pattern.fullmatch(value):
            try:
                return DateReading(date(int(match["y"]), int(match["m"]), int(match["d"])))
            except ValueError:
                return DateReading(None, "impossible_date")
    return DateReading(None, "two_digit_year" if _TWO_DIGITS.fullmatch(value) else "unparsed_date")


def parse_moment(text: str) -> MomentReading:
    """Read a moment: ISO 8601 with or without offset, ``yyyy/MM/dd HH:mm:ss``, ``dd/MM/yyyy HH:mm``.

    A date alone gives its midnight and the problem ``missing_time``.
    """
    value = _squeezed(text)
    if not value:
        return MomentReading(None)
    match = _MOMENT.fullmatch(value)
    if match is None:
        day = parse_date(value) if not _ISO_MOMENT.match(value) else DateReading(None, "unparsed_date")
        if day.value is None:
            return MomentReading(None, day.problem)
        return MomentReading(datetime.combine(day.value, time(), VIETNAM), "missing_time")
    day = parse_date(match["day"])
    if day.value is None:
        return MomentReading(None, day.problem)
    try:
        clock = time(int(match["H"]), int(match["M"]), int(match["S"] or 0), _micros(match["f"]))
        return MomentReading(datetime.combine(day.value, clock, _zone(match["zone"])))
    except ValueError:
        return MomentReading(None, "impossible_date")


_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<d>\d{1,2})\s?[/.-]\s?(?P<m>\d{1,2})\s?[/.-]\s?(?P<y>\d{4})(?: 0?0:00(?::00)?)?",
        r"(?P<y>\d{4})[/.-](?P<m>\d{1,2})[/.-](?P<d>\d{1,2})(?: 0?0:00(?::00)?)?",
        r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
        r"(?:[\w .]+, ?)?ngày (?P<d>\d{1,2}) ?tháng (?P<m>\d{1,2}) ?năm (?P<y>\d{4})",
    )
)
_TWO_DIGITS = re.compile(
    r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}|.*ngày \d{1,2} tháng \d{1,2} năm \d{2}", re.IGNORECASE
)
_ISO_MOMENT = re.compile(r"\d{4}-?\d{2}-?\d{2}T")
_MOMENT = re.compile(
    r"(?P<day>\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{8}|\d{1,2}[/.-]\d{1,2}[/.-]\d{4})(?:T|,? )"
    r"(?P<H>\d{1,2}):?(?P<M>\d{2})(?::?(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r" ?(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?"
)


def _squeezed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split()).strip(" .,;")


def _micros(fraction: str | None) -> int:
    return int((fraction or "0").ljust(6, "0")[:6])


def _zone(printed: str | None) -> timezone:
    if not printed:
        return VIETNAM
    if printed == "Z":
        return UTC
    sign = -1 if printed[0] == "-" else 1
    digits = printed[1:].replace(":", "").ljust(4, "0")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
