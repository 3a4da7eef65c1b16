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

from archive.search_rows import organ_value, type_value
from archive.search_vectors import LONG, fact, pair, quoted
from archive.searching import Word, symbol_norm, words_of
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
            found["facts"] = " & ".join(facts)
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

    def _levels(self, facts: Sequence[str]) -> Iterable[Mapping[str, str]]:
        symbol = symbol_norm(self.text)
        if symbol and symbol[0].isdigit() and not any(term.is_excluded for term in self._terms):
            yield {"on": "symbol", "query": symbol}
            yield {"on": "prefix", "query": f"{symbol}-"}
        base = [_asked(term) for term in self._terms if not term.is_excluded]
        without = [f"!{unwanted}" for unwanted in self._unwanted()]
        if not base:
            yield {"on": "words", "query": _and(without, facts)} if without else {"on": "all", "query": ""}
            return
        near = list(dict.fromkeys([*base, *self._nearer()]))
        for on, more in (("head", facts), ("words", (*without, *facts))):
            if near != base:
                yield {"on": on, "query": _and(near, more)}
            yield {"on": on, "query": _and(base, more)}

    def _unwanted(self) -> list[str]:
        # Spelled with diacritics, only what is spelled so is unwanted: leaving out less loses nothing.
        return [
            _phrase(term.words, spelled=any(word.spelled for word in term.words))
            for term in self._terms
            if term.is_excluded
        ]

    def _nearer(self) -> list[str]:
        """What the best matches have beside the words: side by side as typed, spelled as typed."""
        runs: list[list[Word]] = [[]]
        for term in self._terms:
            if term.is_excluded:
                continue
            if term.is_quoted or term.is_prefix:
                runs.append([])
            else:
                runs[-1] += term.words
        held = [run for run in runs if len(run) > 1 or any(word.spelled for word in run)]
        return [_phrase(run, spelled=any(word.spelled for word in run)) for run in held]

    def _facts(self) -> list[str]:
        filters = self.filters
        exact = {
            "source": filters.source,
            "verdict": filters.verdict,
            "direction": filters.direction,
            "kind": filters.kind,
            "file": filters.file and filters.file.casefold(),
        }
        facts = [quoted(fact(name, value)) for name, value in exact.items() if value]
        if filters.type:
            by_name = _phrase(words_of(filters.type), "B")
            facts.append(f"({quoted(fact('type', str(type_value(filters.type, None))))}{_or(by_name)})")
        if filters.organ:
            by_name = _phrase(words_of(filters.organ), "D")
            facts.append(f"({quoted(fact('organ', str(organ_value(filters.organ, None))))}{_or(by_name)})")
        if filters.signer:
            facts.append(_phrase(words_of(filters.signer), "C") or quoted(fact("signer", filters.signer)))
        return facts


def _terms(text: str) -> Iterable[_Term]:
    for piece in _PIECE.finditer(text):
        phrase, typed = piece["phrase"], piece["word"]
        words = tuple(words_of(phrase if typed is None else typed))
        if not words:
            continue
        is_prefix = typed is not None and typed.endswith("*") and len(words[-1].folded) >= _SHORTEST_PREFIX
        yield _Term(words, typed is None, is_prefix, bool(piece["no"]))


def _asked(term: _Term) -> str:
    """A term as a ``tsquery``, in brackets where it needs them."""
    words = term.words
    if term.is_prefix:
        last = f"{quoted(words[-1].folded)}:*"
        return last if len(words) == 1 else f"({_phrase(words[:-1])} & {last})"
    return _phrase(words, spelled=term.is_quoted and any(word.spelled for word in words))


def _phrase(words: Iterable[Word], weight: str = "", spelled: bool = False) -> str:
    """Words side by side. Pairs are asked first: they leave few documents whose positions must be read.

    In texts longer than positions go, no phrase can be made sure of; there the words count.
    """
    held = list(words)
    mark = f":{weight}" if weight else ""
    one_by_one = [
        quoted(f"={word.spelled}" if spelled and word.spelled else word.folded) + mark for word in held
    ]
    if len(one_by_one) < 2:
        return "".join(one_by_one)
    pairs = [quoted(pair(first.folded, second.folded)) + mark for first, second in pairwise(held)]
    placed = f" & ({' <-> '.join(one_by_one)})" if spelled or len(held) > 2 else ""
    sure = " & ".join(pairs) + placed
    if weight:
        return f"({sure})"  # what has a weight is in the head, which is never that long
    return f"(({sure}) | ({quoted(LONG)} & {' & '.join(one_by_one)}))"


def _and(*queries: Sequence[str]) -> str:
    return " & ".join(query for some in queries for query in some)


def _or(query: str) -> str:
    return f" | {query}" if query else ""
