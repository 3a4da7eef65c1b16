"""Legacy Vietnamese text decoded, when it is known what it is; see ``mappings.legacy_evidence`` for whether it is.

A byte of a legacy font reached us as a character: through Windows code page 1252 or, on a Vietnamese Windows,
through 1258, which differs in 14 bytes. Both ways are reversed. The soft hyphen (U+00AD) is ``ư`` of TCVN3:
nothing may be stripped from a text before it was here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from mappings.legacy_tables import BYTE_ENCODINGS, Encoding, table
from mappings.syllables import is_syllable

_PAGES = ("cp1252", "cp1258")
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_WORD = re.compile(r"[^\W\d_]+")


def decode(text: str, encoding: Encoding) -> str:
    """All of ``text`` decoded as ``encoding``, in NFC.

    The code page whose characters all have a byte is taken to be the one that the text came through; if it is
    neither, the one that leaves more Vietnamese syllables. Characters that stand for no letter stay as they are.
    """
    if encoding is Encoding.DECOMPOSED:
        return unicodedata.normalize("NFC", text)
    if encoding is Encoding.VIQR:
        return _decode_viqr(text)
    decoded = [_spelling(encoding, page).read(text) for page in _pages_of(text)]
    best = decoded[0] if len(set(decoded)) == 1 else max(decoded, key=_plausibility)
    return _capitals_restored(best) if encoding is Encoding.TCVN3 else best


def spellings_of(letter: str) -> frozenset[str]:
    """Every way in which a legacy encoding may have spelled ``letter``, as the characters that we see."""
    found = {
        spelled
        for encoding in (*BYTE_ENCODINGS, Encoding.VIQR)
        for page in _PAGES
        for spelled, read in _spelled(encoding, page)
        if read == letter
    }
    apart = unicodedata.normalize("NFD", letter)
    tone = next((part for part in apart if part in _TONES), "")
    parts = [*unicodedata.normalize("NFC", apart.replace(tone, "")), tone] if tone else [letter]
    written = {read: spelled for spelled, read in _spelled(Encoding.CP1258, _PAGES[0])}
    return frozenset(found | {apart, "".join(written.get(part, part) for part in parts)})


def _pages_of(text: str) -> tuple[str, ...]:
    """The code pages that ``text`` may have come through."""
    seen = set(text)
    old, new = (seen & characters for characters in _distinctive())
    if old and new:
        return _PAGES
    return _PAGES[1:] if new else _PAGES[:1]


@cache
def _distinctive() -> tuple[frozenset[str], frozenset[str]]:
    """The characters that only code page 1252, and only 1258 (composed or not), can have made."""
    first, second = (frozenset(_characters(page).values()) for page in _PAGES)
    second |= frozenset(_taken_apart())
    return first - second, second - first


@cache
def _characters(page: str) -> Mapping[int, str]:
    """The character that each byte above ASCII becomes; Windows passes undefined bytes through."""
    table: dict[int, str] = {}
    for byte in range(0x80, 0x100):
        try:
            table[byte] = bytes([byte]).decode(page)
        except UnicodeDecodeError:
            table[byte] = chr(byte)
    return MappingProxyType(table)


@cache
def _taken_apart() -> Mapping[str, str]:
    """What composing makes of a letter and a tone of code page 1258, where that is no character of the page."""
    letters = [*map(chr, range(0x41, 0x7B)), *_characters("cp1258").values()]
    found: dict[str, str] = {}
    for letter in letters:
        for tone in _TONES:
            composed = unicodedata.normalize("NFC", letter + tone)
            if len(composed) == 1 and composed not in letters:
                found[composed] = letter + tone
    return MappingProxyType(found)


def _spelled(encoding: Encoding, page: str) -> Iterator[tuple[str, str]]:
    """Every spelling of the encoding as characters of the page, with its letter."""
    characters = _characters(page)
    for code, letter in table(encoding).letters.items():
        yield "".join(characters.get(byte, chr(byte)) for byte in code), letter
        if len(code) == 1 and 0x80 <= code[0] < 0xA0:
            # Read as ISO 8859-1, as an HTTP server may do, these stay control characters.
            yield chr(code[0]), letter


@dataclass(frozen=True, slots=True)
class _Spelling:
    """How one encoding looks through one code page."""

    single: Mapping[int, str]
    several: re.Pattern[str] | None
    letters: Mapping[str, str]
    apart: Mapping[int, str]

    def read(self, text: str) -> str:
        if self.apart:
            text = text.translate(self.apart)
        if self.several is None:
            text = text.translate(self.single)
        else:
            text = self.several.sub(lambda found: self.letters[found[0]], text)
        return unicodedata.normalize("NFC", text)


@cache
def _spelling(encoding: Encoding, page: str) -> _Spelling:
    letters = dict(_spelled(encoding, page))
    if encoding is Encoding.VNI:
        letters = {**_mixed_case(letters), **letters}
    longest = sorted(letters, key=len, reverse=True)
    several = len(longest[0]) > 1
    return _Spelling(
        single=MappingProxyType({ord(spelled): letter for spelled, letter in letters.items() if not several}),
        several=re.compile("|".join(map(re.escape, longest))) if several else None,
        letters=MappingProxyType(letters),
        apart=MappingProxyType(
            {ord(composed): parts for composed, parts in _taken_apart().items() if page == "cp1258"}
        ),
    )


def _mixed_case(letters: Mapping[str, str]) -> dict[str, str]:
    """Base in one case, mark in the other, as a capitalised word is often typed: the letter has the base's case."""
    pairs = {spelled: letter for spelled, letter in letters.items() if len(spelled) == 2}
    other = {spelled[1]: _other_case(spelled[1]) for spelled in pairs}
    return {spelled[0] + other[spelled[1]]: letter for spelled, letter in pairs.items()}


