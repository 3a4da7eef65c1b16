"""Excerpts: where the words of a search stand in a text as it was written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_AROUND = 80  # characters before and after the first mark
_LONGEST = 260
_MARKS = 40


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of a text.

    Attributes:
        place: ``subject``, ``body`` or ``file``. name: of the file.
        text: the piece as it was written, on one line.
        marks: where the words of the search begin and end in ``text``.
    """

    place: str
    name: str | None
    text: str
    marks: tuple[tuple[int, int], ...]


def excerpt(place: str, name: str | None, text: str, words: Sequence[tuple[str, bool]]) -> Excerpt | None:
    """The piece of ``text`` (composed, NFC) that shows most of ``words`` (folded; whether only a beginning).

    ``None`` where none of them stands.
    """
    pattern = _pattern(words)
    if pattern is None:
        return None
    found = [
        match.span()
        for match, _ in zip(pattern.finditer(text.translate(_FOLDED)), range(2_000), strict=False)
    ]
    if not found:
        return None
    first = _best(text, found)
    start = max(found[first][0] - _AROUND, 0)
    end = min(start + _LONGEST, len(text))
    while start > 0 and not text[start - 1].isspace() and found[first][0] - start < 2 * _AROUND:
        start -= 1
    inside = [(a - start, b - start) for a, b in found[first : first + _MARKS] if b <= end]
    return Excerpt(place, name, re.sub(r"\s", " ", text[start:end]), tuple(inside))


def _best(text: str, found: Sequence[tuple[int, int]]) -> int:
    """The match after which most different words follow within the length of an excerpt."""
    best, most = 0, 0
    for index, (start, _) in enumerate(found):
        seen = set()
        for a, b in found[index : index + _MARKS]:
            if b > start + _LONGEST - _AROUND:
                break
            seen.add(text[a:b].translate(_FOLDED))
        if len(seen) > most:
            best, most = index, len(seen)
    return best


def _pattern(words: Sequence[tuple[str, bool]]) -> re.Pattern[str] | None:
    if not words:
        return None
    parts = {re.escape(word) + ("[0-9a-z]*" if is_prefix else "") for word, is_prefix in words}
    return re.compile(f"(?<![0-9a-z])(?:{'|'.join(sorted(parts, key=len, reverse=True))})(?![0-9a-z])")


class _Folding(dict[int, str]):
    """Each letter as one without diacritics and case, so that places stay the same."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        base = unicodedata.normalize("NFD", letter.lower())[:1]
        folded = "d" if base in ("đ", "\u00f0") else base or letter
        self[code] = folded
        return folded


_FOLDED = _Folding()
