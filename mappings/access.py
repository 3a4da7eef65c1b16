"""What a record says about access to it, as a class: its regime of use, and the rules of its source.

The regime (chế độ sử dụng, phạm vi phổ biến, ``SphereOfPromulgation``) is free text in every standard. Known ways to
print it are data here; a text that nobody knows restricts, because it was printed to say something.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mappings.vietnamese import fold
from schemas.access import AccessClass

_OPEN = (
    "01",  # TT 05/2025/TT-BNV, mode
    "1",
    "cong khai",
    "cong khai rong rai",
    "khong han che",
    "khong han che su dung",
    "toan quoc",
    "toan tinh",
    "trong tinh",
    "pho bien",
    "pho bien cong khai",
    "pho bien rong rai",
    "rong rai",
    "su dung rong rai",
    "thuong",
    "tiep can rong rai",
    "binh thuong",
    "public",
)
_PERSONAL = (
    "bi mat ca nhan",
    "bi mat doi song rieng tu",
    "bi mat doi tu",
    "rieng tu",
    "thong tin ca nhan",
)

REGIMES: Mapping[str, AccessClass] = MappingProxyType(
    dict.fromkeys(_OPEN, AccessClass.OPEN) | dict.fromkeys(_PERSONAL, AccessClass.PERSONAL)
)
"""Folded texts of the regime to their class; every other text is conditional."""

_CARRIED = "lien thong"
"""How a text begins that only tells how far an exchange carries the document: no restriction."""


def class_of_regime(regime: str | None) -> AccessClass:
    """The class that a printed regime of use means; open where none is printed."""
    text = " ".join(fold(regime or "").replace(".", " ").split())
    if not text or text.startswith(_CARRIED):
        return AccessClass.OPEN
    return REGIMES.get(text, AccessClass.CONDITIONAL)
