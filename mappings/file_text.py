"""The whole text of a file, for search: PDF, Office, OpenDocument, RTF, HTML, XML, mail and plain text.

Text in legacy Vietnamese fonts is decoded by the evidence rules of ``mappings.vietnamese``. Whatever is wrong with
a file is an outcome, never an exception; but parsers written in C may crash or hang: call this in a process of its
own. Nothing is guessed at: pictures of text are ``no_text``, old binary Office files ``unsupported``.
"""

from __future__ import annotations

import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

from mappings.legacy_evidence import may_be_legacy
from mappings.legacy_fonts import encoding_of_font
from mappings.vietnamese import RecordText
from schemas import media_type
from schemas.record import Content, TextRun

ENGINE = "lienthong 1"
"""The readers of this program; raised when they find other text in the same bytes."""

Paragraph = Sequence[TextRun]


class TextOutcome(StrEnum):
    """What became of reading a file."""

    TEXT = "text"
    NO_TEXT = "no_text"  # read, and there is none: a scan, an empty sheet
    ENCRYPTED = "encrypted"
    UNSUPPORTED = "unsupported"  # of no kind that is read here
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"  # larger, or longer to read, than the limits


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one file is read.

    Attributes:
        size: bytes of a file; larger ones are ``too_large``.
        unpacked: bytes of all parts of a package together.
        characters: of its text; more are cut. pages, cells: of a PDF, a workbook. seconds: for all of it.
    """

    size: int = 256 * 1024 * 1024
    unpacked: int = 512 * 1024 * 1024
    characters: int = 2_000_000
    pages: int = 3_000
    cells: int = 2_000_000
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class FileText:
    """What was read out of a file.

    Attributes:
        outcome: what became of it. format: the kind of file, in short (``pdf``, ``docx`` …).
        text: in NFC, paragraphs on lines. cut: which limit cut it (``characters``, ``pages``, ``cells``, ``time``), or
            empty. message: why there is no text, in one sentence.
        pages: of a PDF; pages_without_text: those of the pages read that show none (scans among them).
        engine: what read it, with its version.
    """

    outcome: TextOutcome
    format: str
    text: str = ""
    cut: str = ""
    message: str = ""
    pages: int | None = None
    pages_without_text: int | None = None
    engine: str = ENGINE


@dataclass(slots=True)
class Reading:
    """One file while it is read: what it may still cost, and what is to be said of it.

    Attributes:
        stream: its bytes, seekable. limits: what it may cost. cut: the limit that was met.
    """

    stream: BinaryIO
    limits: Limits
    cut: str = ""
    pages: int | None = None
    pages_without_text: int | None = None
    engine: str = ENGINE
    _started: float = field(default_factory=time.monotonic)

    def is_late(self) -> bool:
        """Whether the time is over; ``cut`` then says so."""
        if time.monotonic() - self._started > self.limits.seconds:
            self.cut = "time"
        return self.cut == "time"


class EncryptedError(Exception):
    """The file opens only with a password."""


class TooLargeError(Exception):
    """The file unpacks to more than the limits allow."""


def file_text(content: Content, limits: Limits | None = None) -> FileText:
    """The text of ``content``, whatever its name and its sender say it is."""
    limits = limits or Limits()
    with content.open() as stream:
        head = stream.read(65_536)
        kind = _KINDS.get(media_type.sniff(head)) or ("txt" if _is_old_text(head) else "")
        if kind == "zip":
            kind = _kind_of_package(stream)
        read = _readers().get(kind)
        if kind in _BINARY_OFFICE and _is_encrypted_package(stream, head, limits):
            return FileText(TextOutcome.ENCRYPTED, kind, message="opens only with a password")
        if read is None:
            return FileText(
                TextOutcome.UNSUPPORTED, kind or "other", message="no reader for this kind of file"
            )
        if content.size > limits.size:
            return FileText(TextOutcome.TOO_LARGE, kind, message=f"{content.size} bytes")
        stream.seek(0)
        reading = Reading(stream, limits)
        try:
            text = _text(reading, read(reading))
        except EncryptedError:
            return FileText(TextOutcome.ENCRYPTED, kind, message="opens only with a password")
        except TooLargeError as error:
            return FileText(TextOutcome.TOO_LARGE, kind, message=str(error))
        except Exception as error:  # parsers of files from outside raise what they like
            return FileText(TextOutcome.DAMAGED, kind, message=f"{type(error).__name__}: {error}"[:500])
    return FileText(
        TextOutcome.TEXT if text.strip() else TextOutcome.NO_TEXT,
        kind,
        text,
        reading.cut,
        "" if text.strip() else "it holds no text",
        reading.pages,
        reading.pages_without_text,
        reading.engine,
    )


_PACKAGES: Mapping[str, str] = {
    "word/document.xml": "docx",
    "xl/workbook.xml": "xlsx",
    "ppt/presentation.xml": "pptx",
    "content.xml": "odt",
}


def _kind_of_package(stream: BinaryIO) -> str:
    """What a ZIP is whose first entries do not tell."""
    try:
        names = set(zipfile.ZipFile(stream).namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "zip"
    return next((kind for name, kind in _PACKAGES.items() if name in names), "zip")


def _is_old_text(head: bytes) -> bool:
    """Whether these are words in an eight-bit encoding, which have no sign of their own."""
    controls = len(head) - len(head.translate(None, _CONTROLS))
    plain = len(head) - len(head.translate(None, _PLAIN))
    return bool(head) and b"\0" not in head and 20 * controls <= len(head) and 2 * plain > len(head)


# Some of them are letters of VISCII and VPS.
_CONTROLS = bytes({*range(1, 32)} - {0x09, 0x0A, 0x0C, 0x0D})
_PLAIN = bytes([0x0A, 0x0D, 0x20, *range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B)])
_BINARY_OFFICE = frozenset(("ole", "doc", "xls", "ppt"))


def _is_encrypted_package(stream: BinaryIO, head: bytes, limits: Limits) -> bool:
    """Whether a compound file holds an encrypted OOXML package ([MS-OFFCRYPTO] 2.3.4.4)."""
    return "EncryptedPackage".encode("utf-16-le") in head + stream.read(limits.size)


def package(reading: Reading) -> zipfile.ZipFile:
    """The file as a package, if it is no bomb.

    Raises:
        EncryptedError, TooLargeError: as they say. zipfile.BadZipFile: it is damaged.
    """
    opened = zipfile.ZipFile(reading.stream)
    members = opened.infolist()
    if any(member.flag_bits & 1 for member in members):
        raise EncryptedError
    # A member is never read beyond the size that it claims.
    size = sum(member.file_size for member in members)
    if size > reading.limits.unpacked:
        raise TooLargeError(f"{size} bytes when unpacked")
    if _ODF_MANIFEST in opened.namelist() and b"encryption-data" in opened.read(_ODF_MANIFEST):
        raise EncryptedError
    return opened


_ODF_MANIFEST = "META-INF/manifest.xml"


def _text(reading: Reading, paragraphs: Iterable[Paragraph]) -> str:
    kept: list[Paragraph] = []
    size = 0
    for paragraph in paragraphs:
        size += 1 + sum(len(run.text) for run in paragraph)
        kept.append(paragraph)
        if size > reading.limits.characters:
            reading.cut = "characters"
            break
        if reading.is_late():
            break
    return _clean("\n".join(_decoded(kept)))[: reading.limits.characters]


def _decoded(paragraphs: Sequence[Paragraph]) -> Iterator[str]:
    texts = ["".join(run.text for run in paragraph) for paragraph in paragraphs]
    fonts = {run.font for paragraph in paragraphs for run in paragraph}
    if not any(map(encoding_of_font, fonts)) and not any(map(may_be_legacy, texts)):
        yield from texts
        return
    record = RecordText((), paragraphs)
    for paragraph in paragraphs:
        yield record.decode_runs(paragraph).text


# Of PDFium: a hyphen at the end of a line; beside it what no text holds.
_DROPPED = dict.fromkeys((*range(9), 0x0B, *range(0x0E, 0x20), 0xFFFE, 0xFFFF))


def _clean(text: str) -> str:
    whole = text.translate(_DROPPED).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return unicodedata.normalize("NFC", whole)


_OPEN = "application/vnd.oasis.opendocument."
_OOXML = "application/vnd.openxmlformats-officedocument."
_KINDS: Mapping[str, str] = {
    media_type.PDF: "pdf",
    f"{_OOXML}wordprocessingml.document": "docx",
    f"{_OOXML}spreadsheetml.sheet": "xlsx",
    f"{_OOXML}presentationml.presentation": "pptx",
    f"{_OPEN}text": "odt",
    f"{_OPEN}text-template": "odt",
    f"{_OPEN}spreadsheet": "ods",
    f"{_OPEN}presentation": "odp",
    media_type.RTF: "rtf",
    media_type.HTML: "html",
    media_type.XML: "xml",
    media_type.MAIL: "eml",
    media_type.TEXT: "txt",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    media_type.OLE: "ole",
    media_type.ZIP: "zip",
    "application/vnd.rar": "rar",
    "application/x-7z-compressed": "7z",
    "image/jpeg": "image",
    "image/png": "image",
    "image/gif": "image",
    "image/tiff": "image",
    media_type.EDXML: "edxml",
    media_type.CMS: "p7m",
    media_type.CMS_DETACHED: "p7s",
}


def short_type(media: str) -> str:
    """The kind of file that a media type names, in short: ``pdf``, ``docx``, …; ``other`` for the rest."""
    return _KINDS.get(media, "other")


def _readers() -> Mapping[str, Callable[[Reading], Iterable[Paragraph]]]:
    # Imported here: each brings a library that only the process reading files needs.
    from mappings.markup_text import html_paragraphs, mail_paragraphs, plain_paragraphs, xml_paragraphs
    from mappings.office_text import odf_paragraphs, ooxml_paragraphs, rtf_paragraphs, sheet_paragraphs
    from mappings.pdf_text import pdf_paragraphs

    return {
        "pdf": pdf_paragraphs,
        "docx": ooxml_paragraphs,
        "pptx": ooxml_paragraphs,
        "xlsx": sheet_paragraphs,
        "odt": odf_paragraphs,
        "ods": odf_paragraphs,
        "odp": odf_paragraphs,
        "rtf": rtf_paragraphs,
        "html": html_paragraphs,
        "xml": xml_paragraphs,
        "eml": mail_paragraphs,
        "txt": plain_paragraphs,
    }
