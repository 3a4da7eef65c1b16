"""A source record becomes an official document."""

from __future__ import annotations

import os
import unicodedata
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.legacy_text import typed as as_typed
from connectors.operations.edxml import parse_edxml
from mappings.config import Condition, SourceConfig, load_sources
from mappings.dates import VIETNAM
from mappings.engine import normalise
from mappings.field_reader import FieldReader
from mappings.legacy_tables import Encoding
from schemas.access import AccessClass
from schemas.document import (
    AttachmentRef,
    BusinessType,
    Decoding,
    Direction,
    Flag,
    OfficialDocument,
    Organ,
    RecordKind,
    Reference,
    Relation,
    RelationKind,
    Signer,
    TraceEntry,
    Urgency,
)
from schemas.errors import MappingError
from schemas.record import BytesContent, Defect, Field, FileContent, Listing, SourceRecord, TextRun

SOURCES = load_sources()
NOTES, OPERATIONS = SOURCES["notes_van_ban"], SOURCES["dieu_hanh"]
UNID = "0F1E2D3C4B5A69788796A5B4C3D2E1F0"


def item(name: str, *values: str) -> Field:
    return Field(name, "text", values)


def node(name: str, *children: Field) -> Field:
    return Field(name, "element", children=children)


def record(
    form: str, *fields: Field, kind: str = "document", defects: tuple[Defect, ...] = ()
) -> SourceRecord:
    listing = Listing(UNID, "7", "export.dxl")
    return SourceRecord(
        listing, kind, form, BytesContent(b"<document/>"), "application/xml", fields, defects=defects
    )


def codes(document: OfficialDocument) -> list[tuple[str, str]]:
    return [(flag.field, flag.code) for flag in document.flags]


INCOMING = (
    item("Form", "VanBanDen"),
    item("$noteinfo.created", "2012-03-06T08:00:00+07:00"),
    item("$noteinfo.modified", "2012-03-07T09:30:00,25+07:00"),
    item("SoDen", "0125"),
    item("NgayDen", "2012-03-06"),
    item("SoKyHieu", "Số: 160 - KL/TU"),
    item("NgayVanBan", "2012-03-05T00:00:00+07:00"),
    item("CoQuanBanHanh", "Tỉnh ủy"),
    item("LoaiVanBan", "Kết luận"),
    item("TrichYeu", "Kết luận về công tác\ndân vận  năm 2012"),
    item("NguoiKy", "Nguyễn Văn A"),
    item("ChucVu", "Phó Bí thư"),
    item("DoKhan", "Thượng khẩn"),
    item("DoMat", "Thường"),
    item("NoiNhan", "Các huyện ủy, thị ủy", "", "Ban Dân vận Tỉnh ủy"),
    item("HanXuLy", "15/03/2012"),
    item("SoTrang", "4"),
    item("SoBan", "2"),
    item("YKienXuLy", "06/03/2012 10:05 - Trần Thị B: Chuyển phòng Tổng hợp", "Đã xử lý"),
    item("HoSo", "HS-2012-014"),
    item("ThoiHanBaoQuan", "Vĩnh viễn"),
    item("NhiemKy", "2010-2015"),
    item("GhiChu", "Bản sao gửi kèm"),
    Field("NoiDung", "richtext", runs=(TextRun("Tê tr×nh ", ".VnTimeH"), TextRun("kèm theo", "Arial"))),
    item("PhongXuLy", "Tổng hợp"),
)


