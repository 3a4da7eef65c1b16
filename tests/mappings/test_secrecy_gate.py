"""The gate: where it looks, and that a finding holds nothing of the record."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import fields as dataclass_fields

import pytest

from mappings.config import SecrecyField, SecrecySettings, load_sources
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


def pdf(*pages: list[str], note: str = "", title: str = "") -> bytes:
    """A PDF whose text is the given lines; any letter of the basic plane, by a map from codes to Unicode."""

    def stream(data: bytes) -> bytes:
        packed = zlib.compress(data)
        return b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed)

    def text(line: str) -> bytes:
        return b"<" + line.encode("utf-16-be").hex().encode() + b">"

    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def "
        b"1 begincodespacerange <0000> <FFFF> endcodespacerange "
        + b"".join(
            b"1 beginbfrange <%02X00> <%02XFF> <%02X00> endbfrange " % (high, high, high)
            for high in range(0x20)
        )
        + b"endcmap end end"
    )
    objects: list[bytes] = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>"
        % (len(pages), b" ".join(b"%d 0 R" % (8 + 2 * at) for at in range(len(pages)))),
        b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[4 0 R]/ToUnicode 5 0 R>>",
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/A/DW 600/CIDSystemInfo<</Registry(Adobe)"
        b"/Ordering(Identity)/Supplement 0>>/FontDescriptor 6 0 R>>",
        stream(cmap),
        b"<</Type/FontDescriptor/FontName/A/Flags 4/FontBBox[0 0 600 800]/ItalicAngle 0/Ascent 800/Descent 0"
        b"/CapHeight 700/StemV 80>>",
        b"<</Title" + text("\ufeff" + title) + b">>",
    ]
    for at, lines in enumerate(pages):
        annotation = b""
        if note and at == 0:
            annotation = (
                b"/Annots[<</Type/Annot/Subtype/Stamp/Rect[10 10 90 40]/Contents"
                + text("\ufeff" + note)
                + b">>]"
            )
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>"
            b"/Contents %d 0 R%s>>" % (9 + 2 * at, annotation)
        )
        drawn = b"".join(
            b"1 0 0 1 50 %d Tm %s Tj " % (800 - 20 * row, text(line)) for row, line in enumerate(lines)
        )
        objects.append(stream(b"BT /F 12 Tf " + drawn + b"ET"))
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, io.SEEK_END)
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(
        b"trailer<</Size %d/Root 1 0 R/Info 7 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    )
    return out.getvalue()


def zipped(**members: str | bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("--", "."), data)
    return out.getvalue()


def docx(*paragraphs: str, header: str = "", box: str = "") -> bytes:
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    boxed = (
        f"<w:p><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>{box}</w:t></w:r></w:p></w:txbxContent></w:pict>"
    )
    body = f"{boxed}<w:t>TỈNH ỦY</w:t></w:r></w:p>" if box else ""
    body += "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    members = {"word/document.xml": f"<w:document {space}><w:body>{body}</w:body></w:document>"}
    if header:
        members["word/header1.xml"] = f"<w:hdr {space}><w:p><w:r><w:t>{header}</w:t></w:r></w:p></w:hdr>"
    return zipped(**members)


HEADING = ["TỈNH ỦY BÌNH PHƯỚC          ĐẢNG CỘNG SẢN VIỆT NAM", "*", "Số 160-KL/TU"]
LAW = [*HEADING, "KẾT LUẬN", "về công tác bảo vệ bí mật nhà nước và bảo mật thông tin", "mật độ dân số"]

# Where the mark stands on page 1, as office templates and stamps put it.
LAYOUTS: dict[str, Callable[[str], list[str]]] = {
    "under the organ": lambda mark: ["TỈNH ỦY BÌNH PHƯỚC", "*", mark, "Số 160-KL/TU"],
    "beside the number": lambda mark: [*HEADING[:2], f"Số 160-KL/TU        {mark}"],
    "above everything": lambda mark: [mark, *HEADING],
    "between the columns": lambda mark: [f"TỈNH ỦY BÌNH PHƯỚC {mark} ĐẢNG CỘNG SẢN VIỆT NAM", "Số 160-KL/TU"],
    "at the foot": lambda mark: [*HEADING, "KẾT LUẬN", "Nội dung", mark],
    "labelled": lambda mark: [*HEADING, f"Độ mật: {mark.title()}"],
    "framed": lambda mark: [*HEADING, f"| {mark} |"],
    "letters apart": lambda mark: [*HEADING, " ".join(mark.replace(" ", ""))],
    "in brackets": lambda mark: [*HEADING, f"KẾT LUẬN ({mark.lower()})"],
    "with urgency": lambda mark: [*HEADING, f"{mark} - HỎA TỐC"],
    "in TCVN3": lambda mark: [*HEADING, mark.replace("Ậ", "Ë").replace("Ố", "è").replace("Ệ", "Ö")],
    "in VNI": lambda mark: [*HEADING, mark.replace("Ậ", "AÄ").replace("Ố", "OÁ").replace("Ệ", "EÄ")],
    "before the title": lambda mark: [*HEADING, f"{mark}: KẾT LUẬN"],
    "starred": lambda mark: [*HEADING, f"*** {mark} ***"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("mark", "level"), [("MẬT", "mat"), ("TỐI MẬT", "toi_mat"), ("TUYỆT MẬT", "tuyet_mat")]
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_page_one_of_a_pdf(layout: str, mark: str, level: str) -> None:
    data = pdf(LAYOUTS[layout](mark))
    finding = screen(record(item("TrichYeu", "Về cán bộ"), files=(attachment("a.pdf", data),)), NOTES)
    assert finding is not None
    assert (finding.level, finding.rule.partition(":")[0]) == (level, "attachment 1 text")


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
