"""The first text of a PDF, with PDFium: its page 1, what is stamped on it, its title, and the files that it
carries."""

from __future__ import annotations

import ctypes
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from mappings.vietnamese import fold

if TYPE_CHECKING:
    import pypdfium2

_PDFIUM = threading.Lock()  # PDFium may be used by one thread at a time
_COVERS = 2  # sheets that may lie before the document's own first page
_ANNOTATIONS = 200
_CARRIED = 10
_LONGEST_NOTE = 8192  # bytes
# What the first page of an official document says; not that of a sheet put before it.
_HEADING = re.compile(r"dang cong san viet nam|cong hoa xa hoi chu nghia viet nam")
_COVER = re.compile(r"^(?:phieu (?:gui|trinh|chuyen|xu ly)|bia ho so|muc luc)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class OpeningOfPdf:
    """What a reader of a PDF sees first.

    Attributes:
        text: title, subject, keywords; page 1 with its annotations and form fields; the next pages, too, while
            those before have no heading of an official document or are a cover sheet.
        carried: name and bytes of the files inside the PDF.
    """

    text: str
    carried: tuple[tuple[str, bytes], ...]


def opening_of_pdf(stream: BinaryIO, limit: int, largest: int) -> OpeningOfPdf:
    """Read a PDF in memory.

    Args:
        stream: the file.
        limit: characters of one page.
        largest: bytes of one carried file.

    Raises:
        pypdfium2.PdfiumError: it is none, or encrypted.
    """
    import pypdfium2 as pdfium  # loading PDFium takes long, and only the gate needs it

    with _PDFIUM:
        document = pdfium.PdfDocument(stream)
        try:
            parts = [document.get_metadata_value(key) for key in ("Title", "Subject", "Keywords")]
            for number in range(min(len(document), _COVERS + 1)):
                page = _page_text(document, number, limit)
                parts.append(page)
                folded = "\n".join(map(fold, page.splitlines()))
                if _HEADING.search(folded) and not _COVER.search(folded):
                    break
            return OpeningOfPdf("\n".join(parts), tuple(_carried(document, largest)))
        finally:
            document.close()


def _page_text(document: pypdfium2.PdfDocument, number: int, limit: int) -> str:
    import pypdfium2.raw as raw

    page = document[number]
    parts = [_text_of(page, limit)]
    count = min(raw.FPDFPage_GetAnnotCount(page), _ANNOTATIONS)
    if count:
        parts += [
            _annotation_text(page, index, key) for index in range(count) for key in (b"Contents", b"V", b"DV")
        ]
        # A stamp or a field may say nothing but in its drawing: draw them into the page (of our copy in memory).
        raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY)
        page.close()
        parts.append(_text_of(document[number], limit))
    return "\n".join(parts)


def _text_of(page: pypdfium2.PdfPage, limit: int) -> str:
    text_page = page.get_textpage()
    text = str(text_page.get_text_range(0, min(text_page.count_chars(), limit)))
    if _LONE_VOWEL.search(text):
        text += f"\n{_columns_of_letters(text_page, text)}"
    return text


_LONE_LETTER = re.compile(r"(?<![^\W_])[^\W\d_](?![^\W_])")
_LONE_VOWEL = re.compile(r"(?<![^\W_])[Ậậ](?![^\W_])")
_MOST_LONE = 500


def _columns_of_letters(text_page: pypdfium2.PdfTextPage, text: str) -> str:
    """Letters that stand alone, read from above to below: a vertical stamp, which the lines beside it tear apart."""
    columns: dict[int, list[tuple[float, str]]] = defaultdict(list)
    for match in islice(_LONE_LETTER.finditer(text), _MOST_LONE):
        left, bottom, right, _ = text_page.get_charbox(match.start())
        columns[round((left + right) / 2 / _COLUMN)].append((-bottom, match.group()))
    stamps = (sorted(column) for column in columns.values() if len(column) > 2)
    return "\n".join("\n".join(letter for _, letter in stamp) for stamp in stamps)


_COLUMN = 6  # points


def _annotation_text(page: pypdfium2.PdfPage, index: int, key: bytes) -> str:
    import pypdfium2.raw as raw

    annotation = raw.FPDFPage_GetAnnot(page, index)
    if not annotation:
        return ""
    try:
        length = raw.FPDFAnnot_GetStringValue(annotation, key, None, 0)
        if not 2 < length < _LONGEST_NOTE:
            return ""
        buffer = ctypes.create_string_buffer(length)
        target = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
        raw.FPDFAnnot_GetStringValue(annotation, key, target, length)
        return buffer.raw[: length - 2].decode("utf-16-le", errors="replace")
    finally:
        raw.FPDFPage_CloseAnnot(annotation)


def _carried(document: pypdfium2.PdfDocument, largest: int) -> Iterator[tuple[str, bytes]]:
    import pypdfium2 as pdfium

    for index in range(min(document.count_attachments(), _CARRIED)):
        attachment = document.get_attachment(index)
        try:
            data = bytes(attachment.get_data())
        except pdfium.PdfiumError:
            data = b""
        yield attachment.get_name(), data if len(data) <= largest else b""
