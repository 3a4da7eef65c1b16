"""Pages of a PDF as text, with PDFium, in their fonts where these are legacy Vietnamese ones."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import groupby

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from mappings.file_text import EncryptedError, Paragraph, Reading
from mappings.legacy_evidence import may_be_legacy
from schemas.record import TextRun

_PASSWORD = 4  # FPDF_ERR_PASSWORD
_LONGEST_NAME = 256


def pdf_paragraphs(reading: Reading) -> Iterator[Paragraph]:
    """Each page as one paragraph, with what is stamped on it or filled in.

    Raises:
        EncryptedError: it opens only with a password. pypdfium2.PdfiumError: it is damaged.
    """
    reading.engine = f"{reading.engine}, pdfium {pdfium.PDFIUM_INFO.build}"
    try:
        document = pdfium.PdfDocument(reading.stream)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD or "assword" in str(error):
            raise EncryptedError from error
        raise
    try:
        reading.pages = len(document)
        reading.pages_without_text = 0
        for number in range(reading.pages):
            if number >= reading.limits.pages:
                reading.cut = "pages"
                return
            runs = _runs(document, number)
            if not any(run.text.strip() for run in runs):
                reading.pages_without_text += 1
            yield runs
    finally:
        document.close()


def _runs(document: pdfium.PdfDocument, number: int) -> list[TextRun]:
    page = document[number]
    if raw.FPDFPage_GetAnnotCount(page):
        # What a stamp or a field shows is a drawing of its own: draw it into the page (of our copy in memory).
        raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY)
        page.close()
        page = document[number]
    text_page = page.get_textpage()
    try:
        text = str(text_page.get_text_range(errors="replace")).replace("\r\n", "\n")
        # A Unicode text needs no fonts, and asking for them takes longer than the text.
        return _in_fonts(text_page) if text and may_be_legacy(text) else [TextRun(text)]
    finally:
        text_page.close()
        page.close()


def _in_fonts(text_page: pdfium.PdfTextPage) -> list[TextRun]:
    letters = [
        (_font(text_page, index), chr(raw.FPDFText_GetUnicode(text_page, index)))
        for index in range(text_page.count_chars())
    ]
    # What PDFium adds (spaces, ends of lines) has no font: it goes with the letter before it.
    known = ""
    placed: list[tuple[str, str]] = []
    for font, letter in letters:
        known = font or known
        placed.append((known, letter))
    return [
        TextRun("".join(letter for _, letter in group).replace("\r\n", "\n"), font or None)
        for font, group in groupby(placed, key=lambda item: item[0])
    ]


def _font(text_page: pdfium.PdfTextPage, index: int) -> str:
    buffer = ctypes.create_string_buffer(_LONGEST_NAME)
    length = raw.FPDFText_GetFontInfo(text_page, index, buffer, _LONGEST_NAME, None)
    name = buffer.value.decode("utf-8", "replace") if 0 < length <= _LONGEST_NAME else ""
    return name.partition("+")[2] or name  # an embedded subset: ABCDEF+.VnTime (ISO 32000-1 9.6.4)
