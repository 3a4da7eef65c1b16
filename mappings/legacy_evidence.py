"""How sure it is that a text is legacy Vietnamese, and of which encoding: Bayes over its words.

The witness is the Vietnamese syllable: there are few enough that the words of another language, or of another
encoding, seldom come out as some (``mappings.syllables``). Every different word counts once.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from types import MappingProxyType

from mappings.legacy_decoding import decode
from mappings.legacy_tables import BYTE_ENCODINGS, Encoding, table
from mappings.syllables import is_syllable

MIN_CONFIDENCE = 0.99
"""Least probability at which a text is decoded without a font that says so: three good words of their own."""

AS_IS = "unicode"
OTHER = "other"
Reading = Encoding | str
"""An encoding; ``AS_IS``: Vietnamese in Unicode; ``OTHER``: another language, in Unicode too."""

PRIOR: Mapping[Reading, float] = MappingProxyType(
    {
        Encoding.TCVN3: 0.25,
        Encoding.VNI: 0.15,
        Encoding.CP1258: 0.05,
        Encoding.VISCII: 0.02,
        Encoding.VPS: 0.02,
        AS_IS: 0.31,
        OTHER: 0.2,
    }
)
"""How likely each is in an office's old records, before a word was read, of text with letters beyond ASCII."""

VIQR_PRIOR: Mapping[Reading, float] = MappingProxyType({Encoding.VIQR: 0.05, AS_IS: 0.0, OTHER: 0.95})
"""The same of ASCII text with marks."""

_GOOD_IF_RIGHT = 0.95
"""Share of the words of Vietnamese text that are syllables, once it is read rightly; the rest are names, mistakes."""
_GOOD_BY_CHANCE = 0.15
"""Share of another language's words with letters beyond ASCII that come out as syllables (at most 0.10: measured by
``benchmarks/legacy_text.py`` for nine languages and every encoding)."""
_GOOD = math.log(_GOOD_IF_RIGHT / _GOOD_BY_CHANCE)
_BAD = math.log((1 - _GOOD_IF_RIGHT) / (1 - _GOOD_BY_CHANCE))
_PLAIN_IF_VIETNAMESE = 0.92
"""Share of the plain words of Vietnamese text that are syllables as they stand; the rest are foreign names."""
_PLAIN_BY_CHANCE = 0.45
"""Share of another language's plain words that are (0.09 to 0.36 for eight languages, 0.57 for Italian)."""
_PLAIN_GOOD = math.log(_PLAIN_IF_VIETNAMESE / _PLAIN_BY_CHANCE)
_PLAIN_BAD = math.log((1 - _PLAIN_IF_VIETNAMESE) / (1 - _PLAIN_BY_CHANCE))
_MOST_WORDS = 300
_LOOKED_AT = 20_000  # characters of a text that are weighed

_TOKEN = re.compile(r"[^ \t\r\n\xa0]+")
_LETTER = re.compile(r"[A-Za-z]")
_WORD = re.compile(r"[^\W\d_]+")
# A sign between two letters, or a tone that found no letter: no text was meant to look so.
_BROKEN = re.compile(r"[\u0300\u0301\u0303\u0309\u0323]|(?<=[^\W\d_])[^\x20-\x7e\w\u2010-\u2026](?=[^\W\d_])")


@dataclass(frozen=True, slots=True)
class Weights:
    """What words say: by reading, the logarithm of how much likelier they are than in another language."""

    logs: Mapping[Reading, float]

    def plus(self, other: Weights) -> Weights:
        """These and those of other words."""
        return Weights(
            {reading: value + self.logs.get(reading, 0.0) for reading, value in other.logs.items()}
        )

    def less(self, other: Weights) -> Weights:
        """These without the words of ``other``."""
        return Weights(
            {reading: value - other.logs.get(reading, 0.0) for reading, value in self.logs.items()}
        )

    def confidences(self, prior: Mapping[Reading, float]) -> dict[Reading, float]:
        """The probability of every reading of ``prior``."""
        logs = {
            reading: math.log(share) + self.logs.get(reading, 0.0)
            for reading, share in prior.items()
            if share
        }
        top = max(logs.values())
        shares = {reading: math.exp(value - top) for reading, value in logs.items()}
        whole = sum(shares.values())
        return {reading: share / whole for reading, share in shares.items()}


