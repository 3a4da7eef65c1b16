"""How text is made comparable for search: words without diacritics, and beside them as they are spelled.

Made in Python and stored, so that every PostgreSQL finds the same, whatever extensions and locale it has. A
query goes through the same functions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from mappings.vietnamese import fold

_WORD = re.compile(r"[0-9a-z]+")
_PART = re.compile(r"[0-9]+|[a-z]+")
_NUMBERED = re.compile(r"([0-9]+)([-/].*)", re.DOTALL)
_LABEL = re.compile(r"^\s*(so|no|number)\b[\s.:]*(?=\d)")
# Grave, acute, tilde, hook above, dot below: the marks of a tone. Breve, circumflex and horn belong to the letter.
_TONES = {"\u0300": "2", "\u0301": "1", "\u0303": "4", "\u0309": "3", "\u0323": "5"}
_D_BARRED = "đ\u00f0"  # U+00F0, the small Icelandic letter, is typed for đ


class Word(NamedTuple):
    """A word of a text.

    Attributes:
        folded: without diacritics and case: ``định`` gives ``dinh``.
        spelled: with its letters' marks, and its tone as a digit at its end, so that where the tone is placed
            makes no difference (``hoà`` and ``hòa`` give ``hoa2``, ``định`` gives ``đinh5``); ``None`` without
            diacritics.
    """

    folded: str
    spelled: str | None


def words_of(text: str | None) -> Iterator[Word]:
    """The words of ``text`` in order. Signs part words: ``160-KL/TU`` gives ``160``, ``kl``, ``tu``."""
    for piece in (text or "").split():
        yield from _words(piece)


def words(text: str | None) -> Iterator[str]:
    """The words of ``text``, folded: ``Đề án số 06`` gives ``de``, ``an``, ``so``, ``06``."""
    return (word.folded for word in words_of(text))


def symbol_norm(text: str | None) -> str | None:
    """One spelling for all ways to write a number and notation.

    ``160-KL/TU``, ``Số: 0160 – kl / tu`` and ``160 KL.TU`` give ``160-kl-tu``: labels, spaces, kinds of
    dash and stroke, case, diacritics and leading zeros do not count. ``None`` when nothing is left.
    """
    if not text:
        return None
    numbered = _NUMBERED.fullmatch(text)
    if numbered is None:
        return _symbol_parts(text) or None
    # Notations repeat, numbers do not: only what follows the number is worth remembering.
    number, notation = numbered.groups()
    return "-".join(filter(None, (number.lstrip("0") or "0", _symbol_parts(notation))))


@lru_cache(maxsize=1 << 12)
def _symbol_parts(text: str) -> str:
    plain = _LABEL.sub("", fold(text.replace("\u00d0", "Đ")))  # U+00D0, the Icelandic letter, is typed for Đ
    return "-".join(part.lstrip("0") or "0" if part.isdigit() else part for part in _PART.findall(plain))


@lru_cache(maxsize=1 << 12)
def issuer_norm(name: str | None) -> str | None:
    """One spelling for an organ's name: its words without diacritics and case; ``None`` for none."""
    return " ".join(words(name)) or None if name else None


@lru_cache(maxsize=1 << 15)
def _words(piece: str) -> tuple[Word, ...]:
    # Piece by piece and remembered: Vietnamese has some ten thousand syllables, which repeat in every text.
    if piece.isascii():
        return tuple(Word(word, None) for word in _WORD.findall(piece.lower()))
    letters = unicodedata.normalize("NFD", piece.lower())
    seen = "".join(c for c in letters if _is_mark(c) or unicodedata.category(c) not in ("Mn", "Cf"))
    return tuple(_spelled(word) for word in _MARKED_WORD.findall(seen))


_MARKED_WORD = re.compile(f"[0-9a-z{_D_BARRED}][0-9a-z{_D_BARRED}\u0300-\u036f]*")


def _is_mark(letter: str) -> bool:
    return "\u0300" <= letter <= "\u036f"


def _spelled(letters: str) -> Word:
    folded, marked, tone = "", "", ""
    for letter in letters:
        if letter in _TONES:
            tone = _TONES[letter]
        elif letter in _D_BARRED:
            folded, marked = folded + "d", marked + "đ"
        else:
            marked += letter
            folded += "" if _is_mark(letter) else letter
    spelled = unicodedata.normalize("NFC", marked) + tone
    return Word(folded, None if spelled == folded else spelled)