def test_an_incoming_notes_document_whole() -> None:
    attachment = AttachmentRef(
        ordinal=1, name="160-KL-TU.pdf", sha256="0" * 64, size=3, media_type="application/pdf"
    )
    assert normalise(record("VanBanDen", *INCOMING), NOTES, (attachment,)) == OfficialDocument(
        source="notes_van_ban",
        source_key=UNID,
        revision="7",
        kind=RecordKind.DOCUMENT,
        form="VanBanDen",
        number="160",
        notation="KL/TU",
        symbol="160-KL/TU",
        issued_date=date(2012, 3, 5),
        issuer=Organ(name="Tỉnh ủy"),
        type_name="Kết luận",
        type_code="KL",
        subject="Kết luận về công tác dân vận năm 2012",
        body="TỜ TRÌNH kèm theo",
        direction=Direction.INCOMING,
        access=AccessClass.OPEN,
        signers=(Signer(full_name="Nguyễn Văn A", position="Phó Bí thư"),),
        urgency=Urgency.VERY_URGENT,
        arrival_number="0125",
        arrival_date=date(2012, 3, 6),
        recipients=(Organ(name="Các huyện ủy, thị ủy"), Organ(name="Ban Dân vận Tỉnh ủy")),
        due_date=date(2012, 3, 15),
        page_count=4,
        copy_count=2,
        trace=(
            TraceEntry(
                moment=datetime(2012, 3, 6, 10, 5, tzinfo=VIETNAM),
                staff="Trần Thị B",
                text="Chuyển phòng Tổng hợp",
            ),
            TraceEntry(text="Đã xử lý"),
        ),
        file_code="HS-2012-014",
        retention="Vĩnh viễn",
        term="2010-2015",
        note="Bản sao gửi kèm",
        created_at=datetime(2012, 3, 6, 8, 0, tzinfo=VIETNAM),
        modified_at=datetime(2012, 3, 7, 9, 30, 0, 250000, tzinfo=VIETNAM),
        attachments=(attachment,),
        decodings=(
            Decoding(
                field="body", original="Tê tr×nh kèm theo", encoding="tcvn3", reason="font", confidence=1.0
            ),
        ),
        flags=(
            Flag(
                field="body",
                code="decoded_tcvn3",
                message="The text was decoded from TCVN3; its original stands beside it.",
                value="Tê tr×nh kèm theo",
            ),
        ),
        extra={"DoMat": ("Thường",), "PhongXuLy": ("Tổng hợp",)},
    )


def test_an_outgoing_document_is_issued_under_its_notation() -> None:
    document = normalise(
        record(
            "VanBanDi",
            item("SoVanBan", "12"),
            item("KyHieu", "QĐ/TU"),
            item("NgayBanHanh", "2012-03-05"),
            item("TrichYeu", "Quy định về chế độ làm việc"),
        ),
        NOTES,
    )
    assert (document.number, document.notation, document.symbol) == ("12", "QĐ/TU", "12-QĐ/TU")
    assert (document.type_name, document.type_code) == ("Quy định", "QyĐ")
    assert document.issuer == Organ(name="Tỉnh ủy")
    assert document.direction is Direction.OUTGOING
    assert codes(document) == [("type_name", "type_from_title"), ("issuer", "assumed_issuer")]


@pytest.mark.parametrize(
    ("form", "fields", "where"),
    [
        ("VanBanDen", (item("SoKyHieu", "160-KL/TU"),), "records.0.fields.subject"),
        ("VanBanDen", (item("SoKyHieu", "160-KL/TU"), item("TrichYeu", "  ")), "records.0.fields.subject"),
        ("VanBanDen", (item("TrichYeu", "Về kinh phí"),), "records.0.require_any"),
        ("VanBanDi", (item("TrichYeu", "Về kinh phí"),), "records.1.require_any"),
    ],
)
def test_what_is_required(form: str, fields: tuple[Field, ...], where: str) -> None:
    with pytest.raises(MappingError) as caught:
        normalise(record(form, *fields), NOTES)
    assert caught.value.where.endswith(where)
    assert "notes_van_ban.yaml:" in caught.value.where


def test_a_date_that_cannot_be_read_is_not_a_missing_one() -> None:
    document = normalise(record("VanBanDen", item("TrichYeu", "A"), item("NgayVanBan", "30/02/2014")), NOTES)
    assert (document.issued_date, codes(document)) == (None, [("issued_date", "impossible_date")])


