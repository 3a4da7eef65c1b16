"""Retention periods (thời hạn bảo quản): what a record or a person wrote, how long that is, and which is longer.

The vocabulary is that of Circular 05/2025/TT-BNV (``maintenance`` 01 to 07) in ``schemas/vocabularies/retention.yaml``.
A period counts from the year in which the work ended, to the end of its last year. What cannot be read as a number
of years never comes to an end by itself: a person has to say what it means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache

from mappings.vietnamese import fold
from schemas.vocabulary import retentions

UNDETERMINED = "Chưa xác định"
"""The honest default: nobody has said how long."""

_YEARS = re.compile(r"([0-9]{1,3}) nam")


@dataclass(frozen=True, slots=True)
class Period:
    """How long something is kept.

    Attributes:
        name: as the vocabulary writes it, or as printed.
        code: ``maintenance`` of TT05; ``""`` when undetermined.
        years: after the year in which the work ended; ``None``: for ever, or undetermined.
        rank: orders periods by length; 0 when undetermined. A period that cannot be read counts as longer than every
            number of years, and only "Vĩnh viễn" as longer still.
        basis: the text that the vocabulary names for it.
    """

    name: str
    code: str
    years: int | None
    rank: int
    basis: str

    def due_on(self, ended: date | None) -> date | None:
        """The first day after the period of what ended on ``ended``; ``None``: never, or not known."""
        if self.years is None or ended is None or ended.year + self.years >= date.max.year:
            return None
        return date(ended.year + self.years + 1, 1, 1)


def read_period(text: str | None) -> Period:
    """The period that ``text`` names; ``None``, empty and unknown words are kept apart (see ``Period.rank``)."""
    printed = " ".join((text or "").split())
    folded = fold(printed).strip(" .")
    if not folded:
        return _known()[fold(UNDETERMINED)]
    if known := _known().get(folded):
        return known
    if (match := _YEARS.fullmatch(folded)) and (years := int(match[1])):
        return Period(printed, "07", years, years, _basis_of_other())
    return Period(printed, "07", None, _UNREADABLE, _basis_of_other())


_UNREADABLE = 10_000
_FOR_EVER = 10_001


@cache
def _known() -> dict[str, Period]:
    found: dict[str, Period] = {}
    for term in retentions():
        if term.code == "permanent":
            rank = _FOR_EVER
        elif term.code == "unknown":
            rank = 0
        else:
            rank = _UNREADABLE if term.years is None else term.years
        period = Period(term.name, term.tt05 or "", term.years, rank, term.source)
        found |= dict.fromkeys(map(fold, (term.name, *term.words)), period)
    return found


def _basis_of_other() -> str:
    return _known()[fold("Khác")].basis
