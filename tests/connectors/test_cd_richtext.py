"""Rich text that the exporter printed as raw composite data: its text is read all the same."""

from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lotus_notes import items
from connectors.lotus_notes.cd_records import CdError, cd_records, fonts_of
from connectors.lotus_notes.cd_richtext import Definitions, richtext_of
from connectors.lotus_notes.dxl import read_record
from connectors.lotus_notes.richtext import runs_of
from connectors.lotus_notes.richtext_html import html_of
from schemas.record import BytesContent, Field, Listing, SourceRecord, TextRun
from tests.connectors import cd_builder as cd
from tests.connectors.dxl_builder import attachment, document, item


def raw(name: str, data: bytes) -> str:
    return item(name, f"<rawitemdata type='1'>{base64.b64encode(data).decode()}</rawitemdata>")


def read(*items: str) -> SourceRecord:
    answer = read_record(Listing("k", "r", "l"), BytesContent(document(1, *items).encode()), {})
    assert isinstance(answer, SourceRecord), answer
    return answer


def body(data: bytes) -> Field:
    return read(raw("Body", data)).fields[-1]


def codes(record: SourceRecord) -> list[str]:
    return [defect.code for defect in record.defects]


POPUP, BUTTON, FILE, LINK, BUNDLE = 1, 3, 4, 11, 12
URL, FORMULA, COMPUTED = 0x1000, 0x10, 0x40000


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (cd.paragraph(cd.text("Kính gửi: "), cd.text("Ban Tổ chức")) + cd.paragraph(cd.text("Hết")),
         "Kính gửi: Ban Tổ chức\nHết"),
        (cd.paragraph(cd.text("a")) + cd.paragraph() + cd.paragraph(cd.text("b")), "a\n\nb"),
        (cd.text("không có đoạn"), "không có đoạn"),
        (cd.paragraph(cd.text("dòng một\0dòng hai")), "dòng một\ndòng hai"),
        (cd.paragraph(cd.text(" giữ  khoảng\ntrắng ")), " giữ  khoảng\ntrắng "),
        (cd.paragraph(cd.text("trước")) + cd.paragraph() + cd.table(
            cd.cell(0, 0, cd.text("STT")), cd.cell(0, 1, cd.text("Tên")),
            cd.cell(1, 0, cd.text("1")), cd.cell(1, 1, cd.text("Văn A"))) + cd.paragraph(cd.text("sau")),
         "trước\nSTT\tTên\n1\tVăn A\nsau"),
        (cd.table(cd.cell(0, 0, cd.text("ngoài"), cd.table(cd.cell(0, 0, cd.text("trong")), nested=True)),
                  cd.cell(0, 1, cd.text("kề"))), "ngoài\ntrong\nkề"),
        (cd.label("Thẻ 1") + cd.label("Thẻ 2") + cd.table(cd.cell(0, 0, cd.text("một")), cd.cell(1, 0, cd.text("hai"))),
         "Thẻ 1\nmột\nThẻ 2\nhai"),
        (cd.paragraph(cd.hotspot(FILE, 1, b"ATT1\0cv.pdf\0", cd.record(153, b"\0" * 20))), "cv.pdf"),
        (cd.paragraph(cd.hotspot(LINK, URL, b"http://a.example\0", cd.text("liên kết"), signature=173)), "liên kết"),
        (cd.paragraph(cd.hotspot(POPUP, 4, cd.lmbcs("thêm") + b"\0", cd.text("chữ"))), "chữ [thêm]"),
        (cd.paragraph(cd.hotspot(POPUP, FORMULA, b"\1\2\3", cd.text("chữ"))), "chữ"),
        (cd.paragraph(cd.hotspot(BUTTON, 0, b"", cd.record(171, b"\0" * 8 + bytes((1, 0, 0, 10)) + cd.lmbcs("Nút")))),
         "Nút"),
        (cd.hotspot(BUNDLE, 0, b"", cd.record(172, struct.pack("<II", 0, 1) + cd.lmbcs("Tiêu đề") + b"\0"),
                    cd.paragraph(cd.text("nội dung")), signature=173) + cd.paragraph(cd.text("sau")),
         "Tiêu đề\nnội dung\nsau"),
        (cd.hotspot(BUNDLE, 0, b"", cd.record(172, struct.pack("<IIH", 0x4000000, 1, 7) + cd.lmbcs("Màu")),
                    cd.paragraph(cd.text("x")), signature=173), "Màu\nx"),
        (cd.paragraph(cd.record(145, b"\1\0" + cd.lmbcs("Công văn 12") + b"\0CN=A/O=B\0")), "[Công văn 12]"),
        (cd.paragraph(cd.record(153, b"\0" * 20), cd.record(202, b"\4\0\0\0" + b"logo")), "[logo]"),
        (cd.paragraph(cd.record(118, b"\5\0" + b"\0" * 22 + b"Hinh1")), "Hinh1"),
        (cd.paragraph(cd.text("a"), cd.record(201, b"\0" * 10), cd.text("b")), "a\nb"),
        (cd.paragraph(cd.text("một ")) + cd.record(104, struct.pack("<HHII", 1, 1, 0, 0))
         + cd.paragraph(cd.text("đoạn")) + cd.record(104, struct.pack("<HHII", 1, 2, 0, 0))
         + cd.paragraph(cd.text("khác")), "một đoạn\nkhác"),
        (cd.paragraph(cd.record(169, struct.pack("<HIH", 2, 0, 0)), cd.text("nóng")) + cd.paragraph(cd.text("vẫn"))
         + cd.record(170) + cd.paragraph(cd.text("thôi")), "nóng\nvẫn\nthôi"),
        (cd.definition(1, flags_2=0x0002) + cd.paragraph(cd.text("xong")), "☑ xong"),
    ],
)  # fmt: skip
def test_the_text_of_composite_data(data: bytes, text: str) -> None:
    field = body(data)
    assert field.text == text
    assert (field.type, field.attributes["type"]) == ("rawitemdata", "1")


