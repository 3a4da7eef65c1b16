"""The gate: where it looks, and that a finding holds nothing of the record."""

from __future__ import annotations

import base64
import io
from dataclasses import fields as dataclass_fields
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.config import SecrecyField, SecrecySettings, load_sources
from mappings.opening_office import rtf_text
from mappings.opening_text import LIMIT, opening_texts
from mappings.secrecy import Finding, screen, screen_unreadable
from schemas.record import (
    Attachment,
    BytesContent,
    Content,
    Field,
    Listing,
    SourceRecord,
    TextRun,
    Unreadable,
)
from tests.mappings.page_files import docx, pdf, zipped
from tests.mappings.secrecy_pages import HEADING, LAYOUTS, ORDINARY_PAGES

SOURCES = load_sources()
NOTES, OPERATIONS = SOURCES["notes_van_ban"], SOURCES["dieu_hanh"]


def item(name: str, *values: str) -> Field:
    return Field(name, "text", values)


def record(
    *fields: Field, files: tuple[Attachment, ...] = (), context: dict[str, str] | None = None
) -> SourceRecord:
    listing = Listing("K", "1", "k")
    return SourceRecord(
        listing,
        "document",
        "VanBanDen",
        BytesContent(b""),
        "application/xml",
        fields,
        files,
        context=context or {},
    )


def attachment(name: str, data: bytes) -> Attachment:
    return Attachment(name, BytesContent(data))


