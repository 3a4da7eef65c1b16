"""Organs over time: which code is which organ, who carries on, and whether an issuer fits a notation.

A code is another code of the same organ only where ``schemas/vocabularies/organs.yaml`` says so: never because
the letters look alike.
"""

from __future__ import annotations

from datetime import date
from functools import cache

from mappings.vietnamese import fold
from schemas.vocabulary import OrganTerm, organs


def organ_of_code(code: str, on: date | None = None) -> OrganTerm | None:
    """The organ that has, or had, this code; ``None`` when it is unknown, or not an organ on the day ``on``."""
    term = _by_code().get(code.strip().upper())
    return term if term and (on is None or term.holds_on(on)) else None


def present_code(code: str) -> str:
    """The code under which the same organ is known today: of a former code the present one, else itself."""
    term = organ_of_code(code)
    return term.code if term else code.strip().upper()


def successor_on(code: str, on: date) -> OrganTerm | None:
    """The organ itself when it exists on the day ``on``, else whoever carries on; ``None`` when nobody is
    known."""
    term = organ_of_code(code)
    seen: set[str] = set()
    while term and not term.holds_on(on):
        if not term.successor or term.code in seen or (term.valid_to and on <= term.valid_to):
            return None
        seen.add(term.code)
        term = organ_of_code(term.successor)
    return term


def issuer_fits(letters: str, issuer: str) -> bool:
    """False when the organ ``issuer`` cannot be the one that prints ``letters`` in its notation.

    ``TU`` is a Tỉnh ủy or a Thành ủy; an issuer of neither name does not fit. Letters that the vocabulary does not
    have fit everybody.
    """
    names = _names_of_letters().get(letters)
    return not names or any(name in fold(issuer) for name in names)


@cache
def _by_code() -> dict[str, OrganTerm]:
    return {code.upper(): term for term in organs() for code in (term.code, *term.former_codes)}


@cache
def _names_of_letters() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for term in organs():
        for letters in term.letters:
            found[letters] = (*found.get(letters, ()), *map(fold, (term.name, *term.words)))
    return found
