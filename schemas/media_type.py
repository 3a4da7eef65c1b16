"""Media type of a file by its first bytes, never by its name or by what its sender declares.

Sources: the magic numbers of ISO 32000-1 7.5.2, APPNOTE.TXT 4.3.7 (ZIP), ECMA-376-2 and ODF 1.3 part 2
(packages), [MS-CFB] 2.2, RFC 5652 (CMS), RFC 5322 (mail), and the IANA registry for the names.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator

PDF = "application/pdf"
ZIP = "application/zip"
XML = "application/xml"
EDXML = "application/vnd.edxml+xml"
HTML = "text/html"
TEXT = "text/plain"
RTF = "application/rtf"
MAIL = "message/rfc822"
OLE = "application/x-ole-storage"
CMS_DETACHED = "application/pkcs7-signature"
CMS = "application/pkcs7-mime"
UNKNOWN = "application/octet-stream"

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", PDF),
    (b"PK\x05\x06", ZIP),
    (b"PK\x07\x08", ZIP),
    (b"{\\rtf", RTF),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b\x08", "application/gzip"),
)
_OOXML = {
    "word/": (b"wordprocessingml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xl/": (b"spreadsheetml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "ppt/": (b"presentationml", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
}
_OOXML_FIRST = ("[Content_Types].xml", "_rels/", "docProps/", "customXml/", *_OOXML)
_ODF = re.compile(rb"application/(?:vnd\.oasis\.opendocument\.[a-z-]+|epub\+zip)")
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS: tuple[tuple[str, str], ...] = (
    ("WordDocument", "application/msword"),
    ("Workbook", "application/vnd.ms-excel"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
)
_PKCS7 = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"
_SIGNED_DATA = 2
_PDF_WINDOW = 1024
_JUNK_WINDOW = 1024
_EDXML_NAMESPACES = (
    "http://www.mic.gov.vn/TBT/QCVN_102",
    "http://www.e-doc.vn/Schema",
    "http://www.go.vn/eDoc",
)
_ROOT = re.compile(r"<(?:([\w.\-]+):)?([\w.\-]+)((?:\s|/)[^>]*)?>?")
_MARKUP_BEFORE_ROOT = re.compile(
    r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\])?\s*>", re.DOTALL | re.IGNORECASE
)
_HTML_ROOTS = frozenset({"html", "head", "body"})
_HEADER_LINE = re.compile(rb"([A-Za-z][A-Za-z0-9\-]*):[ \t]?")
_MAIL_HEADERS = frozenset(
    b"from to cc subject date message-id mime-version received return-path delivered-to reply-to sender "
    b"content-type content-transfer-encoding".split()
)
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def sniff(head: bytes) -> str:
    """Media type of the file that begins with ``head``.

    Args:
        head: the first 4096 bytes or more, or the whole file if it is shorter.

    Returns:
        An IANA media type or the customary ``x-`` name; ``application/vnd.edxml+xml`` for edXML packages of
        both dialects; ``application/octet-stream`` when nothing fits.
    """
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head.startswith(b"PK\x03\x04"):
        return _zip_type(head)
    if head.startswith(_OLE_MAGIC):
        return _ole_type(head)
    if head.startswith(b"\x30") and (cms := _cms_type(head)):
        return cms
    text = _as_text(head)
    if text is not None and (markup := _markup_type(text)):
        return markup
    if re.search(rb"%PDF-\d", head[:_PDF_WINDOW]):
        return PDF
    if _is_multipart_edxml(head):
        return EDXML
    if _is_mail(head):
        return MAIL
    return TEXT if text and not _CONTROLS.search(text) else UNKNOWN


def _zip_type(head: bytes) -> str:
    entries = list(_zip_entries(head))
    if not entries:
        return ZIP
    first, data, method = entries[0]
    if first == "mimetype" and method == 0 and (found := _ODF.match(data)):
        return found.group().decode("ascii")
    # Only a package's own first entry counts: a stored ZIP shows the entries of the document inside it too.
    if not first.startswith(_OOXML_FIRST):
        return ZIP
    for name, _, _ in entries:
        for folder, (_, media_type) in _OOXML.items():
            if name.startswith(folder):
                return media_type
    for name, data, method in entries:
        if name == "[Content_Types].xml":
            listing = _inflate(data) if method == zlib.DEFLATED else data
            return next((media for word, media in _OOXML.values() if word in listing), ZIP)
    return ZIP


def _zip_entries(head: bytes) -> Iterator[tuple[str, bytes, int]]:
    """(name, what follows the local header, method) of every local file header that lies in ``head``."""
    at = 0
    while (at := head.find(b"PK\x03\x04", at)) >= 0 and at + 30 <= len(head):
        method = int.from_bytes(head[at + 8 : at + 10], "little")
        name_end = at + 30 + int.from_bytes(head[at + 26 : at + 28], "little")
        data_start = name_end + int.from_bytes(head[at + 28 : at + 30], "little")
        yield head[at + 30 : name_end].decode("utf-8", "replace"), head[data_start:], method
        at += 30


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, 1 << 16)
    except zlib.error:
        return b""


def _ole_type(head: bytes) -> str:
    return next((media for name, media in _OLE_STREAMS if name.encode("utf-16-le") in head), OLE)


def _cms_type(head: bytes) -> str | None:
    """CMS by its content type's OID; detached when the signed data carry no content (RFC 5652 5.1, 5.2)."""
    at = head.find(_PKCS7, 0, 16)
    if at < 0 or at + len(_PKCS7) >= len(head):
        return None
    if head[at + len(_PKCS7)] != _SIGNED_DATA:
        return CMS
    at += len(_PKCS7) + 1
    try:
        _, at, _ = _der_header(head, at)  # [0] EXPLICIT
        _, at, _ = _der_header(head, at)  # SignedData
        for _ in ("version", "digestAlgorithms"):
            _, start, length = _der_header(head, at)
            at = start + length
        _, at, length = _der_header(head, at)  # EncapsulatedContentInfo
        _, oid_start, oid_length = _der_header(head, at)
    except (IndexError, ValueError):
        return CMS
    return CMS_DETACHED if oid_start + oid_length == at + length else CMS


