"""Which engine reads a file, told by its first bytes and never by its name."""

from __future__ import annotations

import base64
import re
from enum import StrEnum

HEAD = 4096
"""Bytes that ``sniff`` looks at."""


class Engine(StrEnum):
    """The engine for a file, named as in ``Verdict.format``; that of a ZIP is told by what it holds."""

    PDF = "PDF"
    XML = "XML"
    CMS = "CMS"
    ZIP = "ZIP"
    MIME = "MIME"
    NONE = "OTHER"


_PDF = re.compile(rb"%PDF-\d")
_CMS_PEM = re.compile(rb"\s*-----BEGIN (?:PKCS7|PKCS #7 SIGNED DATA|CMS)-----")
_CMS_BASE64 = re.compile(rb"\s*MI[A-P][A-Za-z0-9+/\r\n]{6,}")
_SIGNED_DATA_OID = bytes.fromhex("06092a864886f70d010702")  # 1.2.840.113549.1.7.2, RFC 5652 §5.1
_MOST_BEFORE_THE_TYPE = 32
"""Bytes in which a CMS structure names its type; a time-stamp response has its status before the token."""
_HEADER = re.compile(
    rb"(?:From [^\n]*\n)?(?:[\x21-\x39\x3b-\x7e]+[ \t]*:[^\n]*(?:\n[ \t]+[^\n]*)*(?:\n|\Z))+"
)
_MAIL_FIELD = re.compile(
    rb"^(?:MIME-Version|Content-Type|Message-ID|Received|From)[ \t]*:", re.IGNORECASE | re.MULTILINE
)
_ZIP = re.compile(rb"PK(?:\x03\x04|\x05\x06)")
_XML = re.compile(rb"\s*<(?:\?xml|!--|!DOCTYPE|[A-Za-z_])")
_DECLARATION = re.compile(rb"<\?xml\s+version")
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

NAMES: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "OLE2 (Word, Excel, PowerPoint 97-2003)"),
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"\x89PNG\r\n"), "PNG"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"II\*\x00|MM\x00\*"), "TIFF"),
    (re.compile(rb"\{\\rtf"), "RTF"),
    (re.compile(rb"Rar!|7z\xbc\xaf"), "RAR or 7-Zip"),
    (_HTML, "HTML"),
)
"""Magic of formats without an engine, for the sentence that says so. Order decides."""


def sniff(head: bytes) -> Engine:
    """The engine for a file that begins with ``head`` (``HEAD`` bytes are enough).

    PDF readers accept up to 1024 bytes before the header (ISO 32000-1 Annex H, note 13), and so do we: what
    they show as a PDF must not be called something else here.
    """
    if _is_cms(head):
        return Engine.CMS
    if _PDF.search(head[:1024]):
        return Engine.PDF
    if _ZIP.match(head):
        return Engine.ZIP
    if _is_mail(head):
        return Engine.MIME
    if _is_xml(head):
        return Engine.XML
    return Engine.NONE


def describe(head: bytes) -> str:
    """A name for the format of a file without an engine."""
    for pattern, name in NAMES:
        if pattern.match(head):
            return name
    return "text" if head and b"\x00" not in head else "an unknown binary format"


def _is_cms(head: bytes) -> bool:
    if _CMS_PEM.match(head):
        return True
    if head[:1] == b"\x30" and _SIGNED_DATA_OID in head[:_MOST_BEFORE_THE_TYPE]:
        return True
    if not _CMS_BASE64.match(head):
        return False
    return _SIGNED_DATA_OID in base64.b64decode(head.translate(None, b"\r\n\t ")[:40])[:24]


def _is_mail(head: bytes) -> bool:
    """A header of fields as mail has them; a text that begins with ``Word:`` has no such fields."""
    header = _HEADER.match(head)
    return header is not None and _MAIL_FIELD.search(header[0]) is not None


def _is_xml(head: bytes) -> bool:
    if head.startswith(_BYTE_ORDER_MARKS) or head[:4] in (b"<\x00?\x00", b"\x00<\x00?"):
        head = head.lstrip(b"\xef\xbb\xbf\xff\xfe").replace(b"\x00", b"")
    if _DECLARATION.search(head[:64]):  # seen in packages: stray characters before the declaration
        return True
    return bool(_XML.match(head)) and not _HTML.match(head)
