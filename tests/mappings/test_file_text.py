"""The whole text of files, written here as their programs write them."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import openpyxl
import pytest
from fpdf import FPDF
from fpdf.enums import AccessPermission
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font

from benchmarks.legacy_text import typed
from mappings.file_text import FileText, Limits, TextOutcome, file_text, short_type
from mappings.legacy_tables import Encoding
from schemas.record import BytesContent
from tests.mappings.page_files import docx, docx_of, odt, pdf, zip_of

TEXT = "Quyết định về việc giữ gìn trật tự ở xã Tư Nghĩa, Yên La và đường Mỹ Xuân"
TCVN3 = typed(TEXT, Encoding.TCVN3, "cp1252")
VNI = typed(TEXT, Encoding.VNI, "cp1252")
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def read(data: bytes, **limits: int) -> FileText:
    return file_text(BytesContent(data), Limits(**limits))


def lines(data: bytes) -> list[str]:
    found = read(data)
    assert found.outcome is TextOutcome.TEXT, found
    return [line for line in found.text.split("\n") if line.strip()]


def run(text: str, font: str = "") -> str:
    fonts = f'<w:rPr><w:rFonts w:ascii="{font}" w:hAnsi="{font}"/></w:rPr>' if font else ""
    return f'<w:r>{fonts}<w:t xml:space="preserve">{text}</w:t></w:r>'


def test_word_with_header_and_text_box() -> None:
    found = lines(docx("Điều 1. Phê duyệt", "Điều 2.", header="UBND TỈNH", box="HỎA TỐC"))
    assert [line for line in found if line != "TỈNH ỦY"] == [
        "HỎA TỐC",
        "Điều 1. Phê duyệt",
        "Điều 2.",
        "UBND TỈNH",
    ]


@pytest.mark.parametrize(("font", "text"), [(".VnTime", TCVN3), ("VNI-Times", VNI)])
def test_word_in_a_legacy_font_of_the_run(font: str, text: str) -> None:
    assert lines(docx_of(f"<w:p>{run(text, font)}{run(' – Điều 1', 'Times New Roman')}</w:p>")) == [
        f"{TEXT} – Điều 1"
    ]


def test_word_in_a_legacy_font_of_the_style_or_the_defaults() -> None:
    styles = (
        f'<w:styles xmlns:w="{W}"><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii=".VnTime"/></w:rPr>'
        '</w:rPrDefault></w:docDefaults><w:style w:type="paragraph" w:styleId="Moi"><w:rPr><w:rFonts w:ascii="Arial"/>'
        '</w:rPr></w:style><w:style w:type="paragraph" w:styleId="Con"><w:basedOn w:val="Moi"/></w:style></w:styles>'
    )
    body = f'<w:p>{run(TCVN3)}</w:p><w:p><w:pPr><w:pStyle w:val="Con"/></w:pPr>{run("Điều §1")}</w:p>'
    package = zipfile.ZipFile(io.BytesIO(docx_of(body)))
    parts: dict[str, str | bytes] = {name: package.read(name) for name in package.namelist()}
    assert lines(zip_of(parts | {"word/styles.xml": styles})) == [TEXT, "Điều §1"]


def test_a_workbook_with_dates_and_legacy_cells() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Kinh phí"
    sheet.append(["Hồ Tả Trạch", 1200.0, 1.5, date(2025, 5, 20), None, "=1+1"])
    sheet.append([TCVN3])
    sheet["A2"].font = Font(name=".VnTime")
    out = io.BytesIO()
    book.save(out)
    assert lines(out.getvalue()) == ["Kinh phí", "Hồ Tả Trạch\t1200\t1.5\t20/05/2025\t", f"{TEXT}\t"]


def test_an_open_document_with_spans_and_legacy_styles() -> None:
    body = '<text:h>Báo<text:s text:c="2"/>cáo</text:h><text:p>số <text:span>12</text:span>-BC</text:p>'
    body += f"<text:p>{TEXT}</text:p>"
    assert lines(odt(body)) == ["Báo  cáo", "số 12-BC", TEXT]


def test_an_open_document_in_a_legacy_font() -> None:
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:automatic-styles>'
        '<style:style style:name="P1" style:family="paragraph"><style:text-properties style:font-name=".VnTime"/>'
        f"</style:style></office:automatic-styles><office:body><office:text>"
        f'<text:p text:style-name="P1">{TCVN3}</text:p>'
        "</office:text></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        package.writestr("content.xml", content)
    assert lines(out.getvalue()) == [TEXT]


def test_rtf_in_a_legacy_font_and_in_unicode() -> None:
    coded = "".join(f"\\'{byte:02x}" if byte > 127 else chr(byte) for byte in TCVN3.encode("cp1252"))
    unicode = "".join(f"\\u{ord(c)}?" if ord(c) > 127 else c for c in "Điều 1. Khẩn")
    source = (
        r"{\rtf1\ansi\ansicpg1252\deff1{\fonttbl{\f0\fnil\fcharset0 .VnTime;}"
        r"{\f1\froman{\*\panose 02}Times New Roman;}}"
        rf"\pard {unicode}\par {{\f0 {coded}}}\par\f0\plain {unicode}\par}}"
    )
    assert lines(source.encode("ascii")) == ["Điều 1. Khẩn", TEXT, "Điều 1. Khẩn"]


def test_html_with_fonts_of_elements_and_classes() -> None:
    page = (
        '<html><head><style><!-- p.Cu {font-family:".VnTime"} --></style><script>bỏ</script></head><body>'
        f'<p class=Cu>{TCVN3}</p><font face=".VnTime">{TCVN3}</font><div>Điều <b>1</b>.</div></body></html>'
    )
    assert lines(page.encode()) == [TEXT, TEXT, "Điều 1."]


def test_html_of_an_old_word_is_read_in_its_code_page() -> None:
    page = f'<html><meta charset=windows-1252><p style="font-family:.VnTime">{TCVN3}</p></html>'
    assert lines(page.encode("cp1252")) == [TEXT]


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TCVN3.encode("cp1252"),
        VNI.encode("cp1252"),
    ],
    ids=["utf-8", "bom", "utf-16", "tcvn3", "vni"],
)
def test_plain_text_in_any_encoding(data: bytes) -> None:
    assert lines(data) == [TEXT]


def test_mail_and_xml() -> None:
    mail = "From: a@b\r\nTo: c@d\r\nSubject: =?utf-8?q?M=E1=BB=9Di_h=E1=BB=8Dp?=\r\nMIME-Version: 1.0\r\n"
    mail += "Content-Type: text/plain; charset=utf-8\r\n\r\nKính gửi"
    assert lines(mail.encode()) == ["Mời họp", "Kính gửi"]
    assert lines(b"<?xml version='1.0'?><a><b>m\xe1\xbb\x99t</b><c>hai</c></a>") == ["một", "hai"]


def test_pdf_pages_and_those_without_text() -> None:
    found = read(pdf(["Trang một", "dòng hai"], [], note="Đã ký"))
    assert (found.outcome, found.pages, found.pages_without_text, found.cut) == (TextOutcome.TEXT, 2, 1, "")
    assert found.text.split("\n")[:2] == ["Trang một", "dòng hai"]
    assert "pdfium" in found.engine
    assert read(pdf([])).outcome is TextOutcome.NO_TEXT


def written_pdf(*, password: str = "") -> bytes:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica")
    paper.cell(text="Quyet dinh 12")
    if password:
        paper.set_encryption(owner_password="o", user_password=password, permissions=AccessPermission.none())
    return bytes(paper.output())


def test_pdf_written_by_a_library_and_one_with_a_password() -> None:
    assert lines(written_pdf()) == ["Quyet dinh 12"]
    assert read(written_pdf(password="x")).outcome is TextOutcome.ENCRYPTED


@pytest.mark.parametrize(
    ("data", "outcome", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(99), TextOutcome.UNSUPPORTED, "image"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le") * 9,
            TextOutcome.UNSUPPORTED,
            "doc",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99_999) + "EncryptedPackage".encode("utf-16-le"),
            TextOutcome.ENCRYPTED,
            "ole",
        ),
        (pdf(["a"])[:200], TextOutcome.DAMAGED, "pdf"),
        (docx("a")[:-40], TextOutcome.DAMAGED, "docx"),
        (docx_of("<w:p><w:r>"), TextOutcome.DAMAGED, "docx"),
        (b"", TextOutcome.UNSUPPORTED, "other"),
        (b"  \n ", TextOutcome.NO_TEXT, "txt"),
    ],
)
def test_what_is_not_read_says_why(data: bytes, outcome: TextOutcome, kind: str) -> None:
    found = read(data)
    assert (found.outcome, found.format, found.text.strip()) == (outcome, kind, "")
    assert found.message


def test_limits_are_kept_and_told() -> None:
    assert (read(b"abc def " * 99, characters=20).cut, len(read(b"abc def " * 99, characters=20).text)) == (
        "characters",
        20,
    )
    assert (read(pdf(["a"], ["b"]), pages=1).cut, read(pdf(["a"], ["b"]), pages=1).text) == ("pages", "a")
    assert read(b"abc" * 99, size=100).outcome is TextOutcome.TOO_LARGE
    bomb = docx_of("<w:p/>" + " " * 9_000_000)
    assert len(bomb) < 100_000
    assert read(bomb, unpacked=5_000_000).outcome is TextOutcome.TOO_LARGE


def test_entities_are_not_expanded() -> None:
    package = zipfile.ZipFile(io.BytesIO(docx("x")))
    parts: dict[str, str | bytes] = {name: package.read(name) for name in package.namelist()}
    parts["word/document.xml"] = (
        f'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>x&a;y'
        "</w:t></w:r></w:p></w:body></w:document>"
    )
    assert "root" not in read(zip_of(parts)).text


@given(
    st.sampled_from([docx("Điều 1"), pdf(["Điều 1"]), odt("<text:p>a</text:p>"), b"{\\rtf1 a}", b"<html>a"]),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_no_damage_raises(data: bytes, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(0, len(data) - 1))
    found = read(data[:at] + draw.draw(st.binary(max_size=4)) + data[at + draw.draw(st.integers(0, 40)) :])
    assert isinstance(found.outcome, TextOutcome)


def test_short_types() -> None:
    assert [short_type(name) for name in ("application/pdf", "image/png", "x/y")] == ["pdf", "image", "other"]
