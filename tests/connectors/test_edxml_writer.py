"""What is written is read back: every field, its order, its repeats, and every byte of every file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from connectors.operations.edxml import parse_edxml
from connectors.operations.element_path import find_all
from connectors.operations.moments import LOCAL, read_moment
from connectors.operations.package import (
    Business,
    DocumentPackage,
    Organ,
    PackageFile,
    Receiver,
    Replacement,
    ResponseFor,
    Signer,
    Staff,
    StatusMessage,
    Trace,
)
from connectors.operations.writer import write_document, write_status
from schemas.errors import RecordError
from schemas.record import BytesContent, Field, Listing, SourceRecord, chunks

_UNTIMED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
_LISTING = Listing("k", "r", "l")
_XML_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\rÊềộỰđ&<>\"'"),
    max_size=30,
)
_TEXT = _XML_TEXT.filter(lambda text: not any(ord(letter) & 0xFFFE == 0xFFFE for letter in text))
_MAYBE = st.none() | _TEXT
_DAYS = st.dates(date(1945, 9, 2), date(2099, 12, 31))
_MOMENTS = st.datetimes(datetime(1976, 1, 1), datetime(2099, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=LOCAL)
)
_ORGANS = st.builds(Organ, _TEXT, _MAYBE, _MAYBE, _MAYBE, _MAYBE, _MAYBE, _MAYBE, _MAYBE)
_STAFF = st.builds(Staff, _MAYBE, _MAYBE, _MAYBE, _MAYBE)
_ANSWERED = st.builds(ResponseFor, _TEXT, _TEXT, _MAYBE, st.none() | _DAYS)
_BUSINESS = st.builds(
    Business,
    st.sampled_from("0123"),
    _MAYBE,
    _MAYBE,
    _MAYBE,
    st.none() | _STAFF,
    _MAYBE,
    _MAYBE,
    st.lists(st.builds(Receiver, _TEXT, st.sampled_from("01")), max_size=2).map(tuple),
    st.lists(st.builds(Replacement, _TEXT, st.lists(_TEXT, max_size=2).map(tuple)), max_size=2).map(tuple),
)
_FILES = st.builds(
    PackageFile,
    name=st.sampled_from(["công văn.pdf", "phụ lục.docx", "a & b.txt", ""]),
    data=st.binary(min_size=1, max_size=300),
    content_type=st.sampled_from(["application/pdf", "text/plain", ""]),
    description=_MAYBE,
    zipped=st.booleans(),
)
_PACKAGES = st.builds(
    DocumentPackage,
    sender=_ORGANS,
    recipients=st.lists(_ORGANS, max_size=3).map(tuple),
    document_id=_TEXT,
    code_number=_TEXT,
    code_notation=_TEXT,
    promulgation_date=_DAYS,
    subject=_TEXT,
    type_name=_TEXT,
    place=_MAYBE,
    type_detail=_MAYBE,
    content=_MAYBE,
    signer=st.none() | st.builds(Signer, _TEXT, _MAYBE, _MAYBE),
    due_date=st.none() | _DAYS,
    to_places=st.lists(_TEXT, max_size=3).map(tuple),
    sphere=_MAYBE,
    typer_notation=_MAYBE,
    promulgation_amount=st.none() | st.integers(0, 9999),
    page_amount=st.none() | st.integers(0, 9999),
    direction=st.none() | st.booleans(),
    appendixes=st.lists(_TEXT, max_size=3).map(tuple),
    response_for=st.lists(_ANSWERED, max_size=2).map(tuple),
    trace=st.lists(st.builds(Trace, _TEXT, _MOMENTS), max_size=3).map(tuple),
    business=st.none() | _BUSINESS,
    files=st.lists(_FILES, max_size=3).map(tuple),
)


def _parsed(data: bytes) -> SourceRecord:
    record = parse_edxml(_LISTING, BytesContent(data), {})
    assert isinstance(record, SourceRecord), record
    return record


class _Reader:
    """Builds the writer's model again from fields, by the standard's paths."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = fields

    def text(self, path: str) -> str | None:
        found = next(find_all(self.fields, path), None)
        return None if found is None else found.text

    def need(self, path: str) -> str:
        text = self.text(path)
        assert text is not None, path
        return text

    def all(self, path: str) -> list[_Reader]:
        return [_Reader(field.children) for field in find_all(self.fields, path)]

    def texts(self, path: str) -> tuple[str, ...]:
        return tuple(field.text for field in find_all(self.fields, path))

    def day(self, path: str) -> date | None:
        moment = read_moment(self.text(path))
        return moment.date() if moment else None

    def count(self, path: str) -> int | None:
        text = self.text(path)
        return None if text is None else int(text)

    def organ(self) -> Organ:
        names = (
            "OrganName OrganizationInCharge OrganAdd Email Telephone Fax Website".split()  # noqa: SIM905
        )
        return Organ(self.need("OrganId"), *map(self.text, names))

    def answered(self) -> ResponseFor:
        return ResponseFor(
            self.need("OrganId"), self.need("DocumentId"), self.text("Code"), self.day("PromulgationDate")
        )

    def staff(self) -> Staff:
        return Staff(self.text("Department"), self.text("Staff"), self.text("Mobile"), self.text("Email"))

    def trace(self) -> Trace:
        moment = read_moment(self.need("Timestamp"))
        assert moment is not None
        return Trace(self.need("OrganId"), moment)

    def business(self) -> Business:
        changes = "BussinessDocumentInfo"
        return Business(
            self.need("BussinessDocType"),
            self.text("BussinessDocReason"),
            self.text("DocumentId"),
            self.text("Paper"),
            next((staff.staff() for staff in self.all("StaffInfo")), None),
            self.text(f"{changes}/DocumentInfo"),
            self.text(f"{changes}/DocumentReceiver"),
            tuple(
                Receiver(receiver.need("OrganId"), receiver.need("ReceiverType"))
                for receiver in self.all(f"{changes}/ReceiverList/Receiver")
            ),
            tuple(
                Replacement(replaced.need("DocumentId"), replaced.texts("OrganIdList/OrganId"))
                for replaced in self.all("ReplacementInfoList/ReplacementInfo")
            ),
        )

    def document(self, files: tuple[PackageFile, ...]) -> DocumentPackage:
        (header,) = self.all("MessageHeader")
        direction = header.text("OtherInfo/Direction")
        return DocumentPackage(
            sender=header.all("From")[0].organ(),
            recipients=tuple(to.organ() for to in header.all("To")),
            document_id=header.need("DocumentId"),
            code_number=header.need("Code/CodeNumber"),
            code_notation=header.need("Code/CodeNotation"),
            promulgation_date=header.day("PromulgationInfo/PromulgationDate") or date.min,
            subject=header.need("Subject"),
            type_name=header.need("DocumentType/TypeName"),
            place=header.text("PromulgationInfo/Place"),
            type_code=header.need("DocumentType/Type"),
            type_detail=header.text("DocumentType/TypeDetail"),
            content=header.text("Content"),
            signer=next(
                (
                    Signer(signer.need("FullName"), signer.text("Position"), signer.text("Competence"))
                    for signer in header.all("SignerInfo")
                ),
                None,
            ),
            due_date=header.day("DueDate"),
            to_places=header.texts("ToPlaces/Place"),
            priority=header.need("OtherInfo/Priority"),
            sphere=header.text("OtherInfo/SphereOfPromulgation"),
            typer_notation=header.text("OtherInfo/TyperNotation"),
            promulgation_amount=header.count("OtherInfo/PromulgationAmount"),
            page_amount=header.count("OtherInfo/PageAmount"),
            direction=None if direction is None else direction == "true",
            appendixes=header.texts("OtherInfo/Appendixes/Appendix"),
            response_for=tuple(answered.answered() for answered in header.all("ResponseFor")),
            steering_type=header.need("SteeringType"),
            trace=tuple(trace.trace() for trace in self.all("TraceHeaderList/TraceHeader")),
            business=next((found.business() for found in self.all("TraceHeaderList/Bussiness")), None),
            files=files,
        )


