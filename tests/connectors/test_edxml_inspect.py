from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from connectors.operations.inspect import holds_packages, inspect_edxml
from connectors.operations.moments import LOCAL
from connectors.operations.package import Business, DocumentPackage, Organ, PackageFile, Signer, Trace
from connectors.operations.writer import write_document

_PDF = b"%PDF-1.4\n%%EOF\n"


def test_a_package_is_shown_with_its_header_its_files_and_its_faults(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + write_document(
        DocumentPackage(
            sender=Organ("000.00.00.H10", "Văn phòng Tỉnh ủy"),
            recipients=(Organ("000.00.12.H10", "Sở Y tế"), Organ("000.00.13.H10", "Sở Nội vụ")),
            document_id="000.00.00.H10,2025/03/14,160-KL/TU",
            code_number="160",
            code_notation="KL/TU",
            promulgation_date=date(2025, 3, 14),
            subject="Kết luận về công tác phòng, chống dịch bệnh",
            type_name="Kết luận",
            trace=(Trace("000.00.00.H10", datetime(2025, 3, 14, 16, 5, 9, tzinfo=LOCAL)),),
            business=Business("1", "Thu hồi do sai thể thức"),
            files=(PackageFile("160-KL-TU.doc", _PDF, content_type="application/pdf", content_id="cid:1"),),
        )
    )
    line = data[: data.index(b"<edXML:Attachment>")].count(b"\n") + 1
    path = tmp_path / "160.edxml"
    path.write_bytes(data)
    (shown,) = inspect_edxml(path)
    assert json.loads(json.dumps(shown, ensure_ascii=False)) == {
        "file": "160.edxml",
        "key": "000.00.00.H10|000.00.00.H10,2025/03/14,160-KL/TU|1",
        "revision": hashlib.sha256(data).hexdigest()[:32],
        "changed_at": "2025-03-14T16:05:09+07:00",
        "kind": "document",
        "business_type": "1",
        "version": "2",
        "header": {
            "From": {"OrganId": "000.00.00.H10", "OrganName": "Văn phòng Tỉnh ủy"},
            "To": [
                {"OrganId": "000.00.12.H10", "OrganName": "Sở Y tế"},
                {"OrganId": "000.00.13.H10", "OrganName": "Sở Nội vụ"},
            ],
            "DocumentId": "000.00.00.H10,2025/03/14,160-KL/TU",
            "Code": {"CodeNumber": "160", "CodeNotation": "KL/TU"},
            "PromulgationInfo": {"PromulgationDate": "2025/03/14"},
            "DocumentType": {"Type": "2", "TypeName": "Kết luận"},
            "Subject": "Kết luận về công tác phòng, chống dịch bệnh",
            "OtherInfo": {"Priority": "0"},
            "SteeringType": "1",
        },
        "trace": [{"organ_id": "000.00.00.H10", "timestamp": "2025/03/14 16:05:09"}],
        "business": {
            "BussinessDocType": "1",
            "Paper": "0",
            "BussinessDocReason": "Thu hồi do sai thể thức",
        },
        "errors": [],
        "other": {},
        "signed": False,
        "attachments": [
            {
                "name": "160-KL-TU.doc",
                "item": "AttachmentEncoded/Attachment[1]",
                "declared_type": "application/pdf",
                "type": "application/pdf",
                "size": len(_PDF),
                "sha256": hashlib.sha256(_PDF).hexdigest(),
                "wrapped_size": None,
                "defects": ["name_ending_wrong"],
            }
        ],
        "nested": [],
        "defects": [
            {
                "code": "byte_order_mark",
                "message": "a byte order mark precedes the XML declaration",
                "where": "byte 0",
            },
            {
                "code": "name_ending_wrong",
                "message": "attachment '160-KL-TU.doc': "
                "its name ends otherwise, but the bytes are application/pdf",
                "where": f"AttachmentEncoded/Attachment[1], line {line}",
            },
        ],
    }


def test_elements_that_no_standard_names_are_shown_wherever_they_stand(tmp_path: Path) -> None:
    data = (
        _plain(trace=(Trace("000.00.00.H10", datetime(2025, 3, 14, 16, 5, 9, tzinfo=LOCAL)),))
        .replace(b"</edXML:MessageHeader>", b"<edXML:Phieu>7</edXML:Phieu></edXML:MessageHeader>")
        .replace(b"</edXML:TraceHeaderList>", b"<edXML:Tram>T1</edXML:Tram></edXML:TraceHeaderList>")
        .replace(b"</edXML:edXMLEnvelope>", b"</edXML:edXMLEnvelope><Kho>K2</Kho>")
    )
    (tmp_path / "a.edxml").write_bytes(data)
    (shown,) = inspect_edxml(tmp_path)
    header = shown["header"]
    assert isinstance(header, dict)
    assert header["Phieu"] == "7"
    assert shown["other"] == {"Tram": "T1", "Kho": "K2"}


def test_what_cannot_be_read_is_shown_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "dang-chep.edxml").write_bytes(b'<?xml version="1.0"?>\n<edXML><edXMLEnvelope>')
    (shown,) = inspect_edxml(tmp_path)
    assert {name: shown[name] for name in ("file", "unreadable", "message", "where")} == {
        "file": "dang-chep.edxml",
        "unreadable": "xml_truncated",
        "message": "the package ends in the middle: Premature end of data in tag edXMLEnvelope line 2",
        "where": "dang-chep.edxml, line 2, column 23",
    }


