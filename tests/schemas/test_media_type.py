from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.media_type import sniff

_UNTIMED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
_SIGNED = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")


def _tlv(tag: int, value: bytes) -> bytes:
    if len(value) < 0x80:
        return bytes([tag, len(value)]) + value
    octets = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + value


def _cms(content: bytes | None) -> bytes:
    encapsulated = _DATA + (_tlv(0xA0, _tlv(0x04, content)) if content is not None else b"")
    signed = _tlv(0x02, b"\x01") + _tlv(0x31, b"") + _tlv(0x30, encapsulated) + _tlv(0x31, b"\x00" * 300)
    return _tlv(0x30, _SIGNED + _tlv(0xA0, _tlv(0x30, signed)))


def _zip(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


_CONTENT_TYPES = (
    b'<Types><Override PartName="/word/document.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_DOCX = _zip(("[Content_Types].xml", _CONTENT_TYPES), ("word/document.xml", b"<w:document/>"))
_OOXML = "application/vnd.openxmlformats-officedocument."
_EDXML = b'<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016"><edXML:edXMLEnvelope/></edXML>'
_SOAP = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header xmlns:e="http://www.e-doc.vn/Schema/"/>'


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "application/pdf"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 900 + b"%PDF-1.4\n", "application/pdf"),
        (b"\xff" * 1100 + b"%PDF-1.4\n", "application/octet-stream"),
        (_zip(("cong van.pdf", b"%PDF-1.4"), method=zipfile.ZIP_STORED), "application/zip"),
        (_zip(("32da2890.docx", _DOCX), method=zipfile.ZIP_STORED), "application/zip"),
        (_zip(), "application/zip"),
        (_DOCX, _OOXML + "wordprocessingml.document"),
        (_zip(("[Content_Types].xml", _CONTENT_TYPES)), _OOXML + "wordprocessingml.document"),
        (_zip(("_rels/.rels", b"<r/>"), ("xl/workbook.xml", b"<x/>")), _OOXML + "spreadsheetml.sheet"),
        (_zip(("ppt/presentation.xml", b"<x/>")), _OOXML + "presentationml.presentation"),
        (
            _zip(("mimetype", b"application/vnd.oasis.opendocument.text"), method=zipfile.ZIP_STORED),
            "application/vnd.oasis.opendocument.text",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "application/x-ole-storage"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600 + "WordDocument".encode("utf-16-le"),
            "application/msword",
        ),
        (_cms(None), "application/pkcs7-signature"),
        (_cms(b"Quyet dinh"), "application/pkcs7-mime"),
        (_cms(b"Q" * 70000)[:4096], "application/pkcs7-mime"),
        (b'<?xml version="1.0"?>\n<vanban><so>160</so></vanban>', "application/xml"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><!-- n --><a/>', "application/xml"),
        ('\ufeff<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16-le"), "application/xml"),
        (b'<?xml version="1.0" encoding="windows-1258"?><a>\xea\xec</a>', "application/xml"),
        (_EDXML, "application/vnd.edxml+xml"),
        (b'1212<?xml version="1.0" encoding="UTF-8"?>\n' + _EDXML, "application/vnd.edxml+xml"),
        (b'<?xml version="1.0"?>' + _SOAP, "application/vnd.edxml+xml"),
        (b"<!DOCTYPE html>\n<html lang='vi'><body>", "text/html"),
        (b"<html><head><title>Cong van</title>", "text/html"),
        (b"{\\rtf1\\ansi", "application/rtf"),
        (b"Received: from a\r\nFrom: vanthu@example.vn\r\nSubject: GM\r\n\r\nBody", "message/rfc822"),
        ("Kính gửi: Văn phòng Tỉnh ủy\nV/v báo cáo".encode(), "text/plain"),
        ("Số: 12\nNgày: 3".encode()[:3], "text/plain"),
        ("\ufeffKính gửi".encode("utf-16-le"), "text/plain"),
        (b"\x89PNG\r\n\x1a\n\x00", "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"GIF89a\x01\x00", "image/gif"),
        (b"II*\x00\x08\x00", "image/tiff"),
        (b"MM\x00*\x00\x00", "image/tiff"),
        (b"Rar!\x1a\x07\x01\x00", "application/vnd.rar"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "application/x-7z-compressed"),
        (b"<khong phai xml", "text/plain"),
        (b"\x00\x01\x02\x03", "application/octet-stream"),
        (b"\x30\x82\x01\x00\x02\x01\x00", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_first_bytes_tell_the_type(head: bytes, expected: str) -> None:
    assert sniff(head) == expected


def test_a_vietnamese_letter_cut_at_the_end_of_the_head_is_still_text() -> None:
    whole = ("Thông báo kết luận " * 40).encode()
    cut = whole[: whole.index("ế".encode()) + 1]
    assert sniff(cut) == "text/plain"


@_UNTIMED
@given(st.binary(max_size=600))
def test_any_bytes_get_a_type(head: bytes) -> None:
    assert "/" in sniff(head)


@_UNTIMED
@given(st.sampled_from([b"PK\x03\x04", b"\x30\x82", b"\x30\x80", b"<", b"<?xml"]), st.binary(max_size=200))
def test_a_broken_start_of_a_known_format_gets_a_type(start: bytes, rest: bytes) -> None:
    assert "/" in sniff(start + rest)
