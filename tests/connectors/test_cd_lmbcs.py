"""Notes' own character set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lotus_notes.lmbcs import decode_lmbcs
from tests.connectors.cd_builder import lmbcs


@pytest.mark.parametrize(
    ("data", "text", "unknown"),
    [
        (b"Ban To chuc 12-CV/TU", "Ban To chuc 12-CV/TU", 0),
        (b"\x82t\x82", "été", 0),
        (b"\x01\x82", "é", 0),
        (b"\x05\xc0\x05\xe1", "Аб", 0),
        (b"\x06\xa9", "ę", 0),
        (b"\x0b\xa1", "ก", 0),
        (b"\x10\x82\xa0", "あ", 0),
        (b"\x10\x10\xb1", "ｱ", 0),
        (b"\x13\xd6\xd0", "中", 0),
        (b"T\x14\x1e\xc9nh \x14\x1e\xe7y", "Tỉnh ủy", 0),
        (b"\x14\xf6\x4e", "一", 0),
        (b"\x14\xd8\x3d\x14\xde\x00", "😀", 0),
        (b"\x0f\x22a\x0f\x85", "\x02a\x85", 0),
        (b"a\tb\rc\nd\0e", "a\tb\rc\nd\0e", 0),
        (b"\x02\x95a", "\ufffda", 1),
        (b"\x01\x41a", "\ufffda", 1),
        (b"\x16a", "\ufffda", 1),
        (b"a\x14\x1e", "a\ufffd\ufffd", 2),
        (b"\x14\xd8\x3da", "\ufffda", 1),
        (b"", "", 0),
    ],
)
def test_every_group(data: bytes, text: str, unknown: int) -> None:
    assert decode_lmbcs(data) == (text, unknown)


_TEXT = st.text(
    st.characters(codec="utf-8").filter(
        lambda letter: letter == "\ufffd" or not "\uf600" <= letter < "\uf700"
    )
)


@given(_TEXT.filter(lambda text: "\ufffd" not in text))
def test_text_in_the_unicode_group_comes_back(text: str) -> None:
    assert decode_lmbcs(lmbcs(text)) == (text, 0)


@given(st.binary(max_size=100))
def test_no_bytes_break_it_and_what_is_unknown_is_counted(data: bytes) -> None:
    text, unknown = decode_lmbcs(data)
    assert text.count("\ufffd") >= unknown
    text.encode()
