"""The words of ``schemas/vocabularies/secrecy.yaml`` as patterns, made once; they are matched against lower-case
text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from mappings.legacy_decoding import spellings_of
from mappings.vietnamese import fold
from schemas.vocabulary import SecrecyWords, secrecy_words

Level = Literal["mat", "toi_mat", "tuyet_mat"]


@dataclass(frozen=True, slots=True)
class Patterns:
    """What text is compared with.

    Attributes:
        levels: word of a level, squeezed, to level.
        degraded: as ``levels``, folded: of a stamp whose diacritics were lost on a line of its own.
        english: level's English word, squeezed, to level.
        candidate: text without it holds no mark in any spelling.
        labelled, english_labelled, ticked, bracketed, delimited, word: marks; the group ``level`` is the word.
        harmless: ordinary words and phrases that hold a level's word.
        harmless_capitals: those of them that are ordinary in capitals, too.
        harmless_squeezed: the words, without spaces.
        doubtful_noun: a noun at the end of what stands before a level.
        bare: folded words of each level. bare_before, bare_after: folded words beside them that make them others.
        bare_nouns: folded words of the doubtful nouns.
    """

    levels: Mapping[str, Level]
    degraded: Mapping[str, Level]
    english: Mapping[str, Level]
    candidate: re.Pattern[str]
    labelled: re.Pattern[str]
    english_labelled: re.Pattern[str]
    ticked: re.Pattern[str]
    bracketed: re.Pattern[str]
    delimited: re.Pattern[str]
    word: re.Pattern[str]
    harmless: re.Pattern[str]
    harmless_capitals: re.Pattern[str]
    harmless_squeezed: re.Pattern[str]
    doubtful_noun: re.Pattern[str]
    bare: tuple[tuple[Level, tuple[str, ...]], ...]
    bare_before: frozenset[str]
    bare_after: frozenset[str]
    bare_nouns: tuple[tuple[str, ...], ...]


def as_level(code: str) -> Level:
    """A level's code as its type; what is no level counts as the lowest."""
    if code == "tuyet_mat":
        return "tuyet_mat"
    return "toi_mat" if code == "toi_mat" else "mat"


@cache
def patterns() -> Patterns:
    """The patterns of the vocabulary."""
    words = secrecy_words()
    levels = {word: as_level(level.code) for level in words.levels for word in level.words}
    longest = sorted(levels, key=len, reverse=True)
    level = "|".join(word.replace(" ", r"[ \-_.]{0,3}") for word in longest)
    bare = "|".join(fold(word) for word in longest)
    english = {term.english: as_level(term.code) for term in words.levels}
    after_all = _any((*words.after, *words.small_after))
    names = rf"(?:{_any(words.family_names)}) (?:{_any(words.middle_names)}) mật(?!\w)"
    return Patterns(
        levels={_squeezed(word): code for word, code in levels.items()},
        degraded={_squeezed(fold(word)): code for word, code in levels.items()},
        english={_squeezed(word): code for word, code in english.items()},
        candidate=_candidate(),
        labelled=re.compile(
            rf"(?:{_any(words.labels)})\s*(?:[:=.\-–]\s*|\n\s*|\s)[\"“'(\[]?(?P<level>{level}|{bare})(?!\w)"
            rf"(?! *(?:{after_all})\b)"
        ),
        english_labelled=re.compile(
            rf"(?<!\w)(?:{_any(words.english_labels)})\s*[:=]\s*(?P<level>{_any(english)})(?!\w)"
        ),
        ticked=re.compile(rf"(?:{_any(map(re.escape, words.ticked))}) ?(?P<level>{level})(?!\w)"),
        bracketed=re.compile(rf"[(\[{{<«]\s*(?:độ )?(?P<level>{level})\s*[)\]}}>»]"),
        delimited=re.compile(
            rf"(?:^|[-–—,;:|/()\[{{]|\.\s)\s*(?P<level>{level})\s*(?=$|[-–—,;:|/()\]}}.])", re.MULTILINE
        ),
        word=re.compile(rf"(?<!\w)(?P<level>{level})(?!\w)"),
        harmless=_harmless(words, level, (*words.before, *words.small_before), after_all, names),
        harmless_capitals=_harmless(words, level, words.before, _any(words.after), names),
        harmless_squeezed=re.compile(
            rf"(?:{_any(map(_squeezed, words.before))})mật|mật(?:{_any(map(_squeezed, words.after))})"
        ),
        doubtful_noun=re.compile(rf"(?:{_any(words.doubtful_nouns)}) *$"),
        bare=tuple((code, tuple(fold(word).split())) for word, code in levels.items()),
        bare_before=frozenset(
            (*(fold(word).split()[-1] for word in (*words.before, *words.small_before)), *words.bare_before)
        ),
        bare_after=frozenset((*map(fold, (*words.after, *words.small_after)), *words.bare_after)),
        bare_nouns=tuple(tuple(fold(noun).split()) for noun in words.doubtful_nouns),
    )


def _harmless(
    words: SecrecyWords, level: str, before: Iterable[str], after: str, names: str
) -> re.Pattern[str]:
    phrases = "|".join(phrase.replace("{level}", f"(?:{level})") for phrase in words.phrases)
    unticked = _any(map(re.escape, words.unticked))
    # A title breaks inside "bí mật" as anywhere; other words before a line that begins with "mật" are no part of it.
    return re.compile(
        rf"(?<!\w)(?:(?:{phrases})(?!\w)|{names}|(?:{_any(before)})[ \-]+mật(?!\w)|(?:bảo|bí)\s+mật(?!\w)"
        rf"|mật[ \-]+(?:{after})(?!\w))|(?:{unticked}) ?(?:{level})(?!\w)"
    )


def _candidate() -> re.Pattern[str]:
    """Finds "mật" composed or not, with or without diacritics, its letters apart, and as every legacy encoding
    shows it: ``MËT`` in TCVN3, ``MAÄT`` in VNI, ``m§t`` in VISCII; and the English words."""
    legacy = {
        changed
        for spelled in spellings_of("ậ") | spellings_of("Ậ")
        for changed in (spelled, spelled.lower(), spelled.upper())
    }
    first = re.escape("".join(sorted({*"aAâÂạẠậẬặẶ", *(one[0] for one in legacy)})))
    more = re.escape("".join(sorted({letter for one in legacy for letter in one[1:]})))
    apart = r"[\W_]{0,3}"
    return re.compile(
        rf"[mM][\W_]{{0,4}}[{first}][\W_{more}]{{0,5}}[tT]|{apart.join(f'[{c}{c.upper()}]' for c in 'secret')}"
        "|[cC][oO][nN][fF][iI][dD][eE][nN][tT][iI][aA][lL]"
    )


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


def _squeezed(word: str) -> str:
    return word.replace(" ", "")
