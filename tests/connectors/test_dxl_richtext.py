"""What a reader sees of every element of DXL's rich text, as plain text."""

from __future__ import annotations

import base64
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from connectors.lotus_notes.dxl import read_record
from connectors.lotus_notes.encoding import UTF8, Encoding
from connectors.lotus_notes.folder import DxlFolder
from connectors.lotus_notes.record_xml import read_xml
from connectors.lotus_notes.richtext import runs_of
from connectors.lotus_notes.richtext_plain import plain_runs
from schemas.record import BytesContent, Field, Listing, SourceRecord, Window
from tests.connectors.dxl_builder import document, item


def record(body: str) -> SourceRecord:
    xml = document(1, item("Body", f"<richtext>{body}</richtext>"))
    answer = read_record(Listing("k", "r", "l"), BytesContent(xml.encode()), {})
    assert isinstance(answer, SourceRecord), answer
    return answer


def read(body: str) -> Field:
    return record(body).fields[-1]


def row(*cells: str) -> str:
    return "<tablerow>" + "".join(f"<tablecell>{cell}</tablecell>" for cell in cells) + "</tablerow>"


def par(text: str) -> str:
    return f"<par><run>{text}</run></par>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(
            "<table>" + row(par("STT"), par("Họ tên")) + row(par("1"), par("Nguyễn Văn A")) + "</table>",
            "STT\tHọ tên\n1\tNguyễn Văn A",
            id="rows of one-line cells read as rows",
        ),
        pytest.param(
            "<table>" + row(par("A"), "<par/>", par("C")) + "</table>", "A\t\tC", id="an empty cell keeps its place"
        ),
        pytest.param(
            "<table>" + row(par("TỈNH ỦY") + par("Số 12"), par("ĐẢNG CỘNG SẢN")) + "</table>",
            "TỈNH ỦY\nSố 12\nĐẢNG CỘNG SẢN",
            id="cells of several lines follow one another",
        ),
        pytest.param(
            "<table>" + row("<par>a<break/>b</par>", par("c")) + "</table>", "a\nb\nc", id="a break makes two lines"
        ),
        pytest.param(
            "<table>" + row("lạc", par("b")) + "</table>", "lạc\nb", id="text outside a paragraph of a cell"
        ),
        pytest.param(
            "<table rowdisplay='tabs'><tablerow tablabel='Thẻ 1'><tablecell><par>một</par></tablecell></tablerow>"
            "<tablerow tablabel='Thẻ 2'><tablecell><par>hai</par></tablecell></tablerow></table>",
            "Thẻ 1\nmột\nThẻ 2\nhai",
            id="labels of tabs",
        ),
        pytest.param(
            "<par>trước<horizrule/>sau</par>", "trước\nsau", id="a rule parts words"
        ),
        pytest.param(
            "<pardef id='1' list='uncheck'/><pardef id='2' list='check'/><par def='1'>chưa</par>"
            "<par def='2'>xong</par>",
            "☐ chưa\n☑ xong",
            id="a check box says something",
        ),
        pytest.param(
            "<pardef id='1' list='number'/><par def='1'>Điều khoản</par>", "Điều khoản", id="no number is invented"
        ),
        pytest.param(
            "<par><doclink document='X' description='Công văn 12'/> kèm theo</par>",
            "[Công văn 12] kèm theo",
            id="an icon has its description",
        ),
        pytest.param(
            "<par><doclink document='X' description='Công văn 12'>xem đây</doclink></par>", "xem đây", id="hot text"
        ),
        pytest.param("<par><picture alttext='Sơ đồ'><gif>AAEC</gif></picture></par>", "[Sơ đồ]", id="alternative text"),
        pytest.param(
            "<par><attachmentref name='a.doc'><picture alttext='biểu tượng'><gif>AA==</gif></picture></attachmentref>"
            "</par>",
            "a.doc",
            id="the icon of a file does not hide its name",
        ),
        pytest.param("<par><attachmentref path='C:\\tmp\\bc.doc'/></par>", "bc.doc", id="a file by its path"),
        pytest.param(
            "<par><attachmentref name='ATT1' displayname='a.doc' caption='Báo cáo'/></par>", "Báo cáo", id="caption"
        ),
        pytest.param(
            "<par><objectref name='EXT1' description='Bảng tính'><picture><cgm>AA==</cgm></picture></objectref></par>",
            "[Bảng tính]",
            id="object",
        ),
        pytest.param("<par><javaapplet inactivetext='tắt'><code event='x'/></javaapplet></par>", "tắt", id="applet"),
        pytest.param(
            "<par><imagemap><picture><gif>AA==</gif></picture><area alttext='Phòng A'><point x='1' y='1'/></area>"
            "</imagemap></par>",
            "[Phòng A]",
            id="image map",
        ),
        pytest.param(
            "<par><embeddedcontrol><text>gõ</text><embeddedkeywords><keyword on='true'>có</keyword>"
            "<keyword>không</keyword></embeddedkeywords></embeddedcontrol></par>",
            "gõ\n☑ có\n☐ không",
            id="control",
        ),
        pytest.param(
            "<par>a<layer><layerbackground><imageref name='x'/></layerbackground><par>lớp</par></layer></par>",
            "a\nlớp",
            id="layer",
        ),
        pytest.param("<par>a<region regionid='1'>b</region><span propid='1'>c</span></par>", "abc", id="region, span"),
        pytest.param("<par><actionhotspot><code event='click'><formula>x</formula></code>Bấm</actionhotspot></par>",
                     "Bấm", id="hotspot"),
        pytest.param("<par><namedelementlink type='view' name='V'>Xem</namedelementlink></par>", "Xem", id="view link"),
        pytest.param("<par><run html='true'>&lt;b&gt;x&lt;/b&gt;</run></par>", "<b>x</b>", id="pass-through HTML"),
    ],
)  # fmt: skip
def test_what_a_reader_sees(body: str, text: str) -> None:
    assert read(body).text == text


