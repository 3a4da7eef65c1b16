"""Rows of a view in the shapes that real servers print: XML that is not well formed, JSON that is none."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.lotus_notes.domino_session import BrokenAnswerError
from connectors.lotus_notes.view_entries import ViewRow, read_collection, read_json, read_xml

UNID = "0A" * 16
OTHER = "0B" * 16


def xml(*entries: str, top: int = 2) -> bytes:
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<viewentries toplevelentries="{top}" rangeentries="\n2">'
    return f"{head}{''.join(entries)}</viewentries>\n".encode()


def entry(position: str, data: str, unid: str = UNID) -> str:
    return f'<viewentry position="{position}" unid="{unid}" noteid="8F6" siblings="2">{data}</viewentry>'


def column(name: str, value: str) -> str:
    return f'<entrydata columnnumber="0" name="{name}">{value}</entrydata>'


def test_every_kind_of_column_gives_its_first_value() -> None:
    data = (
        column("$1", "\n<datetime>20100423T103000,00Z</datetime>\n")
        + column("$2", "<number>158</number>")
        + column("$3", "<textlist><text>một</text><text>hai</text></textlist>")
        + column("$4", "<text></text>")
        + column("$5", "<datetimelist><datetime>20200727</datetime></datetimelist>")
    )
    (row,) = read_xml(xml(entry("1", data))).rows
    assert row == ViewRow("1", UNID, "8F6", dict(row.columns))
    assert row.columns == {
        "$1": "20100423T103000,00Z", "$2": "158", "$3": "một", "$4": "", "$5": "20200727",
    }  # fmt: skip


def test_a_category_has_no_unid_and_its_documents_stand_below_it() -> None:
    data = '<entrydata name="a" category="true"/>'
    category = f'<viewentry position="1" noteid="80000024" children="1">{data}</viewentry>'
    page = read_xml(xml(category, entry("1.1", "")))
    assert [(row.position, row.unid, row.is_top_level) for row in page.rows] == [
        ("1", "", True),
        ("1.1", UNID, False),
    ]
    assert page.top_level == 2


def test_past_the_end_there_is_nothing() -> None:
    assert read_xml(xml()).rows == ()
    assert read_json(b'{"@timestamp": "x", "@toplevelentries": "77"}').rows == ()
    assert read_json(b'{"@toplevelentries": "77", "viewentry": null}').top_level == 77
    assert read_collection(b"[]").rows == ()


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("&#55357;&#56658;", chr(0x1F552)),
        ("a&#65;&#xD83D;&#xDCD2;b", f"aA{chr(0x1F4D2)}b"),
        ("&#55357;", "\ufffd"),
        ("&#56658;&#55357;", "\ufffd\ufffd"),
        ("&#1;&#0;", "\ufffd\ufffd"),
        ("x\x0by", "x y"),
        ("&#9999999;", "\U0010ffff"),
    ],
)
def test_what_xml_forbids_does_not_stop_the_page(printed: str, read: str) -> None:
    (row,) = read_xml(xml(entry("1", column("a", f"<text>{printed}</text>")))).rows
    assert row.columns["a"] == read


TEXT = st.text(st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\ufffe\uffff"))


def printed_by_domino(letter: str) -> str:
    if letter <= "\uffff":
        return escape(letter)
    high, low = divmod(ord(letter) - 0x10000, 0x400)
    return f"&#{0xD800 + high};&#{0xDC00 + low};"


@settings(max_examples=50)
@given(TEXT)
def test_any_text_comes_back_from_xml_as_domino_prints_it(text: str) -> None:
    printed = "".join(map(printed_by_domino, text))
    (row,) = read_xml(xml(entry("1", column("a", f"<text>.{printed}.</text>")))).rows
    assert row.columns["a"] == f".{text}."


@settings(max_examples=50)
@given(TEXT, st.sampled_from("!><'$%"))
def test_escapes_that_json_does_not_know_are_letters(text: str, letter: str) -> None:
    data = {"@name": "a", "text": {"0": f".{text}{letter}."}}
    whole = json.dumps({"@toplevelentries": "1", "viewentry": {"@unid": UNID, "entrydata": data}})
    (row,) = read_json(whole.replace(letter, "\\" + letter).encode()).rows
    assert row.columns == {"a": f".{text}{letter}."}


def test_a_single_entry_and_a_single_column_are_no_lists() -> None:
    one = {
        "@position": "3",
        "@unid": UNID.lower(),
        "entrydata": {"@name": "d", "datetime": {"0": "20100423T103000,00Z"}},
    }
    listed = {
        **one,
        "entrydata": [one["entrydata"], {"@name": "e", "textlist": {"text": [{"0": "x"}, {"0": "y"}]}}],
    }
    assert read_json(json.dumps({"@t": "", "viewentry": one}).encode()).rows == (
        ViewRow("3", UNID, "", {"d": "20100423T103000,00Z"}),
    )
    assert read_json(json.dumps({"@t": "", "viewentry": [listed]}).encode()).rows[0].columns == {
        "d": "20100423T103000,00Z",
        "e": "x",
    }


def test_the_data_service_prints_columns_beside_its_own_keys() -> None:
    answer = [
        {"@unid": UNID, "@noteid": "8F6", "@position": "1", "NgaySua": "2026-11-24T03:00:00Z", "So": [1, 2]}
    ]
    (row,) = read_collection(json.dumps(answer).encode()).rows
    assert (row.unid, row.position) == (UNID, "1")
    assert (row.columns["NgaySua"], row.columns["So"]) == ("2026-11-24T03:00:00Z", "1")


WHOLE = xml(entry("1", column("a", "<text>một</text>")), entry("2", "", OTHER))
WHOLE_JSON = json.dumps({"@t": "", "viewentry": [{"@unid": UNID}, {"@unid": OTHER}]}).encode()


@pytest.mark.parametrize("cut", range(0, len(WHOLE) - 15, 7))
def test_xml_that_is_cut_off_is_no_page(cut: int) -> None:
    with pytest.raises(BrokenAnswerError):
        read_xml(WHOLE[:cut])


@pytest.mark.parametrize("cut", range(0, len(WHOLE_JSON), 7))
def test_json_that_is_cut_off_is_no_page(cut: int) -> None:
    with pytest.raises(BrokenAnswerError):
        read_json(WHOLE_JSON[:cut])


@pytest.mark.parametrize(
    "data",
    [
        b"<html><body>Login</body></html>",
        b"<!DOCTYPE v [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><viewentries><viewentry unid='&x;'/></viewentries>",
        b"<!DOCTYPE v [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><viewentries>&b;</viewentries>",
    ],
)
def test_other_xml_is_no_page(data: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        read_xml(data)


@pytest.mark.parametrize("data", [b"[]", b"{}", b'"x"', b"[" * 100_000, b'{"a": 1}'])
def test_other_json_is_no_page(data: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        read_json(data)


def test_a_namespace_or_a_blank_line_before_it_makes_no_other_page() -> None:
    spaced = b"\r\n" + WHOLE.replace(b"<viewentries ", b"<viewentries xmlns='http://www.lotus.com/dxl' ")
    assert read_xml(spaced) == read_xml(WHOLE)


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    return st.builds(
        lambda at, length, put: whole[:at] + put + whole[at + length :],
        st.integers(0, len(whole)), st.integers(0, 40), st.binary(max_size=20),
    )  # fmt: skip


@settings(max_examples=150)
@given(damaged(WHOLE), damaged(WHOLE_JSON))
def test_damage_is_a_broken_answer_and_nothing_worse(xml_page: bytes, json_page: bytes) -> None:
    for read, data in ((read_xml, xml_page), (read_json, json_page), (read_collection, json_page)):
        with suppress(BrokenAnswerError):
            assert all(isinstance(row, ViewRow) for row in read(data).rows)


@pytest.mark.samples
def test_pages_that_real_servers_printed(samples: Path) -> None:
    folder = samples / "domino-http"
    help_page = read_xml((folder / "hcl_help_viewentries_collectdata.xml").read_bytes())
    assert [(row.position, bool(row.unid)) for row in help_page.rows] == [
        ("1", False),
        ("1.1", True),
        ("1.1.1", True),
    ]
    sipe = read_xml((folder / "sipe_readviewentries_sample.xml").read_bytes())
    assert (sipe.top_level, sipe.rows[0].position, sipe.rows[0].noteid) == (77, "77", "27B42")
    assert list(sipe.rows[0].columns.values())[:2] == ["20100423T103000,00Z", "158"]
    ulima = read_json((folder / "ulima_silabo_readviewentries.json").read_bytes())
    assert (len(ulima.rows), ulima.top_level, ulima.rows[0].noteid) == (1, 1, "13D8E2")
    assert ulima.rows[0].columns["$17"].endswith("</SCRIPT>")
