"""What would be decoded, text by text, and why or why not: for who checks before they trust."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mappings.field_paths import leaves, members
from mappings.legacy_decoding import decode
from mappings.legacy_evidence import has_letter_controls, is_unicode_vietnamese
from mappings.legacy_fonts import encoding_of_font, tells_nothing
from mappings.legacy_tables import Encoding
from mappings.vietnamese import Basis, Decoded, Reason, RecordText
from schemas.record import Field, SourceRecord


class Standing(StrEnum):
    """What becomes of a text."""

    DECODED = "decoded"
    ASCII = "plain_ascii"  # nothing in it could be anything else
    UNICODE = "already_unicode"
    OTHER_FONT = "other_font"  # its font is for Unicode
    UNCONVINCING = "not_convincing"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One text of a record.

    Attributes:
        place: path of the field, or number of the line from 1.
        before: the text as the source prints it; after: as the archive would hold it.
        standing: what becomes of it.
        basis: of a decoded text the weakest reason; of an unconvincing one the best guess, or ``None``.
    """

    place: str
    before: str
    after: str
    standing: Standing
    basis: Basis | None = None


def explain_record(record: SourceRecord) -> Iterator[Explanation]:
    """Every text of a record, in order; empty ones are left out."""
    held = tuple(leaves(record.fields))
    text = RecordText.of(field for _, field in held)
    for path, field in held:
        for printed, decoded in zip(members(field), text.decode_field(field), strict=True):
            if printed.strip(" \t\r\n"):
                yield _explained(path, printed, decoded, text, field)


def explain_lines(lines: Sequence[str], asked: Encoding | None = None) -> Iterator[Explanation]:
    """Every line of a text that is taken as one record; empty ones are left out.

    Args:
        lines: without their ends.
        asked: decode every line as this, whatever the words say.
    """
    text = RecordText(lines)
    for number, line in enumerate(lines, 1):
        if not line.strip(" \t\r\n"):
            continue
        if asked is not None:
            read = decode(line, asked)
            standing = Standing.DECODED if read != line else _untouched(line)
            basis = Basis(asked, Reason.ASKED) if read != line else None
            yield Explanation(str(number), line, read, standing, basis)
        else:
            yield _explained(str(number), line, text.decode(line), text)


def _explained(
    place: str, printed: str, decoded: Decoded, text: RecordText, field: Field | None = None
) -> Explanation:
    if decoded.bases:
        weakest = min(decoded.bases, key=lambda basis: basis.confidence)
        return Explanation(place, printed, decoded.text, Standing.DECODED, weakest)
    standing = _untouched(printed)
    guess = None
    if standing is Standing.UNCONVINCING:
        guess = text.guess(printed)
        fonts = {run.font for run in field.runs} if field is not None else set()
        if fonts and not any(tells_nothing(font) or encoding_of_font(font) for font in fonts):
            standing = Standing.OTHER_FONT
    return Explanation(place, printed, decoded.text, standing, guess)


def _untouched(text: str) -> Standing:
    if text.isascii() and not has_letter_controls(text):
        return Standing.ASCII
    return Standing.UNICODE if is_unicode_vietnamese(text) else Standing.UNCONVINCING
