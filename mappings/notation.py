"""Numbers and notations of official documents (số, ký hiệu): ``160-KL/TU``, ``33/2015/TT-BCA``,
``202/2025/QH15``.

Party documents put the type before the slash (``NN-LOẠI/CQ``), State documents after it (``NN/LOẠI-CQ``,
legal normative ones ``NN/YYYY/LOẠI-CQ``, a công văn ``NN/CQ-ĐV`` without a type); the National Assembly has
no hyphen. Grammar: guideline 36-HD/VPTW for the Party, Decree 30/2020/NĐ-CP article 15 and Appendix III for
the State.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from mappings.symbol_text import LETTERS, cleaned_symbol
from schemas.vocabulary import document_types


class System(StrEnum):
    """Whose rules of numbering a document follows."""

    PARTY = "party"  # Đảng
    STATE = "state"  # Nhà nước


@dataclass(frozen=True, slots=True)
class Symbol:
    """A document's number and notation, taken apart.

    Attributes:
        number: số, a string: ``02``, ``15a``; ``None`` when only a notation is printed.
        notation: ký hiệu: ``KL/TU``, ``NĐ-CP``, ``STTTT-VP``, ``QH15``.
        type_code: the type's abbreviation, as the vocabulary spells it (``QĐ`` of the Party is a Quyết định
            or a Quy định: see ``resolve_type`` of ``mappings.doc_types``); ``CV`` for a State công văn;
            ``None`` where the form names no type. One that no vocabulary has stands as printed.
        organ: the rest of the notation, joint organs with their hyphen: ``TU``, ``BTCTU-BDVTU``,
            ``STTTT-VP``.
        year: of the form ``NN/YYYY/…``.
        system: Party or State.
        printed: the symbol in the form in which it is printed, without "Số" and stray spaces.
        noise: what was odd, as codes of ``mappings.transforms.PROBLEMS``. Spaces, dashes, strokes and letters
            that only look like the right ones are made regular; everything else stays as it is printed.
    """

    number: str | None
    notation: str
    type_code: str | None
    organ: str
    year: int | None
    system: System
    printed: str
    noise: tuple[str, ...] = ()


def parse_symbol(text: str) -> Symbol | None:
    """Read a printed symbol; ``None`` when it follows none of the grammars. Never raises."""
    cleaned, noise = cleaned_symbol(text)
    for candidate, extra in _candidates(cleaned):
        for reader in (_assembly, _party, _broken_state, _state, _broken):
            if symbol := reader(candidate, (*noise, *extra)):
                return symbol
    return None


def join_symbol(number: str | None, notation: str | None) -> str | None:
    """The printed symbol of a number and a notation that a source keeps apart; ``None`` when there is
    neither.

    ``160`` and ``KL/TU`` give ``160-KL/TU``, ``33`` and ``2002/NĐ-CP`` give ``33/2002/NĐ-CP``.
    """
    digits, _ = cleaned_symbol(number or "")
    mark, _ = cleaned_symbol(notation or "")
    mark = mark.lstrip("-/")
    if not digits or not mark:
        return digits or mark or None
    if parse_symbol(digits):
        return digits
    return f"{digits}{'-' if _is_party_notation(mark) else '/'}{mark}"


NUMBER = r"[0-9]{1,5}[a-km-np-zđ]?"
"""A document's number, as a pattern; an l or o after digits is a digit misread."""
ORGAN = rf"[{LETTERS}0-9](?:[{LETTERS}0-9.&,+-]*[{LETTERS}0-9])?"
"""What follows the last separator: an organ's letters, several organs joined, units, all without spaces."""

# What scanning makes of digits: kept as it is, and flagged.
_NOISY_NUMBER = r"(?=[^-/]*[0-9])[0-9OoIlSB]{1,7}[A-Za-z]?|[A-Za-z]{0,10}[0-9][\w]{0,10}"
_NOISY_YEAR = r"[0-9OoIlSB]{4}"
_STROKED_ORGAN = rf"{ORGAN}(?:/[{LETTERS}0-9]+)?"
_PARTY = re.compile(
    rf"(?:(?P<number>{NUMBER}|{_NOISY_NUMBER})-)?(?P<type>[{LETTERS}]{{1,5}})/(?P<organ>{_STROKED_ORGAN})$"
)
_STATE = re.compile(
    rf"(?P<number>{NUMBER}|{_NOISY_NUMBER})/(?:(?P<year>{_NOISY_YEAR})/)?(?P<head>[{LETTERS}0-9]+)"
    rf"(?:-(?P<rest>{_STROKED_ORGAN}))?$"
)
_ASSEMBLY = re.compile(
    rf"(?P<number>{NUMBER}|{_NOISY_NUMBER})/(?P<year>{_NOISY_YEAR})/(?P<organ>(?:UBTV)?QH[0-9]{{1,2}})$"
)
# A separator is missing or is the other one; only a type that the vocabulary has makes it a symbol.
_BROKEN = re.compile(
    rf"(?P<number>{NUMBER}|{_NOISY_NUMBER})(?P<first>[-/ .]?)(?:(?P<year>[0-9]{{4}})[-/ ])?"
    rf"(?P<type>[{LETTERS}]{{1,5}}?)(?P<second>[-/ .]?)(?P<organ>{ORGAN})$"
)
_LONE_ORGAN = re.compile(r"[A-ZĐ]{2,}")
_PARTY_ORGAN = re.compile(r"(?:[A-ZĐ]*(?:TW|TU)|HU|ĐU|ĐUK|ĐUCA|VPHU|VPĐU)(?:-[A-ZĐ]+)*$")
_YEARS = range(1930, 2100)  # the Party's first document and a bound far enough ahead