@_UNTIMED
@given(_PACKAGES)
def test_a_document_is_read_back_whole(package: DocumentPackage) -> None:
    data = write_document(package)
    record = _parsed(data)
    again = _Reader(record.fields).document(package.files)
    assert again == package
    assert record.kind == "document"
    assert record.form == (package.business.doc_type if package.business else "")


@_UNTIMED
@given(st.lists(_FILES, min_size=1, max_size=4))
def test_every_file_is_read_back_byte_for_byte(files: list[PackageFile]) -> None:
    record = _parsed(write_document(replace(_PLAIN, files=tuple(files))))
    own = [found for found in record.attachments if found.item.count("/Attachment[") == 1]
    assert [(found.name, found.declared_type) for found in own] == [
        (file.name.strip(), file.content_type) for file in files
    ]
    for found, file in zip(own, files, strict=True):
        carried = found.content if found.wrapped is not None or not file.zipped else None
        assert carried is not None, "the ZIP of one entry was not taken off"
        assert b"".join(chunks(carried)) == file.data
        assert (found.wrapped is not None) == file.zipped


@_UNTIMED
@given(st.builds(StatusMessage, _ORGANS, _ANSWERED, st.sampled_from(["01", "13"]), _MOMENTS, _MAYBE, _STAFF))
def test_a_status_message_is_read_back_whole(message: StatusMessage) -> None:
    record = _parsed(write_status(message))
    (header,) = _Reader(record.fields).all("MessageHeader")
    moment = read_moment(header.need("Timestamp"))
    assert moment is not None
    assert message == StatusMessage(
        header.all("From")[0].organ(),
        header.all("ResponseFor")[0].answered(),
        header.need("StatusCode"),
        moment,
        header.text("Description"),
        header.all("StaffInfo")[0].staff(),
    )
    assert (record.kind, record.form, record.attachments) == ("status", "status", ())


