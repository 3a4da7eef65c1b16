"""Marks of state secrecy in text: ``MẬT``, ``Độ mật: Tối mật``, ``[TUYỆT MẬT]``; and the words that only look
like them.

The words are ``schemas/vocabularies/secrecy.yaml``. Text is looked at in every spelling in which it may have
come: composed, and decoded from every legacy encoding. Between a mark and a word, doubt counts as a mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mappings.secrecy_patterns import Level, patterns
from mappings.secrecy_spelling import in_latin, may_hold_mark, spellings
from mappings.vietnamese import fold

LEVELS: tuple[Level, ...] = ("mat", "toi_mat", "tuyet_mat")
"""From the lowest to the highest."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that was found: its level, and which rule saw it; nothing of the text."""

    level: Level
    rule: str


def mark_in_text(text: str) -> Mark | None:
    """A mark that stands for itself: on a line of its own, after a label, in brackets, between dashes, in
    capitals, letter by letter.

    For headings, page text and fields of any kind. The highest level wins.
    """
    latin = in_latin(text)
    if not may_hold_mark(latin):
        return None
    return highest(mark for spelling in spellings(latin) for mark in _standing_marks(spelling))


def mark_in_title(text: str) -> Mark | None:
    """As ``mark_in_text``, and what is doubtful in a title: ``Báo cáo tối mật``, ``tài liệu mật``."""
    latin = in_latin(text)
    if not may_hold_mark(latin):
        return None
    doubtful = (mark for spelling in spellings(latin) for mark in _doubtful_marks(spelling))
    return highest((mark_in_text(latin), *doubtful))


def mark_in_symbol(text: str) -> Mark | None:
    """As ``mark_in_title``, and a level anywhere: a number or notation holds no word that only looks like one."""
    latin = in_latin(text)
    if not may_hold_mark(latin):
        return None
    words = (
        Mark(_level_of(match), "symbol")
        for spelling in spellings(latin)
        for match in patterns().word.finditer(_masked(patterns().harmless, _lower(spelling)))
    )
    return highest((mark_in_title(latin), *words))


def highest(marks: Iterable[Mark | None]) -> Mark | None:
    """The mark of the highest level, the first of several; ``None`` without any."""
    found = (mark for mark in marks if mark is not None)
    return max(found, key=lambda mark: LEVELS.index(mark.level), default=None)


def _standing_marks(text: str) -> Iterator[Mark]:
    lowered = _lower(text)
    yield from _labelled(lowered)
    yield from _on_lines(text)
    if "ậ" not in lowered:
        return
    yield from _letter_by_letter(lowered)
    masked = _masked(patterns().harmless, lowered)
    for rule in ("bracketed", "delimited", "ticked"):
        for match in getattr(patterns(), rule).finditer(masked):
            yield Mark(_level_of(match), rule)
    for match in patterns().word.finditer(_masked(patterns().harmless_capitals, lowered)):
        if text[match.start() : match.end()].isupper():
            yield Mark(_level_of(match), "capitals")


def _labelled(lowered: str) -> Iterator[Mark]:
    for match in patterns().labelled.finditer(lowered):
        yield Mark(patterns().degraded[_squeezed(fold(match["level"]))], "label")
    for match in patterns().english_labelled.finditer(lowered):
        yield Mark(patterns().english[_squeezed(match["level"])], "label")


def _on_lines(text: str) -> Iterator[Mark]:
    """A level alone on a line, or on several short ones that follow each other: a stamp in two lines, a
    vertical one."""
    lines = [(_squeezed(line), line) for line in text.split("\n") if 0 < len(line) <= _LONGEST_STAMP]
    for squeezed, line in lines:
        if mark := _on_line(squeezed.lower(), line):
            yield mark
    for start in range(len(lines)):
        joined = ""
        for squeezed, _ in lines[start : start + _LONGEST_LEVEL]:
            joined += squeezed.lower()
            if len(joined) > _LONGEST_LEVEL:
                break
            if joined in patterns().levels:
                yield Mark(patterns().levels[joined], "line")


_LONGEST_STAMP = 60  # characters of a line with the letters apart and ornaments around them
_LONGEST_LEVEL = 8  # letters of "tuyệt mật"
_MISREAD = ("mat", "mât", "mạt")
"""What scanning makes of a lone ``MẬT`` and no other word in capitals is; of two syllables any diacritics do."""


def _on_line(squeezed: str, line: str) -> Mark | None:
    if level := patterns().levels.get(squeezed):
        return Mark(level, "line")
    if not line.isupper() and not line.istitle():
        return None
    if level := patterns().english.get(squeezed):
        return Mark(level, "line") if level != "mat" else None
    level = patterns().degraded.get(fold(squeezed))
    if level and line.isupper() and (level != "mat" or squeezed in _MISREAD):
        return Mark(level, "degraded_line")
    return None


def _letter_by_letter(lowered: str) -> Iterator[Mark]:
    for match in _APART.finditer(lowered):
        letters = patterns().harmless_squeezed.sub("¤", _squeezed(match.group()))
        for word, level in patterns().levels.items():
            if word in letters:
                yield Mark(level, "letters_apart")


_APART = re.compile(r"(?<![^\W_])[^\W\d_](?:[ .\-_·*]{1,3}[^\W\d_](?![^\W_])){2,}")


def _doubtful_marks(text: str) -> Iterator[Mark]:
    masked = _masked(patterns().harmless, _lower(text))
    for match in patterns().word.finditer(masked):
        level = _level_of(match)
        at_end = not masked[match.end() :].strip(' .)"”')
        if level != "mat" or at_end or patterns().doubtful_noun.search(masked, 0, match.start()):
            yield Mark(level, "doubtful_word")


def _lower(text: str) -> str:
    """Lower case, position by position: a few capitals of other languages have a small letter of two characters."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower()[0] for c in text)


def _masked(harmless: re.Pattern[str], lowered: str) -> str:
    return harmless.sub(lambda match: "¤" * len(match.group()), lowered)


def _level_of(match: re.Match[str]) -> Level:
    return patterns().levels[_squeezed(match["level"])]


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)
