"""Vietnamese text: legacy encodings decoded, NFC last, and folding for comparison and search.

Legacy bytes reached us as characters, through Windows code page 1252 or (on a Vietnamese Windows) 1258; both
ways are reversed and the one that gives Vietnamese is kept. A font decides where it is known; otherwise a
vote over the record does, and a text is never converted without one. The caller keeps the original string.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from itertools import islice
from types import MappingProxyType

from mappings.legacy_tables import TCVN3, VNI
from mappings.syllables import is_syllable
from schemas.record import TextRun


class Encoding(StrEnum):
    """A legacy encoding; its value ends the flag ``decoded_<value>``."""

    TCVN3 = "tcvn3"
    VNI = "vni"


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text in NFC and the legacy encodings that it was decoded from; none for text that was Unicode."""

    text: str
    encodings: tuple[Encoding, ...] = ()


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """For comparison and search: no diacritics, lower case, single spaces; ``Hỏa tốc`` gives ``hoa toc``.

    ``đ`` becomes ``d``, and so does U+00F0, which only looks like it.
    """
    letters = unicodedata.normalize("NFD", text.lower())
    bare = "".join(c for c in letters if unicodedata.category(c) not in ("Mn", "Cf"))
    return " ".join(bare.replace("đ", "d").replace("\u00f0", "d").split())


def nfc(text: str) -> str:
    """``text`` composed; nothing else changes."""
    return unicodedata.normalize("NFC", text)


def encoding_of_font(font: str | None) -> Encoding | None:
    """The legacy encoding that a font's name tells: ``.VnTime`` TCVN3, ``VNI-Times`` VNI; ``None`` for every
    other font."""
    name = (font or "").strip()
    if re.match(r"\.vn(?!i)(?!post)", name, re.IGNORECASE):
        return Encoding.TCVN3
    if re.match(r"\.?vni[- _]", name, re.IGNORECASE):
        return Encoding.VNI
    return None


def decode_run(run: TextRun) -> Decoded:
    """Decode one run by its font. A capitals font (``.VnTimeH``) gives capitals; text that holds Unicode
    Vietnamese is left."""
    encoding = encoding_of_font(run.font)
    if encoding is None or _is_unicode_vietnamese(run.text):
        return Decoded(nfc(run.text))
    text = decode(run.text, encoding)
    if encoding is Encoding.TCVN3 and _draws_capitals(run.font or ""):
        text = text.upper()
    return Decoded(text, (encoding,) if text != nfc(run.text) else ())


def decode(text: str, encoding: Encoding) -> str:
    """Decode all of ``text`` as ``encoding``, by the code page that leaves more Vietnamese syllables; NFC
    last.

    Characters that no byte of either code page can have made stay as they are.
    """
    spellings = [_DECODERS[encoding](text, inverse) for inverse in _INVERSES]
    best = spellings[0] if spellings[0] == spellings[1] else max(spellings, key=_plausibility)
    return nfc(_capitals_restored(best) if encoding is Encoding.TCVN3 else best)


def detect(texts: Iterable[str]) -> Encoding | None:
    """The encoding of texts without fonts that belong together (a record's fields), by vote; ``None`` is
    Unicode or unsure.

    Texts that hold Vietnamese Unicode letters have no vote. The winner needs ``MIN_WORDS`` decoded words of
    which ``MIN_SHARE`` are Vietnamese syllables, and clearly more of them than the text has undecoded.
    """
    suspects = [text for text in texts if may_be_legacy(text)]
    if not suspects:
        return None
    joined = "\n".join(suspects)
    plain_good, _ = _score(nfc(joined), nfc(joined))
    best: tuple[float, Encoding] | None = None
    for encoding in Encoding:
        good, all_words = _score(joined, decode(joined, encoding))
        share = good / all_words if all_words else 0.0
        enough = all_words >= MIN_WORDS and share >= MIN_SHARE and good > plain_good * 2
        if enough and (best is None or share > best[0]):
            best = (share, encoding)
    return best[1] if best else None


