"""What PostgreSQL indexes of a document: its words, how they are spelled, which stand side by side, and its facts.

Lexemes of the text search vectors, all made here:

* ``dinh`` a word, folded;
* ``=đinh5`` the same word as it is spelled, where it has diacritics;
* ``+quyet dinh`` two words side by side in one text, and ``=quyêt1 đinh5`` as they are spelled: a phrase of two, as
  most Vietnamese words are, needs no look at positions;
* ``#type qd`` a fact that can be filtered and counted by;
* ``~long`` the text is longer than positions or pairs go, or has a word more often than places are kept: a phrase in
  it cannot be checked, only its words.

Weights: A number and notation, B subject and type, C signers, D issuer, recipients, body, files.
"""

from __future__ import annotations

from collections.abc import Iterable

from archive.searching import Word
from archive.stored_text import column_text

LONG = "~long"
_LAST_POSITION = 16_383  # MAXENTRYPOS of PostgreSQL: later words all stand there
_POSITIONS = 255  # MAXNUMPOS: how many places of one lexeme are kept
_GAP = 2  # between texts, so that no phrase goes from one to the next
_PAIRS_UP_TO = 600_000  # bytes of a vector until which pairs are added
_LARGEST = 1_000_000  # bytes; PostgreSQL refuses a vector of 1,048,576
_OVERHEAD = 8  # bytes of a lexeme in a vector, without its letters and places


class Vector:
    """A text search vector under construction.

    Attributes:
        left_out: words for which there was no room.
    """

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}
        self._at = 0
        self._size = 0
        self._long = False
        self.left_out = 0

    def add(self, words: Iterable[Word], weight: str = "") -> None:
        """Add a text: its words, in order; ``weight`` is ``A``, ``B``, ``C`` or, for D, empty."""
        before: Word | None = None
        self._at += _GAP
        for word in words:
            if self._size > _LARGEST:
                self.left_out += 1
                self._long = True
                continue
            self._at += 1
            if self._at >= _LAST_POSITION:
                self._at = _LAST_POSITION
                self._long = True
            place = f"{self._at}{weight}"
            self._put_word(word.folded, place)
            if word.spelled:
                self._put_word(f"={word.spelled}", place)
            if before:
                self._pair(before, word, place)
            before = word

    def mark(self, lexeme: str) -> None:
        """Add a lexeme that stands nowhere in the text."""
        self._put(lexeme, "")

    def literal(self) -> str:
        """The vector as PostgreSQL reads a ``tsvector``."""
        if self._long:
            self.mark(LONG)
        return " ".join(
            f"{quoted(lexeme)}:{','.join(places)}" if places else quoted(lexeme)
            for lexeme, places in self._places.items()
        )

    def _pair(self, first: Word, second: Word, place: str) -> None:
        if self._size > _PAIRS_UP_TO:
            self._long = True
            return
        self._put(pair(first, second), place)
        if first.spelled or second.spelled:
            self._put(spelled_pair(first, second), place)

    def _put_word(self, lexeme: str, place: str) -> None:
        self._put(lexeme, place)
        places = self._places[lexeme[:_LONGEST]]
        if len(places) == _POSITIONS and places[-1] != place:
            self._long = True

    def _put(self, lexeme: str, place: str) -> None:
        lexeme = lexeme[:_LONGEST]
        places = self._places.get(lexeme)
        if places is None:
            self._places[lexeme] = [place] if place else []
            self._size += len(lexeme.encode()) + _OVERHEAD
        elif place and len(places) < _POSITIONS and places[-1] != place:
            places.append(place)
            self._size += 2


_LONGEST = 400  # letters of a lexeme; PostgreSQL refuses 2,048 bytes


def pair(first: Word, second: Word) -> str:
    """The lexeme of two words side by side, folded."""
    return f"+{first.folded} {second.folded}"


def spelled_pair(first: Word, second: Word) -> str:
    """The lexeme of two words side by side, as they are spelled; of words without diacritics that of ``pair``."""
    if not first.spelled and not second.spelled:
        return pair(first, second)
    return f"={first.spelled or first.folded} {second.spelled or second.folded}"


def fact(facet: str, value: str) -> str:
    """The lexeme of a fact: ``#type qđ``."""
    return f"#{facet} {value}"


def quoted(lexeme: str) -> str:
    """``lexeme`` as it stands in a ``tsvector`` or a ``tsquery``."""
    return "'" + column_text(lexeme)[:_LONGEST].replace("\\", "\\\\").replace("'", "''") + "'"
