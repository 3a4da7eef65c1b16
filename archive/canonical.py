"""Canonical JSON: one value, one sequence of bytes, so that a hash of it means something.

UTF-8, keys in code point order, no spaces, letters as they are (neither escaped nor normalised). Lone
surrogates, with which Python spells undecodable file names, become ``\\udcXX`` escapes: UTF-8 cannot hold
them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | Mapping[str, Json] | Sequence[Json] | None"

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_text(value: Json) -> str:
    """``value`` as canonical JSON text; may hold lone surrogates. ``ValueError`` for NaN."""
    return _ENCODER.encode(value)


def canonical_bytes(value: Json) -> bytes:
    """``value`` as canonical JSON in UTF-8."""
    return canonical_text(value).encode("utf-8", "backslashreplace")