def test_what_is_odd_is_kept_and_flagged() -> None:
    document = normalise(
        record(
            "VanBanDen",
            item("TrichYeu", "x" * 501),
            item("SoKyHieu", "không số"),
            item("NgayVanBan", "2014/02/30"),
            item("LoaiVanBan", "Giấy khen"),
            item("DoKhan", "Gấp"),
            item("SoTrang", "nhiều"),
            item("NgayDen", "05/03/12"),
            defects=(Defect("document_truncated", "replication cut the document off", "line 3"),),
        ),
        NOTES,
    )
    assert document.subject == "x" * 501
    assert document.symbol == "không số"
    assert document.type_name == "Giấy khen"
    assert {flag.field: (flag.code, flag.value) for flag in document.flags} == {
        "symbol": ("unparsed_symbol", "không số"),
        "issued_date": ("impossible_date", "2014/02/30"),
        "type_name": ("unknown_type", "Giấy khen"),
        "urgency": ("unknown_urgency", "Gấp"),
        "page_count": ("unparsed_number", "nhiều"),
        "arrival_date": ("two_digit_year", "05/03/12"),
        "": ("document_truncated", "line 3"),
        "subject": ("too_long", ""),
    }


def test_a_legacy_record_is_decoded_by_the_vote_of_its_fields() -> None:
    def typed(text: str) -> str:
        return as_typed(text, Encoding.TCVN3)

    document = normalise(
        record(
            "VanBanDen",
            item("TrichYeu", typed("Báo cáo kết quả thực hiện nghị quyết của tỉnh ủy về kinh tế")),
            item("SoKyHieu", "15-BC/HU"),
            item("NguoiKy", typed("Nguyễn Văn Bình")),
            item("DoKhan", typed("Hỏa tốc")),
            item("LoaiVanBan", typed("Báo cáo")),
        ),
        NOTES,
    )
    assert document.subject == "Báo cáo kết quả thực hiện nghị quyết của tỉnh ủy về kinh tế"
    assert document.signers == (Signer(full_name="Nguyễn Văn Bình"),)
    assert document.urgency is Urgency.EXPRESS
    assert document.type_code == "BC"
    reasons = {(d.field, d.encoding): d.reason for d in document.decodings}
    assert reasons == {
        ("subject", "tcvn3"): "own_words",
        ("signers", "tcvn3"): "own_words",
        ("urgency", "tcvn3"): "record",
        ("type_name", "tcvn3"): "record",
    }
    assert [d.original for d in document.decodings if d.field == "urgency"] == [typed("Hỏa tốc")]
    decoded = [flag for flag in document.flags if flag.code == "decoded_tcvn3"]
    assert {flag.field for flag in decoded} == {"subject", "signers", "urgency", "type_name"}
    assert all(flag.value != document.subject for flag in decoded)


def test_responses_mails_and_unknown_forms_are_kept() -> None:
    parent = "A" * 32
    response = normalise(record("YKienChiDao", item("$parent", parent), item("NoiDung", "Đồng ý")), NOTES)
    mail = normalise(
        record("Memo", item("Subject", "Họp"), item("PostedDate", "2012-03-05T08:00:00Z")), NOTES
    )
    other = normalise(record("HoSoNhanVien", item("Ten", "Bảng chấm công")), NOTES)
    nothing = normalise(record(""), NOTES)
    assert [d.kind for d in (response, mail, other, nothing)] == [RecordKind.OTHER] * 4
    assert response.relations == (
        Relation(kind=RelationKind.RESPONSE_IN_SOURCE, target=Reference(uid=parent), evidence="$parent"),
    )
    assert (response.body, mail.subject) == ("Đồng ý", "Họp")
    assert other.extra == {"Ten": ("Bảng chấm công",)}


def test_a_record_is_not_its_own_parent() -> None:
    document = normalise(record("YKienChiDao", item("$parent", UNID.lower())), NOTES)
    assert document.relations == ()
    assert codes(document) == [("relations", "self_reference")]


def test_form_names_and_item_names_have_no_case() -> None:
    document = normalise(
        record("vanbanden", item("TRICHYEU", "Về kinh phí"), item("sokyhieu", "1-TB/TU")), NOTES
    )
    assert (document.subject, document.symbol) == ("Về kinh phí", "1-TB/TU")