LAW = [*HEADING, "KẾT LUẬN", "về công tác bảo vệ bí mật nhà nước và bảo mật thông tin", "mật độ dân số"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_the_measured_set_is_seen(layout: str) -> None:
    for mark, level in (("MẬT", "mat"), ("TỐI MẬT", "toi_mat"), ("TUYỆT MẬT", "tuyet_mat")):
        files = (attachment("a.dat", LAYOUTS[layout](mark)),)
        finding = screen(record(item("TrichYeu", "Về cán bộ"), files=files), NOTES)
        assert finding is not None
        assert (finding.level, finding.rule.partition(":")[0].split()[0]) == (level, "attachment")


def test_ordinary_pages_enter() -> None:
    entered = {
        name: screen(record(files=(attachment("a.dat", data),)), NOTES)
        for name, data in ORDINARY_PAGES.items()
    }
    assert entered == dict.fromkeys(ORDINARY_PAGES)
    assert len(LAYOUTS) >= 40


def test_an_ordinary_pdf_enters() -> None:
    files = (
        attachment("160-KL-TU.pdf", pdf(LAW, ["MẬT"])),
    )  # a mark on page 2 alone is no marking of the document
    assert screen(record(item("TrichYeu", "Về công tác bảo vệ bí mật nhà nước"), files=files), NOTES) is None


def test_stamps_and_titles_of_a_pdf() -> None:
    for data in (pdf(LAW, note="MẬT"), pdf(LAW, title="Báo cáo (Mật)")):
        assert screen(record(files=(attachment("a.pdf", data),)), NOTES) == Finding(
            "mat", f"attachment 1 text:{'line' if b'Stamp' in data else 'bracketed'}"
        )


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (docx("TỈNH ỦY", "MẬT", "BÁO CÁO"), "line"),
        (docx("BÁO CÁO", header="MẬT"), "line"),
        (docx("BÁO CÁO", box="MẬT"), "line"),
        ("TỈNH ỦY\r\nMẬT\r\nBÁO CÁO".encode(), "line"),
        ("TỈNH ỦY\nMẬT\nBÁO CÁO".encode("utf-16"), "line"),
        (b"T\xd8NH \xf1Y\nM\xcbT\nB\xb8O C\xb8O", "line"),
        (rb"{\rtf1\ansi{\fonttbl{\f0 Times;}}\pard T\u7880?NH\par M\u7852?T\par B\'e1o}", "line"),
        ("<html><body><p>TỈNH ỦY</p><p><b>MẬT</b></p></body></html>".encode(), "line"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + "TỈNH ỦY\rMẬT\rBÁO CÁO\r".encode("utf-16-le"),
            "line",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + b"T\xd8NH \xf1Y\rM\xcbT\rB\xb8O C\xb8O\r",
            "line",
        ),
        (zipped(**{"bao_cao.pdf": pdf(["MẬT"])}), "line"),
    ],
    ids=["docx", "header", "box", "utf8", "utf16", "tcvn3", "rtf", "html", "doc", "doc tcvn3", "zip"],
)
def test_the_beginning_of_other_files(data: bytes, rule: str) -> None:
    finding = screen(record(files=(attachment("bao_cao.dat", data),)), NOTES)
    assert finding == Finding("mat", f"attachment 1 text:{rule}")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"%PDF-1.7\nbroken", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            b"\x89PNG\r\n\x1a\n" + b"M" * 99,
        zipped(**{"word/document.xml": "<w:document"}), b"{\\rtf1 " + b"{" * 5000, pdf([]),
            docx("không mật", "bảo mật"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_or_say_nothing(data: bytes) -> None:
    assert screen(record(files=(attachment("a.dat", data),)), NOTES) is None


def test_a_file_that_vanishes_or_fails_has_no_text() -> None:
    class Failing:
        size = 10

        def open(self) -> io.BytesIO:
            raise OSError("gone")

    content: Content = Failing()
    assert screen(record(files=(Attachment("a.pdf", content),)), NOTES) is None


@pytest.mark.parametrize(
    ("field", "finding"),
    [
        (item("DoMat", "Mật"), Finding("mat", "field DoMat:value")),
        (item("DoMat", "TOI MAT"), Finding("toi_mat", "field DoMat:value")),
        (item("DoMat", "3"), Finding("tuyet_mat", "field DoMat:configured_value")),
        (item("domat", "không rõ"), Finding("mat", "field domat:unknown_value")),
        (item("Muc_Do_Mat", "Thường", "Mật"), Finding("mat", "field Muc_Do_Mat:value")),
        (item("TrichYeu", "Báo cáo tối mật về biên giới"), Finding("toi_mat",
            "field TrichYeu:doubtful_word")),
        (item("Subject", "Báo cáo (Mật)"), Finding("mat", "field Subject:bracketed")),
        (item("SoKyHieu", "12-BC/TU (Mật)"), Finding("mat", "field SoKyHieu:bracketed")),
        (item("SoKyHieu", "Mật 12-BC/TU"), Finding("mat", "field SoKyHieu:symbol")),
        (item("CodeNumber", "mật 12"), Finding("mat", "field CodeNumber:symbol")),
        (item("GhiChu", "Độ mật: Tuyệt mật"), Finding("tuyet_mat", "field GhiChu:label")),
        (item("TruongLa", "MẬT"), Finding("mat", "field TruongLa:line")),
        (Field("NoiDung", "richtext", runs=(TextRun("MË", ".VnTimeH"), TextRun("T\nBÁO CÁO"))),
            Finding("mat", "field NoiDung:line")),
        (Field("NoiDung", "richtext", runs=(TextRun("MẬT", hidden=True),)), Finding("mat",
            "field NoiDung:line")),
        (Field("NoiDung", "richtext", runs=(TextRun("12/4/2012\tBáo cáo năm\tMật\tlưu"),)), Finding("mat",
            "field NoiDung:line")),
        (
            Field("MessageHeader", "element", children=(item("SphereOfPromulgation", "Tối mật"),)),
            Finding("toi_mat", "field MessageHeader/SphereOfPromulgation:line"),
        ),
    ],
)  # fmt: skip
def test_fields(field: Field, finding: Finding) -> None:
    found = screen(record(item("TrichYeu", "Về kinh phí"), field), NOTES)
    assert found is not None
    assert (found.level, found.rule.partition(":")[0]) == (finding.level, finding.rule.partition(":")[0])


def test_the_gate_looks_the_same_whatever_the_source_configures() -> None:
    bare = OPERATIONS.model_copy(update={"secrecy": SecrecySettings()})
    assert screen(record(item("DoMat", "Mật")), bare) == Finding("mat", "field DoMat:value")


def test_a_source_may_name_a_field_that_no_name_gives_away() -> None:
    field = SecrecyField(path="MessageHeader/Loai", values={"1": "none", "2": "toi_mat"})
    config = OPERATIONS.model_copy(update={"secrecy": SecrecySettings(fields=(field,))})

    def header(value: str) -> SourceRecord:
        return record(Field("MessageHeader", "element", children=(item("Loai", value),)))

    assert screen(header("1"), config) is None
    assert screen(header("2"), config) == Finding("toi_mat", "field MessageHeader/Loai:configured_value")
    assert screen(header("3"), config) == Finding("mat", "field MessageHeader/Loai:unknown_value")


def test_names_of_attachments_and_of_the_container() -> None:
    assert screen(record(files=(attachment("BC_TOI_MAT.pdf", b""),)), NOTES) == Finding(
        "toi_mat", "attachment 1 name:name"
    )
    assert screen(record(files=(attachment("CV-MAT-15.pdf", b""),)), NOTES) == Finding(
        "mat", "attachment 1 name:name"
    )
    assert screen(record(files=(attachment("Công văn-Mặt trận-15.pdf", b""),)), NOTES) is None
    assert screen(record(context={"file": "drop/VB_TUYET_MAT.dxl"}), NOTES) == Finding(
        "tuyet_mat", "context file:name"
    )


def test_an_ordinary_record_enters() -> None:
    ordinary = record(
        item("DoMat", "Thường"), item("DoKhan", "Hỏa tốc"), item("TrichYeu",
            "V/v tăng cường bảo mật thông tin"),
        item("NoiNhan", "Các huyện ủy", "Lưu"), item("GhiChu", "Luật Bảo vệ bí mật nhà nước"),
            item("SoKyHieu", "160-KL/TU"),
        Field("NoiDung", "richtext", runs=(TextRun("\n".join(LAW)),)),
        files=(attachment("Luật Bảo vệ bí mật nhà nước.docx", docx(*LAW)),),
    )  # fmt: skip
    assert screen(ordinary, NOTES) is None


def test_a_form_whose_name_says_it_holds_secret_documents() -> None:
    def with_form(form: str) -> Finding | None:
        return screen(replace(record(item("TrichYeu", "Về cán bộ")), form=form), NOTES)

    assert with_form("VanBanMat") == Finding("mat", "form:name")
    assert with_form("Văn bản mật") == Finding("mat", "form:doubtful_word")
    assert with_form("CongVanToiMat") == Finding("toi_mat", "form:name")
    assert [with_form(form) for form in ("VanBanDen", "MatTran", "Bảo mật", "")] == [None] * 4


def test_a_run_is_legacy_when_its_font_says_so_whatever_stands_beside_it() -> None:
    beside = TextRun("Tỉnh ủy Bình Phước — ", "Times New Roman")
    for font, text in ((".VnTime", "MËT"), (".VnTimeH", "mËt"), ("VNI-Times", "MAÄT")):
        body = Field("NoiDung", "richtext", runs=(beside, TextRun(text, font), TextRun(" số 5", "Arial")))
        finding = screen(record(body), NOTES)
        assert finding is not None, font
        assert finding.level == "mat"


def test_parts_of_parts_are_looked_into() -> None:
    """Whatever connectors add below a record: mails in fields, packages in packages."""
    deep = Field("Lop", "element", children=(Field("MucDoMat", "element", ("Tối mật",)),))
    for _ in range(4):
        deep = Field("Vo", "element", children=(Field("GhiChu", "text", ("thường",)), deep))
    assert screen(record(deep), OPERATIONS) == Finding("toi_mat", "field Vo/Vo/Vo/Vo/Lop/MucDoMat:value")


def test_attributes_are_looked_at_too() -> None:
    inner = Field("Tep", "element", ("a.pdf",))
    for attributes, level in (
        ({"DoMat": "2"}, "mat"),
        ({"ghiChu": "TỐI MẬT"}, "toi_mat"),
        ({"x": "1"}, None),
    ):
        outer = Field("VanBan", "element", children=(inner,), attributes=attributes)
        finding = screen(record(outer), OPERATIONS)
        assert (finding.level if finding else None) == level


def test_a_configured_field_without_values_withholds_what_nobody_knows() -> None:
    config = OPERATIONS.model_copy(
        update={"secrecy": SecrecySettings(fields=(SecrecyField(path="MessageHeader/Loai"),))}
    )
    header = Field("MessageHeader", "element", children=(item("Loai", "3"),))
    assert screen(record(header), config) == Finding("mat", "field MessageHeader/Loai:unknown_value")


def test_a_series_that_an_office_keeps_for_secret_documents() -> None:
    config = NOTES.model_copy(
        update={"secrecy": SecrecySettings(series={"*-BCM/*": "mat", "TM*": "tuyet_mat"})}
    )
    assert screen(record(item("SoKyHieu", "Số: 12 - BCM / TU")), config) == Finding(
        "mat", "field SoKyHieu:series"
    )
    assert screen(record(item("SoKyHieu", "12-BC/TU")), config) is None
    assert screen(record(item("SoKyHieu", "12-BCM/TU")), NOTES) is None


def test_the_highest_level_is_reported() -> None:
    both = record(item("DoMat", "Mật"), files=(attachment("a.pdf", pdf(["TUYỆT MẬT"])),))
    assert screen(both, NOTES) == Finding("tuyet_mat", "attachment 1 text:line")


def test_a_finding_holds_no_content() -> None:
    assert [field.name for field in dataclass_fields(Finding)] == ["level", "rule"]
    secret = "Danh sách cán bộ ở khu vực biên giới"
    found = screen(
        record(
            item("DoMat", secret), item(f"{secret} Độ mật", "Mật"), item("TrichYeu", f"{secret} (Tối mật)"),
            files=(attachment(f"{secret} TỐI MẬT.pdf", pdf([secret, "MẬT"])),),
            context={secret: "TOI_MAT.dxl"},
        ),
        NOTES,
    )  # fmt: skip
    assert found is not None
    assert not any(word in found.rule for word in secret.split())


def unreadable(data: bytes | None, locator: str = "export.dxl") -> Unreadable:
    original = BytesContent(data) if data is not None else None
    return Unreadable(Listing("K", "1", locator), "xml_malformed", "cannot be read", original=original)


BROKEN_DXL = "<document form='VanBanDen'><item name='TrichYeu'><text>Về cán bộ</text></item>{}<item name='Cut"


@pytest.mark.parametrize(
    ("data", "level"),
    [
        (BROKEN_DXL.format("<item name='DoMat'><text>Tối mật</text></item>").encode(), "toi_mat"),
        (BROKEN_DXL.format('<item summary="true" name="DoMat"><text>C</text></item>').encode(), "mat"),
        (BROKEN_DXL.format("<item name='DoMat'><textlist><text>TUYET MAT</text></textlist></item>").encode(),
         "tuyet_mat"),
        (BROKEN_DXL.format("<item name='DoMat'><text>T&#7889;i m&#7853;t</text></item>").encode(), "toi_mat"),
        (BROKEN_DXL.format("<item name='DoMat'><text>Mật</text></item>").encode("utf-16"), "mat"),
        (b"<item name='DoMat'><text>M\xcbt</text></item>", "mat"),
        (b"<item name='DoMat'><text>T\xe8i m\xcbt", "toi_mat"),
        ("<item name='Body'><richtext><par><run>MẬT</run></par></richtext></item>".encode(), "mat"),
        ("1212<edXML:Subject>Báo cáo (Mật)</edXML:Subject".encode(), "mat"),
        (b"<edXML:MucDoMat>2</edXML:MucDoMat>", "mat"),
        (b'{"domat": "T\\u1ed1i m\\u1eadt", "x"', "toi_mat"),
        (b"<Attachment>" + base64.encodebytes(pdf(["TỈNH ỦY", "MẬT"])) + b"</Attach", "mat"),
        (b"<Attachment>" + base64.b64encode(zipped(**{"12_toi_mat.pdf": pdf(["A"])})) + b"</Attach",
            "toi_mat"),
        (b"<A>" + base64.b64encode(zipped(**{"a.pdf": pdf(["TUYỆT MẬT"])})) + b"</A", "tuyet_mat"),
        (pdf(["MẬT"]), "mat"),
    ],
)  # fmt: skip
def test_what_nobody_can_read_is_looked_into_all_the_same(data: bytes, level: str) -> None:
    finding = screen_unreadable(unreadable(data))
    assert finding is not None
    assert finding.level == level


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        BROKEN_DXL.format("<item name='DoMat'><text>Thường</text></item>").encode(),
        BROKEN_DXL.format("<item name='DoMat'><text/></item>").encode(),
        "<edXML:Subject>Luật Bảo vệ bí mật nhà nước</edXML:Subject".encode(),
        b"<Attachment>" + base64.encodebytes(pdf(LAW)) + b"</Attach",
        bytes(range(256)) * 50,
    ],
)
def test_ordinary_unreadable_bytes_go_to_quarantine(data: bytes | None) -> None:
    assert screen_unreadable(unreadable(data)) is None


