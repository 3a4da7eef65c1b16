"""The dialect before 2016: SOAP envelopes, alone and with MIME attachments, as real systems save them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from connectors.operations.edxml import parse_edxml
from connectors.operations.element_path import first_text
from connectors.operations.folder import EdxmlFolder
from connectors.operations.inspect import holds_packages, inspect_edxml
from connectors.operations.moments import LOCAL
from connectors.operations.package import (
    DocumentPackage,
    Organ,
    PackageFile,
    ResponseFor,
    Signer,
    StatusMessage,
    Trace,
)
from connectors.operations.scan import envelope_of
from connectors.operations.writer_v1 import OLDEST_NAMESPACE, write_document_v1, write_status_v1
from mappings.config import load_sources
from mappings.engine import normalise
from schemas.media_type import sniff
from schemas.record import BytesContent, Listing, SourceRecord, Unreadable, Window, chunks

_LISTING = Listing("k", "r", "l")
_PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n%%EOF\n"
_PACKAGE = DocumentPackage(
    sender=Organ("000.00.12.H10", "Sở Y tế"),
    recipients=(Organ("000.00.00.H10", "Văn phòng Tỉnh ủy"),),
    document_id=None,
    code_number="160",
    code_notation="BC-SYT",
    promulgation_date=date(2014, 3, 14),
    place="Đồng Xoài",
    subject="Báo cáo công tác phòng, chống dịch bệnh",
    type_name="Báo cáo",
    signer=Signer("Nguyễn Văn A", "Giám đốc", "KT."),
    due_date=date(2014, 4, 1),
    steering_type=None,
    trace=(Trace("000.00.12.H10", datetime(2014, 3, 14, 16, 5, 9, tzinfo=LOCAL)),),
    business=None,
    files=(
        PackageFile("báo cáo.pdf", _PDF, content_id="cid:1@demo.invalid"),
        PackageFile(
            "phụ lục.txt", b"Ph\xe1\xbb\xa5 l\xe1\xbb\xa5c", "text/plain", content_id="cid:2@demo.invalid"
        ),
    ),
)


def _read(data: bytes) -> SourceRecord:
    record = parse_edxml(_LISTING, BytesContent(data), {})
    assert isinstance(record, SourceRecord), record
    return record


def _whole(record: SourceRecord) -> None:
    assert record.context["edxml_version"] == "1"
    assert first_text(record.fields, "MessageHeader/Subject") == _PACKAGE.subject
    assert [(file.name, b"".join(chunks(file.content))) for file in record.attachments] == [
        (file.name, file.data) for file in _PACKAGE.files
    ]


@pytest.mark.parametrize("encoding", ["base64", "binary", "quoted-printable"])
def test_a_soap_message_with_attachments_is_read_without_a_defect(encoding: str) -> None:
    record = _read(write_document_v1(_PACKAGE, encoding=encoding))  # type: ignore[arg-type]
    _whole(record)
    assert record.defects == ()
    assert first_text(record.fields, "MessageHeader/Author/Function") == "Giám đốc"
    assert first_text(record.fields, "MessageHeader/ResponseDate") == "01/04/2014"


def test_the_oldest_namespace_is_known() -> None:
    record = _read(write_document_v1(_PACKAGE, namespace=OLDEST_NAMESPACE))
    _whole(record)
    assert record.defects == ()


def test_a_message_saved_without_its_header_begins_at_its_first_boundary() -> None:
    data = write_document_v1(_PACKAGE)
    bare = data[data.index(b"\r\n\r\n") + 4 :]
    assert bare.startswith(b"--")
    record = _read(bare)
    _whole(record)
    assert record.defects == ()


def test_line_feeds_alone_end_lines_too() -> None:
    _whole(_read(write_document_v1(_PACKAGE).replace(b"\r\n", b"\n")))


def test_the_envelope_need_not_be_the_first_part() -> None:
    data = write_document_v1(_PACKAGE)
    head, root, *files, end = data.split(b"--=_")
    moved = b"--=_".join([head, *files, root, end])
    record = _read(moved)
    assert [file.item for file in record.attachments] == ["Part[1]", "Part[2]"]
    assert first_text(record.fields, "MessageHeader/Subject") == _PACKAGE.subject
    bare = moved[moved.index(b"\r\n\r\n") + 4 :]
    assert first_text(_read(bare).fields, "MessageHeader/Subject") == _PACKAGE.subject


def test_an_envelope_alone_misses_the_files_that_it_names() -> None:
    envelope = b"".join(chunks(envelope_of(BytesContent(write_document_v1(_PACKAGE)))))
    assert envelope.startswith(b"<?xml")
    record = _read(envelope)
    assert record.attachments == ()
    assert [(defect.code, defect.message) for defect in record.defects] == [
        ("attachment_missing", "the manifest names 'báo cáo.pdf', which the package does not hold"),
        ("attachment_missing", "the manifest names 'phụ lục.txt', which the package does not hold"),
    ]


def test_a_message_that_was_cut_says_so_and_misses_what_is_gone() -> None:
    data = write_document_v1(_PACKAGE)
    last = data.rindex(b"\r\n--=_")
    record = _read(data[:last])
    _whole(record)
    assert [defect.code for defect in record.defects] == ["mime_unterminated"]
    second = data.rindex(b"\r\n--=_", 0, last)
    record = _read(data[:second])
    assert [defect.code for defect in record.defects] == ["mime_unterminated", "attachment_missing"]
    in_envelope = parse_edxml(_LISTING, BytesContent(data[: data.index(b"</SOAP-ENV:Header>")]), {})
    assert isinstance(in_envelope, Unreadable)
    assert in_envelope.reason == "xml_truncated"


def test_a_part_in_an_unknown_encoding_is_kept_as_it_came() -> None:
    data = write_document_v1(_PACKAGE).replace(b"Transfer-Encoding: base64", b"Transfer-Encoding: x-uue", 1)
    record = _read(data)
    assert record.attachments[0].defects == ("transfer_encoding_unknown",)
    assert record.attachments[1].defects == ()


def test_a_part_that_the_manifest_does_not_name_is_kept() -> None:
    data = write_document_v1(_PACKAGE).replace(b'href="cid:2@demo.invalid"', b'href="cid:3@demo.invalid"')
    record = _read(data)
    assert [file.name for file in record.attachments] == ["báo cáo.pdf", "phụ lục.txt"]
    assert [defect.code for defect in record.defects] == ["attachment_missing", "attachment_not_in_manifest"]


def test_what_a_service_puts_around_the_parts_is_no_defect_and_anything_else_is() -> None:
    envelope = write_document_v1(replace(_PACKAGE, files=()))
    body = b"<SOAP-ENV:Body>"
    answered = envelope.replace(body, body + b"<edXML:GetDocumentResponse>").replace(
        b"</SOAP-ENV:Body>", b"</edXML:GetDocumentResponse></SOAP-ENV:Body>"
    )
    assert _read(answered).defects == ()
    wrapped = envelope.replace(b"<edXML:MessageHeader>", b"<edXML:Block><edXML:MessageHeader>").replace(
        b"</edXML:MessageHeader>", b"</edXML:MessageHeader></edXML:Block>"
    )
    record = _read(wrapped)
    assert [defect.code for defect in record.defects] == ["unexpected_wrapper"]
    assert first_text(record.fields, "MessageHeader/Subject") == _PACKAGE.subject


def test_dates_of_the_other_dialect_are_understood_and_named() -> None:
    record = _read(write_document_v1(_PACKAGE).replace(b"01/04/2014", b"2014/04/01"))
    (defect,) = record.defects
    assert (defect.code, defect.where.partition(",")[0]) == (
        "unexpected_date_form",
        "MessageHeader/ResponseDate",
    )


def test_a_package_is_known_by_sender_day_and_number_because_v1_names_it_no_otherwise(tmp_path: Path) -> None:
    (tmp_path / "luu.bin").write_bytes(write_document_v1(_PACKAGE))
    (tmp_path / "thu.txt").write_bytes(b"From: a\nSubject: b\n\nKinh gui")
    (listing,) = EdxmlFolder("dieu_hanh", tmp_path).inventory(Window())
    assert listing.key == "000.00.12.H10|14/03/2014,160/BC-SYT|"
    assert listing.changed_at == datetime(2014, 3, 14, 16, 5, 9, tzinfo=LOCAL)


def test_a_message_is_told_by_its_bytes_whatever_its_name(tmp_path: Path) -> None:
    data = write_document_v1(_PACKAGE)
    assert (
        sniff(data[:4096]) == sniff(data[data.index(b"\r\n\r\n") + 4 :][:4096]) == "application/vnd.edxml+xml"
    )
    path = tmp_path / "luu.eml"
    path.write_bytes(data)
    assert holds_packages(path)
    assert holds_packages(tmp_path)
    (shown,) = inspect_edxml(path)
    assert (shown["version"], shown["kind"], shown["defects"]) == ("1", "document", [])
    header = shown["header"]
    assert isinstance(header, dict)
    assert header["Author"] == {"Competence": "KT.", "Function": "Giám đốc", "FullName": "Nguyễn Văn A"}


def test_the_errors_that_a_service_reports_are_shown(tmp_path: Path) -> None:
    error = b"<edXML:ErrorList><edXML:Error><edXML:Code>N.From</edXML:Code></edXML:Error></edXML:ErrorList>"
    end = b"</SOAP-ENV:Header>"
    (tmp_path / "a.edxml").write_bytes(
        write_document_v1(replace(_PACKAGE, files=())).replace(end, error + end)
    )
    (shown,) = inspect_edxml(tmp_path)
    assert shown["errors"] == [{"Code": "N.From"}]


def test_a_v1_document_means_what_a_v2_document_means() -> None:
    document = normalise(_read(write_document_v1(_PACKAGE)), load_sources()["dieu_hanh"])
    assert (document.symbol, document.issued_date, document.due_date) == (
        "160/BC-SYT",
        date(2014, 3, 14),
        date(2014, 4, 1),
    )
    assert document.issuer is not None
    assert document.issuer.organ_id == "000.00.12.H10"
    (signer,) = document.signers
    assert (signer.full_name, signer.position, signer.competence) == ("Nguyễn Văn A", "Giám đốc", "KT.")
    assert document.extra == {"MessageHeader/DocumentType/Type": ("2",)}


def test_a_v1_status_means_what_a_v2_status_means(tmp_path: Path) -> None:
    message = StatusMessage(
        sender=Organ("000.00.12.H10", "Sở Y tế"),
        response_for=ResponseFor("000.00.00.H10", "", "160-KL/TU", date(2014, 3, 14)),
        status_code="03",
        timestamp=datetime(2014, 3, 15, 7, 30, tzinfo=LOCAL),
        description="Đã tiếp nhận",
    )
    record = _read(write_status_v1(message))
    assert record.defects == ()
    document = normalise(record, load_sources()["dieu_hanh"])
    assert (document.kind, document.status_code, document.note) == ("status", "03", "Đã tiếp nhận")
    assert document.issuer is not None
    assert document.issuer.organ_id == "000.00.12.H10"
    (relation,) = document.relations
    assert (relation.kind, relation.target.symbol) == ("status_of", "160-KL/TU")
    (step,) = document.trace
    assert (step.organ_id, step.status_code) == ("000.00.12.H10", "03")
    (tmp_path / "a.edxml").write_bytes(write_status_v1(message))
    (shown,) = inspect_edxml(tmp_path)
    header = shown["header"]
    assert isinstance(header, dict)
    assert [answered["Code"] for answered in header["ResponseFor"]] == ["160-KL/TU"]