def test_hidden_text_is_kept_and_said() -> None:
    body = Field("NoiDung", "richtext", runs=(TextRun("Thấy "), TextRun("ẩn", hidden=True)))
    document = normalise(record("VanBanDen", item("TrichYeu", "A"), item("SoKyHieu", "1-TB/TU"), body), NOTES)
    assert document.body == "Thấy ẩn"
    assert codes(document)[0] == ("body", "hidden_text")


def package(business: str, *more: Field, header: tuple[Field, ...] = ()) -> SourceRecord:
    return record(
        business,
        node(
            "MessageHeader",
            node(
                "From",
                item("OrganId", "H10.01"),
                item("OrganName", "Sở Nội vụ"),
                item("Email", "snv@example.vn"),
            ),
            node("To", item("OrganId", "A10"), item("OrganName", "Văn phòng Tỉnh ủy")),
            node("To", item("OrganId", "null"), item("OrganName", "Ban Dân vận")),
            item("DocumentId", "H10.01,2019/01/16,12/SNV-VP"),
            node("Code", item("CodeNumber", "12"), item("CodeNotation", "SNV-VP")),
            node("PromulgationInfo", item("Place", "Đồng Xoài"), item("PromulgationDate", "2019/01/16")),
            node("DocumentType", item("Type", "1"), item("TypeName", "Công văn")),
            item("Subject", "V/v kết nối hệ thống"),
            node("ToPlaces", item("Place", "Như trên"), item("Place", "Lưu VT")),
            node("OtherInfo", item("Priority", "3"), item("PageAmount", "2")),
            *header,
        ),
        node(
            "TraceHeaderList",
            node("TraceHeader", item("OrganId", "H10.01"), item("Timestamp", "2019/01/16 08:00:00")),
            node("Bussiness", item("BussinessDocType", business), item("BussinessDocReason", "Lý do"), *more),
        ),
    )


def test_an_edxml_document() -> None:
    document = normalise(package("0"), OPERATIONS)
    assert (document.uid, document.symbol) == ("H10.01,2019/01/16,12/SNV-VP", "12/SNV-VP")
    assert (document.type_name, document.type_code) == ("Công văn", "CV")
    assert document.issuer == Organ(name="Sở Nội vụ", organ_id="H10.01", email="snv@example.vn")
    assert document.recipients == (Organ(name="Văn phòng Tỉnh ủy", organ_id="A10"), Organ(name="Ban Dân vận"))
    assert (document.issued_date, document.issued_place) == (date(2019, 1, 16), "Đồng Xoài")
    assert (document.urgency, document.page_count) == (Urgency.EXPRESS, 2)
    assert document.to_places == ("Như trên", "Lưu VT")
    assert document.business_type is BusinessType.NEW
    assert document.trace == (
        TraceEntry(organ_id="H10.01", moment=datetime(2019, 1, 16, 8, 0, tzinfo=VIETNAM)),
    )
    assert document.relations == ()
    assert codes(document) == [("recipients", "null_literal")]
    assert document.extra == {
        "MessageHeader/DocumentType/Type": ("1",),
        "TraceHeaderList/Bussiness/BussinessDocReason": ("Lý do",),
    }


@pytest.mark.parametrize(
    ("business", "kind"),
    [("1", RelationKind.RECALLS), ("2", RelationKind.AMENDS), ("3", RelationKind.REPLACES)],
)
def test_recall_update_and_replacement_name_the_other_document(business: str, kind: RelationKind) -> None:
    other = "000.00.00.G22,2014/02/30,7806/VPCP-TTĐT"
    document = normalise(package(business, item("DocumentId", other)), OPERATIONS)
    target = Reference(
        uid=other,
        number="7806",
        notation="VPCP-TTĐT",
        symbol="7806/VPCP-TTĐT",
        organ_id="000.00.00.G22",
    )
    assert document.relations == (
        Relation(kind=kind, target=target, reason="Lý do", evidence="TraceHeaderList/Bussiness"),
    )
    assert ("relations", "impossible_date") in codes(document)


