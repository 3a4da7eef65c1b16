"""What is written is read back: every field, its order, its repeats, and every byte of every file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
from connectors.operations.writer_v1 import PartEncoding, write_document_v1, write_status_v1
from schemas.errors import RecordError
from schemas.record import Attachment, BytesContent, Field, Listing, SourceRecord, chunks

_UNTIMED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
_LISTING = Listing("k", "r", "l")
_PIECES = ("\t", "\n", "\r", " ", "Ê", "e\u0302\u0301", "Ự", "đ", "&", "<", ">", '"', "]]>", "𠀀", "&amp;")
_XML_TEXT = st.lists(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    | st.sampled_from(_PIECES),
    max_size=12,
).map("".join)
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
    document_id=_MAYBE,
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
    steering_type=st.none() | st.sampled_from("123"),
    priority=st.sampled_from("01234"),
    type_code=st.sampled_from("12"),
    trace=st.lists(st.builds(Trace, _TEXT, _MOMENTS), max_size=3).map(tuple),
    business=st.none() | _BUSINESS,
    files=st.lists(_FILES, max_size=3).map(tuple),
)


def _parsed(data: bytes) -> SourceRecord:
    record = parse_edxml(_LISTING, BytesContent(data), {})
    assert isinstance(record, SourceRecord), record
    return record


@dataclass(frozen=True)
class _Dialect:
    """What a dialect calls the elements whose names changed in 2016, and how it is written."""

    version: str
    signer: str
    position: str
    due_date: str
    status: str
    timestamp: str
    document: Callable[[DocumentPackage], bytes]
    status_message: Callable[[StatusMessage], bytes]


_V1 = _Dialect(
    "1", "Author", "Function", "ResponseDate", "Status", "TimeStamp", write_document_v1, write_status_v1
)
_V2 = _Dialect(
    "2", "SignerInfo", "Position", "DueDate", "MessageHeader", "Timestamp", write_document, write_status
)
_BOTH = pytest.mark.parametrize("dialect", [_V1, _V2], ids=["v1", "v2"])


class _Reader:
    """Builds the writer's model again from fields, by the standard's paths."""

    def __init__(self, fields: Sequence[Field], dialect: _Dialect) -> None:
        self.fields = fields
        self.dialect = dialect

    def text(self, path: str) -> str | None:
        found = next(find_all(self.fields, path), None)
        return None if found is None else found.text

    def need(self, path: str) -> str:
        text = self.text(path)
        assert text is not None, path
        return text

    def all(self, path: str) -> list[_Reader]:
        return [_Reader(field.children, self.dialect) for field in find_all(self.fields, path)]

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
            document_id=header.text("DocumentId"),
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
                    Signer(
                        signer.need("FullName"), signer.text(self.dialect.position), signer.text("Competence")
                    )
                    for signer in header.all(self.dialect.signer)
                ),
                None,
            ),
            due_date=header.day(self.dialect.due_date),
            to_places=header.texts("ToPlaces/Place"),
            priority=header.need("OtherInfo/Priority"),
            sphere=header.text("OtherInfo/SphereOfPromulgation"),
            typer_notation=header.text("OtherInfo/TyperNotation"),
            promulgation_amount=header.count("OtherInfo/PromulgationAmount"),
            page_amount=header.count("OtherInfo/PageAmount"),
            direction=None if direction is None else direction == "true",
            appendixes=header.texts("OtherInfo/Appendixes/Appendix"),
            response_for=tuple(answered.answered() for answered in header.all("ResponseFor")),
            steering_type=header.text("SteeringType"),
            trace=tuple(trace.trace() for trace in self.all("TraceHeaderList/TraceHeader")),
            business=next((found.business() for found in self.all("TraceHeaderList/Bussiness")), None),
            files=files,
        )


@_BOTH
@_UNTIMED
@given(package=_PACKAGES)
def test_a_document_is_read_back_whole(dialect: _Dialect, package: DocumentPackage) -> None:
    record = _parsed(dialect.document(package))
    assert _Reader(record.fields, dialect).document(package.files) == package
    assert (record.kind, record.context["edxml_version"]) == ("document", dialect.version)
    assert record.form == (package.business.doc_type if package.business else "")


@_UNTIMED
@given(files=st.lists(_FILES, min_size=1, max_size=4))
def test_every_file_is_read_back_byte_for_byte(files: list[PackageFile]) -> None:
    record = _parsed(write_document(replace(_PLAIN, files=tuple(files))))
    own = [found for found in record.attachments if found.item.count("/Attachment[") == 1]
    assert [(found.name, found.declared_type) for found in own] == [
        (file.name.strip(), file.content_type) for file in files
    ]
    _carried_whole(own, files)


@pytest.mark.parametrize("encoding", ["base64", "binary", "quoted-printable"])
@_UNTIMED
@given(files=st.lists(_FILES, min_size=1, max_size=4))
def test_every_part_is_read_back_byte_for_byte(encoding: PartEncoding, files: list[PackageFile]) -> None:
    files = [replace(file, content_id=f"cid:{at}%@demo.invalid") for at, file in enumerate(files)]
    record = _parsed(write_document_v1(replace(_PLAIN, files=tuple(files)), encoding=encoding))
    own = [found for found in record.attachments if "/" not in found.item]
    assert [found.item for found in own] == [f"Part[{number}]" for number in range(2, len(files) + 2)]
    assert [found.name for found in own] == [
        file.name.strip() or f"{at}%@demo.invalid" for at, file in enumerate(files)
    ]
    _carried_whole(own, files)
    assert not {defect.code for defect in record.defects} & {
        "attachment_missing",
        "attachment_not_in_manifest",
    }


def _carried_whole(found: Sequence[Attachment], files: Sequence[PackageFile]) -> None:
    for attachment, file in zip(found, files, strict=True):
        carried = attachment.content if attachment.wrapped is not None or not file.zipped else None
        assert carried is not None, "the ZIP of one entry was not taken off"
        assert b"".join(chunks(carried)) == file.data
        assert (attachment.wrapped is not None) == file.zipped


@_BOTH
@_UNTIMED
@given(
    message=st.builds(
        StatusMessage, _ORGANS, _ANSWERED, st.sampled_from(["01", "13"]), _MOMENTS, _MAYBE, _STAFF
    )
)
def test_a_status_message_is_read_back_whole(dialect: _Dialect, message: StatusMessage) -> None:
    record = _parsed(dialect.status_message(message))
    (header,) = _Reader(record.fields, dialect).all(dialect.status)
    moment = read_moment(header.need(dialect.timestamp))
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


def test_a_content_identifier_that_no_header_can_carry_is_refused() -> None:
    file = PackageFile("a.pdf", b"%PDF-1.4", content_id="cid:tệp 1")
    with pytest.raises(RecordError, match="MIME header"):
        write_document_v1(replace(_PLAIN, files=(file,)))


def test_a_character_that_xml_cannot_carry_is_refused() -> None:
    with pytest.raises(RecordError) as refused:
        write_document(replace(_PLAIN, subject="Kế\x0bt luận"))
    assert refused.value.where == "character 2"