@pytest.mark.parametrize(
    ("flags", "flags_2", "hidden"),
    [(0x0010, 0, True), (0x0800, 0, True), (0x2000, 0, True), (0x8000, 0, True), (0, 1, True),
     (0x0020 | 0x0040 | 0x0200, 0, False), (0, 0, False)],
)  # fmt: skip
def test_hidden_paragraphs_are_marked_in_every_item_of_the_name(
    flags: int, flags_2: int, hidden: bool
) -> None:
    first = cd.definition(1, flags, flags_2) + cd.paragraph(cd.text("a"))
    record = read(raw("Body", first), raw("Body", cd.paragraph(cd.text("b"))))
    assert [field.runs for field in record.fields if field.name == "Body"] == [
        (TextRun("a", "sans-serif", hidden),),
        (TextRun("b", "sans-serif", hidden),),
    ]


def test_fonts_are_numbers_into_an_item_of_their_own_wherever_it_stands() -> None:
    data = cd.paragraph(cd.text("Céng hßa", face=5), cd.text(" x", face=0), cd.text("y", face=9))
    record = read(raw("Body", data), raw("$Fonts", cd.fonts(f5=".VnTime", f6="Arial")))
    assert record.fields[-2].runs == (
        TextRun("Céng hßa", ".VnTime"),
        TextRun(" x", "serif"),
        TextRun("y", None),
    )
    assert record.fields[-1].values == (".VnTime", "Arial")
    assert codes(record) == ["richtext_as_raw_data", "richtext_from_raw_cd", "richtext_fonts_unknown"]
    assert "fonts 9 have" in record.defects[-1].message


def test_what_the_text_refers_to_is_noted_and_files_get_the_names_that_readers_see() -> None:
    unids = bytes(range(8)) + bytes(range(8, 24)) + bytes(range(24, 40))
    data = cd.paragraph(
        cd.hotspot(FILE, 1, b"ATT1\0cv.pdf\0"),
        cd.record(146, unids + cd.lmbcs("Văn bản") + b"\0\0"),
        cd.record(203, struct.pack("<IH", 0, 3) + b"neo"),
    )
    record = read(raw("Body", data), attachment("ATT1", b"%PDF"))
    marks = next(field for field in record.fields if field.name == "Body").children
    assert [(mark.name, dict(mark.attributes)) for mark in marks] == [
        ("attachmentref", {"name": "ATT1", "displayname": "cv.pdf"}),
        ("doclink", {"database": "0706050403020100", "view": "0F0E0D0C0B0A09081716151413121110",
                     "document": "1F1E1D1C1B1A19182726252423222120", "description": "Văn bản"}),
        ("anchor", {"name": "neo"}),
    ]  # fmt: skip
    assert [file.name for file in record.attachments] == ["Body.itemdata-1", "cv.pdf"]


