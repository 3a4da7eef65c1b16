"""Named transforms: printed values of a source field become a value of the shared schema.

Every transform takes the field's non-empty members and answers with a value, problems, or both; none raises.
A problem's code becomes a flag, so that what could not be understood is kept and seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from mappings.dates import parse_date, parse_moment
from mappings.notation import parse_symbol
from mappings.symbol_text import cleaned_symbol
from mappings.vietnamese import fold, nfc
from schemas.document import BusinessType, Urgency
from schemas.vocabulary import ExchangeTerm, business_types, retentions, status_codes, urgencies


@dataclass(frozen=True, slots=True)
class Reading:
    """What a transform made of a field: a value or ``None``, and codes of ``PROBLEMS``."""

    value: object | None
    problems: tuple[str, ...] = ()


Transform = Callable[[tuple[str, ...]], Reading]

PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "ambiguous_type": "The symbol fits several types of document and nothing decides between them.",
        "assumed_issuer": "The record names no issuer; the office's own name was taken.",
        "implausible_number": "The number has more than five digits, or letters where digits belong.",
        "implausible_year": "The year in the symbol is none in which such a document can be.",
        "impossible_date": "The date does not exist in the calendar.",
        "inconsistent_citation": "The document cites another one with dates that contradict each other.",
        "inconsistent_number": "The number or notation disagrees with the printed symbol.",
        "issuer_mismatch": "The organ in the symbol is not the one that the record names as issuer.",
        "latin_d": "D stands in the type of the symbol where Đ belongs.",
        "missing_number": "The symbol has no number.",
        "missing_organ": "The symbol names no organ.",
        "missing_separator": "A hyphen or a stroke is missing in the symbol.",
        "missing_time": "A date without a time stands where a moment is expected; midnight was taken.",
        "negative_number": "The number is negative.",
        "null_literal": "The source prints the word null instead of a value.",
        "odd_case": "The type in the symbol is in other letters' case than its abbreviation.",
        "odd_dash": "A dash other than the hyphen stands in the symbol.",
        "odd_letter": "A letter that only looks like the right one (such as U+00D0 for Đ) stands in the symbol.",
        "odd_separator": "A hyphen stands in the symbol where a stroke belongs, or the other way round.",
        "odd_stroke": "A stroke other than the slash stands in the symbol.",
        "several_values": "The field holds several values where one is expected; they were joined.",
        "trailing_text": "More text follows the symbol.",
        "two_digit_year": "The year has two digits; no century was guessed.",
        "type_from_symbol": "The record names no type of document; the symbol's was taken.",
        "type_from_title": "The record names no type of document; the one that begins the title was taken.",
        "type_mismatch": "The type of document and the type in the symbol differ.",
        "unknown_business_type": "The business type is not among 0 to 3.",
        "unknown_retention": "The retention term is not in the vocabulary.",
        "unknown_status": "The status code is not in the vocabulary.",
        "unknown_type": "The type of document is not in the vocabulary.",
        "unknown_urgency": "The degree of urgency is not in the vocabulary.",
        "unparsed_date": "The text is no date in any form known here.",
        "unparsed_number": "The text is no whole number.",
        "unparsed_symbol": "The number and notation follow none of the rules of Party or State.",
    }
)
"""What each problem's code means, as one sentence for a person."""


def text(values: tuple[str, ...]) -> Reading:
    """Members joined by line breaks, ends trimmed; inner layout is kept."""
    joined = "\n".join(values).replace("\r\n", "\n").replace("\r", "\n")
    return Reading(nfc(joined).strip() or None)


def line(values: tuple[str, ...]) -> Reading:
    """One line: members joined by ``; ``, runs of white space as one space."""
    joined = "; ".join(" ".join(value.split()) for value in values)
    return Reading(nfc(joined) or None, ("several_values",) if len(values) > 1 else ())


def code(values: tuple[str, ...]) -> Reading:
    """A code or identifier: one line, where the word ``null`` is none."""
    reading = line(values)
    if isinstance(reading.value, str) and reading.value.lower() in ("null", "(null)", "undefined"):
        return Reading(None, ("null_literal",))
    return reading


def listed(values: tuple[str, ...]) -> Reading:
    """A tuple of lines: every member, members of several lines taken apart."""
    parts = (" ".join(part.split()) for value in values for part in value.splitlines())
    return Reading(tuple(nfc(part) for part in parts if part) or None)


def semicolon_list(values: tuple[str, ...]) -> Reading:
    """As ``listed``, and members taken apart at semicolons."""
    return listed(tuple(part for value in values for part in value.split(";")))


def day(values: tuple[str, ...]) -> Reading:
    """A date; see ``mappings.dates``."""
    reading = parse_date(values[0]) if values else None
    if reading is None:
        return Reading(None)
    return Reading(reading.value, (reading.problem,) if reading.problem else ())


def moment(values: tuple[str, ...]) -> Reading:
    """An aware date-time; see ``mappings.dates``."""
    reading = parse_moment(values[0]) if values else None
    if reading is None:
        return Reading(None)
    return Reading(reading.value, (reading.problem,) if reading.problem else ())


