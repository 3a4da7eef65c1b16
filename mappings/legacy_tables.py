"""The tables of the legacy Vietnamese encodings: data in ``mappings/encodings/``, one YAML file each, with its
sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict

from mappings.yaml_reader import read_yaml

_FOLDER = Path(__file__).parent / "encodings"


class Encoding(StrEnum):
    """A way in which Vietnamese was written before, or beside, composed Unicode."""

    TCVN3 = "tcvn3"
    VNI = "vni"
    VISCII = "viscii"
    VPS = "vps"
    CP1258 = "cp1258"
    VIQR = "viqr"
    DECOMPOSED = "unicode_to_hop"
    """Unicode with the marks apart (Unicode tổ hợp): composing it is all that there is to do."""


BYTE_ENCODINGS = (Encoding.TCVN3, Encoding.VNI, Encoding.VISCII, Encoding.VPS, Encoding.CP1258)
"""Those whose bytes reached us as characters of a Windows code page."""


@dataclass(frozen=True, slots=True)
class Table:
    """One encoding's letters and fonts.

    Attributes:
        letters: the bytes of a letter to the letter (composed; of CP1258 some are combining tones).
        fonts: matches the beginning of the names of fonts drawn for it, in any case; ``None`` if there are none.
        capitals_fonts: found in the names of those that draw capitals for small letters.
    """

    letters: Mapping[bytes, str]
    fonts: re.Pattern[str] | None
    capitals_fonts: re.Pattern[str] | None


@cache
def table(encoding: Encoding) -> Table:
    """The table of ``encoding``, any but ``DECOMPOSED``."""
    path = _FOLDER / f"{encoding}.yaml"
    written = _File.model_validate(read_yaml(path).data)
    return Table(
        letters=MappingProxyType(dict(_letters(written))),
        fonts=re.compile(written.fonts, re.IGNORECASE) if written.fonts else None,
        capitals_fonts=re.compile(written.capitals_fonts) if written.capitals_fonts else None,
    )


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Marked(_Model):
    marks: tuple[str, ...]
    bases: Mapping[str, str]


class _File(_Model):
    sources: tuple[str, ...]
    fonts: str | None = None
    capitals_fonts: str | None = None
    ascii: bool = False
    letters: Mapping[str, str] = {}
    marked: tuple[_Marked, ...] = ()


def _letters(written: _File) -> Iterator[tuple[bytes, str]]:
    def code(text: str) -> bytes:
        return text.encode("ascii") if written.ascii else bytes.fromhex(text)

    for first, letters in written.letters.items():
        start = code(first)[0]
        for offset, letter in enumerate(letters):
            yield bytes([start + offset]), letter
    for group in written.marked:
        for base, letters in group.bases.items():
            for mark, letter in zip(group.marks, letters, strict=False):
                yield code(base) + code(mark), letter