@pytest.mark.parametrize(("business", "kind"), [("1", RelationKind.RECALLS), ("2", RelationKind.AMENDS)])
def test_a_recall_or_update_that_names_nothing_means_its_own_identifier(
    business: str, kind: RelationKind
) -> None:
    document = normalise(package(business), OPERATIONS)
    assert [(r.kind, r.target.uid, r.target.symbol, r.reason) for r in document.relations] == [
        (kind, "H10.01,2019/01/16,12/SNV-VP", "12/SNV-VP", "Lý do")
    ]


def test_a_reply_names_what_it_answers_and_an_empty_one_nothing() -> None:
    answered = node(
        "ResponseFor",
        item("OrganId", "A10"),
        item("Code", "245-GM/VPTU"),
        item("DocumentId", "1da394ba-2117-4354-a23f-6ec3e47ba81b"),
        item("PromulgationDate", "2019/01/10"),
    )
    empty = node("ResponseFor", item("OrganId", ""), item("Code", ""))
    document = normalise(package("0", header=(answered, empty)), OPERATIONS)
    assert document.relations == (
        Relation(
            kind=RelationKind.REPLIES_TO,
            target=Reference(
                uid="1da394ba-2117-4354-a23f-6ec3e47ba81b",
                number="245",
                notation="GM/VPTU",
                symbol="245-GM/VPTU",
                issued_date=date(2019, 1, 10),
                organ_id="A10",
            ),
            evidence="MessageHeader/ResponseFor",
        ),
    )


def test_direction_by_the_codes_of_the_office() -> None:
    def with_codes(**codes: object) -> SourceConfig:
        return OPERATIONS.model_copy(update={"organ": OPERATIONS.organ.model_copy(update=codes)})

    assert normalise(package("0"), OPERATIONS).direction is Direction.UNKNOWN
    assert normalise(package("0"), with_codes(organ_id="A10")).direction is Direction.INCOMING
    assert normalise(package("0"), with_codes(former_ids=("H10.01",))).direction is Direction.OUTGOING


def test_what_a_document_cites_becomes_relations_and_a_contradiction_a_flag() -> None:
    text = (
        "Căn cứ Nghị định số 33/2002/NĐ-CP ngày 28/3/2002 của Chính phủ và Kết luận số 160-KL/TU;\n"
        "Quy định tại Nghị định số 33/2002/NĐ-CP ngày 30/3/2002; Kết luận số 160-KL/TU ngày 05/3/2012."
    )
    notes = record("VanBanDen", item("SoKyHieu", "12-BC/TU"), item("TrichYeu", "Báo cáo theo 12-BC/TU"),
                   item("NoiDung", text), item("NgayVanBan", "2019-01-02"))  # fmt: skip
    document = normalise(notes, NOTES)
    cited = [(r.kind, r.target.symbol, r.target.issued_date, r.evidence) for r in document.relations]
    assert cited == [
        (RelationKind.CITES, "33/2002/NĐ-CP", date(2002, 3, 28), "body"),
        (RelationKind.CITES, "33/2002/NĐ-CP", date(2002, 3, 30), "body"),
        (RelationKind.CITES, "160-KL/TU", date(2012, 3, 5), "body"),
    ]
    (flag,) = [flag for flag in document.flags if flag.code == "inconsistent_citation"]
    assert (flag.field, flag.value) == ("relations", "33/2002/NĐ-CP: 28/03/2002, 30/03/2002")


def test_an_issuer_that_cannot_print_the_notation_is_flagged() -> None:
    def flagged(issuer: str) -> bool:
        notes = record("VanBanDen", item("SoKyHieu", "12-BC/TU"), item("TrichYeu", "Báo cáo"),
                       item("CoQuanBanHanh", issuer), item("NgayVanBan", "2019-01-02"))  # fmt: skip
        return ("issuer", "issuer_mismatch") in codes(normalise(notes, NOTES))

    assert flagged("Ủy ban nhân dân tỉnh")
    assert not flagged("Tỉnh ủy Bình Phước")
    assert not flagged("Thành ủy Đồng Xoài")