def test_the_name_of_an_unreadable_file() -> None:
    assert screen_unreadable(unreadable(None, "drop/2012/BC_TOI_MAT.dxl")) == Finding("toi_mat", "name:name")


MAGICS = [
    b"",
    b"%PDF-1.7\n",
    b"PK\x03\x04",
    b"{\\rtf1 ",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"<?xml version='1.0'?><a>",
    b"<html>",
    b"Subject: x\r\nFrom: y\r\n\r\n",
    b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n",
]


@given(st.sampled_from(MAGICS), st.binary(max_size=400))
def test_any_file_is_answered(magic: bytes, data: bytes) -> None:
    for opening in opening_texts(BytesContent(magic + data)):
        assert len(opening.text) <= 4 * LIMIT


@given(st.text(alphabet="{}\\*abcdu'0123456789 \nM", max_size=200))
def test_any_rtf_is_answered(source: str) -> None:
    assert len(rtf_text("{\\rtf1 " + source)) <= len(source) + 10


def test_a_zip_of_zips_is_opened_as_far_as_is_good_for_it() -> None:
    many = zipped(**{f"{number}.txt": "MẬT" for number in range(70)})
    assert screen(record(files=(attachment("a.zip", many),)), NOTES) is not None
    bomb = zipped(a=b"\0" * 40_000_000, **{"toi_mat.txt": "x"})
    assert screen(record(files=(attachment("a.zip", bomb),)), NOTES) == Finding(
        "toi_mat", "attachment 1 name:name"
    )
    nested = docx("MẬT")
    for _ in range(6):
        nested = zipped(a=nested)
    assert screen(record(files=(attachment("a.zip", nested),)), NOTES) is None
