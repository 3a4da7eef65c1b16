"""Taking base64 and ZIP off an attachment: what is right comes out bare, what is wrong is kept and named."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.operations import edxml, one_entry_zip, payload
from connectors.operations.edxml import parse_edxml
from connectors.operations.element_path import first_text
from connectors.operations.package import DocumentPackage, Organ, PackageFile
from connectors.operations.spool import SliceContent, Spool, SpoolFullError
from connectors.operations.writer import write_document
from schemas.record import Attachment, BytesContent, Content, Listing, SourceRecord, chunks

_UNTIMED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
_LISTING = Listing("k", "r", "l")
_PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n%%EOF\n"
_PACKAGE = DocumentPackage(
    sender=Organ("000.00.00.H10", "Văn phòng Tỉnh ủy"),
    recipients=(Organ("000.00.12.H10", "Sở Y tế"),),
    document_id="000.00.00.H10,2025/03/14,160-KL/TU",
    code_number="160",
    code_notation="KL/TU",
    promulgation_date=date(2025, 3, 14),
    subject="Kết luận về công tác phòng, chống dịch bệnh",
    type_name="Kết luận",
)
_SLOT = b"QQ=="


def _attachments(*files: PackageFile) -> tuple[Attachment, ...]:
    return _parsed(write_document(replace(_PACKAGE, files=files))).attachments


def _parsed(data: bytes) -> SourceRecord:
    record = parse_edxml(_LISTING, BytesContent(data), {})
    assert isinstance(record, SourceRecord), record
    return record


def _with_text(text: str) -> Attachment:
    """The attachment of a package whose base64 text is ``text``, as it stands in the file."""
    data = write_document(replace(_PACKAGE, files=(PackageFile("a.pdf", b"A"),)))
    assert data.count(_SLOT) == 1
    (attachment,) = _parsed(data.replace(_SLOT, text.encode())).attachments
    return attachment


def _bytes(content: Content | None) -> bytes:
    assert content is not None
    return b"".join(chunks(content))


def _zip(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


def test_a_zip_of_one_entry_is_taken_off_and_kept() -> None:
    packed = _zip(("32da2890-1a55-4ccd.pdf", _PDF))
    (found,) = _attachments(PackageFile("160-KL-TU.pdf", packed, content_type="application/zip"))
    assert (found.name, _bytes(found.content), _bytes(found.wrapped)) == ("160-KL-TU.pdf", _PDF, packed)
    assert found.defects == ()


@pytest.mark.parametrize(
    "data",
    [
        _zip(("a.pdf", _PDF), ("b.pdf", _PDF)),
        _zip(),
        _zip(("mimetype", b"application/vnd.oasis.opendocument.text"), method=zipfile.ZIP_STORED),
    ],
)
def test_a_zip_that_is_no_wrapping_stays_whole(data: bytes) -> None:
    (found,) = _attachments(PackageFile("ho-so", data, content_type=""))
    assert (_bytes(found.content), found.wrapped, found.defects) == (data, None, ())


def test_a_zip_that_is_named_as_one_is_the_senders_own() -> None:
    packed = _zip(("phu luc.pdf", _PDF))
    (found,) = _attachments(PackageFile("phu luc.ZIP", packed, content_type="application/zip"))
    assert (_bytes(found.content), found.wrapped, found.defects) == (packed, None, ())
    (wrapped,) = _attachments(PackageFile("phu luc.ZIP", packed, "application/zip", zipped=True))
    assert _bytes(wrapped.content) == packed
    assert wrapped.wrapped is not None


def _encrypted() -> bytes:
    data = bytearray(_zip(("a.pdf", _PDF)))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _wrong_crc() -> bytes:
    data = bytearray(_zip(("a.pdf", _PDF), method=zipfile.ZIP_STORED))
    data[data.index(b"%PDF") + 6] ^= 1
    return bytes(data)


def _unknown_method() -> bytes:
    data = bytearray(_zip(("a.pdf", _PDF)))
    data[8] = data[data.index(b"PK\x01\x02") + 10] = 99
    return bytes(data)


def _zip64() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a.pdf", "w", force_zip64=True) as entry:
        entry.write(_PDF)
    data = out.getvalue()
    at = data.index(b"PK\x05\x06")
    start = int.from_bytes(data[at + 16 : at + 20], "little")
    size = int.from_bytes(data[at + 12 : at + 16], "little")
    large = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:at] + large + locator + end


def test_a_zip64_is_taken_off_like_any_other() -> None:
    (found,) = _attachments(PackageFile("cong-van.pdf", _zip64(), content_type="application/zip"))
    assert (_bytes(found.content), found.defects) == (_PDF, ())


def test_a_cut_office_file_is_corrupt() -> None:
    document = _zip(("[Content_Types].xml", b"wordprocessingml"), ("word/document.xml", b"<w/>" * 90))
    (found,) = _attachments(PackageFile("a.docx", document[:-40], content_type=""))
    assert found.defects == ("corrupt_truncated",)


def _same_names() -> bytes:
    return _zip(("a.pdf", _PDF), ("b.pdf", _PDF)).replace(b"b.pdf", b"a.pdf")


def _many_claimed() -> bytes:
    data = bytearray(_zip(("a.pdf", _PDF)))
    at = data.index(b"PK\x05\x06")
    data[at + 8 : at + 12] = b"\xff\xff\xff\xff"
    return bytes(data)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: _zip(("../../etc/cron.d/a", b"x")), "zip_path_trick"),
        (lambda: _zip(("/etc/passwd", b"x")), "zip_path_trick"),
        (lambda: _zip(("C:\\windows\\a.pdf", b"x")), "zip_path_trick"),
        (lambda: _zip(("..\\a.pdf", b"x")), "zip_path_trick"),
        (lambda: _zip(("zero.pdf", bytes(20 << 20))), "zip_bomb"),
        (lambda: _zip(("a.pdf", _PDF))[:-30], "zip_damaged"),
        (_wrong_crc, "zip_damaged"),
        (_encrypted, "zip_encrypted"),
        (_unknown_method, "zip_unsupported"),
        (_same_names, "zip_duplicate_entries"),
        (_many_claimed, "zip_too_many_entries"),
    ],
)
def test_a_hostile_or_damaged_zip_is_kept_as_it_came(make: Callable[[], bytes], code: str) -> None:
    data = make()
    (found,) = _attachments(PackageFile("cong-van.pdf", data, content_type="application/zip"))
    assert _bytes(found.content) == data
    assert found.wrapped is None
    assert found.defects == (code, "name_ending_wrong")


def test_an_entry_that_lies_about_its_size_is_not_believed() -> None:
    data = bytearray(_zip(("a.txt", b"V" * 5000)))
    for record, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(record) + at
        data[start : start + 4] = (10).to_bytes(4, "little")
    (found,) = _attachments(PackageFile("a.zip", bytes(data), content_type="application/zip"))
    assert found.defects == ("zip_damaged",)
    assert _bytes(found.content) == bytes(data)


def test_what_is_larger_than_the_limit_is_kept_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "MAX_ATTACHMENT", 1000)
    packed = _zip(("a.txt", b"0123456789" * 101))
    (found,) = _attachments(PackageFile("a.txt", packed, content_type="text/plain"))
    assert (_bytes(found.content), found.defects[0]) == (packed, "attachment_too_large")
    (raw,) = _attachments(PackageFile("a.txt", b"0123456789" * 200, content_type="text/plain"))
    assert raw.defects == ("attachment_too_large",)
    assert _bytes(raw.content) == base64.b64encode(b"0123456789" * 200)


def test_many_small_bombs_together_stop_at_the_records_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edxml, "GROWTH_FREE", 3 << 20)
    bomb = _zip(("trang.txt", bytes(1 << 20)))
    found = _attachments(*(PackageFile(f"{number}.zipped", bomb, "application/zip") for number in range(4)))
    assert [file.defects for file in found] == [(), (), ("record_too_large",), ("record_too_large",)]
    assert _bytes(found[3].content) in {bomb, base64.b64encode(bomb)}


def test_small_files_may_pack_as_well_as_they_like() -> None:
    (found,) = _attachments(
        PackageFile("trang.txt", b" " * one_entry_zip.RATIO_FREE, "text/plain", zipped=True)
    )
    assert found.content.size == one_entry_zip.RATIO_FREE
    assert found.defects == ()


@pytest.mark.parametrize(
    "text",
    [
        "\n  " + base64.encodebytes(_PDF).decode(),
        base64.encodebytes(_PDF).decode().replace("\n", "\r\n"),
        base64.encodebytes(_PDF).decode().replace("\n", "&#xD;&#10;"),
        "<![CDATA[" + base64.b64encode(_PDF).decode() + "]]>",
        "<!-- a -->" + base64.b64encode(_PDF).decode() + "<!-- b -->",
    ],
)
def test_base64_is_read_however_it_is_laid_out(text: str) -> None:
    found = _with_text(text)
    assert (_bytes(found.content), found.defects) == (_PDF, ())


def test_missing_padding_is_completed_and_named() -> None:
    found = _with_text(base64.b64encode(_PDF + b"\n").decode().rstrip("="))
    assert (_bytes(found.content), found.defects) == (_PDF + b"\n", ("base64_unpadded",))


@pytest.mark.parametrize(
    "text", ["${__StringFromFile(test.txt,,,)}", "QQ==QQ==", "QU=B", "Q", "QÊ==", "QQ-+"]
)
def test_text_that_is_not_base64_is_kept_as_it_stands(text: str) -> None:
    found = _with_text(text)
    assert _bytes(found.content) == text.encode()
    assert found.defects == ("invalid_base64",)


def test_an_empty_payload_is_named() -> None:
    assert _with_text("").defects == ("payload_empty",)


def test_a_pdf_that_went_through_a_utf8_decode_is_corrupt() -> None:
    destroyed = b"%PDF-1.4\n" + bytes(range(128, 256)).decode("utf-8", "replace").encode()
    (found,) = _attachments(PackageFile("a.pdf", destroyed))
    assert found.defects == ("corrupt_utf8_decode",)
    assert _bytes(found.content) == destroyed


def test_replacement_characters_in_a_text_or_among_binary_are_no_corruption() -> None:
    text = "Kính gửi: \ufffd\ufffd\ufffd\ufffd".encode()
    binary = _PDF + "\ufffd\ufffd\ufffd\ufffd".encode()
    found = _attachments(PackageFile("a.txt", text, "text/plain"), PackageFile("a.pdf", binary))
    assert [file.defects for file in found] == [(), ()]


def _nested(level: int) -> bytes:
    files = [PackageFile(f"muc-{level}.pdf", _PDF)]
    if level < 6:
        files.append(PackageFile("trong.edxml", _nested(level + 1), "application/zip", zipped=True))
    return write_document(replace(_PACKAGE, subject=f"Văn bản {level}", files=tuple(files)))


def test_packages_in_packages_are_opened_to_a_fixed_depth_and_the_rest_is_kept() -> None:
    record = _parsed(_nested(1))
    inner = "AttachmentEncoded/Attachment[2]/"
    assert [(found.item, found.name, found.defects) for found in record.attachments] == [
        (inner * (level - 1) + f"AttachmentEncoded/Attachment[{number}]", name, defects)
        for level in (1, 2, 3, 4)
        for number, name, defects in (
            (1, f"muc-{level}.pdf", ()),
            (2, "trong.edxml", ("nested_too_deep",) if level == 4 else ()),
        )
    ]
    nested = [field for field in record.fields if field.name == "NestedPackage"]
    assert [
        (field.attributes["item"], first_text(field.children, "MessageHeader/Subject")) for field in nested
    ] == [(inner * level + "AttachmentEncoded/Attachment[2]", f"Văn bản {level + 2}") for level in (0, 1, 2)]


def test_the_defects_of_a_package_in_a_package_are_told_with_its_place() -> None:
    inside = write_document(replace(_PACKAGE, steering_type="0"))
    record = _parsed(
        write_document(
            replace(_PACKAGE, files=(PackageFile("trong.edxml", inside, "application/zip", zipped=True),))
        )
    )
    assert [(defect.code, defect.where.rpartition(",")[0]) for defect in record.defects] == [
        ("code_outside_standard", "AttachmentEncoded/Attachment[1]/MessageHeader/SteeringType")
    ]


def test_a_broken_package_in_a_package_is_kept_and_named() -> None:
    (found,) = _attachments(PackageFile("trong.edxml", _nested(6)[:-30], "application/zip", zipped=True))
    assert found.defects == ("nested_unreadable",)


def test_attachments_without_a_payload_are_counted() -> None:
    data = write_document(replace(_PACKAGE, files=(PackageFile("a.pdf", b"A"),)))
    start, end = data.index(b"<edXML:ContentTransferEncoded>"), data.index(b"</edXML:Attachment>")
    (found,) = _parsed(data[:start] + data[end:]).attachments
    assert (found.name, found.content.size, found.defects) == ("a.pdf", 0, ("payload_missing",))


def test_a_name_is_taken_from_the_manifest_when_the_attachment_has_none() -> None:
    data = write_document(replace(_PACKAGE, files=(PackageFile("160-KL-TU.pdf", _PDF),)))
    name = b"<edXML:AttachmentName>160-KL-TU.pdf</edXML:AttachmentName>"
    head, _, tail = data.rpartition(name)
    (found,) = _parsed(head + tail).attachments
    assert found.name == "160-KL-TU.pdf"


def test_two_attachments_of_one_id_are_named() -> None:
    record = _parsed(
        write_document(
            replace(
                _PACKAGE,
                files=(
                    PackageFile("a.pdf", _PDF, content_id="cid:1"),
                    PackageFile("b.pdf", _PDF, content_id="cid:1"),
                ),
            )
        )
    )
    assert [defect.code for defect in record.defects] == ["duplicate_content_id"] * 2
    assert [found.name for found in record.attachments] == ["a.pdf", "b.pdf"]


@pytest.mark.parametrize("size", [65_000, 131_072, 400_000])
@pytest.mark.parametrize(
    "layout",
    ["<![CDATA[{}]]>", "{}<!-- {} -->", "<!-- {} -->{}", "\r\n{}&#13;\n", "&#10;" * 30_000 + "{}", "{}"],
)
def test_markup_in_a_large_payload_is_read_whole(layout: str, size: int) -> None:
    data = (b"Thong bao so " * (size // 12))[:size]
    found = _with_text(layout.format(*[base64.b64encode(data).decode()] * 2))
    assert (_bytes(found.content), found.defects) == (data, ("declared_type_wrong", "name_ending_wrong"))


def test_a_large_payload_is_read_across_the_parsers_chunks() -> None:
    data = bytes(range(256)) * 12_000
    (found,) = _attachments(PackageFile("a.bin", data, content_type=""))
    assert _bytes(found.content) == data


@_UNTIMED
@given(st.binary(max_size=400), st.integers(1, 50), st.integers(0, 60))
def test_contents_are_the_same_in_memory_and_in_a_file(data: bytes, piece: int, limit: int) -> None:
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    spool = Spool(memory_limit=limit)
    kept = [spool.keep(iter(pieces)) for _ in range(3)]
    assert [_bytes(content) for content in kept] == [data] * 3
    assert [content.size for content in kept] == [len(data)] * 3
    with kept[0].open() as one, kept[1].open() as two:
        one.seek(len(data) // 2)
        assert two.read() == data
        assert one.read() == data[len(data) // 2 :]


@_UNTIMED
@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_part_of_a_content_reads_like_the_part(data: bytes, draw: st.DataObject) -> None:
    start = draw.draw(st.integers(0, len(data)))
    end = draw.draw(st.integers(start, len(data)))
    part = SliceContent(Spool(memory_limit=0).keep([data]), start, end)
    with part.open() as stream:
        assert stream.read() == data[start:end]
        assert stream.seek(-min(2, part.size), 2) == part.size - min(2, part.size)
        assert stream.read() == data[start:end][-min(2, part.size) :] * bool(part.size)


def test_a_spool_takes_no_more_than_its_total() -> None:
    spool = Spool(memory_limit=10, total_limit=100)
    spool.keep([b"x" * 90])
    with pytest.raises(SpoolFullError):
        spool.keep([b"x" * 11])