def test_an_edxml_document_without_subject_is_refused() -> None:
    broken = record("0", node("MessageHeader", item("DocumentId", "x"), item("Subject", "")))
    with pytest.raises(MappingError, match="no subject"):
        normalise(broken, OPERATIONS)


def samples() -> Path:
    default = Path(__file__).resolve().parents[2].parent / "shared" / "samples"
    return Path(os.environ.get("LIENTHONG_SAMPLES", default)) / "edxml"


@pytest.mark.samples
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("status_acceptance_03", "03"),
        ("status_rejection_02", "02"),
        ("status_finish_06", "06"),
        ("status_cancellation_13", "13"),
    ],
)
def test_real_status_messages(name: str, status: str) -> None:
    path = samples() / f"{name}.edxml"
    if not path.exists():
        pytest.skip("the samples are not here")
    parsed = parse_edxml(Listing(name, "1", path.name), FileContent(path), {})
    assert isinstance(parsed, SourceRecord)
    document = normalise(parsed, OPERATIONS)
    assert (document.kind, document.status_code) == (RecordKind.STATUS, status)
    kinds = [relation.kind for relation in document.relations]
    assert kinds == [RelationKind.STATUS_OF, RelationKind.RECALLS][: 2 if status == "13" else 1]
    relation = document.relations[0]
    assert (relation.target.number, relation.target.notation) == ("7816", "VPCP-TTĐT")
    assert relation.target.issued_date == date(2015, 9, 30)
    (step,) = document.trace
    assert step.status_code == status
    assert step.moment is not None
    assert step.staff


@pytest.mark.samples
def test_a_real_recall() -> None:
    path = samples() / "edoc_revocation.edxml"
    if not path.exists():
        pytest.skip("the samples are not here")
    parsed = parse_edxml(Listing("recall", "1", path.name), FileContent(path), {})
    assert isinstance(parsed, SourceRecord)
    document = normalise(parsed, OPERATIONS)
    assert document.business_type is BusinessType.RECALL
    assert {relation.kind for relation in document.relations} == {
        RelationKind.REPLIES_TO,
        RelationKind.RECALLS,
    }
    assert document.signers == (
        Signer(
            full_name="Nguyen Thanh Phuc",
            position="Cuc truong cuc ung dung cong nghe thong tin",
            competence="TL. BO TRUONG",
        ),
    )


NAMES = st.sampled_from(
    [
        "TrichYeu",
        "SoKyHieu",
        "NgayVanBan",
        "NoiNhan",
        "YKienXuLy",
        "DoKhan",
        "SoTrang",
        "GhiChu",
        "Khac",
        "$parent",
    ]
)


@given(
    st.lists(
        st.builds(lambda n, v: item(n, *v), NAMES, st.lists(st.text(max_size=40), max_size=3)), max_size=8
    )
)
def test_any_record_becomes_a_document_in_nfc_or_says_what_is_missing(fields: list[Field]) -> None:
    try:
        document = normalise(record("VanBanDen", *fields), NOTES)
    except MappingError:
        assert not any(f.name == "TrichYeu" and f.text.strip() for f in fields) or not any(
            f.name in ("SoKyHieu", "NgayVanBan") and f.text.strip() for f in fields
        )
        return
    kept = [document.subject or "", document.note or "", *document.extra.get("Khac", ())]
    assert all(unicodedata.is_normalized("NFC", text) for text in kept)
    printed = [value for f in fields if f.name == "Khac" for value in f.values if value.strip()]
    assert [unicodedata.normalize("NFC", text) for text in printed] == list(document.extra.get("Khac", ()))


def test_a_condition_is_met_by_what_a_legacy_text_says() -> None:
    held = record(
        "VanBanDen",
        item("LoaiVanBan", as_typed("Tờ trình", Encoding.TCVN3)),
        item("TrichYeu", as_typed("Báo cáo kết quả thực hiện nghị quyết của tỉnh ủy", Encoding.TCVN3)),
    )
    reader = FieldReader(held)
    assert reader.holds(Condition(equals={"LoaiVanBan": ("tờ trình",)}))
    assert not reader.holds(Condition(equals={"LoaiVanBan": ("Báo cáo",)}))