MIN_WORDS = 3
"""Fewest decoded words that convince: two are still possible by chance in a foreign name."""
MIN_SHARE = 0.8
"""Share of decoded words that must be Vietnamese syllables; abbreviations and typing mistakes fill the
rest."""


class RecordText:
    """Decodes the texts of one record, which were typed on one machine: what is too short alone follows the
    vote of all.

    Args:
        texts: every text of the record that has no font.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._vote = detect(texts)

    def decode(self, text: str) -> Decoded:
        """Decode a text without font; unchanged but for NFC when neither it nor the record convinces."""
        if not may_be_legacy(text):
            return Decoded(nfc(text))
        encoding = detect((text,)) or self._vote
        if encoding is None:
            return Decoded(nfc(text))
        decoded = decode(text, encoding)
        good, words = _score(text, decoded)
        plain, _ = _score(nfc(text), nfc(text))
        if decoded == nfc(text) or good < plain or (words and good / words < MIN_SHARE / 2):
            return Decoded(nfc(text))
        return Decoded(decoded, (encoding,))

    def decode_runs(self, runs: Sequence[TextRun]) -> Decoded:
        """Decode runs in order: those with a legacy font by it, those with no font by the vote."""
        parts = [decode_run(run) if run.font else self.decode(run.text) for run in runs]
        encodings = dict.fromkeys(encoding for part in parts for encoding in part.encodings)
        return Decoded(nfc("".join(part.text for part in parts)), tuple(encodings))


def looks_legacy(text: str) -> bool:
    """True when ``text`` is likely legacy text that nobody decoded: worth a flag."""
    if not may_be_legacy(text):
        return False
    plain_good, plain_words = _score(nfc(text), nfc(text))
    for encoding in Encoding:
        good, words = _score(text, decode(text, encoding))
        if words and good == words and plain_good < plain_words:
            return True
    return False


def may_be_legacy(text: str) -> bool:
    """False when ``text`` is plain ASCII or holds Unicode Vietnamese: then it is nothing to decode."""
    return not text.isascii() and not _is_unicode_vietnamese(text)


def _is_unicode_vietnamese(text: str) -> bool:
    """Whether letters that only Unicode has stand in Vietnamese words.

    They also arise, in no words, from TCVN3 read as code page 1258 and composed (``quyền`` becomes ``quỷn``).
    """
    if text.isascii() or not _PRECOMPOSED.search(text):
        return False
    composed = nfc(text)
    words = [_word_at(composed, found.start()) for found in islice(_PRECOMPOSED.finditer(composed), 50)]
    return not words or 2 * sum(map(is_syllable, words)) >= len(words)


def _word_at(text: str, at: int) -> str:
    """The word around position ``at``, as far as syllables are long."""
    start, end = at, at + 1
    while start > max(0, at - 8) and text[start - 1].isalpha():
        start -= 1
    while end < min(len(text), at + 9) and text[end].isalpha():
        end += 1
    return text[start:end]


# Letters that only Unicode has; Ă Đ Ơ Ư and their small ones also come from reading legacy bytes as code page
# 1258.
_PRECOMPOSED = re.compile("[\u1ea0-\u1ef9]|[ÂÊÔâêô][\u0300\u0301\u0303\u0309\u0323]|[aeiouyAEIOUY]\u031b")
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)


def _score(before: str, after: str) -> tuple[int, int]:
    """How many words with a letter beyond ASCII are Vietnamese syllables, and how many there are, in
    ``after``."""
    words = [word for word in _WORD.findall(after) if not word.isascii() and not _is_abbreviation(word)]
    return sum(map(is_syllable, words)), len(words)


def _is_abbreviation(word: str) -> bool:
    """Capitals without a vowel (``QĐ``, ``HĐND``): no syllable, and no sign of a wrong decoding either."""
    return word.isupper() and not set(fold(word)) & set("aeiouy")


def _plausibility(text: str) -> tuple[int, int]:
    composed = nfc(text)
    good, words = _score(composed, composed)
    return good - (words - good), -sum(1 for c in composed if unicodedata.category(c) == "Mn")


def _inverse(codec: str) -> Mapping[str, int]:
    table: dict[str, int] = {}
    for byte in range(0x80, 0x100):
        try:
            table[bytes([byte]).decode(codec)] = byte
        except UnicodeDecodeError:
            table[chr(byte)] = byte  # Windows passes undefined bytes through
    return MappingProxyType(table)


_INVERSES = (_inverse("cp1252"), _inverse("cp1258"))


def _byte_of(char: str, inverse: Mapping[str, int]) -> int | None:
    if char < "\x80":
        return ord(char)
    return inverse.get(char)


def _spread(text: str, inverse: Mapping[str, int]) -> Iterable[tuple[str, int | None]]:
    """Every character with its byte; one that has none because someone composed it is taken apart first."""
    for char in text:
        byte = _byte_of(char, inverse)
        if byte is not None:
            yield char, byte
            continue
        parts = unicodedata.normalize("NFD", char)
        codes = [_byte_of(part, inverse) for part in parts]
        if len(parts) > 1 and None not in codes:
            yield from zip(parts, codes, strict=True)
        else:
            yield char, None


def _decode_tcvn3(text: str, inverse: Mapping[str, int]) -> str:
    return "".join(
        TCVN3.get(byte, char) if byte is not None else char for char, byte in _spread(text, inverse)
    )


def _decode_vni(text: str, inverse: Mapping[str, int]) -> str:
    units = list(_spread(text, inverse))
    out: list[str] = []
    at = 0
    while at < len(units):
        char, byte = units[at]
        following = units[at + 1][1] if at + 1 < len(units) else None
        if byte is not None and following is not None and (pair := VNI.get(bytes([byte, following]))):
            out.append(pair)
            at += 2
            continue
        # A capitalised word may be typed with a small mark after a capital base, and the other way round.
        if byte is not None and following is not None and (pair := _mixed_pairs().get((byte, following))):
            out.append(pair)
            at += 2
            continue
        out.append(VNI.get(bytes([byte]), char) if byte is not None else char)
        at += 1
    return "".join(out)


@cache
def _mixed_pairs() -> dict[tuple[int, int], str]:
    """Base in one case, mark in the other: the letter has the base's case."""
    mixed: dict[tuple[int, int], str] = {}
    for spelling, letter in VNI.items():
        if len(spelling) == 2:
            base, mark = spelling
            mixed[(base, mark + 0x20 if letter.isupper() else mark - 0x20)] = letter
    return mixed


_DECODERS = MappingProxyType({Encoding.TCVN3: _decode_tcvn3, Encoding.VNI: _decode_vni})


def _draws_capitals(font: str) -> bool:
    """Whether the font's family ends with a capital H: ``.VnTimeH``, ``.Vn3DH``, ``.VnArial NarrowH``."""
    family = re.sub(r"(?:[ ,-]+(?:Bold|Italic|Regular|Oblique))+$", "", font.strip(), flags=re.IGNORECASE)
    return family.endswith("H")


def _capitals_restored(text: str) -> str:
    """Small toned letters inside words of capitals made capital: no toned capital has a byte of its own in
    TCVN3."""
    ascii_letters = [c for c in text if c.isascii() and c.isalpha()]
    if len(ascii_letters) >= 4 and all(c.isupper() for c in ascii_letters):
        return text.upper()
    return _WORD.sub(lambda match: _word_restored(match.group()), text)


def _word_restored(word: str) -> str:
    capitals = sum(c.isascii() and c.isupper() for c in word)
    smalls = any(c.isascii() and c.islower() for c in word)
    return word.upper() if capitals >= 2 and not smalls else word