def _der_header(data: bytes, at: int) -> tuple[int, int, int]:
    """(tag, where the value starts, its length) of the DER or BER element at ``at``; indefinite is -1."""
    tag, first = data[at], data[at + 1]
    if first < 0x80:
        return tag, at + 2, first
    if first == 0x80:
        return tag, at + 2, -1
    octets = first & 0x7F
    if octets > 8:
        raise ValueError("a length of more than 8 octets")
    return tag, at + 2 + octets, int.from_bytes(data[at + 2 : at + 2 + octets], "big")


def _as_text(head: bytes) -> str | None:
    """``head`` decoded by its byte order mark or UTF-8, without a character cut at the end; or ``None``."""
    encoding = "utf-8"
    for bom, name in _BOMS:
        if head.startswith(bom):
            head, encoding = head[len(bom) :], name
            break
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        # A legacy eight-bit encoding still shows its markup in ASCII.
        return head.decode("latin-1") if head.lstrip()[:1] == b"<" else None


def _markup_type(text: str) -> str | None:
    at = 0
    while found := _MARKUP_BEFORE_ROOT.match(text, at):
        at = found.end()
        if re.match(r"\s*<!DOCTYPE\s+html", found.group(), re.IGNORECASE):
            return HTML
    if text.startswith("<", at):
        return _root_type(text, at)
    junk = text.find("<?xml", 0, _JUNK_WINDOW)
    if junk > 0 and (inner := _markup_type(text[junk:])) == EDXML:
        return inner
    return XML if text.lstrip().startswith("<?xml") else None


def _root_type(text: str, at: int) -> str | None:
    root = _ROOT.match(text, at)
    if root is None:
        return XML if text.lstrip().startswith("<?xml") else None
    prefix, name, attributes = root.group(1), root.group(2), root.group(3) or ""
    if name.lower() in _HTML_ROOTS:
        return HTML
    if name == "edXML" or prefix == "edXML" or any(uri in text for uri in _EDXML_NAMESPACES):
        return EDXML
    if text.lstrip().startswith("<?xml") or "xmlns" in attributes or f"</{name}>" in text:
        return XML
    return None


def _is_multipart_edxml(head: bytes) -> bool:
    """SOAP with attachments, saved with the header of the message or, as SOAP libraries do, from its first boundary."""
    start = head.lstrip()
    begins = start.startswith(b"--") or _HEADER_LINE.match(start) is not None
    named = any(name.encode() in head for name in _EDXML_NAMESPACES)
    return begins and named and b"content-type:" in head.lower()


def _is_mail(head: bytes) -> bool:
    lines = head.replace(b"\r\n", b"\n").partition(b"\n\n")[0].split(b"\n")
    first = _HEADER_LINE.match(lines[0])
    if first is None:
        return False
    names = {found.group(1).lower() for line in lines if (found := _HEADER_LINE.match(line))}
    return len(names & _MAIL_HEADERS) >= 2