def _plain(**changes: object) -> bytes:
    package = DocumentPackage(
        sender=Organ("000.00.00.H10", "Văn phòng Tỉnh ủy"),
        recipients=(Organ("000.00.12.H10", "Sở Y tế"),),
        document_id="000.00.00.H10,2025/03/14,160-KL/TU",
        code_number="160",
        code_notation="KL/TU",
        promulgation_date=date(2025, 3, 14),
        subject="Kết luận về công tác phòng, chống dịch bệnh",
        type_name="Kết luận",
        content="Kết luận",
        signer=Signer("Nguyễn Văn A"),
        due_date=date(2025, 4, 1),
        to_places=("Như trên",),
    )
    return write_document(replace(package, **changes))  # type: ignore[arg-type]


def test_the_strict_mode_lists_what_the_standard_would_refuse_and_who_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.edxml").write_bytes(b"1212" + _plain(code_number="74fass22", due_date=None))
    (shown,) = inspect_edxml(tmp_path, strict=True)
    assert shown["strict"] == [
        {
            "code": "junk_before_prolog",
            "message": "4 bytes precede the XML: b'1212'",
            "where": "byte 0",
            "source": "XML 1.0 §2.1, §2.8",
        },
        {
            "code": "required_missing",
            "message": "DueDate is absent",
            "where": "MessageHeader/DueDate",
            "source": "QCVN 102:2016/BTTTT (SĐ 1:2022)",
        },
        {
            "code": "signature_absent",
            "message": "the header carries no Signature",
            "where": "edXMLHeader",
            "source": "QCVN 102:2016/BTTTT (SĐ 1:2022)",
        },
    ]
    assert [defect["code"] for defect in shown["defects"]] == [
        "junk_before_prolog",
        "code_number_not_numeric",
    ]  # type: ignore[attr-defined]


def test_what_cannot_be_read_is_refused_for_that(tmp_path: Path) -> None:
    (tmp_path / "a.edxml").write_bytes(b"%PDF-1.4")
    (shown,) = inspect_edxml(tmp_path, strict=True)
    assert [breach["code"] for breach in shown["strict"]] == ["not_xml"]  # type: ignore[attr-defined]


def test_packages_are_told_by_their_bytes_in_files_folders_and_zips(tmp_path: Path) -> None:
    folder = tmp_path / "gói"
    folder.mkdir()
    (folder / "khong-duoi").write_bytes(_plain())
    (folder / "ghi-chu.txt").write_bytes(b"http://www.mic.gov.vn/TBT/QCVN_102_2016")
    with zipfile.ZipFile(tmp_path / "dot-1.zip", "w") as archive:
        archive.writestr("a.edxml", _plain())
        archive.writestr("b.bin", _plain())
        archive.writestr("c.txt", b"ghi chu")
    assert holds_packages(folder)
    assert holds_packages(tmp_path / "dot-1.zip")
    assert not holds_packages(folder / "ghi-chu.txt")
    assert [shown["file"] for shown in inspect_edxml(tmp_path)] == [
        "dot-1.zip!a.edxml",
        "dot-1.zip!b.bin",
        "gói/khong-duoi",
    ]


def test_a_package_inside_is_shown_with_its_header(tmp_path: Path) -> None:
    inner = PackageFile("trong.edxml", _plain(subject="Bên trong"), "application/zip", zipped=True)
    (tmp_path / "a.edxml").write_bytes(_plain(files=(inner,)))
    (shown,) = inspect_edxml(tmp_path)
    (nested,) = shown["nested"]  # type: ignore[misc]
    assert (nested["item"], nested["version"], nested["header"]["Subject"]) == (
        "AttachmentEncoded/Attachment[1]",
        "2",
        "Bên trong",
    )