def _other_case(mark: str) -> str:
    return mark.lower() if mark.isupper() else mark.upper()


def _plausibility(text: str) -> int:
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    loose = sum(character in _TONES for character in text)
    return 2 * sum(map(is_syllable, words)) - len(words) - loose


# The letters between an @, and after ://, are no Vietnamese, whatever marks stand among them.
_ADDRESS = re.compile(r"@|://|^www\.", re.IGNORECASE)
_TOKEN = re.compile(r"[^ \t\r\n]+")
_ENDING = re.compile(r"[.?]+$")
# Thị Lan, Ban Thường vụ Tỉnh ủy, Chính phủ Việt Nam: far oftener in front of a name than without a tone at the
# end of a sentence.
_BEFORE_NAMES = frozenset({"thi.", "vu.", "phu?"})


def _decode_viqr(text: str) -> str:
    return _TOKEN.sub(lambda found: _read_viqr(found[0], text[found.end() : found.end() + 3]), text)


def _read_viqr(token: str, following: str) -> str:
    """One word: where a sentence may end, a full stop or question mark is a tone only after another mark, or where
    the word is one that names follow."""
    if _ADDRESS.search(token):
        return token
    ending = _ENDING.search(token)
    kept = 0
    if ending is not None:
        length = len(ending[0])
        after = following.lstrip(" \t\r")[:1]
        ends = not after.isalpha() or after.isupper()
        named = after.isupper() and token.lower() in _BEFORE_NAMES
        marked = named or token[:-length][-1:] in {"^", "(", "+", "*"}
        escaped = token[:-length].endswith("\\")
        kept = length if length > 2 else int(not escaped and (length == 2 or (ends and not marked)))
    head = token[: len(token) - kept]
    pattern, letters = _viqr()
    read = pattern.sub(lambda found: letters.get(found[0], found[0][1:]), head)
    return read + token[len(token) - kept :]


@cache
def _viqr() -> tuple[re.Pattern[str], Mapping[str, str]]:
    letters = dict(_spelled(Encoding.VIQR, _PAGES[0]))
    longest = sorted(letters, key=len, reverse=True)
    # RFC 1456: a backslash before a mark makes it literal.
    return re.compile(r"\\[\^(+*'`?~.dD]|" + "|".join(map(re.escape, longest))), MappingProxyType(letters)


def _capitals_restored(text: str) -> str:
    """Small toned letters inside words of capitals made capital: no toned capital has a byte of its own in
    TCVN3."""
    if not _SMALL.search(text) and len(_CAPITAL.findall(text)) >= 4:
        return text.upper()
    return _WORD_OF_CAPITALS.sub(lambda found: found[0].upper(), text)


_SMALL = re.compile("[a-z]")
_CAPITAL = re.compile("[A-Z]")
# Two capitals of ASCII and no small letter of it, in one word.
_WORD_OF_CAPITALS = re.compile(r"(?<![^\W\d_])(?=(?:[^\W\d_a-z]*?[A-Z]){2})[^\W\d_a-z]++(?![^\W\d_])")
