"""In which encoding a DXL file is written, and what its markup looks like in those bytes."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

UTF8 = "utf-8"
_BOMS = ((b"\xef\xbb\xbf", UTF8), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_SILENT = ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,40})["']""")
_WIDE = re.compile(r"^(utf|ucs|u)[-_]?(16|32|2|4)")
_SINGLE_BYTE = bytes(range(256))
_EXPAT_NAMES = {"utf-16-le": "utf-16le", "utf-16-be": "utf-16be", UTF8: "utf-8"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding that the scanner and the parser both know.

    Attributes:
        name: Python's name of the codec.
        width: bytes of a code unit.
        bom: length of the byte order mark at the start of the file.
    """

    name: str
    width: int = 1
    bom: int = 0

    @property
    def expat(self) -> str:
        """The name by which expat knows it."""
        return _EXPAT_NAMES.get(self.name, self.name)

    def bytes_of(self, text: str) -> bytes:
        """``text`` (ASCII) in this encoding."""
        return text.encode(self.name)


def detect(head: bytes) -> Encoding | str:
    """The encoding of a file that begins with ``head``: by its mark, its shape, or its XML declaration (XML
    1.0 F.1).

    Returns:
        The encoding, or the declared name when it is none that can be read here.
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return Encoding(name, 2 if name != UTF8 else 1, len(mark))
    for shape, name in _SILENT:
        if head.startswith(shape):
            return Encoding(name, 2)
    declared = _DECLARED.match(head)
    return Encoding(UTF8) if declared is None else named(declared.group(1).decode("ascii"))


def named(name: str) -> Encoding | str:
    """The encoding called ``name``; the name itself when it is unknown or not readable here.

    A declaration of UTF-16 that can be read byte by byte is wrong (a string was saved as bytes): such a file
    is UTF-8, or its records fail as such.
    """
    lowered = name.lower()
    if lowered in {"utf-16-le", "utf-16-be"}:
        return Encoding(lowered, 2)
    if _WIDE.match(lowered):
        return Encoding(UTF8)
    try:
        codec = codecs.lookup(name)
    except LookupError:
        return name
    if codec.name == UTF8:
        return Encoding(UTF8)
    return Encoding(codec.name) if _is_single_byte(codec.name) else name


@lru_cache(maxsize=32)
def _is_single_byte(name: str) -> bool:
    """True for an encoding of one byte a letter that holds ASCII: the ones that expat reads through a
    table."""
    try:
        text = _SINGLE_BYTE.decode(name, "replace")
    except (LookupError, UnicodeError):
        return False
    return len(text) == 256 and text[:128] == _SINGLE_BYTE[:128].decode("ascii")
