"""The translated messages that programs leave on a machine: real text of a hundred languages, Vietnamese among them."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

SYSTEM_FOLDER = Path("/usr/share/locale")
_MAGIC = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}


def messages(folder: Path) -> dict[str, list[str]]:
    """The translations in a folder of ``<language>/LC_MESSAGES/*.mo``, by language, in order, each once; those with
    letters beyond ASCII. Catalogues in other encodings than UTF-8 are left out."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for path in sorted(folder.glob("*/LC_MESSAGES/*.mo")):
        try:
            translated = list(_translations(path.read_bytes()))
        except (UnicodeDecodeError, struct.error):
            continue
        language = path.parts[-3]
        found[language].update((text, None) for text in translated if not text.isascii())
    return {language: list(texts) for language, texts in found.items() if texts}


def _translations(data: bytes) -> Iterator[str]:
    """GNU gettext's binary catalogue: a table of original and one of translated strings, each length and offset."""
    order = _MAGIC.get(data[:4])
    if order is None:
        return
    count, originals, translations = struct.unpack_from(f"{order}3I", data, 8)
    for number in range(count):
        original_length, _ = struct.unpack_from(f"{order}2I", data, originals + 8 * number)
        length, offset = struct.unpack_from(f"{order}2I", data, translations + 8 * number)
        if original_length:  # the entry of the empty string describes the catalogue
            yield from data[offset : offset + length].decode("utf-8").split("\0")
