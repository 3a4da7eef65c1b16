"""Byte tables of the two legacy Vietnamese encodings that Notes documents hold.

TCVN3 (ABC, the ``.Vn*`` fonts): one byte a letter, 74 letters; toned capitals exist only as capitals-drawing
fonts (``.VnTimeH``). The letters agree with TCVN 5712:1993 VN3. VNI-Windows (the ``VNI-*`` fonts): a base
letter and a mark byte, or one byte.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

_TCVN3_ROWS: tuple[tuple[int, str], ...] = (
    (0xA1, "ĂÂÊÔƠƯĐăâêôơưđ"),
    (0xB5, "àảãáạ"),
    (0xBB, "ằẳẵắ"),
    (0xC6, "ặầẩẫấậè"),
    (0xCE, "ẻẽéẹềểễếệìỉ"),
    (0xDC, "ĩíịò"),
    (0xE1, "ỏõóọồổỗốộờởỡớợù"),
    (0xF1, "ủũúụừửữứựỳỷỹýỵ"),
)

TCVN3: Mapping[int, str] = MappingProxyType(
    {start + offset: letter for start, letters in _TCVN3_ROWS for offset, letter in enumerate(letters)}
)
"""Byte to letter."""

# Mark bytes after a lower-case base, as combining marks; capitals are 0x20 lower, as everywhere in Latin-1.
_VNI_MARKS: Mapping[int, str] = {
    0xF9: "\u0301",  # sắc
    0xF8: "\u0300",  # huyền
    0xFB: "\u0309",  # hỏi
    0xF5: "\u0303",  # ngã
    0xEF: "\u0323",  # nặng
    0xE2: "\u0302",  # mũ
    0xE1: "\u0302\u0301",
    0xE0: "\u0302\u0300",
    0xE5: "\u0302\u0309",
    0xE3: "\u0302\u0303",
    0xE4: "\u0302\u0323",
    0xEA: "\u0306",  # trăng
    0xE9: "\u0306\u0301",
    0xE8: "\u0306\u0300",
    0xFA: "\u0306\u0309",
    0xFC: "\u0306\u0303",
    0xEB: "\u0306\u0323",
}
_VNI_ALONE: Mapping[int, str] = {
    0xE6: "ỉ",
    0xEC: "ì",
    0xED: "í",
    0xEE: "ỵ",
    0xF1: "đ",
    0xF2: "ị",
    0xF3: "ĩ",
    0xF4: "ơ",
    0xF6: "ư",
}
_TONES = "\u0300\u0301\u0303\u0309\u0323"


def _vni() -> dict[bytes, str]:
    table: dict[bytes, str] = {}
    for code, letter in _VNI_ALONE.items():
        table[bytes([code])] = letter
        table[bytes([code - 0x20])] = letter.upper()
    for base in (*b"aeouy", 0xF4, 0xF6):
        letter = _VNI_ALONE.get(base, chr(base))
        for mark, combining in _VNI_MARKS.items():
            composed = unicodedata.normalize("NFC", letter + combining)
            if len(composed) != 1 or (base == ord("y") and mark == 0xEF) or not _is_vietnamese(composed):
                continue
            table[bytes([base, mark])] = composed
            table[bytes([base - 0x20, mark - 0x20])] = composed.upper()
    return table


def _is_vietnamese(letter: str) -> bool:
    marks = unicodedata.normalize("NFD", letter)
    shape = "".join(c for c in marks if c not in _TONES)
    return unicodedata.normalize("NFC", shape) in set("aăâeêioôơuưy")


VNI: Mapping[bytes, str] = MappingProxyType(_vni())
"""One or two bytes to letter."""
