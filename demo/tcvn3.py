"""Writes Vietnamese as an old Notes application left it: TCVN 5712-1:1993 (ABC) bytes shown as Windows-1252.

The encoding has no toned capitals: typists set the small letter, in a ``.Vn…H`` font to look large.
"""

from __future__ import annotations

import unicodedata

_RANGES: dict[int, str] = {
    0xA1: "ĂÂÊÔƠƯĐăâêôơưđ",
    0xB5: "àảãáạ",
    0xBB: "ằẳẵắ",
    0xC6: "ặầẩẫấậè",
    0xCE: "ẻẽéẹềểễếệìỉ",
    0xDC: "ĩíịò",
    0xE1: "ỏõóọồổỗốộờởỡớợù",
    0xF1: "ủũúụừửữứựỳỷỹýỵ",
}
_BYTES = {letter: chr(start + offset) for start, run in _RANGES.items() for offset, letter in enumerate(run)}


def written(text: str) -> str:
    """``text`` as an old plain item holds it: ``Cộng hòa`` is ``Céng hßa``, ``ư`` is U+00AD."""
    return "".join(_BYTES.get(letter, letter) for letter in legible(text))


def legible(text: str) -> str:
    """What can be read again from ``written(text)``: NFC, toned capitals made small."""
    return "".join(
        letter.lower() if _is_toned_capital(letter) else letter
        for letter in unicodedata.normalize("NFC", text)
    )


def _is_toned_capital(letter: str) -> bool:
    return letter not in _BYTES and letter.lower() in _BYTES