def test_what_stands_hidden_is_kept_with_its_line_end() -> None:
    runs = read(
        "<pardef id='1' hide='notes'/><pardef id='2'/><par def='2'>a</par><par def='1'>b</par><par def='2'>c</par>"
    ).runs
    assert [(run.text, run.hidden) for run in runs] == [("a", False), ("\nb", True), ("\nc", False)]


def test_a_hidden_section_title() -> None:
    runs = read(
        "<pardef id='1' hide='read'/><section><sectiontitle pardef='1'><text>T</text></sectiontitle>"
        "<par>x</par></section>"
    ).runs
    assert [(run.text, run.hidden) for run in runs] == [("T", True), ("\nx", False)]


def test_a_later_definition_of_one_id_counts_from_there_on() -> None:
    runs = read("<pardef id='1' hide='read'/><par def='1'>a</par><pardef id='1'/><par def='1'>b</par>").runs
    assert [(run.text, run.hidden) for run in runs] == [("a", True), ("\nb", False)]


def test_what_has_no_text_is_noted_where_it_stands() -> None:
    marks = read(
        "<par><anchor name='neo'/><computedtext><code event='value'><formula>@Now</formula></code></computedtext>"
        "<embeddedview name='Tất cả'/><picture><nativeimage imagetype='png' imagename='p.png'/></picture></par>"
        "<subformref name='Chân trang'/>"
    ).children
    assert [(mark.name, mark.attributes.get("name", "")) for mark in marks] == [
        ("anchor", "neo"),
        ("computedtext", ""),
        ("embeddedview", "Tất cả"),
        ("picture", ""),
        ("subformref", "Chân trang"),
    ]
    assert dict(marks[3].attributes) == {"format": "nativeimage", "imagetype": "png", "imagename": "p.png"}


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (b"\x75\xff\x06\0ab", []),
        (b"\x76\xff\x06\0ab", ["richtext_record_raw"]),
        (b"\x52\xff\x06\0ab", ["richtext_record_raw"]),
        (b"", ["richtext_record_raw"]),
    ],
)
def test_a_piece_that_the_exporter_printed_as_bytes_is_told_of_unless_it_cannot_hold_text(
    data: bytes, codes: list[str]
) -> None:
    raw = base64.b64encode(data).decode()
    whole = record(f"<par>a<compositedata type='117'>{raw}</compositedata>b</par>")
    assert [defect.code for defect in whole.defects] == codes
    assert whole.fields[-1].text == "ab"
    (mark,) = whole.fields[-1].children
    assert (mark.name, mark.attributes["type"], mark.attributes["size"]) == (
        "compositedata",
        "117",
        str(len(data)),
    )


