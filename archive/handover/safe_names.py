"""Names of files that leave the archive: made by us, so that no name from outside is ever a path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from mappings.vietnamese import fold

LONGEST = 80
"""Characters of the part that comes from outside: the whole path stays below the 260 of older Windows."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)

EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {
        "application/pdf": ".pdf",
        "application/zip": ".zip",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
        "application/vnd.oasis.opendocument.text": ".odt",
        "application/vnd.oasis.opendocument.spreadsheet": ".ods",
        "application/vnd.oasis.opendocument.presentation": ".odp",
        "application/msword": ".doc",
        "application/vnd.ms-excel": ".xls",
        "application/vnd.ms-powerpoint": ".ppt",
        "application/rtf": ".rtf",
        "application/xml": ".xml",
        "application/vnd.edxml+xml": ".edxml",
        "application/vnd.lotus.dxl+xml": ".dxl",
        "application/pkcs7-signature": ".p7s",
        "application/pkcs7-mime": ".p7m",
        "application/vnd.rar": ".rar",
        "application/x-7z-compressed": ".7z",
        "application/gzip": ".gz",
        "message/rfc822": ".eml",
        "text/plain": ".txt",
        "text/html": ".html",
        "image/jpeg": ".jpg",
        "image/png": ".png",
        "image/gif": ".gif",
        "image/tiff": ".tif",
    }
)
"""Extension by the media type that was recognised from the bytes."""


def extension(media_type: str) -> str:
    """The extension for ``media_type``; ``.bin`` for one that has none here."""
    return EXTENSIONS.get(media_type, ".bin")


def safe_name(text: str, fallback: str) -> str:
    """``text`` as a part of a file's name: ASCII letters, digits, ``.``, ``-`` and ``_``, neither hidden nor long.

    ``fallback`` where nothing is left of it. Different texts may give the same name.
    """
    name = _UNSAFE.sub("-", _plain(text[: 4 * LONGEST])).strip("-._")[:LONGEST].strip("-._")
    return fallback if not name or _RESERVED.match(name) else name


def _plain(text: str) -> str:
    """``text`` without diacritics; case and spaces are kept, which ``fold`` would take away."""
    letters = (letter if letter.isspace() else fold(letter) for letter in text)
    return "".join(
        folded.upper() if letter.isupper() else folded for letter, folded in zip(text, letters, strict=True)
    )
