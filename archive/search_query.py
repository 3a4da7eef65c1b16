"""What a person typed, as questions that the index answers.

``chuyển đổi số`` all three words; ``"chuyển đổi số"`` that phrase, and where it is typed with diacritics spelled so;
``-word`` and ``-"a phrase"`` must not be there; ``word*`` begins so. Signs part words that belong together:
``160-KL/TU`` is a phrase. Words match without diacritics; those typed with them come first where they are spelled so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise

from archive.search_rows import organ_value
from archive.search_vectors import LONG, fact, pair, quoted, spelled_pair
from archive.searching import Word, issuer_norm, symbol_norm, words_of
from schemas.errors import ConfigurationError

_PIECE = re.compile(r'(?P<no>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')
_SHORTEST_PREFIX = 2
_MOST_WORDS = 40


@dataclass(frozen=True, slots=True)
class Filters:
    """What found documents must be, beside their words; each ``None`` or empty: whatever.

    Attributes:
        first, last: days of issue, both included.
        organ: an issuer's code, present or former, or words of its name. signer: words of a signer's name.
        type: code or name. verdict: the worst in force, as ``signatures.verdict.Indication`` names it.
        source, direction, kind, file: as facets give them; ``file`` is a kind of attached file (``pdf``).
        recalled: recalled ones, too, where the reader may see them.
    """

    first: date | None = None
    last: date | None = None
    organ: str | None = None
    signer: str | None = None
    type: str | None = None
    verdict: str | None = None
    source: str | None = None
    direction: str | None = None
    kind: str | None = None
    file: str | None = None
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class _Term:
    words: tuple[Word, ...]
    is_quoted: bool = False
    is_prefix: bool = False
    is_excluded: bool = False


@dataclass(frozen=True)
class Query:
    """A search as asked for.

    Raises:
        ConfigurationError: more words than 40.
    """

    text: str = ""
    filters: Filters = field(default_factory=Filters)

    def __post_init__(self) -> None:
        if sum(len(term.words) for term in self._terms) > _MOST_WORDS:
            raise ConfigurationError("the search has too many words", expected=f"at most {_MOST_WORDS}")

    def criteria(self) -> dict[str, object]:
        """What ``archive.search`` is asked (see the migration)."""
        facts = self._facts()
        levels = list(self._levels(facts))
        found: dict[str, object] = {"levels": levels}
        if facts:
            found["facts"] = _and(part.index for part in facts)
            if checks := [part.check for part in facts if part.check]:
                found["facts_check"] = " & ".join(checks)
        for name, day in (("from", self.filters.first), ("to", self.filters.last)):
            if day is not None:
                found[name] = day.isoformat()
        if self.filters.recalled:
            found["recalled"] = True
        if unwanted := self._unwanted():
            found["without"] = " | ".join(unwanted)
        return found

    def marked_words(self) -> list[tuple[str, bool]]:
        """The folded words that an excerpt marks, and whether each is only a beginning."""
        wanted = [term for term in self._terms if not term.is_excluded]
        return [(word.folded, term.is_prefix) for term in wanted for word in term.words]

    @cached_property
    def _terms(self) -> tuple[_Term, ...]:
        return tuple(_terms(self.text))

    def _levels(self, facts: Sequence[_Part]) -> Iterable[Mapping[str, object]]:
        symbol = symbol_norm(self.text)
        if symbol and symbol[0].isdigit() and not any(term.is_excluded for term in self._terms):
            yield {"on": "symbol", "query": symbol}
            yield {"on": "prefix", "query": f"{symbol}-"}
        base = [_asked(term) for term in self._terms if not term.is_excluded]
        without = [_Part(f"!{unwanted}") for unwanted in self._unwanted()]
        if not base:
            yield _level("words" if without else "all", without, facts)
            return
        near = self._nearer()
        for on, more in (("head", []), ("words", without)):
            if near != base:
                yield _level(on, [*near, *more], facts)
            yield _level(on, [*base, *more], facts)

    def _unwanted(self) -> list[str]:
        # Spelled with diacritics, only what is spelled so is unwanted, and a phrase only where it is sure to stand:
        # leaving out less loses nothing.
        return [_spelled(term.words).sure for term in self._terms if term.is_excluded]

    def _nearer(self) -> list[_Part]:
        """What the best matches have: words side by side as typed, spelled as typed."""
        parts: list[_Part] = []
        run: list[Word] = []
        for term in [term for term in self._terms if not term.is_excluded]:
            if not term.is_quoted and not term.is_prefix:
                run += term.words
                continue
            parts += [_spelled(run), _asked(term)] if run else [_asked(term)]
            run = []
        return [*parts, _spelled(run)] if run else parts

    def _facts(self) -> list[_Part]:
        filters = self.filters
        exact = {
            "source": filters.source,
            "verdict": filters.verdict,
            "direction": filters.direction,
            "kind": filters.kind,
            "file": filters.file and filters.file.casefold(),
        }
        facts = [_Part(quoted(fact(name, value))) for name, value in exact.items() if value]
        if filters.type:
            by_code, by_name = (
                quoted(fact(name, value))
                for name, value in (("type", filters.type.casefold()), ("typename", _folded(filters.type)))
            )
            facts.append(_Part(f"({by_code} | {by_name})"))
        if filters.organ:
            code = quoted(fact("organ", str(organ_value(filters.organ, None))))
            is_code = any(letter.isdigit() for letter in filters.organ) or not _folded(filters.organ)
            named = _Part(code) if is_code else _phrase(words_of(filters.organ), "D")
            facts.append(_Part(code) if is_code else named.or_else(code))
        if filters.signer:
            facts.append(
                _phrase(words_of(filters.signer), "C") or _Part(quoted(fact("signer", filters.signer)))
            )
        return facts


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a query.

    Attributes:
        index: what the index alone can answer, without looking into rows.
        check: the same with places and weights, where it has any: asked of the found rows one by one.
        gauges: lexemes of which the rarest says how many there can be.
        exact: without the texts in which a phrase cannot be checked, where there are such.
    """

    index: str
    check: str = ""
    gauges: tuple[str, ...] = ()
    exact: str = ""

    @property
    def whole(self) -> str:
        """All of it."""
        return self.check or self.index

    @property
    def sure(self) -> str:
        """What matches for certain."""
        return self.exact or self.whole

    def or_else(self, other: str) -> _Part:
        """This, or ``other``."""
        return _Part(f"({self.index} | {other})", f"({self.check} | {other})" if self.check else "")

    def __bool__(self) -> bool:
        return bool(self.index)


