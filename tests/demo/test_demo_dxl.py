from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from demo.dxl import (
    Note,
    broken_in_tags,
    database,
    date_item,
    document,
    element_start,
    file_item,
    number_item,
    text_item,
    text_list_item,
)

_XML_TEXT = st.text(
    alphabet=st.characters(blacklist_categories=("Cc", "Cs"), max_codepoint=0xFFFD), max_size=40
)
_MOMENT = datetime.combine(date(2008, 3, 12), time(8, 15, 0, 250_000))


def test_prints_a_document_as_domino_does():
    note = Note(
        form="VanBanDen",
        unid="0123456789ABCDEF0123456789ABCDEF",
        note_id=0x8F6,
        created=_MOMENT,
        modified=_MOMENT,
        added=_MOMENT,
        updated_by="CN=Van thu/O=ThuongGiang",
        items=(
            text_item("SoDen", "112"),
            date_item("NgayVanBan", date(2008, 3, 10)),
            number_item("SoTrang", 3),
            text_list_item("NoiNhan", ["Các huyện ủy", "Lưu"]),
            text_item("GhiChu", "dòng một\ndòng hai & hết"),
        ),
        parent="FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
    )
    stamp = "<datetime>20080312T081500,25+07</datetime>"
    assert document(note).splitlines() == [
        "<document form='VanBanDen' parent='FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF' response='true'>",
        "<noteinfo noteid='8f6' unid='0123456789ABCDEF0123456789ABCDEF' sequence='1'>",
        f"<created>{stamp}</created>",
        f"<modified>{stamp}</modified>",
        f"<revised>{stamp}</revised>",
        f"<lastaccessed>{stamp}</lastaccessed>",
        f"<addedtofile>{stamp}</addedtofile></noteinfo>",
        "<updatedby><name>CN=Van thu/O=ThuongGiang</name></updatedby>",
        f"<revisions>{stamp}</revisions>",
        "<item name='SoDen' summary='true'><text>112</text></item>",
        "<item name='NgayVanBan' summary='true'><datetime>20080310</datetime></item>",
        "<item name='SoTrang' summary='true'><number>3</number></item>",
        "<item name='NoiNhan' summary='true'><textlist><text>Các huyện ủy</text><text>Lưu</text></textlist>"
        "</item>",
        "<item name='GhiChu' summary='true'><text>dòng một<break/>dòng hai &amp; hết</text></item>",
        "</document>",
    ]


def test_lines_are_broken_inside_tags_and_nowhere_else():
    facts = {"xmlns": "http://www.lotus.com/dxl", "version": "8.5", "title": "Văn bản đến"}
    long = element_start("database", facts)
    assert broken_in_tags(long) == (
        "<database xmlns='http://www.lotus.com/dxl' version='8.5'\n title='Văn bản đến'>"
    )


@given(st.lists(st.tuples(_XML_TEXT, _XML_TEXT), min_size=1, max_size=6))
def test_breaking_lines_changes_no_meaning(pairs):
    items = "".join(
        element_start("item", {"name": name, "summary": "true"}) + f"<text>{etree_escape(text)}</text></item>"
        for name, text in pairs
    )
    plain, broken = (
        etree.fromstring(f"<note>{xml}</note>".encode()) for xml in (items, broken_in_tags(items))
    )
    assert etree.tostring(plain, method="c14n") == etree.tostring(broken, method="c14n")


def etree_escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_an_attachment_is_base64_in_the_item_file():
    item = file_item("Báo cáo.rtf", b"{\\rtf1}" * 20, _MOMENT)
    element = etree.fromstring(item.value.encode())
    assert item.name == "$FILE"
    assert element.find("file").get("size") == "140"
    assert element.find("file").get("name") == "Báo cáo.rtf"


@pytest.mark.samples
def test_exports_are_valid_by_the_dtd(small_office, samples):
    with (samples / "dxl" / "domino_9_0_1.dtd").open("rb") as stream:
        dtd = etree.DTD(stream)
    exports = sorted((small_office[0] / "drop" / "notes_van_ban").glob("van_ban_20*.dxl"))
    assert len(exports) == 3
    for export in exports:
        root = etree.fromstring(export.read_bytes(), etree.XMLParser(resolve_entities=False, huge_tree=True))
        for element in root.iter():
            element.tag = etree.QName(element).localname
        etree.cleanup_namespaces(root)
        assert dtd.validate(root), dtd.error_log.filter_from_errors()[:3]


def test_a_database_says_whose_it_is():
    printed = database(
        [], replica_id="A" * 16, path="vanban.nsf", title="Văn bản", doctype=True, numbers=0
    ).decode()
    assert printed.startswith(
        "<?xml version='1.0' encoding='utf-8'?>\n"
        "<!DOCTYPE database SYSTEM 'xmlschemas/domino_8_5_3.dtd'>\n<database "
    )
    assert "version='8.5'" in printed
