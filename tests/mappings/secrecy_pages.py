"""The measured set of page layouts: where and how real templates, stamps and scanners put a mark on a file."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from email.message import EmailMessage

from tests.mappings.page_files import (
    Page,
    Text,
    docx,
    docx_of,
    drawing,
    hexed,
    odt,
    page_of_lines,
    paragraph,
    pdf,
    pdf_of,
    zip_of,
)

HEADING = ["TỈNH ỦY BÌNH PHƯỚC          ĐẢNG CỘNG SẢN VIỆT NAM", "*", "Số 160-KL/TU"]
BODY = ["KẾT LUẬN", "về công tác dân vận năm 2012", "Ban Thường vụ Tỉnh ủy kết luận như sau:"]
_TABLE = "<w:tbl><w:tr><w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr></w:tbl>"
_STAMP = b"/Type/Annot/Subtype/Stamp/Rect[400 700 560 740]"


def _columns(*more: Text) -> Page:
    """The two columns of a Party document's heading, each line a text object, and what a test adds."""
    return Page(
        [
            Text(50, 800, "TỈNH ỦY BÌNH PHƯỚC"), Text(320, 800, "ĐẢNG CỘNG SẢN VIỆT NAM"),
            Text(110, 785, "*"), Text(60, 770, "Số 160-KL/TU"),
            Text(320, 770, "Bình Phước, ngày 05 tháng 3 năm 2012"), Text(250, 720, "KẾT LUẬN"),
            Text(180, 700, "về công tác dân vận năm 2012"),
            *more,
        ]
    )  # fmt: skip


def _apart(mark: str, x: float, y: float, step: float, down: float = 0) -> list[Text]:
    """Every letter a text object of its own."""
    return [Text(x + step * at, y - down * at, letter) for at, letter in enumerate(mark) if letter != " "]


def _widget(value: str, drawn: bool) -> bytes:
    said = b"/AP<</N 10 0 R>>" if drawn else b"/V" + hexed("\ufeff" + value)
    return b"/Type/Annot/Subtype/Widget/FT/Tx/T(f)/F 4/Rect[400 700 560 740]" + said


def _mail(mark: str, *, subject: str = "", body: str = "", file: bytes = b"") -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "vanthu@demo.invalid", "tonghop@demo.invalid"
    message["Subject"] = subject or "Gửi báo cáo"
    message.set_content(body or "Kính gửi văn bản.")
    if file:
        message.add_attachment(file, maintype="application", subtype="pdf", filename="bao_cao.pdf")
    return bytes(message)


def _rtf(text: str) -> bytes:
    escaped = "".join(c if c.isascii() else f"\\u{ord(c)}?" for c in text)
    return rb"{\rtf1\ansi\ansicpg1258{\fonttbl{\f0 Times;}}" + escaped.encode("ascii") + b"}"


