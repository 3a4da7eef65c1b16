"""The text of a symbol made regular: label, spaces, dashes, strokes, and letters that only look right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

LETTERS = "A-Za-zĂÂÊÔƠƯĐăâêôơưđ"
"""Letters of notations, for a character class."""


def cleaned_symbol(text: str) -> tuple[str, tuple[str, ...]]:
    """``text`` in NFC without label, invisible characters and spaces around separators; and what was odd:
    ``odd_letter``, ``odd_dash``, ``odd_stroke``."""
    noise: list[str] = []
    value = unicodedata.normalize("NFC", text)
    if not value.isascii():
        value = "".join(c for c in value if unicodedata.category(c) != "Cf")
        for problem, table in _REPLACED.items():
            if (regular := value.translate(table)) != value:
                noise.append(problem)
                value = regular
    value = " ".join(value.split())
    value = _LABEL.sub("", value, count=1)
    value = re.sub(r"\s*([-/])\s*", r"\1", value)
    return value.strip(" .;:,"), tuple(noise)


_LABEL = re.compile(
    r"^(?:[^\W\d_]+(?: [^\W\d_]+){0,3} )??s[ốôo](?: ?(?:và|,|&)? ?ký hiệu)? ?[:.]? ?(?=\S)", re.IGNORECASE
)
STROKED_D: Mapping[int, str] = MappingProxyType({0x00D0: "Đ", 0x0189: "Đ", 0x00F0: "đ", 0x0256: "đ"})
"""Letters of other alphabets that are drawn as Đ and đ, for ``str.translate``; keyboards for Latin give them."""
# U+00D0 and U+0189 are drawn as Đ; § and ® are the bytes of Đ and đ in TCVN3, Ñ and ñ in VNI. No notation
# holds any of them, nor Greek or Cyrillic capitals.
_LOOKALIKES = {
    **dict.fromkeys("\u00d0\u0189§Ñ", "Đ"),
    **dict.fromkeys("\u00f0\u0256®ñ", "đ"),
    **dict(zip("АВЕКМНОРСТХУΑΒΕΚΜΗΟΡΤΧΥΝΙΖ", "ABEKMHOPCTXYABEKMHOPTXYNIZ", strict=True)),
}
_REPLACED: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {
        "odd_letter": str.maketrans(_LOOKALIKES),
        "odd_dash": str.maketrans(dict.fromkeys("‐‑‒–—―−﹣－", "-")),
        "odd_stroke": str.maketrans(dict.fromkeys("⁄∕／", "/")),
    }
)