def _candidates(cleaned: str) -> list[tuple[str, tuple[str, ...]]]:
    """The text itself, then its first word when more follows (``12-QĐ/TU ngày …``)."""
    found: list[tuple[str, tuple[str, ...]]] = [(cleaned, ())]
    head, space, _ = cleaned.partition(" ")
    if space:
        found.append((head.rstrip(".;:,"), ("trailing_text",)))
    return found


def _assembly(text: str, noise: tuple[str, ...]) -> Symbol | None:
    if not (match := _ASSEMBLY.match(text)):
        return None
    organ = match["organ"]
    year, odd = _year(match["year"])
    noise = (*noise, *_number_noise(match["number"]), *odd)
    return Symbol(match["number"], organ, None, organ, year, System.STATE, text, noise)


def _party(text: str, noise: tuple[str, ...]) -> Symbol | None:
    if not (match := _PARTY.match(text)):
        return None
    number, organ = match["number"], match["organ"]
    kind, odd = _type_code(match["type"], System.PARTY)
    if number is None:
        if not _LONE_ORGAN.match(organ) or odd:
            return None  # "a/b" is no symbol; "QC/BTCTU-BDVTU" is one without its number
        noise = (*noise, "missing_number")
    noise = (*noise, *_number_noise(number), *odd)
    return Symbol(number, f"{match['type']}/{organ}", kind, organ, None, System.PARTY, text, noise)


def _state(text: str, noise: tuple[str, ...]) -> Symbol | None:
    if not (match := _STATE.match(text)):
        return None
    number, head, rest = match["number"], match["head"], match["rest"]
    if not re.search(rf"[{LETTERS}]", head) or (rest is None and not head.isupper()):
        return None  # dates and fractions
    year, odd_year = _year(match["year"]) if match["year"] else (None, ())
    noise = (*noise, *_number_noise(number), *odd_year)
    notation = f"{head}-{rest}" if rest else head
    kind, odd = _type_code(head, System.STATE)
    if "unknown_type" not in odd:
        noise = (*noise, *odd) if rest else (*noise, *odd, "missing_organ")
        return Symbol(number, notation, kind, rest or "", year, System.STATE, text, noise)
    if match["year"]:
        organ = rest or head
        return Symbol(
            number, notation, head if rest else None, organ, year, System.STATE, text, (*noise, *odd)
        )
    return Symbol(number, notation, "CV", notation, None, System.STATE, text, noise)


def _broken(text: str, noise: tuple[str, ...]) -> Symbol | None:
    """A symbol whose separators are not those of its system: ``160-KL TU``, ``160KL/TU``, ``12/QĐ/UB``.

    Whose it is, the separators and the organ's letters must say; where they do not, it is no symbol.
    """
    for match in _splits(text):
        first, second, organ = match["first"], match["second"], match["organ"]
        if first == "/" or match["year"]:
            system = System.STATE
        elif first == "-" or _PARTY_ORGAN.match(organ):
            system = System.PARTY
        else:
            continue
        if first == "/" and second == "/" and _PARTY_ORGAN.match(organ):
            system = System.PARTY
        kind, odd = _type_code(match["type"], system)
        if odd or not organ[0].isupper():
            continue
        year, odd_year = _year(match["year"]) if match["year"] else (None, ())
        problem = "odd_separator" if first.strip() and second.strip() else "missing_separator"
        noise = (*noise, *_number_noise(match["number"]), *odd_year, problem)
        notation = text[match.start("type") :]
        return Symbol(match["number"], notation, kind, organ, year, system, text, noise)
    return None


def _broken_state(text: str, noise: tuple[str, ...]) -> Symbol | None:
    """As ``_broken``, for what would else pass as a công văn or as a type that nobody knows: ``160KL/TU``,
    ``33/2002/NĐCP``."""
    match = _STATE.match(text)
    if match is None or match["rest"] or (re.fullmatch(NUMBER, match["number"]) and not match["year"]):
        return None
    return _broken(text, noise)


def _splits(text: str) -> list[re.Match[str]]:
    """Every way to end the type: without a separator after it, only the vocabulary knows where it ends."""
    shortest = _BROKEN.match(text)
    if shortest is None:
        return []
    if shortest["second"]:
        return [shortest]
    found = []
    for length in range(5, 0, -1):
        pattern = _BROKEN.pattern.replace("{1,5}?", f"{{{length}}}")
        if match := re.match(pattern, text):
            found.append(match)
    return found


def _number_noise(number: str | None) -> tuple[str, ...]:
    return () if number is None or re.fullmatch(NUMBER, number) else ("implausible_number",)


def _year(printed: str) -> tuple[int | None, tuple[str, ...]]:
    if not printed.isdigit():
        return None, ("implausible_year",)
    return int(printed), () if int(printed) in _YEARS else ("implausible_year",)


def _type_code(printed: str, system: System) -> tuple[str, tuple[str, ...]]:
    """The abbreviation as the vocabulary spells it, and how the print departs from it."""
    if printed in _abbreviations(system):
        return printed, ()
    # Two abbreviations that differ only in case or in Đ and D are never taken for each other.
    for key, problem in ((str.casefold, "odd_case"), (_without_strokes, "latin_d")):
        fitting = [known for known in _abbreviations(system) if key(known) == key(printed)]
        if len(fitting) == 1:
            return fitting[0], (problem,)
    return printed, ("unknown_type",)


def _without_strokes(abbreviation: str) -> str:
    return abbreviation.casefold().replace("đ", "d")


def _is_party_notation(notation: str) -> bool:
    head, slash, _ = notation.partition("/")
    return bool(slash) and "-" not in head and not head.isdigit()


@cache
def _abbreviations(system: System) -> frozenset[str]:
    return frozenset(
        printed for kind in document_types() if kind.system == system for printed in kind.abbreviations
    )