def test_the_same_tree_gives_html() -> None:
    data = cd.definition(1, justified=3) + cd.paragraph(cd.text("đậm", attributes=1, color=2, size=14))
    markup = html_of(richtext_of(data, {}, Definitions(), 1).richtext)
    assert '<div class="par" style="text-align:center">' in markup
    assert (
        '<span style="font-family:\'sans-serif\';font-size:14pt;color:red" data-font="sans-serif"><b>đậm'
        in markup
    )


def test_what_was_not_read_is_said() -> None:
    data = (
        cd.paragraph(cd.text("a"))
        + cd.record(82, b"??")
        + cd.record(133, b"\1\0\0\n\2\x95")
        + b"\x85\xff\xff\0"
    )
    record = read(raw("Body", data))
    assert codes(record) == [
        "richtext_as_raw_data",
        "richtext_from_raw_cd",
        "richtext_cd_broken",
        "lmbcs_undecoded",
    ]
    assert "1 of them of unknown kinds" in record.defects[1].message
    assert record.fields[-1].text == "a\ufffd"


def test_the_bytes_stay_beside_the_text() -> None:
    data = cd.paragraph(cd.text("a"))
    (file,) = read(raw("Body", data)).attachments
    with file.content.open() as stream:
        assert (file.name, stream.read()) == ("Body.itemdata-1", data)


def test_what_no_item_can_hold_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    data = cd.paragraph(cd.text("a"))
    monkeypatch.setattr(items, "_LARGEST_COMPOSITE", len(data) - 1)
    record = read(raw("Body", data))
    assert (codes(record), record.fields[-1].text) == (["richtext_as_raw_data"], "")
    assert [file.content.size for file in record.attachments] == [len(data)]


def test_records_of_every_length() -> None:
    found = [
        (each.signature, each.body)
        for each in cd_records(cd.record(153, b"a") + cd.record(133, b"bc") + cd.record(129))
    ]
    assert found == [(153, b"a"), (133, b"bc"), (129, b"")]
    for broken in (b"\x85\xff\x03\0", b"\x81\x01", b"\x85\xff\x09\0ab", b"a"):
        with pytest.raises(CdError):
            list(cd_records(broken))
    assert fonts_of(b"\x85\xff\x09\0ab") == {}


_SIGNATURES = st.sampled_from((104, 118, 126, 127, 129, 130, 131, 133, 139, 145, 146, 153, 163, 164, 165, 169, 170, 171,
                               172, 173, 174, 201, 202, 203, 207, 208, 209, 227))  # fmt: skip


@given(st.lists(st.tuples(_SIGNATURES, st.binary(max_size=90)), max_size=12), st.binary(max_size=6))
def test_no_records_break_it_and_no_letter_is_lost(records: list[tuple[int, bytes]], rest: bytes) -> None:
    whole = b"".join(cd.record(signature, content) for signature, content in records)
    letters = cd.paragraph(cd.text("đủ")) + whole + cd.text("chữ")
    text = richtext_of(letters + rest, {}, Definitions(), 1)
    plain = "".join(run.text for run in runs_of(text.richtext)[0])
    assert plain.startswith("đủ")
    assert "chữ" in plain
    assert html_of(text.richtext)


@pytest.mark.parametrize(
    "opens", [cd.record(163, b"\0" * 12) + cd.cell(0, 0), cd.record(169, struct.pack("<HIH", 2, 0, 0)),
              cd.record(173, struct.pack("<HIH", BUNDLE, 0, 0))]
)  # fmt: skip
def test_what_is_nested_without_end_keeps_its_text(opens: bytes) -> None:
    text = richtext_of(opens * 5000 + cd.paragraph(cd.text("chữ")), {}, Definitions(), 1)
    assert "".join(run.text for run in runs_of(text.richtext)[0]).strip() == "chữ"
    assert "chữ" in html_of(text.richtext)


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    assert isinstance(richtext_of(data, {}, Definitions(), 1).broken, str)
