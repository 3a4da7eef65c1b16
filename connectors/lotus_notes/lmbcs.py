"""Lotus Multi-Byte Character Set, in which Notes keeps text: group bytes that name a code page, and plain bytes.

Bytes from 0x20 to 0x7F are ASCII; those above are the code page of the optimisation group, which for Notes is group 1
(code page 850). Another code page's character has its group byte in front; what no group has, Vietnamese letters among
them, is group 0x14: two bytes of UTF-16, big-endian. Sources: the comments of ICU's ``ucnv_lmb``, HCL's LMBCS notes.
"""

from __future__ import annotations

import re

_SINGLE = {
    0x01: "cp850",
    0x03: "cp1255",
    0x04: "cp1256",
    0x05: "cp1251",
    0x06: "cp852",
    0x08: "cp1254",
    0x0B: "cp874",
}
"""Code page by group, of one byte. Group 2 (Greek, code page 851) has no codec here."""
_DOUBLE = {0x10: "cp932", 0x11: "cp949", 0x12: "cp950", 0x13: "cp936"}
"""Code page by group, of two bytes; a character of one byte has the group byte twice."""
_CONTROL, _UNICODE = 0x0F, 0x14
_LOW_BYTE_ZERO = 0xF6  # stands in front of the high byte of a UTF-16 unit whose low byte is zero
_CONTROLS = {code + 0x20: chr(code) for code in range(0x20)} | {code: chr(code) for code in range(0x80, 0xA0)}
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_PLAIN = re.compile(rb"[\x20-\xff\x00\t\n\r\x19]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode_lmbcs(data: bytes) -> tuple[str, int]:
    """The text of ``data``, and how many characters in it could not be decoded (each is U+FFFD in the text).

    A zero byte, which Notes writes for the end of a line inside a text, stays U+0000.
    """
    pieces: list[str] = []
    unknown = 0
    at = 0
    while at < len(data):
        plain = _PLAIN.match(data, at)
        if plain is not None:
            pieces.append(plain[0].decode("cp850"))
            at = plain.end()
            continue
        size, letter = _grouped(data, at)
        unknown += letter == _UNKNOWN
        pieces.append(letter)
        at += size
    text = "".join(pieces)
    if _SURROGATE.search(text):
        whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return whole, unknown + whole.count(_UNKNOWN) - text.count(_UNKNOWN)
    return text, unknown


def _grouped(data: bytes, at: int) -> tuple[int, str]:
    """Bytes and character of what begins with a group byte."""
    group, rest = data[at], data[at + 1 : at + 3]
    if group == _UNICODE and len(rest) == 2:
        return 3, chr(rest[1] << 8 if rest[0] == _LOW_BYTE_ZERO else rest[0] << 8 | rest[1])
    if group == _CONTROL and rest:
        return 2, _CONTROLS.get(rest[0], _UNKNOWN)
    if group in _SINGLE and rest:
        # A byte below 0x80 behind the group is one of Lotus's own symbols, whose table is not public.
        return 2, _decoded(rest[:1], _SINGLE[group]) if rest[0] >= 0x80 else _UNKNOWN
    if group in _DOUBLE and len(rest) == 2:
        return 3, _decoded(rest[1:] if rest[0] == group else rest, _DOUBLE[group])
    return 1 + (group == 0x02 and len(rest) > 0), _UNKNOWN


def _decoded(data: bytes, code_page: str) -> str:
    letter = data.decode(code_page, "replace")
    return letter if len(letter) == 1 else _UNKNOWN
