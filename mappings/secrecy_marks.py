"""Marks of state secrecy in text: ``MẬT``, ``Độ mật: Tối mật``, ``[TUYỆT MẬT]``; and the words that only look
like them.

The words are ``schemas/vocabularies/secrecy.yaml``. Text is looked at in every spelling in which it may have
come: composed, and decoded from every legacy encoding. Between a mark and a word, doubt counts as a mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from mappings.legacy_decoding import decode, spellings_of
from mappings.legacy_evidence import may_be_legacy
from mappings.legacy_tables import BYTE_ENCODINGS, Encoding
from mappings.vietnamese import fold, nfc
from schemas.vocabulary import secrecy_words

Level = Literal["mat", "toi_mat", "tuyet_mat"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that was found: its level, and which rule saw it; nothing of the text."""

    level: Level
    rule: str


def mark_in_text(text: str) -> Mark | None:
    """A mark that stands for itself: on a line of its own, after a label, in brackets, between dashes, in
    capitals.

    For headings, page text and fields of any kind. The highest level wins.
    """
    if not may_hold_mark(text):
        return None
    return _highest(mark for spelling in spellings(text) for mark in _standing_marks(spelling))


def may_hold_mark(text: str) -> bool:
    """False when no spelling of any mark can be in ``text``: spares nearly all text the closer look."""
    return candidate().search(text) is not None


@cache
def candidate() -> re.Pattern[str]:
    """Finds "mật" composed or not, with or without diacritics, its letters apart, and as every legacy encoding
    shows it: ``MËT`` in TCVN3, ``MAÄT`` in VNI, ``m§t`` in VISCII."""
    legacy = {
        changed
        for spelled in spellings_of("ậ") | spellings_of("Ậ")
        for changed in (spelled, spelled.lower(), spelled.upper())
    }
    first = re.escape("".join(sorted({"a", "A", "â", "Â", "ạ", "Ạ", "ậ", "Ậ", *(one[0] for one in legacy)})))
    more = re.escape("".join(sorted({letter for one in legacy for letter in one[1:]})))
    return re.compile(rf"[mM][\W_]{{0,3}}[{first}][\W_{more}]{{0,5}}[tT]")


def mark_in_title(text: str) -> Mark | None:
    """As ``mark_in_text``, and what is doubtful in a title: ``Báo cáo tối mật``, ``tài liệu mật``."""
    if not may_hold_mark(text):
        return None
    found = mark_in_text(text)
    doubtful = (mark for spelling in spellings(text) for mark in _doubtful_marks(spelling))
    return _highest((*((found,) if found else ()), *doubtful))


def mark_in_name(name: str) -> Mark | None:
    """A mark in a file name, where diacritics are often left off: ``BC_TOI_MAT.pdf``, ``12-BC
    (Mat).docx``."""
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", name)
    spaced = stem.replace("_", " ")
    return mark_in_title(spaced) or _bare_mark(stem)


def level_of_value(value: str, extra: Mapping[str, str] | None = None) -> Mark | None:
    """The level that a classification field's value says; a value that nobody knows counts as a mark.

    Args:
        value: as printed.
        extra: folded value to level or ``none``, for this source.
    """
    words = secrecy_words()
    for spelling in spellings(value):
        key = fold(spelling).strip(" .:*-[]()")
        for level in words.levels:
            if key in {fold(word) for word in (*level.words, level.name)}:
                return Mark(_level(level.code), "value")
        if extra and key in extra:
            return None if extra[key] == "none" else Mark(_level(extra[key]), "configured_value")
        if key in words.not_secret:
            return None
        for level in words.levels:
            if key in level.values:
                return Mark(_level(level.code), "value")
    found = mark_in_title(value) or _bare_mark(value)
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


def spellings(text: str) -> Iterator[str]:
    """``text`` composed and without invisible characters; then decoded from every legacy encoding that it may be
    in."""
    composed = _plain(nfc(text))
    yield composed
    if "^" in text:
        yield _plain(decode(text, Encoding.VIQR))
    lines = text.split("\n")
    legacy = [may_be_legacy(line) for line in lines]
    for encoding in BYTE_ENCODINGS if any(legacy) else ():
        decoded = (
            decode(line, encoding) if suspect else nfc(line)
            for line, suspect in zip(lines, legacy, strict=True)
        )
        if (spelling := _plain("\n".join(decoded))) != composed:
            yield spelling