def integer(values: tuple[str, ...]) -> Reading:
    """A whole number; a unit after it (``12 trang``) is left off, ``12.0`` is 12."""
    if not values:
        return Reading(None)
    match = re.fullmatch(r"([+-]?\d{1,9})(?:[.,]0+)?(?:\s*(?:trang|bản|tờ))?", nfc(values[0]).strip().lower())
    if match is None:
        return Reading(None, ("unparsed_number",))
    number = int(match[1])
    return Reading(number, ("negative_number",) if number < 0 else ())


def symbol(values: tuple[str, ...]) -> Reading:
    """A ``Symbol``; text that follows no grammar is given back as it is, with a problem."""
    printed = line(values)
    if not isinstance(printed.value, str):
        return Reading(None)
    parsed = parse_symbol(printed.value)
    if parsed is None:
        return Reading(printed.value, ("unparsed_symbol",))
    return Reading(parsed, parsed.noise)


def notation(values: tuple[str, ...]) -> Reading:
    """A notation without its number: no spaces around separators, none of them in front."""
    printed = code(values)
    if not isinstance(printed.value, str):
        return printed
    cleaned, odd = cleaned_symbol(printed.value)
    return Reading(cleaned.lstrip("-/") or None, (*printed.problems, *odd))


def person_name(values: tuple[str, ...]) -> Reading:
    """A person's name; of a Notes name (``CN=…/O=…``) the common name."""
    names = []
    for value in values:
        match = re.match(r"\s*CN=([^/]+)", value, re.IGNORECASE)
        names.append(match[1] if match else value)
    return line(tuple(names))


def urgency(values: tuple[str, ...]) -> Reading:
    """An ``Urgency`` from edXML's 0 to 4 or the Vietnamese words."""
    found = _exchange_code(values, urgencies)
    return Reading(Urgency(found) if found else None, () if found or not values else ("unknown_urgency",))


def business_type(values: tuple[str, ...]) -> Reading:
    """A ``BusinessType`` from edXML's 0 to 3 or the Vietnamese words."""
    found = _exchange_code(values, business_types)
    problems = () if found or not values else ("unknown_business_type",)
    return Reading(BusinessType(found) if found else None, problems)


def status(values: tuple[str, ...]) -> Reading:
    """A status code of two digits."""
    printed = code(values)
    if not isinstance(printed.value, str):
        return printed
    value = printed.value.zfill(2) if printed.value.isdigit() else printed.value
    return Reading(value, () if value in {term.code for term in status_codes()} else ("unknown_status",))


def retention(values: tuple[str, ...]) -> Reading:
    """A retention term by its name in the vocabulary (``Bảo quản vĩnh viễn`` is ``Vĩnh viễn``), or any other number
    of years; another text stays, with a problem."""
    printed = line(values)
    if not isinstance(printed.value, str):
        return printed
    key = fold(printed.value).strip(" .")
    if name := _retention_names().get(key):
        return Reading(name, printed.problems)
    known = re.fullmatch(r"[0-9]{1,2} nam", key)  # the circular's "Khác"
    return Reading(printed.value, printed.problems if known else (*printed.problems, "unknown_retention"))


def trace_moment(values: tuple[str, ...]) -> Reading:
    """The moment of a handling line ``dd/MM/yyyy HH:mm - Họ tên: ý kiến``; ``None`` for other text."""
    match = _TRACE_LINE.match(values[0]) if values else None
    return moment((match["moment"],)) if match else Reading(None)


def trace_staff(values: tuple[str, ...]) -> Reading:
    """The person of a handling line; ``None`` for other text."""
    match = _TRACE_LINE.match(values[0]) if values else None
    return person_name((match["staff"],)) if match else Reading(None)


def trace_text(values: tuple[str, ...]) -> Reading:
    """What a handling line says; the whole text when it has another form."""
    match = _TRACE_LINE.match(values[0]) if values else None
    return text((match["text"],)) if match else text(values)


_TRACE_LINE = re.compile(
    r"\s*(?P<moment>\d{1,2}/\d{1,2}/\d{4}(?: \d{1,2}:\d{2}(?::\d{2})?)?)\s*[-–]\s*"
    r"(?P<staff>[^:\n]{1,80}?)\s*:\s*(?P<text>.*)",
    re.DOTALL,
)

TRANSFORMS: Mapping[str, Transform] = MappingProxyType(
    {
        "business_type": business_type,
        "code": code,
        "date": day,
        "datetime": moment,
        "integer": integer,
        "line": line,
        "list": listed,
        "notation": notation,
        "organ": line,
        "person_name": person_name,
        "retention": retention,
        "semicolon_list": semicolon_list,
        "status": status,
        "symbol": symbol,
        "text": text,
        "trace_moment": trace_moment,
        "trace_staff": trace_staff,
        "trace_text": trace_text,
        "urgency": urgency,
    }
)
"""The transforms that a mapping's YAML may name."""


def _exchange_code(values: tuple[str, ...], terms: Callable[[], tuple[ExchangeTerm, ...]]) -> str | None:
    return _exchange_table(terms).get(fold(values[0]).strip(" .")) if values else None


@cache
def _exchange_table(terms: Callable[[], tuple[ExchangeTerm, ...]]) -> Mapping[str, str]:
    return {
        key: term.code
        for term in terms()
        for key in (term.edxml, term.code, *map(fold, (term.name, *term.words)))
    }


@cache
def _retention_names() -> Mapping[str, str]:
    return {fold(printed): term.name for term in retentions() for printed in (term.name, *term.words)}
