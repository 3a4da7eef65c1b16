from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from pathlib import Path

from connectors.operations.inspect import inspect_edxml
from connectors.operations.moments import LOCAL
from connectors.operations.package import Business, DocumentPackage, Organ, PackageFile, Trace
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


def test_what_cannot_be_read_is_shown_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "dang-chep.edxml").write_bytes(b'<?xml version="1.0"?>\n<edXML><edXMLEnvelope>')
    (shown,) = inspect_edxml(tmp_path)
    assert {name: shown[name] for name in ("file", "unreadable", "message", "where")} == {
        "file": "dang-chep.edxml",
        "unreadable": "xml_truncated",
        "message": "the package ends in the middle: Premature end of data in tag edXMLEnvelope line 2",
        "where": "dang-chep.edxml, line 2, column 23",
    }
