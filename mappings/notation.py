"""Numbers and notations of official documents (số, ký hiệu): ``160-KL/TU``, ``33/2015/TT-BCA``,
``202/2025/QH15``.

Party documents put the type before the slash (``NN-LOẠI/CQ``), State documents after it (``NN/LOẠI-CQ``,
legal normative ones ``NN/YYYY/LOẠI-CQ``, a công văn ``NN/CQ-ĐV`` without a type); the National Assembly has
no hyphen. Grammar: guideline 36-HD/VPTW for the Party, Decree 30/2020/NĐ-CP article 15 and Appendix III for
the State.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

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
        type_code: the type's abbreviation as printed (``QĐ`` of the Party is a Quyết định or a Quy định: see
            ``resolve_type`` of ``mappings.doc_types``); ``CV`` for a State công văn; ``None`` where the form
            names no type.
        organ: the rest of the notation, joint organs with their hyphen: ``TU``, ``BTCTU-BDVTU``,
            ``STTTT-VP``.
        year: of the form ``NN/YYYY/…``.
        system: Party or State.
        printed: the symbol in the form in which it is printed, without "Số" and stray spaces.
        noise: what was odd: ``implausible_number``, ``unknown_type``, ``missing_number``, ``missing_organ``,
            ``odd_dash``, ``odd_letter``, ``trailing_text``. Nothing but spaces, dashes and U+00D0 is ever
            changed.
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
    cleaned, noise = _cleaned(text)
    for candidate, extra in _candidates(cleaned):
        for reader in (_assembly, _party, _state):
            if symbol := reader(candidate, (*noise, *extra)):
                return symbol
    return None


def join_symbol(number: str | None, notation: str | None) -> str | None:
    """The printed symbol of a number and a notation that a source keeps apart; ``None`` when there is
    neither.

    ``160`` and ``KL/TU`` give ``160-KL/TU``, ``33`` and ``2002/NĐ-CP`` give ``33/2002/NĐ-CP``.
    """
    digits, _ = _cleaned(number or "")
    mark, _ = _cleaned(notation or "")
    mark = mark.lstrip("-/")
    if not digits or not mark:
        return digits or mark or None
    if parse_symbol(digits):
        return digits
    return f"{digits}{'-' if _is_party_notation(mark) else '/'}{mark}"


_LETTERS = r"A-Za-zĂÂÊÔƠƯĐăâêôơưđ"
_NUMBER = r"\d{1,5}[a-z]?"
# What scanning makes of digits: kept as it is, and flagged.
_NOISY_NUMBER = r"(?=[^-/]*\d)[0-9OoIlSB]{1,7}[A-Za-z]?|[A-Za-z]{0,6}\d[\w]{0,10}"
_ORGAN = rf"[{_LETTERS}0-9](?:[{_LETTERS}0-9.&,+-]*[{_LETTERS}0-9])?(?:/[{_LETTERS}0-9]+)?"
_PARTY = re.compile(
    rf"(?:(?P<number>{_NUMBER}|{_NOISY_NUMBER})-)?(?P<type>[{_LETTERS}]{{1,5}})/(?P<organ>{_ORGAN})$"
)
_STATE = re.compile(
    rf"(?P<number>{_NUMBER}|{_NOISY_NUMBER})/(?:(?P<year>\d{{4}})/)?(?P<head>[{_LETTERS}0-9]+)(?:-(?P<rest>{_ORGAN}))?$"
)
_ASSEMBLY = re.compile(rf"(?P<number>{_NUMBER})/(?P<year>\d{{4}})/(?P<organ>(?:QH|UBTVQH)\d{{1,2}})$")
_LABEL = re.compile(r"^(?:s[ốôo]|SỐ|SO)\s*(?:và ký hiệu|, ký hiệu|ký hiệu)?\s*[:.]?\s*(?=\S)", re.IGNORECASE)
_LONE_ORGAN = re.compile(r"[A-ZĐ]{2,}")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))


def _cleaned(text: str) -> tuple[str, tuple[str, ...]]:
    """``text`` in NFC without label, invisible characters and spaces around separators; and what was odd."""
    noise: list[str] = []
    value = unicodedata.normalize("NFC", text)
    value = "".join(c for c in value if unicodedata.category(c) != "Cf" or c == "\xad")
    if "\u00d0" in value or "\u0189" in value:
        noise.append("odd_letter")
        value = value.replace("\u00d0", "Đ").replace("\u0189", "Đ")
    if "\u00f0" in value:
        noise.append("odd_letter")
        value = value.replace("\u00f0", "đ")
    if (dashed := value.translate(_DASHES)) != value:
        noise.append("odd_dash")
        value = dashed
    value = " ".join(value.split())
    value = _LABEL.sub("", value, count=1)
    value = re.sub(r"\s*([-/])\s*", r"\1", value)
    return value.strip(" .;:,"), tuple(dict.fromkeys(noise))


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
    return Symbol(match["number"], organ, None, organ, int(match["year"]), System.STATE, text, noise)


def _party(text: str, noise: tuple[str, ...]) -> Symbol | None:
    if not (match := _PARTY.match(text)):
        return None
    number, kind, organ = match["number"], match["type"], match["organ"]
    if number is None:
        if not _LONE_ORGAN.match(organ) or kind not in _abbreviations(System.PARTY):
            return None  # "a/b" is no symbol; "QC/BTCTU-BDVTU" is one without its number
        noise = (*noise, "missing_number")
    elif not re.fullmatch(_NUMBER, number):
        noise = (*noise, "implausible_number")
    if kind not in _abbreviations(System.PARTY):
        noise = (*noise, "unknown_type")
    return Symbol(number, f"{kind}/{organ}", kind, organ, None, System.PARTY, text, noise)


def _state(text: str, noise: tuple[str, ...]) -> Symbol | None:
    if not (match := _STATE.match(text)):
        return None
    number, head, rest = match["number"], match["head"], match["rest"]
    if not re.search(rf"[{_LETTERS}]", head) or (rest is None and not head.isupper()):
        return None  # dates and fractions
    if not re.fullmatch(_NUMBER, number):
        noise = (*noise, "implausible_number")
    year = int(match["year"]) if match["year"] else None
    notation = f"{head}-{rest}" if rest else head
    if head in _abbreviations(System.STATE):
        noise = noise if rest else (*noise, "missing_organ")
        return Symbol(number, notation, head, rest or "", year, System.STATE, text, noise)
    if year is not None:
        return Symbol(
            number,
            notation,
            head if rest else None,
            rest or head,
            year,
            System.STATE,
            text,
            (*noise, "unknown_type"),
        )
    return Symbol(number, notation, "CV", notation, None, System.STATE, text, noise)


def _is_party_notation(notation: str) -> bool:
    head, slash, _ = notation.partition("/")
    return bool(slash) and "-" not in head and not head.isdigit()


@cache
def _abbreviations(system: System) -> frozenset[str]:
    return frozenset(
        printed for kind in document_types() if kind.system == system for printed in kind.abbreviations
    )
