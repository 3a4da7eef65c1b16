"""Simple values: text with its special characters, date-times in every printed form, note references."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lotus_notes.encoding import Encoding
from connectors.lotus_notes.nodes import Node
from connectors.lotus_notes.record_xml import XmlError, read_xml
from connectors.lotus_notes.values import NUL_MARK, iso_of, moment_of, text_of, unids_of
from schemas.record import BytesContent


def parsed(xml: str) -> Node:
    tree = read_xml(BytesContent(xml.encode()), Encoding("utf-8"))
    return tree.node(tree.root, 1)


def printed(text: str) -> str:
    """``text`` as the exporter writes it."""
    escaped = {"\n": "<break/>", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
    return "".join(
        escaped.get(letter) or (f"<nonxmlchar value='{ord(letter):x}'/>" if _forbidden(letter) else letter)
        for letter in text
    )


def _forbidden(letter: str) -> bool:
    return (ord(letter) < 0x20 and letter != "\t") or letter in "\ufffe\uffff"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_text_comes_back_letter_by_letter(text: str) -> None:
    assert text_of(parsed(f"<text>{printed(text)}</text>")) == text


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ("<text/>", ""),
        ("<text\n>Tỉnh ủy</text>", "Tỉnh ủy"),
        ("<text>Kính gửi:<break/>- Ban Tổ chức<break/><break/></text>", "Kính gửi:\n- Ban Tổ chức\n\n"),
        ("<text>th<nonxmlchar value='14'/>ng</text>", "th\x14ng"),  # VISCII and VPS letters lie below U+0020
        ("<text>a<nonxmlchar value='0'/>b</text>", f"a{NUL_MARK}b"),
        ("<text>a<nonxmlchar value='FFFF'/>b</text>", "a\uffffb"),
        ("<text>a<nonxmlchar/>b<nonxmlchar value='D800'/></text>", "a\ufffdb\ufffd"),
        ("<text>đ­a  hai  dấu cách</text>", "đ­a  hai  dấu cách"),  # U+00AD is ư in TCVN3
        ("<text>a<b>c</b>d</text>", "acd"),
        ("<text><![CDATA[<b>]]>&amp;&#7911;</text>", "<b>&ủ"),
    ],
)
def test_text(xml: str, text: str) -> None:
    assert text_of(parsed(xml)) == text


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        ("20210828T133245,57+02", "2021-08-28T13:32:45.57+02:00"),
        ("20131231T235959,00+07", "2013-12-31T23:59:59.00+07:00"),
        ("20210408T133700,75-04", "2021-04-08T13:37:00.75-04:00"),
        ("20120401T080000+0530", "2012-04-01T08:00:00+05:30"),
        ("20120401T080000,10-0330", "2012-04-01T08:00:00.10-03:30"),
        ("20100423T103000,00Z", "2010-04-23T10:30:00.00Z"),
        ("20190522T185229", "2019-05-22T18:52:29"),
        ("20200727", "2020-07-27"),
        ("T010000,00", "T01:00:00.00"),
        ("T060306,52", "T06:03:06.52"),
        ("\n20200727 ", "2020-07-27"),
        ("", ""),
        ("20210230", None),
        ("20210828T253245", None),
        ("20210828T133245,57+25", None),
        ("28/08/2021", None),
        ("+07", None),
        ("20210828+07", None),
        ("２０２１０８２８", None),
    ],
)
def test_datetimes_keep_what_is_printed(value: str, iso: str | None) -> None:
    assert iso_of(value) == iso


_FIRST, _LAST = datetime(1000, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001
_OFFSETS = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timedelta(minutes=15 * quarters))


@given(st.datetimes(_FIRST, _LAST), _OFFSETS, st.integers(0, 99))
def test_a_datetime_means_the_same_moment_after_reading(
    at: datetime, offset: timedelta, hundredths: int
) -> None:
    moment = at.replace(microsecond=hundredths * 10_000, tzinfo=timezone(offset))
    zone = moment.strftime("%z") if offset.seconds % 3600 else moment.strftime("%z")[:3]
    value = f"{moment:%Y%m%dT%H%M%S},{hundredths:02}{zone}".rjust(20, "0")
    assert moment_of(value) == moment
    iso = iso_of(value)
    assert iso is not None
    assert datetime.fromisoformat(iso) == moment
    assert datetime.fromisoformat(iso).utcoffset() == offset


@pytest.mark.parametrize(
    "value", ["20200727", "T010000,00", "20190522T185229", "", "nonsense", "00010101T000000,00+07"]
)
def test_no_moment_without_date_time_and_offset(value: str) -> None:
    assert moment_of(value) is None


def test_moments_are_utc() -> None:
    assert moment_of("20120101T003000,00+07") == datetime(2011, 12, 31, 17, 30, tzinfo=UTC)


def test_note_references_are_reversed_halves() -> None:
    assert unids_of(base64.b64decode("AQAxYksAtIUlwbwuNs2/jbuP")) == ("C12585B4004B62318FBB8DBFCD362EBC",)
    assert unids_of(b"\0\0") == ()
    assert unids_of(b"\2\0" + bytes(16)) is None
    assert unids_of(b"\1") is None


def test_a_record_cannot_declare_entities_nor_use_them() -> None:
    for text, reason in [
        ("<!DOCTYPE d [<!ENTITY a 'x'>]><d>&a;</d>", "entity_declared"),
        ("<!DOCTYPE d SYSTEM 'file:///etc/passwd'><d/>", "entity_declared"),
        ("<d>&a;</d>", "entity_undefined"),
        ("<d>" + "<e>" * 300 + "</e>" * 300 + "</d>", "too_deep"),
    ]:
        with pytest.raises(XmlError) as caught:
            parsed(text)
        assert caught.value.reason == reason


def test_bytes_of_another_encoding_are_named() -> None:
    with pytest.raises(XmlError) as caught:
        read_xml(BytesContent("<d>Tỉnh \xe0</d>".encode("cp1258", "ignore")), Encoding("utf-8"))
    assert (caught.value.reason, caught.value.line, caught.value.column) == ("encoding_invalid", 1, 8)
