"""Marks of state secrecy in names: of files, forms and databases, where diacritics are often left off; and which
fields hold the degree of secrecy, and what their values say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from mappings.secrecy_marks import Mark, highest, mark_in_title
from mappings.secrecy_patterns import as_level, patterns
from mappings.secrecy_spelling import in_latin, spellings
from mappings.vietnamese import fold, nfc
from schemas.vocabulary import secrecy_words


def mark_in_name(name: str) -> Mark | None:
    """A mark in a name: ``BC_TOI_MAT.pdf``, ``12-BC (Mat).docx``, ``CongVanMat.doc``."""
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", in_latin(name))
    apart = _HUMP.sub(" ", stem)
    return mark_in_title(apart.replace("_", " ")) or highest((_bare_mark(stem), _bare_mark(apart)))


def level_of_value(value: str, extra: Mapping[str, str] | None = None) -> Mark | None:
    """The level that a classification field's value says; a value that nobody knows counts as a mark.

    Args:
        value: as printed.
        extra: folded value to level or ``none``, for this source.
    """
    words = secrecy_words()
    latin = in_latin(value)
    for spelling in spellings(latin):
        key = fold(spelling).strip(" .:*-[]()")
        for level in words.levels:
            if key in {fold(word) for word in (*level.words, level.name)}:
                return Mark(as_level(level.code), "value")
        if extra and key in extra:
            return None if extra[key] == "none" else Mark(as_level(extra[key]), "configured_value")
        if key in words.not_secret:
            return None
        for level in words.levels:
            if key in level.values:
                return Mark(as_level(level.code), "value")
    found = mark_in_title(latin) or _bare_mark(latin)
    return found or Mark("mat", "unknown_value")


@lru_cache(maxsize=4096)
def is_classification_field(name: str) -> bool:
    """True when a field's name says that it holds the degree of secrecy: ``DoMat``, ``Do_Mat``,
    ``SecurityLevel``."""
    words = secrecy_words()
    parts = [fold(part) for part in re.findall(r"[A-ZĐ]?[^\W\d_A-ZĐ]+|[A-ZĐ]+(?![^\W\d_A-ZĐ])", nfc(name))]
    joined = "".join(parts)
    if joined in words.field_names:
        return True
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            if "".join(parts[start:end]) in words.field_names:
                follower = parts[end] if end < len(parts) else ""
                return follower not in words.field_name_followers
    return joined.endswith(("domat", "mucmat"))


# Between the words of CongVanMat.
_HUMP = re.compile(r"(?<=[^\W\d_A-ZĐ])(?=[A-ZĐ][^\W\d_A-ZĐ])")
_HYPHENS = ("-", "–")


def _bare_mark(name: str) -> Mark | None:
    """Marks without diacritics: in brackets anywhere, after a noun that takes one, of two words anywhere, else as
    the first or last word in capitals."""
    tokens = re.findall(r"[^\W_]+|[()\[\]–-]", nfc(name))
    folded = [fold(token) for token in tokens]
    found: list[Mark | None] = []
    for level, words in patterns().bare:
        if len(words) > 1 and any("".join(words) in token for token in folded):
            found.append(Mark(level, "name"))
        for at in range(len(folded) - len(words) + 1):
            end = at + len(words)
            if tuple(folded[at:end]) == words and _stands_out(tokens, folded, at, end):
                found.append(Mark(level, "name"))
    return highest(found)


def _stands_out(tokens: list[str], folded: list[str], at: int, end: int) -> bool:
    before = tokens[at - 1] if at else ""
    after = tokens[end] if end < len(tokens) else ""
    if before in ("", "(", "[") and after in ("", ")", "]"):
        return True
    if _follows_noun(folded, at) and (not after or after.isdigit() or after in _HYPHENS or after == "so"):
        return True
    if before in _HYPHENS and after in _HYPHENS and tokens[at].isupper() and _follows_noun(folded, at - 1):
        return True
    friend = _word_before(folded, at) in patterns().bare_before
    friend = friend or _word_after(folded, end) in patterns().bare_after
    if friend:
        return False
    if end - at > 1:
        return True
    hyphen = (before in _HYPHENS or after in _HYPHENS) and tokens[at][0].isupper()
    return (not before or not after) and (hyphen or tokens[at].isupper())


def _follows_noun(folded: list[str], at: int) -> bool:
    """Whether what stands before is a noun of papers (``cong van``), or its abbreviation."""
    if at and folded[at - 1] == "cv":
        return True
    return any(tuple(folded[max(at - len(noun), 0) : at]) == noun for noun in patterns().bare_nouns)


def _word_before(tokens: list[str], at: int) -> str:
    return next((token for token in reversed(tokens[:at]) if token not in _HYPHENS), "")


def _word_after(tokens: list[str], at: int) -> str:
    return next((token for token in tokens[at:] if token not in _HYPHENS), "")
