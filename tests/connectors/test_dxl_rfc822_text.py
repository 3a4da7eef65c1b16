"""Mail headers that Notes keeps raw (item type 502), and the moments in them."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lotus_notes.rfc822_text import header_of
from connectors.lotus_notes.timedate import iso_of_timedate
from tests.connectors.mime_items import packed_header


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"Giao ban tuan 12\r\n", "Giao ban tuan 12"),
        ("Về việc họp giao ban".encode(), "Về việc họp giao ban"),
        (b"=?UTF-8?B?VuG7gSB2aeG7h2MgaOG7jXA=?=\r\n =?UTF-8?Q?_giao_ban?=\r\n", "Về việc họp giao ban"),
        (b"=?no-such-charset?Q?abc?=", "=?no-such-charset?Q?abc?="),
        (b"", ""),
    ],
)
def test_the_body_of_the_message_is_read_not_the_native_value(body, text):
    header = header_of(packed_header(b"Subject", body, native=b"\x93\x02 Domino's own rendering"))
    assert (header.name, header.text, header.moment) == ("Subject", text, None)


def test_the_line_of_the_message_comes_back_with_its_folds_and_a_line_end():
    assert header_of(packed_header(b"To", b"a,\r\n b\r\n", delimiter=b":  ")).line == b"To:  a,\r\n b\r\n"
    assert header_of(packed_header(b"Date", b"hom nay")).line == b"Date: hom nay\r\n"


def test_a_date_has_its_moment():
    native = struct.pack("<II", 8 * 360_000, 2_455_659 | 0x47 << 24)
    header = header_of(packed_header(b"Date", b"Fri, 8 Apr 2011 15:00:00 +0700", native, flags=9))
    assert (header.text, header.moment) == ("Fri, 8 Apr 2011 15:00:00 +0700", "2011-04-07T15:00:00.00+07:00")


def test_lengths_that_do_not_fit_are_refused():
    whole = packed_header(b"Subject", b"Giao ban")
    assert header_of(whole[:-1]) is None
    assert header_of(whole[:13]) is None


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data):
    header = header_of(data)
    assert header is None or isinstance(header.text, str)


@pytest.mark.parametrize(
    ("hundredths", "day", "iso"),
    [
        (0, 2_451_545 | 0x40 << 24, "2000-01-01T00:00:00.00+00:00"),
        (6_231_357, 2_456_878 | 0x04 << 24, "2014-08-08T13:18:33.57-04:00"),
        (6_231_357, 2_456_878 | 0x85 << 24, "2014-08-08T13:18:33.57-04:00"),
        (0, 2_456_878 | 0x65 << 24, "2014-08-08T05:30:00.00+05:30"),
        (0xFFFFFFFF, 2_456_878, "2014-08-08"),
        (360_000, 0xFFFFFFFF, "T01:00:00.00"),
        (0xFFFFFFFF, 0xFFFFFFFF, None),
        (9_000_000, 2_456_878, None),
        (0, 0, None),
    ],
)
def test_moments(hundredths, day, iso):
    assert iso_of_timedate(struct.pack("<II", hundredths, day)) == iso


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)), st.integers(-15 * 4, 15 * 4))  # noqa: DTZ001
def test_every_moment_comes_back(moment, quarters):
    moment = moment.replace(microsecond=moment.microsecond // 10_000 * 10_000, tzinfo=UTC)
    day = moment.toordinal() + 1_721_425
    since = moment - datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    zone = abs(quarters) // 4 | abs(quarters) % 4 << 4 | (quarters > 0) << 6
    iso = iso_of_timedate(struct.pack("<II", round(since.total_seconds() * 100), day | zone << 24))
    local = moment.astimezone(timezone(timedelta(minutes=15 * quarters)))
    assert datetime.fromisoformat(iso) == moment
    assert datetime.fromisoformat(iso).utcoffset() == local.utcoffset()


@given(st.binary(max_size=9))
def test_no_bytes_break_a_moment(data):
    assert iso_of_timedate(data) is None or len(data) == 8
