"""Series of numbers (dãy số văn bản): which numbers an office gave, which are not there, which were given twice.

A missing number is a question and never a loss, and it is asked only of a source that is configured to register whole
series (``mappings.config.Numbering``). A joint document (``12-QC/BTCTU-BDVTU``) has a number of its first organ; a
number with a letter (``12a``) stands beside the plain one and fills no gap; a document without a number is in no
series. Pure: no database here.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from mappings.notation import Symbol, join_symbol, parse_symbol
from mappings.office_settings import Numbering

ARRIVALS = "den"
"""In the place of the organ: arrival numbers (số đến)."""

_NUMBER = re.compile(r"0*([0-9]{1,7})([a-zđ]?)")
_TERM = re.compile(r"((?:19|20)[0-9]{2})\D{1,5}((?:19|20)[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Numbered:
    """A document as a series sees it.

    Attributes:
        document: its identity. source, outgoing: whose it is, and whether the office issued it.
        number, notation, symbol, type_code, issued, term, issuer: as in the current version; ``issuer`` folded.
        arrival_number, arrival_date: of an incoming one.
        repeats: it carries the number of the document that it recalls, changes or replaces.
    """

    document: str
    source: str
    outgoing: bool
    number: str | None
    notation: str | None
    symbol: str | None
    type_code: str | None
    issued: date | None
    term: str | None
    issuer: str | None
    arrival_number: str | None = None
    arrival_date: date | None = None
    repeats: bool = False


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """Names a series.

    Attributes:
        source: whose register it is. organ: letters of the organ that numbers, or ``ARRIVALS``.
        type: type code, or ``""`` where types share a series. period: year or term of office.
    """

    source: str
    organ: str
    type: str
    period: str

    def __str__(self) -> str:
        """As a person writes it: ``notes_van_ban:TU:KL:2020-2025``, ``notes_van_ban:den:2025``."""
        return ":".join(filter(None, (self.source, self.organ, self.type, self.period)))


@dataclass(slots=True)
class Series:
    """A series with the documents that have its numbers.

    Attributes:
        key: its name. secret_shares: secret documents, which are not here, take numbers of it.
        here: number with its letter, to the documents of this source. elsewhere: plain numbers that only another
            source shows.
    """

    key: SeriesKey
    secret_shares: bool
    here: dict[tuple[int, str], list[Numbered]] = field(default_factory=dict)
    elsewhere: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class KnownGap:
    """Numbers of a series that a person explained; see ``archive.known_gaps``."""

    id: str
    series: str
    first: int
    last: int
    reason: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of a series that no document has.

    Attributes:
        series: its name. first, last: the numbers. may_be_secret: a secret document may have them.
        state: ``question``; ``known``: a person explained it (reason, by, why); ``contradiction``: explained, and
            there is a document all the same; ``no_series``: explained, and there is no such series.
    """

    series: str
    first: int
    last: int
    may_be_secret: bool
    state: str
    reason: str = ""
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A number that several documents of one source have in one series.

    Attributes:
        series: its name. number: with its letter. documents: those that have it.
    """

    series: str
    number: str
    documents: tuple[Numbered, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """All series of a set of documents.

    Attributes:
        series: those of sources that register whole series. duplicates: of all sources.
        unjudged: how many documents are in no series, by source and why: ``no_number`` (an unnumbered công văn),
            ``odd_number``, ``no_date``, ``no_term``.
    """

    series: tuple[Series, ...]
    duplicates: tuple[Duplicate, ...]
    unjudged: Mapping[tuple[str, str], int]


def read_register(documents: Iterable[Numbered], policies: Mapping[str, Numbering]) -> Register:
    """Put ``documents`` into their series.

    Args:
        documents: of current versions. policies: how each configured source numbers, by its name.
    """
    series: dict[SeriesKey, Series] = {}
    twice: dict[tuple[str, str], list[Numbered]] = defaultdict(list)
    unjudged: Counter[tuple[str, str]] = Counter()
    strangers: list[Numbered] = []
    for document in documents:
        policy = policies.get(document.source)
        if policy is not None and policy.arrivals and document.arrival_number:
            _enter_arrival(document, series, twice, unjudged)
        whole = policy is not None and policy.whole_series
        if document.outgoing and whole:
            assert policy is not None
            _enter(document, policy, series, twice, unjudged)
            continue
        if document.outgoing:
            strangers.append(document)
        _enter_foreign(document, twice)
    _see_elsewhere(strangers, policies, series)
    return Register(
        series=tuple(series[key] for key in sorted(series)),
        duplicates=tuple(
            Duplicate(name, number, tuple(sorted(found, key=lambda one: one.document)))
            for (name, number), found in sorted(twice.items())
            if len(found) > 1
        ),
        unjudged=dict(sorted(unjudged.items())),
    )


def gaps(series: Sequence[Series], known: Sequence[KnownGap]) -> list[Gap]:
    """What is missing between 1 and the highest number of each series, and what people say of it."""
    explained: dict[str, list[KnownGap]] = defaultdict(list)
    for gap in known:
        explained[gap.series].append(gap)
    found: list[Gap] = []
    for one in series:
        said = explained.pop(str(one.key), [])
        present = sorted({number for number, letter in one.here if not letter} | one.elsewhere)
        found += _missing(one, present, said)
        found += _contradictions(one, present, said)
    # Mistyped, or its documents were moved to another series: the explanation explains nothing.
    found += [
        Gap(gap.series, gap.first, gap.last, False, "no_series", gap.reason, gap.by, gap.why)
        for said in explained.values()
        for gap in said
    ]
    return found


def plain_number(text: str | None) -> tuple[int, str] | None:
    """``012A`` as 12 and its letter ``a``; ``None`` for what is no number."""
    match = _NUMBER.fullmatch((text or "").strip().lower())
    return (int(match[1]), match[2]) if match and int(match[1]) else None


@lru_cache(maxsize=1 << 12)
def term_name(text: str | None) -> str | None:
    """A term of office in one spelling: ``Nhiệm kỳ 2020 – 2025`` gives ``2020-2025``; other text stands as it is."""
    printed = " ".join((text or "").split())
    match = _TERM.search(printed)
    return f"{match[1]}-{match[2]}" if match else printed or None


def _enter(
    document: Numbered,
    policy: Numbering,
    series: dict[SeriesKey, Series],
    twice: dict[tuple[str, str], list[Numbered]],
    unjudged: Counter[tuple[str, str]],
) -> None:
    number = plain_number(document.number)
    if number is None:
        unjudged[document.source, "odd_number" if document.number else "no_number"] += 1
        return
    key = _key(document, document.source, policy)
    if key is None:
        unjudged[document.source, "no_term" if policy.restart == "per_term" else "no_date"] += 1
        return
    one = series.setdefault(key, Series(key, policy.secrets_share))
    one.here.setdefault(number, []).append(document)
    if not document.repeats:
        twice[str(key), f"{number[0]}{number[1]}"].append(document)


def _enter_arrival(
    document: Numbered,
    series: dict[SeriesKey, Series],
    twice: dict[tuple[str, str], list[Numbered]],
    unjudged: Counter[tuple[str, str]],
) -> None:
    number = plain_number(document.arrival_number)
    if number is None or document.arrival_date is None:
        unjudged[document.source, "odd_number" if number is None else "no_date"] += 1
        return
    key = SeriesKey(document.source, ARRIVALS, "", str(document.arrival_date.year))
    one = series.setdefault(key, Series(key, secret_shares=True))
    one.here.setdefault(number, []).append(document)
    twice[str(key), f"{number[0]}{number[1]}"].append(document)


def _enter_foreign(document: Numbered, twice: dict[tuple[str, str], list[Numbered]]) -> None:
    """Of another organ only a number that comes twice says something (Decree 30 Appendix VI Part I 1h)."""
    number = plain_number(document.number)
    if number is None or document.issued is None or not document.notation or document.repeats:
        return
    period = term_name(document.term) or str(document.issued.year)
    name = ":".join((document.source, document.issuer or "?", document.notation, period))
    twice[name, f"{number[0]}{number[1]}"].append(document)


def _see_elsewhere(
    strangers: Sequence[Numbered], policies: Mapping[str, Numbering], series: Mapping[SeriesKey, Series]
) -> None:
    """What the office issued and only another source shows is not missing."""
    whole = {name: policy for name, policy in policies.items() if policy.whole_series}
    for document in strangers:
        number = plain_number(document.number)
        if number is None or number[1]:
            continue
        for source, policy in whole.items():
            key = _key(document, source, policy)
            if key is not None and key in series:
                series[key].elsewhere.add(number[0])


def _key(document: Numbered, source: str, policy: Numbering) -> SeriesKey | None:
    organ, printed_type, year = _parts(document.notation or "", document.symbol or "")
    period = _term(document, policy) if policy.restart == "per_term" else _year(document, year)
    if period is None:
        return None
    kind = (document.type_code or printed_type) if policy.per_type or year is not None else ""
    return SeriesKey(source, organ, kind, period)


def _year(document: Numbered, printed: int | None) -> str | None:
    if printed is not None:
        return str(printed)
    return str(document.issued.year) if document.issued else None


def _term(document: Numbered, policy: Numbering) -> str | None:
    if name := term_name(document.term):
        return name
    begun = [term for term in policy.terms if document.issued and term.from_ <= document.issued]
    return begun[-1].name if begun else None


def _parts(notation: str, symbol: str) -> tuple[str, str, int | None]:
    """Letters of the (first) organ, the type as printed, and the year of a legal normative symbol."""
    return _of_notation(notation) if notation else _of_symbol(parse_symbol(symbol), "")


@lru_cache(maxsize=1 << 14)
def _of_notation(notation: str) -> tuple[str, str, int | None]:
    """Of a notation, which thousands of documents have, with any number."""
    return _of_symbol(parse_symbol(join_symbol("1", notation) or ""), notation)


def _of_symbol(parsed: Symbol | None, notation: str) -> tuple[str, str, int | None]:
    if parsed is None:
        return notation or "?", "", None
    return parsed.organ.partition("-")[0] or "?", parsed.type_code or "", parsed.year


def _missing(one: Series, present: Sequence[int], said: Sequence[KnownGap]) -> Iterable[Gap]:
    before = 0
    for number in present:
        if number > before + 1:
            yield from _explained(one, before + 1, number - 1, said)
        before = number


def _explained(one: Series, first: int, last: int, said: Sequence[KnownGap]) -> Iterable[Gap]:
    """The missing numbers ``first`` to ``last``, cut where a person explained a part of them."""
    start = first
    for gap in sorted(said, key=lambda gap: (gap.first, gap.last)):
        left, right = max(gap.first, start), min(gap.last, last)
        if left > right:
            continue
        if left > start:
            yield Gap(str(one.key), start, left - 1, one.secret_shares, "question")
        yield Gap(str(one.key), left, right, False, "known", gap.reason, gap.by, gap.why)
        start = right + 1
    if start <= last:
        yield Gap(str(one.key), start, last, one.secret_shares, "question")


def _contradictions(one: Series, present: Sequence[int], said: Sequence[KnownGap]) -> Iterable[Gap]:
    have = set(present)
    for gap in said:
        if gap.reason == "reserved":
            continue  # a number kept back may be used in the end
        for number in sorted(have.intersection(range(gap.first, gap.last + 1))):
            yield Gap(str(one.key), number, number, False, "contradiction", gap.reason, gap.by, gap.why)
