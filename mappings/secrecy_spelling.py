"""The spellings in which a mark may have come: composed, without what is invisible, in Latin letters, decoded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from mappings.legacy_decoding import decode
from mappings.legacy_evidence import may_be_legacy
from mappings.legacy_tables import BYTE_ENCODINGS, Encoding
from mappings.secrecy_patterns import patterns
from mappings.vietnamese import nfc


def may_hold_mark(text: str) -> bool:
    """False when no spelling of any mark can be in ``text``: spares nearly all text the closer look."""
    return patterns().candidate.search(text) is not None


def in_latin(text: str) -> str:
    """``text`` with Greek and Cyrillic letters that are drawn like Latin ones, and letters in other widths and
    styles, as those Latin letters."""
    if text.isascii() or not _FOREIGN.search(text):
        return text
    plain = _FOREIGN.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return plain.translate(_LOOKALIKES)


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


# Greek, Cyrillic, full width, mathematical letters; enclosed ones.
_FOREIGN = re.compile(
    "[\u0370-\u03ff\u0400-\u052f\uff01-\uff5e\u24b6-\u24e9\U0001d400-\U0001d7ff\U0001f130-\U0001f189]"
)
_LOOKALIKES = str.maketrans(
    "АВЕКМНОРСТУХІаеорсухі" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEKMHOPCTYXIaeopcyxi" + "ABEZHIKMNOPTYXo"
)
# Format characters (category Cf), the soft hyphen among them: called after legacy text was decoded.
_INVISIBLE = re.compile(
    "[\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)


_LINE_ENDS = re.compile("[\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def _plain(text: str) -> str:
    visible = _INVISIBLE.sub("", text)
    return re.sub(r"[^\S\n]+", " ", _LINE_ENDS.sub("\n", visible))
