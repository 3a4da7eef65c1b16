"""What a font's name says of the text that is written in it."""

from __future__ import annotations

import re
from functools import lru_cache

from mappings.legacy_tables import BYTE_ENCODINGS, Encoding, table

_STYLE = re.compile(r"(?:[ ,-]+(?:Bold|Italic|Regular|Oblique))+$", re.IGNORECASE)
_DEFAULT = re.compile(r"Default (?:Sans Serif|Serif|Monospace|Multilingual|User Interface)$", re.IGNORECASE)


@lru_cache(maxsize=1024)
def encoding_of_font(font: str | None) -> Encoding | None:
    """The encoding that a font is drawn for: ``.VnTime`` TCVN3, ``VNI-Times`` VNI, ``VPS Times`` VPS; ``None`` for
    any other font."""
    name = (font or "").strip()
    for encoding in BYTE_ENCODINGS:
        fonts = table(encoding).fonts
        if fonts is not None and fonts.match(name):
            return encoding
    return None


@lru_cache(maxsize=1024)
def draws_capitals(font: str | None) -> bool:
    """True for a font that draws small letters as capitals: ``.VnTimeH``, ``.Vn3DH``, ``.VnArial NarrowH Bold``."""
    encoding = encoding_of_font(font)
    capitals = table(encoding).capitals_fonts if encoding else None
    return capitals is not None and capitals.search(_STYLE.sub("", (font or "").strip())) is not None


@lru_cache(maxsize=1024)
def tells_nothing(font: str | None) -> bool:
    """True where there is no font, or one of Notes' own names for whatever each machine shows."""
    name = (font or "").strip()
    return not name or _DEFAULT.match(name) is not None