def _level(on: str, parts: Sequence[_Part], facts: Sequence[_Part]) -> dict[str, object]:
    asked = [*parts, *facts]
    gauges = [gauge for part in asked for gauge in part.gauges or (part.index,) if gauge[0] != "!"]
    level: dict[str, object] = {"on": on, "query": _and(part.index for part in asked)}
    if gauges:
        level["gauges"] = list(dict.fromkeys(gauges))
    if any(part.check for part in parts):
        level["check"] = _and(part.whole for part in parts)
    return level


def _terms(text: str) -> Iterable[_Term]:
    for piece in _PIECE.finditer(text):
        phrase, typed = piece["phrase"], piece["word"]
        words = tuple(words_of(phrase if typed is None else typed))
        if not words:
            continue
        is_prefix = typed is not None and typed.endswith("*") and len(words[-1].folded) >= _SHORTEST_PREFIX
        yield _Term(words, typed is None, is_prefix, bool(piece["no"]))


def _asked(term: _Term) -> _Part:
    words = term.words
    if not term.is_prefix:
        return _phrase(words, spelled=term.is_quoted and any(word.spelled for word in words))
    last = f"{quoted(words[-1].folded)}:*"
    if len(words) == 1:
        return _Part(last)
    before = _phrase(words[:-1])
    check = f"({before.check} & {last})" if before.check else ""
    return _Part(f"({before.index} & {last})", check, before.gauges)


def _spelled(words: Sequence[Word]) -> _Part:
    return _phrase(words, spelled=any(word.spelled for word in words))


def _phrase(words: Iterable[Word], weight: str = "", spelled: bool = False) -> _Part:
    """Words side by side. Pairs are asked of the index: they leave few documents whose positions must be read.

    In texts longer than positions go, no phrase can be made sure of; there the words count.
    """
    held = list(words)
    mark = f":{weight}" if weight else ""
    alone = [quoted(f"={word.spelled}" if spelled and word.spelled else word.folded) for word in held]
    if len(alone) < 2:
        return _Part("".join(alone), f"{alone[0]}{mark}" if alone and weight else "")
    pairs = [quoted((spelled_pair if spelled else pair)(*two)) for two in pairwise(held)]
    index = " & ".join(pairs)
    places = " <-> ".join(f"{lexeme}{mark}" for lexeme in alone)
    if weight:  # what has a weight is in the head, which is never longer than positions go
        return _Part(f"({index})", f"({places})", tuple(pairs))
    long = f"({quoted(LONG)} & {' & '.join(alone)})"
    if len(held) == 2:
        return _Part(f"({index} | {long})", "", tuple(pairs), index)
    return _Part(f"(({index}) | {long})", f"(({places}) | {long})", tuple(pairs), f"({places})")


def _and(queries: Iterable[str]) -> str:
    return " & ".join(queries)


def _folded(text: str) -> str:
    return issuer_norm(text) or ""