# Format characters (category Cf), the soft hyphen among them: called after legacy text was decoded.
_INVISIBLE = re.compile(
    "[\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)


def _plain(text: str) -> str:
    visible = _INVISIBLE.sub("", text)
    return re.sub(r"[^\S\n]+", " ", visible.replace("\r", "\n").replace("\v", "\n").replace("\f", "\n"))


def _standing_marks(text: str) -> Iterator[Mark]:
    lowered = text.lower()
    if "mật" not in lowered and "ậ" not in lowered:
        if "mat" in lowered or "secre" in lowered:
            yield from _labelled(lowered)
        return
    yield from _labelled(lowered)
    for line in text.split("\n"):
        squeezed = re.sub(r"[\W_]+", "", line).lower()
        if squeezed in _patterns().squeezed:
            yield Mark(_patterns().squeezed[squeezed], "line")
    masked = _patterns().harmless.sub(lambda match: "¤" * len(match.group()), lowered)
    for rule, pattern in (("bracketed", _patterns().bracketed), ("delimited", _patterns().delimited)):
        for match in pattern.finditer(masked):
            yield Mark(_patterns().levels[match["level"]], rule)
    for match in _patterns().word.finditer(masked):
        if text[match.start() : match.end()].isupper():
            yield Mark(_patterns().levels[match["level"]], "capitals")


def _labelled(lowered: str) -> Iterator[Mark]:
    for match in _patterns().labelled.finditer(lowered):
        value = fold(match["level"])
        for level in secrecy_words().levels:
            if value in {fold(word) for word in level.words}:
                yield Mark(_level(level.code), "label")


def _doubtful_marks(text: str) -> Iterator[Mark]:
    masked = _patterns().harmless.sub(lambda match: "¤" * len(match.group()), text.lower())
    for match in _patterns().word.finditer(masked):
        level = _patterns().levels[match["level"]]
        if level != "mat" or _patterns().doubtful_noun.search(masked, 0, match.start()):
            yield Mark(level, "doubtful_word")


def _bare_mark(name: str) -> Mark | None:
    """Marks without diacritics in a name: in brackets anywhere, else as its first or last word in
    capitals."""
    tokens = re.findall(r"[^\W_]+|[()\[\]–-]", nfc(name))
    folded = [fold(token) for token in tokens]
    found: list[Mark] = []
    for code, words in _patterns().bare:
        for at in range(len(folded) - len(words) + 1):
            end = at + len(words)
            if tuple(folded[at:end]) != words:
                continue
            before = tokens[at - 1] if at else ""
            after = tokens[end] if end < len(tokens) else ""
            alone = before in ("", "(", "[") and after in ("", ")", "]")
            hyphen = (before in _HYPHENS or after in _HYPHENS) and tokens[at][0].isupper()
            edge = (not before or not after) and (hyphen or all(token.isupper() for token in tokens[at:end]))
            friend = _word_before(folded, at) in _patterns().bare_before
            friend = friend or _word_after(folded, end) in _patterns().bare_after
            if alone or (len(words) > 1 and not friend) or (edge and not friend):
                found.append(Mark(code, "name"))
    return _highest(found)


_HYPHENS = ("-", "–")


def _word_before(tokens: list[str], at: int) -> str:
    return next((token for token in reversed(tokens[:at]) if token not in _HYPHENS), "")


def _word_after(tokens: list[str], at: int) -> str:
    return next((token for token in tokens[at:] if token not in _HYPHENS), "")


def _highest(marks: Iterator[Mark] | tuple[Mark, ...] | list[Mark]) -> Mark | None:
    order = ("mat", "toi_mat", "tuyet_mat")
    return max(marks, key=lambda mark: order.index(mark.level), default=None)


def _level(code: str) -> Level:
    if code == "tuyet_mat":
        return "tuyet_mat"
    return "toi_mat" if code == "toi_mat" else "mat"


@dataclass(frozen=True, slots=True)
class _Patterns:
    levels: dict[str, Level]
    squeezed: dict[str, Level]
    labelled: re.Pattern[str]
    bracketed: re.Pattern[str]
    delimited: re.Pattern[str]
    word: re.Pattern[str]
    harmless: re.Pattern[str]
    doubtful_noun: re.Pattern[str]
    bare: tuple[tuple[Level, tuple[str, ...]], ...]
    bare_before: frozenset[str]
    bare_after: frozenset[str]


@cache
def _patterns() -> _Patterns:
    words = secrecy_words()
    levels = {word: _level(level.code) for level in words.levels for word in level.words}
    longest = sorted(levels, key=len, reverse=True)
    level = "|".join(re.escape(word).replace(r"\ ", " +") for word in longest)
    bare = "|".join(fold(word) for word in longest)
    labels = "|".join(sorted(words.labels, key=len, reverse=True))
    before = "|".join(words.before)
    after = "|".join(words.after)
    phrases = "|".join(phrase.replace("{level}", f"(?:{level})") for phrase in words.phrases)
    return _Patterns(
        levels=levels,
        squeezed={word.replace(" ", ""): code for word, code in levels.items()},
        labelled=re.compile(
            rf"(?:{labels})\s*(?:[:=.\-–]\s*|\n\s*|\s)[\"“'(\[]?(?P<level>{level}|{bare})(?!\w)"
            rf"(?! *(?:{after})\b)"
        ),
        bracketed=re.compile(rf"[(\[{{<«]\s*(?:độ )?(?P<level>{level})\s*[)\]}}>»]"),
        delimited=re.compile(
            rf"(?:^|[-–—,;:|/(\[{{]|\.\s)\s*(?P<level>{level})\s*(?=$|[-–—,;:|/)\]}}.])", re.MULTILINE
        ),
        word=re.compile(rf"(?<!\w)(?P<level>{level})(?!\w)"),
        harmless=re.compile(
            rf"(?<!\w)(?:(?:{phrases})(?!\w)|(?:{before}) +mật(?!\w)|mật +(?:{after})(?!\w))"
        ),
        doubtful_noun=re.compile(rf"(?:{'|'.join(words.doubtful_nouns)}) *$"),
        bare=tuple((code, tuple(fold(word).split())) for word, code in levels.items()),
        bare_before=frozenset((*(fold(word).split()[-1] for word in words.before), *words.bare_before)),
        bare_after=frozenset((*map(fold, words.after), *words.bare_after)),
    )