class Evidence:
    """The words of texts that belong together, weighed; each word once.

    Args:
        texts: texts that may be legacy (``may_be_legacy``).
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._words: dict[str, tuple[float, ...]] = {}
        self._whole = Weights({})
        for text in texts:
            self.of(text)

    def of(self, text: str) -> Weights:
        """The weights of the words of ``text``, which are part of the evidence from now on."""
        words = _witnesses(text[:_LOOKED_AT])
        unread = [word for word in words if word not in self._words]
        if unread:
            said = _of_words(unread)
            self._words.update(zip(unread, said, strict=True))
            self._whole = self._whole.plus(_sum(said))
        return _sum(self._words[word] for word in words)

    @property
    def whole(self) -> Weights:
        """The weights of all words."""
        return self._whole


def may_be_legacy(text: str) -> bool:
    """False when ``text`` is plain ASCII or holds Unicode Vietnamese: then it is nothing to decode."""
    if text.isascii():
        return has_letter_controls(text)
    return not is_unicode_vietnamese(text)


def has_letter_controls(text: str) -> bool:
    """True when ``text`` holds a control character that is a letter of VISCII or VPS."""
    return any(control in text for control in _letter_controls())


@cache
def _letter_controls() -> tuple[str, ...]:
    codes = {code[0] for encoding in (Encoding.VISCII, Encoding.VPS) for code in table(encoding).letters}
    return tuple(chr(code) for code in sorted(codes) if code < 0x20)


def is_unicode_vietnamese(text: str) -> bool:
    """Whether letters that only Unicode has stand in Vietnamese words.

    They also arise, in no words, from TCVN3 read as code page 1258 and composed (``quyền`` becomes ``quỷn``).
    """
    if text.isascii() or not _PRECOMPOSED.search(text):
        return False
    composed = unicodedata.normalize("NFC", text[:_LOOKED_AT])
    words = [_word_at(composed, found.start()) for found in islice(_PRECOMPOSED.finditer(composed), 12)]
    return not words or 2 * sum(map(is_syllable, words)) >= len(words)


# Letters that only Unicode has; Ă Đ Ơ Ư and their small ones also come from reading legacy bytes as code page
# 1258, and so do the five tones, but no mark that makes another letter.
_PRECOMPOSED = re.compile("[\u1ea0-\u1ef9]|[ÂÊÔâêô][\u0300\u0301\u0303\u0309\u0323]|[\u0302\u0306\u031b]")


def words_of_viqr(text: str) -> Weights:
    """The weight of ``text`` for VIQR: of its marked words, those that come out as syllables and those that do not.

    Nothing speaks for it unless shapes (``^ ( +``) are among the marks and a third of the words is marked.
    """
    read = zip(_TOKEN.findall(text), _TOKEN.findall(decode(text, Encoding.VIQR)), strict=True)
    tokens = dict(islice(((raw, after) for raw, after in read if _LETTER.search(raw)), _MOST_WORDS))
    marked = [(raw, after) for raw, after in tokens.items() if raw != after]
    good = [raw for raw, after in marked if outcome(after) > 0]
    shaped = sum(_SHAPE.search(raw) is not None for raw in good)
    if shaped < 3 or 3 * len(good) < len(tokens):
        return Weights({Encoding.VIQR: _BAD})
    return Weights({Encoding.VIQR: len(good) * _GOOD + (len(marked) - len(good)) * _BAD})


_SHAPE = re.compile(r"[aeo]\^|a\(|[ou][+*]|dd", re.IGNORECASE)


@lru_cache(maxsize=16384)
def outcome(token: str) -> int:
    """1 when the words of ``token`` with letters beyond ASCII are Vietnamese syllables, -1 when one is not, 0 when
    there is none."""
    token = unicodedata.normalize("NFC", token)
    if _BROKEN.search(token):
        return -1
    good = 0
    for word in _WORD.findall(token):
        if word.isascii() or _is_abbreviation(word):
            continue
        if not is_syllable(word) or _is_capital_within(word):
            return -1
        good = 1
    return good


def _is_capital_within(word: str) -> bool:
    """Whether a marked capital stands inside a word of small letters: what VISCII and VPS read as each other's."""
    return not word.isupper() and any(c.isupper() and not c.isascii() for c in word[1:])


def _is_abbreviation(word: str) -> bool:
    """Capitals without a vowel (``QĐ``, ``HĐND``): no syllable, and no sign of a wrong decoding either."""
    return word.isupper() and not set(unicodedata.normalize("NFD", word)) & set("AEIOUY")


def _witnesses(text: str) -> list[str]:
    """The words that say something; a sign alone does not, as it comes out as a letter, hence a syllable, too
    easily."""
    return list(islice(filter(_LETTER.search, dict.fromkeys(_TOKEN.findall(text))), _MOST_WORDS))


def _of_words(words: list[str]) -> list[tuple[float, ...]]:
    """For every word, what it says for each of ``_READINGS``."""
    joined = "\n".join(words)
    readings = [map(outcome, decode(joined, encoding).split("\n")) for encoding in BYTE_ENCODINGS]
    said = (map(_LOG.__getitem__, outcomes) for outcomes in (*readings, map(outcome, words)))
    return [
        _of_plain_word(word) if word.isascii() and not has_letter_controls(word) else logs
        for word, logs in zip(words, zip(*said, strict=True), strict=True)
    ]


@lru_cache(maxsize=16384)
def _of_plain_word(word: str) -> tuple[float, ...]:
    """A word that no decoding changes speaks for Vietnamese in any encoding, or against it; codes and capitals for
    nothing."""
    found = _PLAIN.fullmatch(word)
    log = 0.0 if found is None else _PLAIN_GOOD if is_syllable(found[1]) else _PLAIN_BAD
    return (log,) * len(_READINGS)


_PLAIN = re.compile(r"[\W_]*([A-Za-z][a-z]+)[\W_]*")
_READINGS: tuple[Reading, ...] = (*BYTE_ENCODINGS, AS_IS)
_LOG = MappingProxyType({1: _GOOD, 0: 0.0, -1: _BAD})


def _sum(words: Iterable[tuple[float, ...]]) -> Weights:
    return Weights(dict(zip(_READINGS, map(sum, zip(*words, strict=True)), strict=False)))


def _word_at(text: str, at: int) -> str:
    """The word around position ``at``, as far as syllables are long."""
    start, end = at, at + 1
    while start > max(0, at - 8) and text[start - 1].isalpha():
        start -= 1
    while end < min(len(text), at + 9) and text[end].isalpha():
        end += 1
    return text[start:end]