_PLAIN = DocumentPackage(
    sender=Organ("000.00.00.H10", "Văn phòng Tỉnh ủy"),
    recipients=(Organ("000.00.12.H10", "Sở Y tế"),),
    document_id="000.00.00.H10,2025/03/14,160-KL/TU",
    code_number="160",
    code_notation="KL/TU",
    promulgation_date=date(2025, 3, 14),
    subject="Kết luận về công tác phòng, chống dịch bệnh",
    type_name="Kết luận",
)


def test_the_same_package_gives_the_same_bytes_and_no_defect() -> None:
    package = replace(_PLAIN, files=(PackageFile("160-KL-TU.pdf", b"%PDF-1.4\n%%EOF\n", zipped=True),))
    assert write_document(package) == write_document(package)
    assert _parsed(write_document(package)).defects == ()


def test_a_package_is_namespace_well_formed_and_every_element_is_of_the_standard() -> None:
    package = replace(_PLAIN, files=(PackageFile("a.pdf", b"%PDF-1.4\n"),))
    root = etree.fromstring(write_document(package))
    assert {etree.QName(element).namespace for element in root.iter()} == {
        "http://www.mic.gov.vn/TBT/QCVN_102_2016"
    }


def test_a_signing_hook_gets_the_package_and_has_the_last_word() -> None:
    def sign(data: bytes) -> bytes:
        signature = b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/></Signature>'
        return data.replace(b"</edXML:edXMLHeader>", signature + b"</edXML:edXMLHeader>")

    record = _parsed(write_document(_PLAIN, sign=sign))
    assert [defect.code for defect in record.defects] == ["signature_placeholder"]
    (signature,) = find_all(record.fields, "Signature")
    assert [child.name for child in signature.children] == ["SignedInfo"]


def test_a_character_that_xml_cannot_carry_is_refused() -> None:
    with pytest.raises(RecordError) as refused:
        write_document(replace(_PLAIN, subject="Kế\x0bt luận"))
    assert refused.value.where == "character 2"
