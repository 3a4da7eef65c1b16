"""The first text of a file, for the secrecy gate: page 1 of a PDF, the headers and beginning of an office
file, a text.

Everything happens in memory, within limits, and never raises: a file that cannot be read has no text here.
    Images of text
(scans) have none either.
"""

from __future__ import annotations

import html
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from schemas.record import Content

LIMIT = 20_000
"""Characters of text that are looked at."""
_HEAD = 256 * 1024  # bytes of a flat text, RTF or HTML file
_PART_LIMIT = 32 * 1024 * 1024  # bytes of one unpacked part of an office file
_OLE_LIMIT = 4 * 1024 * 1024
_MEMBERS = 20
_PDFIUM = threading.Lock()  # PDFium may be used by one thread at a time
_OFFICE_PARTS = re.compile(
    r"word/(?:header\d*|document)\.xml|xl/sharedStrings\.xml|xl/worksheets/sheet1\.xml|ppt/slides/slide1\.xml"
    r"|content\.xml|styles\.xml"
)
_PARAGRAPHS = frozenset(("p", "si", "h", "is", "oddHeader", "evenHeader", "firstHeader"))


def opening_texts(content: Content, depth: int = 1) -> Iterator[tuple[str, str]]:
    """The name and first text of every text-bearing file in ``content``: one, or one for each member of a
    ZIP.

    Args:
        content: the file.
        depth: how many ZIPs inside one another are opened.

    Yields:
        The member's name (``""`` for the file itself) and its text, at most ``LIMIT`` characters.
    """
    try:
        with content.open() as stream:
            head = stream.read(2048)
            stream.seek(0)
            if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
                yield from _zip_texts(stream, depth)
            else:
                yield "", _flat_text(head, stream)[:LIMIT]
    except Exception:
        return


def _flat_text(head: bytes, stream: BinaryIO) -> str:
    if b"%PDF-" in head[:1024]:
        return _pdf_text(stream)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole_text(stream.read(_OLE_LIMIT))
    data = stream.read(_HEAD)
    if head.lstrip().startswith(b"{\\rtf"):
        return _rtf_text(data.decode("latin-1"))
    text = decode_text(data)
    if re.match(r"\s*(?:<!doctype html|<html|<\?xml|<[a-z]+[\s>])", text[:512], re.IGNORECASE):
        return markup_text(text)
    return text if "\x00" not in text else ""


def decode_text(data: bytes) -> str:
    """Bytes of a text file: by its byte-order mark, as UTF-8, else as Windows code page 1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start > len(data) - 4:  # cut inside a letter by the limit
            return data[: error.start].decode("utf-8-sig")
        return data.decode("cp1252", errors="replace")


def markup_text(text: str) -> str:
    """The text of HTML or XML, every block on a line of its own; tags are taken off roughly."""
    # Neither pattern looks past the next "<": a file of nothing but those takes no longer than any other.
    text = re.sub(r"</?(?:b|i|u|em|strong|span|font|a|sub|sup|run)\b[^<>]*>", "", text, flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[^<>]*>", "\n", text))


def _pdf_text(stream: BinaryIO) -> str:
    """Text of page 1, contents of its annotations (a stamp is one), title, subject and keywords."""
    import pypdfium2 as pdfium  # loading PDFium takes long, and only the gate needs it
    import pypdfium2.raw as raw

    parts: list[str] = []
    with _PDFIUM:
        document = pdfium.PdfDocument(stream)
        try:
            parts += [document.get_metadata_value(key) for key in ("Title", "Subject", "Keywords")]
            if len(document):
                page = document[0]
                text_page = page.get_textpage()
                parts.append(text_page.get_text_range(0, min(text_page.count_chars(), LIMIT)))
                for index in range(min(raw.FPDFPage_GetAnnotCount(page), 200)):
                    parts.append(_annotation_text(raw, page, index))
        finally:
            document.close()
    return "\n".join(parts)


def _annotation_text(raw: object, page: object, index: int) -> str:
    import ctypes

    annotation = raw.FPDFPage_GetAnnot(page, index)  # type: ignore[attr-defined]
    if not annotation:
        return ""
    try:
        length = raw.FPDFAnnot_GetStringValue(annotation, b"Contents", None, 0)  # type: ignore[attr-defined]
        if not 2 < length < 8192:
            return ""
        buffer = ctypes.create_string_buffer(length)
        target = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
        raw.FPDFAnnot_GetStringValue(annotation, b"Contents", target, length)  # type: ignore[attr-defined]
        return buffer.raw[: length - 2].decode("utf-16-le", errors="replace")
    finally:
        raw.FPDFPage_CloseAnnot(annotation)  # type: ignore[attr-defined]


def _zip_texts(stream: BinaryIO, depth: int) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        parts = [member for member in members if _OFFICE_PARTS.fullmatch(member.filename)]
        if parts:
            parts.sort(key=lambda member: "header" not in member.filename)
            texts = (_office_text(archive, member) for member in parts if member.file_size <= _PART_LIMIT)
            yield "", "\n".join(texts)[: 2 * LIMIT]
            return
        for member in members[:_MEMBERS] if depth else ():
            if member.is_dir() or member.file_size > _PART_LIMIT or member.flag_bits & 1:
                yield member.filename, ""
                continue
            with archive.open(member) as opened:
                inner = _Bytes(opened.read(_PART_LIMIT + 1))
            yield member.filename, "\n".join(text for _, text in opening_texts(inner, depth - 1))


class _Bytes:
    """A member's bytes as ``Content``."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        return len(self._data)

    def open(self) -> BinaryIO:
        return io.BytesIO(self._data)


def _office_text(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    """Paragraphs of one XML part, each on a line, until ``LIMIT``; those inside text boxes come first."""
    lines: list[str] = []
    size = 0
    with archive.open(member) as stream:
        parser = etree.iterparse(
            stream, events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        for _, element in parser:
            if not isinstance(element.tag, str) or etree.QName(element).localname not in _PARAGRAPHS:
                continue
            line = "".join(element.itertext(tag=etree.Element))
            element.clear(keep_tail=True)
            lines.append(line)
            size += len(line)
            if size > LIMIT:
                break
    return "\n".join(lines)


def _rtf_text(source: str) -> str:
    """Text of RTF: control words off, ``\\'hh`` as code page 1252, ``\\uN`` as Unicode."""
    source = re.sub(r"\{\\(?:fonttbl|colortbl|stylesheet|\*)[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", "", source)
    source = re.sub(r"\\(?:par|line|cell|row|page|sect)\b ?", "\n", source)
    source = re.sub(r"\\u(-?\d+) ?(?:\\'[0-9a-fA-F]{2}|\?)?", lambda m: chr(int(m[1]) % 65536), source)
    source = re.sub(
        r"\\'([0-9a-fA-F]{2})", lambda m: bytes([int(m[1], 16)]).decode("cp1252", errors="replace"), source
    )
    source = re.sub(r"\\[a-zA-Z]+-?\d* ?|\\[^a-zA-Z]", "", source)
    return source.replace("{", "").replace("}", "")


def _ole_text(data: bytes) -> str:
    """Words in an old Office file, read as UTF-16 and as code page 1252; only lines that are text are
    kept."""
    found: list[str] = []
    for text in (data.decode("utf-16-le", errors="replace"), data.decode("cp1252", errors="replace")):
        for line in re.split(r"[\x00-\x08\x0b-\x1f\ufffd]+", text):
            letters = sum(c.isalpha() and c < "\u2000" for c in line)
            if letters >= 2 and letters >= len(line) * 0.5 and len(line) < 2000:
                found.append(line)
    return "\n".join(found)