def _ole(text: str, codec: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + text.encode(codec)


def _watermark(mark: str) -> str:
    shape = f'<v:shape><v:textpath string="{mark}"/></v:shape>'
    return f"<w:p><w:r><w:pict>{shape}</w:pict></w:r></w:p>"


def _property(value: str) -> str:
    held = f'<property name="DoMat"><vt:lpwstr>{value}</vt:lpwstr></property>'
    return f'<Properties xmlns:vt="v">{held}</Properties>'


def _base64_lines(data: bytes) -> bytes:
    return base64.encodebytes(data)


# Each makes a whole file with the mark.
LAYOUTS: Mapping[str, Callable[[str], bytes]] = {
    "pdf: under the organ": lambda m: pdf(["TỈNH ỦY BÌNH PHƯỚC", "*", m, "Số 160-KL/TU", *BODY]),
    "pdf: beside the number": lambda m: pdf([*HEADING[:2], f"Số 160-KL/TU        {m}", *BODY]),
    "pdf: above everything": lambda m: pdf([m, *HEADING, *BODY]),
    "pdf: between the columns": lambda m: pdf_of([_columns(Text(230, 800, m))]),
    "pdf: below the notation": lambda m: pdf_of([_columns(Text(80, 740, m))]),
    "pdf: in the second column": lambda m: pdf_of([_columns(Text(380, 750, m))]),
    "pdf: at the foot": lambda m: pdf_of([_columns(Text(270, 30, m))]),
    "pdf: first in the file, last on the page": lambda m: pdf_of(
        [Page([Text(450, 60, m), *_columns().texts])]
    ),
    "pdf: last in the file, first on the page": lambda m: pdf_of([_columns(Text(20, 825, m))]),
    "pdf: between the parts of a line": lambda m: pdf_of([_columns(Text(160, 770, m, size=14))]),
    "pdf: letters spaced by the font": lambda m: pdf_of([_columns(Text(80, 740, m, spacing=9))]),
    "pdf: letters spaced by hand": lambda m: pdf_of([_columns(Text(80, 740, " ".join(m.replace(" ", ""))))]),
    "pdf: every letter an object": lambda m: pdf_of([_columns(*_apart(m, 80, 740, 16))]),
    "pdf: letters spaced between the columns": lambda m: pdf_of(
        [Page([Text(20, 800, "TỈNH ỦY"), *_apart(m, 130, 800, 15), Text(420, 800, "ĐẢNG CỘNG SẢN VIỆT NAM")])]
    ),
    "pdf: letters below each other": lambda m: pdf_of([_columns(*_apart(m, 30, 700, 0, down=20))]),
    "pdf: turned upwards": lambda m: pdf_of([_columns(Text(30, 500, m, angle=90))]),
    "pdf: turned downwards": lambda m: pdf_of([_columns(Text(570, 500, m, angle=-90))]),
    "pdf: across the page": lambda m: pdf_of([_columns(Text(150, 300, m, size=60, angle=45))]),
    "pdf: slightly askew, as stamped": lambda m: pdf_of([_columns(Text(80, 735, m, angle=4))]),
    "pdf: twice, for bold": lambda m: pdf_of([_columns(Text(80, 740, m), Text(80.4, 740, m))]),
    "pdf: invisible, behind a scan": lambda m: pdf_of([_columns(Text(80, 740, m, mode=3))]),
    "pdf: in two lines": lambda m: pdf_of(
        [_columns(*(Text(80, 745 - 14 * at, word) for at, word in enumerate(m.split())))]
    ),
    "pdf: framed": lambda m: pdf([*HEADING, f"| {m} |", *BODY]),
    "pdf: starred": lambda m: pdf([*HEADING, f"*** {m} ***", *BODY]),
    "pdf: with urgency": lambda m: pdf([*HEADING, f"{m} - HỎA TỐC", *BODY]),
    "pdf: after urgency": lambda m: pdf_of([_columns(Text(60, 745, "KHẨN"), Text(130, 745, m))]),
    "pdf: labelled": lambda m: pdf([*HEADING, f"Độ mật: {m.title()}", *BODY]),
    "pdf: in a title in brackets": lambda m: pdf([*HEADING, f"KẾT LUẬN ({m.lower()})"]),
    "pdf: in TCVN3": lambda m: pdf([*HEADING, m.replace("Ậ", "Ë").replace("Ố", "è").replace("Ệ", "Ö")]),
    "pdf: in VNI": lambda m: pdf([*HEADING, m.replace("Ậ", "AÄ").replace("Ố", "OÁ").replace("Ệ", "EÄ")]),
    "pdf: decomposed": lambda m: pdf([*HEADING, m.replace("Ậ", "A\u0323\u0302"), *BODY]),
    "pdf: a cover sheet before": lambda m: pdf(["ĐỀ ÁN", "công tác dân vận"], [*HEADING, m, *BODY]),
    "pdf: a transmittal slip before": lambda m: pdf([*HEADING, "PHIẾU GỬI"], [*HEADING, m, *BODY]),
    "pdf: an empty page before": lambda m: pdf([], [*HEADING, m, *BODY]),
    "pdf: two covers before": lambda m: pdf(["ĐỀ ÁN"], ["MỤC LỤC"], [m, *HEADING]),
    "pdf: the words of a stamp": lambda m: pdf([*HEADING, *BODY], note=m),
    "pdf: the drawing of a stamp": lambda m: pdf_of(
        [Page(_columns().texts, [_STAMP + b"/F 4/AP<</N 10 0 R>>"])], appearance=drawing(m)
    ),
    "pdf: the value of a form field": lambda m: pdf_of([Page(_columns().texts, [_widget(m, False)])]),
    "pdf: the drawing of a form field": lambda m: pdf_of(
        [Page(_columns().texts, [_widget(m, True)])], appearance=drawing(m)
    ),
    "pdf: in the title of the file": lambda m: pdf([*HEADING, *BODY], title=f"Kết luận ({m.title()})"),
    "pdf: in a file inside": lambda m: pdf_of(
        [page_of_lines(["Mở tệp kèm theo"])], carried=("van_ban.pdf", pdf([*HEADING, m]))
    ),
    "docx: a paragraph": lambda m: docx("TỈNH ỦY", m, "BÁO CÁO"),
    "docx: split in runs": lambda m: docx_of(paragraph("TỈNH ỦY") + paragraph(*m) + paragraph("BÁO CÁO")),
    "docx: split inside a word": lambda m: docx_of(paragraph(m[:-1], m[-1]) + paragraph("BÁO CÁO")),
    "docx: a cell of the heading": lambda m: docx_of(
        _TABLE.format(paragraph("TỈNH ỦY") + paragraph(m), paragraph("ĐẢNG CỘNG SẢN VIỆT NAM"))
    ),
    "docx: after a tab": lambda m: docx_of(paragraph(f"Số 160-KL/TU\t{m}")),
    "docx: after a line break": lambda m: docx_of(paragraph(f"Số 160-KL/TU\n{m.lower()}")),
    "docx: a header": lambda m: docx("BÁO CÁO", header=m),
    "docx: a footer": lambda m: docx_of(paragraph("BÁO CÁO"), footer=paragraph(m)),
    "docx: a text box": lambda m: docx("BÁO CÁO", box=m),
    "docx: a watermark": lambda m: docx_of(paragraph("BÁO CÁO"), header=_watermark(m)),
    "docx: a property": lambda m: docx_of(paragraph("BÁO CÁO"), custom=_property(m.title())),
    "odt: a paragraph": lambda m: odt(
        f"<text:p>TỈNH ỦY</text:p><text:p><text:span>{m[:1]}</text:span>{m[1:]}</text:p>"
    ),
    "odt: a text box": lambda m: odt(
        f"<text:p>BÁO CÁO<draw:frame><draw:text-box><text:p>{m}</text:p></draw:text-box></draw:frame></text:p>"
    ),
    "odt: a header": lambda m: odt("<text:p>BÁO CÁO</text:p>", styles=f"<text:p>{m}</text:p>"),
    "rtf: a paragraph": lambda m: _rtf(rf"\pard TỈNH ỦY\par {m}\par BÁO CÁO"),
    "rtf: a header": lambda m: _rtf(rf"{{\header \pard {m}\par}}\pard BÁO CÁO\par"),
    "rtf: a text box": lambda m: _rtf(rf"\pard BÁO CÁO{{\shp{{\*\shpinst{{\shptxt \pard {m}\par}}}}}}\par"),
    "rtf: in code page 1258": lambda m: _rtf(
        r"\pard TINH UY\par "
        + "".join(c if c.isascii() else "".join(rf"\'{b:02x}" for b in _in_1258(c)) for c in m)
        + r"\par"
    ),
    "rtf: after a picture": lambda m: _rtf(rf"{{\pict\pngblip {'89504e47' * 40_000}}}\pard {m}\par"),
    "doc: in UTF-16": lambda m: _ole(f"TỈNH ỦY\r{m}\rBÁO CÁO\r", "utf-16-le"),
    "doc: starred": lambda m: _ole(f"TỈNH ỦY\r* {m} *\rBÁO CÁO\r", "utf-16-le"),
    "txt: in UTF-8": lambda m: f"TỈNH ỦY\r\n{m}\r\nBÁO CÁO".encode(),
    "txt: in UTF-16 without a mark": lambda m: f"TỈNH ỦY\r\n{m}\r\nBÁO CÁO".encode("utf-16-le"),
    "html: a cell": lambda m: (
        f"<html><table><tr><td>TỈNH ỦY</td><td><b>{m}</b></td></tr></table></html>".encode()
    ),
    "mail: its subject": lambda m: _mail(m, subject=f"Báo cáo ({m.title()})"),
    "mail: its text": lambda m: _mail(m, body=f"Kính gửi,\n{m}\nvăn bản"),
    "mail: a file": lambda m: _mail(m, file=pdf([*HEADING, m])),
    "zip: a file": lambda m: zip_of({"bao_cao.pdf": pdf([*HEADING, m])}),
    "zip: a ZIP with a file": lambda m: zip_of({"a.zip": zip_of({"b/bao_cao.docx": docx("BÁO CÁO", m)})}),
    "zip: the name of a file": lambda m: zip_of({f"2012/{m}/BC_{m}.pdf": pdf([*HEADING, *BODY])}),
    "edxml: a file of a package inside": lambda m: (
        b"<?xml version='1.0'?><edXML><Attachment>"
        + _base64_lines(pdf([*HEADING, m]))
        + b"</Attachment></edXML>"
    ),
    "edxml: an element of a package inside": lambda m: (
        f"<edXML><MucDoMat>{m.title()}</MucDoMat></edXML>".encode()
    ),
}


def _in_1258(letter: str) -> bytes:
    """A letter in code page 1258: its shape, then its tone."""
    shaped = {"Ậ": "\u00c2\u0323", "Ố": "\u00d4\u0301", "Ệ": "\u00ca\u0323"}.get(letter, letter)
    return shaped.encode("cp1258")


ORDINARY_PAGES: Mapping[str, bytes] = {
    "pdf: a conclusion": pdf([*HEADING, *BODY]),
    "pdf: about the law": pdf(
        [*HEADING, "KẾT LUẬN", "về công tác bảo vệ bí", "mật nhà nước và bảo mật thông tin", "mật độ dân số"]
    ),
    "pdf: a mark on a later page alone": pdf([*HEADING, *BODY], ["MẬT"]),
    "pdf: the signer's name": pdf_of([_columns(Text(350, 100, "Nguyễn Văn Mật"))]),
    "pdf: letters apart of another word": pdf_of([_columns(*_apart("BẢO MẬT", 80, 740, 14))]),
    "pdf: a stamp of arrival": pdf([*HEADING, *BODY], note="CÔNG VĂN ĐẾN Số 12"),
    "pdf: a list of levels": pdf([*HEADING, "DANH MỤC BÍ MẬT NHÀ NƯỚC ĐỘ TUYỆT MẬT, TỐI MẬT VÀ MẬT"]),
    "pdf: broken": b"%PDF-1.7\nbroken",
    "docx: about the law": docx("TỈNH ỦY", "Luật Bảo vệ bí mật nhà nước", "không mật", "BẢO MẬT THÔNG TIN"),
    "docx: a form that is not ticked": docx("Độ mật: ☐ Mật ☐ Tối mật ☐ Tuyệt mật"),
    "docx: a Front": docx("ỦY BAN MẶT TRẬN TỔ QUỐC VIỆT NAM", "mất mùa", header="MẶT TRẬN"),
    "odt: about density": odt("<text:p>Mật độ dân số</text:p>"),
    "rtf: about bees": _rtf(r"\pard Nuôi ong lấy mật ong\par MẬT ONG\par"),
    "mail: a disclaimer": _mail("", body="This message is confidential.\nBảo mật thông tin."),
    "zip: ordinary files": zip_of({"mat_do.pdf": pdf([*HEADING, *BODY]), "a.txt": "bí mật kinh doanh"}),
    "xml: not secret": b"<edXML><MucDoMat>0</MucDoMat><MatDo>12</MatDo></edXML>",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
}
