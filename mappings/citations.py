"""Documents cited inside text: ``Nghị định số 33/2002/NĐ-CP ngày 28/3/2002 của Chính phủ``.

Only what follows a grammar of ``mappings.notation`` with a type that the vocabulary has is a citation; a công
văn has no type and needs a word before it (``Công văn số 1308/STTTT-VP``). A date belongs to the citation that
it follows at once, or after "của" and the organ's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from mappings.dates import parse_date
from mappings.notation import NUMBER, ORGAN, Symbol, parse_symbol
from mappings.symbol_text import LETTERS, STROKED_D, cleaned_symbol

MOST = 200
"""Citations of one document that are looked at."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A document as another one names it; ``problem`` is a date's (``impossible_date`` …) or ``""``."""

    symbol: Symbol
    issued_date: date | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A document that is cited with dates that cannot all be right.

    Attributes:
        symbol: as printed first.
        dates: every date, earliest first; one alone contradicts the year in the symbol.
    """

    symbol: str
    dates: tuple[date, ...]


def find_citations(text: str) -> tuple[Citation, ...]:
    """The documents that ``text`` cites, in order, at most ``MOST``; the same symbol and date once."""
    found: dict[tuple[str, date | None], Citation] = {}
    for citation in _cited(text):
        found.setdefault((citation.symbol.printed.casefold(), citation.issued_date), citation)
        if len(found) >= MOST:
            break
    dated = {symbol for symbol, day in found if day}
    # Named with its date once, a document may be named without it for the rest of the text.
    return tuple(citation for (symbol, day), citation in found.items() if day or symbol not in dated)


def contradictions(citations: Iterable[Citation]) -> tuple[Contradiction, ...]:
    """Which documents are cited with two dates, or with one outside the year in their symbol."""
    dates: dict[str, tuple[Symbol, set[date]]] = {}
    for citation in citations:
        _, days = dates.setdefault(citation.symbol.printed.casefold(), (citation.symbol, set()))
        if citation.issued_date:
            days.add(citation.issued_date)
    return tuple(
        Contradiction(symbol.printed, tuple(sorted(days)))
        for symbol, days in dates.values()
        if len(days) > 1 or any(symbol.year not in (None, day.year) for day in days)
    )


def _cited(text: str) -> Iterator[Citation]:
    if "/" not in text:
        return
    text = text.translate(STROKED_D)
    for match in _SYMBOL.finditer(text):
        symbol = _symbol(match["symbol"])
        if symbol is None:
            continue
        if symbol.type_code == "CV" and symbol.organ == symbol.notation and not match["before"]:
            continue
        dated = _DATE.match(text, match.end())
        if dated is None:
            yield Citation(symbol)
            continue
        words = " ".join(dated["date"].split())
        reading = parse_date(f"ngày {words}" if "tháng" in words.lower() else words)
        yield Citation(symbol, reading.value, reading.problem)


@lru_cache(maxsize=4096)
def _symbol(printed: str) -> Symbol | None:
    """A symbol without anything odd but a missing stroke on Đ: in running text other oddities are other words."""
    regular, noise = cleaned_symbol(printed)
    symbol = parse_symbol(regular)
    return None if symbol is None or noise or set(symbol.noise) - {"latin_d"} else symbol


# A line may break after a separator; spaces stand around the dash of many a typist.
_GAP = r"[^\S\n]?\n?[^\S\n]?"
_SYMBOL = re.compile(
    rf"(?<![\w/.-])(?:(?P<before>(?:[Cc]ông văn|CÔNG VĂN|[Ss]ố|SỐ)\s*:?\s*))?"
    rf"(?P<symbol>{NUMBER}(?:{_GAP}-{_GAP}[{LETTERS}]{{1,5}}{_GAP}/{_GAP}{ORGAN}"
    rf"|/(?:[0-9]{{4}}/)?{_GAP}[A-ZĐ][{LETTERS}0-9]*(?:-{_GAP}{ORGAN})?))(?![\w/])"
)
_DATE = re.compile(
    r"(?:\s+của(?:\s+(?!(?:từ|quy|về|hướng|có|được|đến|trước|sau|kể|ban\s+hành|và|ngày)\b)[^\s,.;:()]+){1,9}?)?"
    r"[\s,]*(?:\(\s*)?(?:(?:ký|ban hành)\s+)?(?:ngày\s+)?"
    r"(?P<date>[0-9]{1,2}\s?[/.-]\s?[0-9]{1,2}\s?[/.-]\s?[0-9]{4}"
    r"|[0-9]{1,2}\s+tháng\s+[0-9]{1,2}\s+năm\s+[0-9]{4})(?![0-9])",
    re.IGNORECASE,
)
