"""Mail headers that Notes keeps raw (item type 502)."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lotus_notes.rfc822_text import header_text


def kept(name: str, body: bytes, native: bytes = b"") -> bytes:
    lengths = struct.pack("<HIHHHH", 14, 10, len(native), len(name), 2, len(body))
    return lengths + native + name.encode() + b": " + body


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
    assert header_text(kept("Subject", body, native=b"\x93\x02 Domino's own rendering")) == text


def test_lengths_that_do_not_fit_are_refused():
    whole = kept("Subject", b"Giao ban")
    assert header_text(whole[:-1]) is None
    assert header_text(whole[:13]) is None


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data):
    assert header_text(data) is None or isinstance(header_text(data), str)
