"""HTML that cannot do anything: text escaped, tags and attributes of an allow-list, values of known shapes only.

What is written is well-formed XML and valid to an HTML parser at once. Values from a document reach an attribute only
through the functions here; what has not the expected shape is left out.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from connectors.lotus_notes.nodes import Node
from schemas.record import chunks, sha256_of

TAGS = frozenset(
    {
        *(
            "a",
            "b",
            "br",
            "code",
            "col",
            "colgroup",
            "details",
            "div",
            "hr",
            "i",
            "img",
            "li",
            "mark",
            "ol",
            "s",
        ),
        *("span", "sub", "summary", "sup", "table", "tbody", "td", "th", "tr", "u", "ul"),
    }
)
"""Every tag that is written."""

ATTRIBUTES = frozenset(
    {"alt", "class", "colspan", "height", "href", "open", "rel", "rowspan", "src", "style", "type", "width"}
)
"""Every attribute that is written, beside ``data-…``, which no browser gives a meaning."""

SCHEMES = frozenset({"http", "https", "mailto", "notes"})
"""Schemes of links that may be followed."""

_VOID = frozenset({"br", "col", "hr", "img"})
_IMAGES = {"gif": (b"GIF8",), "jpeg": (b"\xff\xd8\xff",), "png": (b"\x89PNG\r\n\x1a\n",)}
_COLORS = frozenset(
    {
        *(
            "aqua",
            "black",
            "blue",
            "fuchsia",
            "gray",
            "green",
            "lime",
            "maroon",
            "navy",
            "olive",
            "purple",
            "red",
        ),
        *("silver", "teal", "white", "yellow"),
    }
)
_HEX_COLOR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_LENGTH = re.compile(r"\d{1,4}(?:\.\d{1,6})?(?:in|cm|mm|pt|pc|px|ex|%)?")
_PIXELS = re.compile(r"(\d{1,5})(?:px)?")
_FONT = re.compile(r"[\w .-]{1,64}")
_HEX = re.compile(r"[0-9A-F]{1,32}", re.IGNORECASE)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_SPANNED = 1000


def escaped(text: str) -> str:
    """``text`` as content of an element or of a quoted attribute; what XML cannot hold becomes U+FFFD."""
    return (
        _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
        .replace("\r", "&#13;")
    )


def content(text: str) -> str:
    """``text`` as content; a character that XML cannot hold is U+FFFD with its code (old Vietnamese code pages have
    letters there)."""
    pieces = []
    start = 0
    for found in _NOT_XML.finditer(text):
        code = tag("span", {"class": "char", "data-code": f"{ord(found[0]):x}"})
        pieces += [escaped(text[start : found.start()]), code, "\N{REPLACEMENT CHARACTER}</span>"]
        start = found.end()
    return "".join((*pieces, escaped(text[start:])))


def tag(name: str, attributes: Mapping[str, str] | None = None) -> str:
    """A start tag, or the whole of an element that is always empty; attributes without a value are left out."""
    said = "".join(
        f' {key}="{escaped(value)}"' for key, value in (attributes or {}).items() if value or key == "alt"
    )
    return f"<{name}{said}{'/' if name in _VOID else ''}>"


def style(**values: str) -> str:
    """A ``style`` of properties whose values are not empty; ``font_size`` is ``font-size``."""
    return ";".join(f"{name.replace('_', '-')}:{value}" for name, value in values.items() if value)


def color(printed: str | None) -> str:
    """A colour of DXL (a name of CSS 2, or ``#rrggbb``), or ``""``; ``none`` and ``system`` are no colour."""
    value = (printed or "").strip().lower()
    return value if value in _COLORS or _HEX_COLOR.fullmatch(value) else ""


def length(printed: str | None) -> str:
    """A length of DXL, or ``""``."""
    value = (printed or "").strip().lower()
    return value if _LENGTH.fullmatch(value) else ""


def pixels(printed: str | None) -> str:
    """A whole number of pixels, or ``""``."""
    found = _PIXELS.fullmatch((printed or "").strip())
    return found[1] if found else ""


def spanned(printed: str | None) -> str:
    """How many rows or columns a cell covers, if more than one, or ``""``."""
    value = (printed or "").strip()
    return value if value.isascii() and value.isdecimal() and 1 < int(value) <= _MOST_SPANNED else ""


def font_family(name: str | None) -> str:
    """A font's name as a value of CSS, or ``""``."""
    return f"'{name}'" if name and _FONT.fullmatch(name) else ""


def link(href: str | None) -> str:
    """A link that may be followed, or ``""``: a script, a file or an unknown scheme is none."""
    value = re.sub(r"[\x00-\x20\x7f]", "", href or "")
    try:
        scheme = urlsplit(value).scheme.lower()
    except ValueError:
        return ""
    return value if scheme in SCHEMES else ""


def notes_link(said: Mapping[str, str]) -> str:
    """The ``notes:`` link of a document, view or database link, or ``""`` when it does not say which."""
    database = said.get("database", "")
    if not _HEX.fullmatch(database):
        return ""
    parts = [database]
    for name in ("view", "document"):
        if _HEX.fullmatch(said.get(name, "")):
            parts.append(said[name])
        elif name == "view":
            parts.append("0")
    return "notes:///" + "/".join(parts)


def picture_source(image: Node, limit: int) -> str:
    """The ``data:`` link of a picture that every browser shows and that is what it says it is; ``""`` for others and
    for more than ``limit`` bytes."""
    magic = _IMAGES.get(image.name)
    if magic is None or image.content is None or image.content.size > limit:
        return ""
    data = b"".join(chunks(image.content))
    if not data.startswith(magic):
        return ""
    return f"data:image/{image.name};base64,{binascii.b2a_base64(data, newline=False).decode('ascii')}"


def picture_facts(image: Node | None) -> dict[str, str]:
    """Format, size and SHA-256 of a picture's bytes: by these it is found in the original."""
    if image is None or image.content is None:
        return {}
    return {
        "data-format": image.name,
        "data-size": str(image.content.size),
        "data-sha256": sha256_of(image.content),
    }
