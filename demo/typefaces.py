"""The two faces in which the made-up pages are set, cut down to Vietnamese once and embedded whole.

Source Serif Pro (SIL Open Font License 1.1), as shipped by the package ``font-source-serif-pro``.
"""

from __future__ import annotations

import io
import unicodedata
import zlib
from dataclasses import dataclass
from importlib.resources import files

from fontTools import subset
from fontTools.ttLib import TTFont

from schemas.errors import ConfigurationError

_VOWELS = "AĂÂEÊIOÔƠUƯYaăâeêioôơuưy"
_CONSONANTS = "BCDĐFGHJKLMNPQRSTVWXZbcdđfghjklmnpqrstvwxz"
_TONES = "\u0300\u0309\u0303\u0301\u0323"
_OTHERS = "0123456789 .,;:!?()[]/\\-–—+*%&@#'\"“”‘’…_=<>§°"
CHARACTERS = frozenset(_CONSONANTS + _OTHERS) | frozenset(
    unicodedata.normalize("NFC", vowel + tone) for vowel in _VOWELS for tone in ("", *_TONES)
)
"""Every character that a page may hold."""


@dataclass(frozen=True, slots=True)
class Typeface:
    """A face ready for a PDF; lengths are thousandths of the type size.

    Attributes:
        name: PostScript name with its subset prefix.
        program: the TrueType file, deflated; ``program_size`` its length before.
        glyphs: glyph number by character. widths: advance by glyph number.
        box: xMin, yMin, xMax, yMax of all glyphs.
    """

    name: str
    program: bytes
    program_size: int
    glyphs: dict[str, int]
    widths: dict[int, int]
    box: tuple[int, int, int, int]
    ascent: int
    descent: int

    def width(self, text: str, size: float) -> float:
        """Length of ``text`` in points at ``size`` points."""
        return sum(self.widths[self.glyphs[letter]] for letter in text) * size / 1000

    def encode(self, text: str) -> str:
        """``text`` as the hexadecimal glyph numbers of a PDF string."""
        return "".join(f"{self.glyphs[letter]:04X}" for letter in text)


@dataclass(frozen=True, slots=True)
class Typefaces:
    """The faces of a page."""

    regular: Typeface
    bold: Typeface


def load_typefaces() -> Typefaces:
    """Read and cut both faces (about half a second).

    Raises:
        ConfigurationError: the font package of the ``demo`` extra is not installed.
    """
    return Typefaces(
        _load("SourceSerifPro-Regular.ttf", "DEMOAA"), _load("SourceSerifPro-Bold.ttf", "DEMOAB")
    )


def _load(file_name: str, prefix: str) -> Typeface:
    try:
        data = (files("font_source_serif_pro") / "files" / file_name).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise ConfigurationError(
            f"the font {file_name} is not installed",
            expected="the package font-source-serif-pro",
            action="install Lienthong with all its dependencies",
        ) from error
    font = TTFont(io.BytesIO(data), recalcTimestamp=False)
    options = subset.Options(hinting=False, layout_features=[], notdef_outline=True, name_IDs=[6])
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "DSIG", "STAT"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[ord(character) for character in CHARACTERS])
    cutter.subset(font)
    out = io.BytesIO()
    font.save(out, reorderTables=False)
    return _face(font, prefix, out.getvalue())


def _face(font: TTFont, prefix: str, program: bytes) -> Typeface:
    scale = 1000 / font["head"].unitsPerEm
    numbers = {chr(code): font.getGlyphID(name) for code, name in font.getBestCmap().items()}
    widths = {
        font.getGlyphID(name): round(advance * scale) for name, (advance, _) in font["hmtx"].metrics.items()
    }
    head = font["head"]
    return Typeface(
        name=f"{prefix}+{font['name'].getDebugName(6)}",
        program=zlib.compress(program, 9),
        program_size=len(program),
        glyphs={letter: numbers[letter] for letter in sorted(CHARACTERS)},
        widths=widths,
        box=(
            round(head.xMin * scale),
            round(head.yMin * scale),
            round(head.xMax * scale),
            round(head.yMax * scale),
        ),
        ascent=round(font["hhea"].ascent * scale),
        descent=round(font["hhea"].descent * scale),
    )