def test_the_mark_of_a_link_comes_before_those_that_it_holds() -> None:
    marks = read(
        "<par><urllink href='http://x'><picture><gif>AA==</gif></picture>chữ</urllink></par>"
    ).children
    assert [(mark.name, mark.values) for mark in marks] == [("urllink", ("chữ",)), ("picture", ())]


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
_INLINE: st.SearchStrategy[tuple[str, str]] = st.deferred(
    lambda: st.one_of(
        _TEXT.map(lambda text: (text, f"<run><font name='.VnTime'/>{_escaped(text)}</run>")),
        st.lists(_INLINE, min_size=1, max_size=3).map(_wrapped("urllink")),
        st.lists(_INLINE, min_size=1, max_size=3).map(_wrapped("span")),
        _TEXT.map(lambda text: (text, f"<button>{_escaped(text)}</button>")),
    )
)
_BLOCK: st.SearchStrategy[tuple[str, str]] = st.deferred(
    lambda: st.one_of(
        st.lists(_INLINE, max_size=3).map(_wrapped("par")),
        st.lists(_BLOCK, max_size=3).map(_wrapped("section")),
        st.lists(st.lists(_BLOCK, max_size=2).map(_wrapped("tablecell")), max_size=3)
        .map(_wrapped("tablerow"))
        .map(lambda row: (row[0], f"<table>{row[1]}</table>")),
    )
)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _wrapped(name: str):  # type: ignore[no-untyped-def]
    def wrap(parts: list[tuple[str, str]]) -> tuple[str, str]:
        return "".join(text for text, _ in parts), f"<{name}>{''.join(xml for _, xml in parts)}</{name}>"

    return wrap


_SPACED = st.sampled_from(["chữ", " a ", "a\n b", "\n", " ", "\nđầu", "cuối\n", "a \n b", ""])
_FONT = st.sampled_from(["", "<font/>", "<font name='.VnTime'/>", "<font name='Arial' style='bold'/>"])
_BREAK = st.sampled_from(["", "", "<break/>"])
_RUN = st.tuples(_FONT, _SPACED, _BREAK, _SPACED).map(lambda parts: f"<run>{''.join(parts)}</run>")
_PLAIN_PAR = st.tuples(
    st.sampled_from(["", " def='1'", " def='2'", " def='3'"]),
    st.lists(st.one_of(_RUN, _SPACED, _BREAK), max_size=4).map("".join),
).map(lambda parts: f"<par{parts[0]}>{parts[1]}</par>")
_PLAIN_PART = st.one_of(
    _PLAIN_PAR,
    _PLAIN_PAR,
    st.sampled_from(
        ["\n", "<pardef id='1'/>", "<pardef id='2' hide='read'/>", "<pardef id='1' hide='notes'/>"]
    ),
)
_OTHER_PART = st.sampled_from(
    [
        "<par>a<break/>b</par>",
        "<par keepindentation='true'>a\nb</par>",
        "<table/>",
        "lạc",
        "<pardef id='3' list='check'/>",
    ]
)


@given(st.lists(st.one_of(_PLAIN_PART, _PLAIN_PART, _PLAIN_PART, _OTHER_PART), max_size=8).map("".join))
def test_what_is_read_without_a_tree_is_read_as_with_one(body: str) -> None:
    xml = read_xml(BytesContent(f"<document><richtext>{body}</richtext></document>".encode()), Encoding(UTF8))
    (richtext,) = xml.root
    with_tree = runs_of(xml.node(richtext))
    without = plain_runs(xml, richtext)
    plain = not any(odd in body for odd in ("name='x'", "keepindent", "<table", "lạc"))
    assert without is None or (without, ()) == with_tree
    assert without is not None or not plain or "check" in body


@given(st.lists(_BLOCK, max_size=5))
def test_every_letter_comes_back_in_order_however_it_is_nested(blocks: list[tuple[str, str]]) -> None:
    text = read("".join(xml for _, xml in blocks)).text
    assert text.replace("\n", "").replace("\t", "") == "".join(text for text, _ in blocks)


_NOT_SHOWN = frozenset({"code", "field", "formula", "gif", "jpeg", "png", "notesbitmap", "cgm", "bitmap"})


def _printed_letters(element: etree._Element) -> str:
    """Every letter between the tags of rich text but those of code and pictures."""
    if not isinstance(element.tag, str) or etree.QName(element).localname in _NOT_SHOWN:
        return ""
    return (element.text or "") + "".join(_printed_letters(child) + (child.tail or "") for child in element)


@pytest.mark.samples
def test_no_letter_of_real_rich_text_is_lost(samples: Path) -> None:
    compared = 0
    for path in sorted((samples / "dxl").glob("test_*.xml")):
        source = DxlFolder("samples", path)
        shown: Counter[str] = Counter()
        for answer in source.fetch(list(source.inventory(Window()))):
            if isinstance(answer, SourceRecord):
                shown.update("".join(field.text for field in answer.fields if field.type == "richtext"))
        items = etree.parse(path).iterfind(".//{*}document/{*}item/{*}richtext")
        printed = Counter("".join(_printed_letters(richtext) for richtext in items))
        assert {letter: count for letter, count in (printed - shown).items() if not letter.isspace()} == {}
        compared += printed.total()
    assert compared > 200_000
