"""Answers whose long texts are read where they stand say what a plain JSON reader reads."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.operations.exchange.json_reply import LONG, Json, LongText, NotJsonError, get, read_json
from schemas.record import BytesContent

_LETTERS = st.text(st.sampled_from('aZ9+/="\\<>\n\t/đẨ\u20ac😀\x00'), max_size=12)


def plain(found: Json) -> object:
    """``found`` with its long texts in memory."""
    if isinstance(found, LongText):
        return b"".join(found.pieces()).decode("utf-8", "replace")
    if isinstance(found, list):
        return [plain(member) for member in found]
    if isinstance(found, dict):
        return {key: plain(member) for key, member in found.items()}
    return found


@settings(max_examples=40, deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | _LETTERS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_LETTERS, inner, max_size=3),
        max_leaves=6,
    ),
    pattern=_LETTERS,
    ascii_only=st.booleans(),
    shift=st.integers(0, 24),
)
def test_any_answer_reads_as_json_does(value: object, pattern: str, ascii_only: bool, shift: int) -> None:
    # Long enough to cross the edge of a piece, at whatever place in its escapes.
    long = "x" * ((1 << 20) - 40 + shift) + pattern * 3
    answer = {"status": "OK", "data": long, "more": [value, pattern]}
    data = json.dumps(answer, ensure_ascii=ascii_only).encode("utf-8")
    found = read_json(BytesContent(data))
    assert isinstance(get(found, "data"), LongText)
    assert plain(found) == answer


def test_only_long_texts_stay_where_they_are() -> None:
    found = read_json(BytesContent(json.dumps({"a": "x" * LONG, "b": "x" * (LONG + 1)}).encode()))
    assert isinstance(get(found, "a"), str)
    assert isinstance(get(found, "b"), LongText)


def test_a_text_that_looks_like_a_placeholder_is_a_text() -> None:
    answer = {"data": "y" * (LONG + 1), "b": "\x00" + "0" * 16 + ":0"}
    assert plain(read_json(BytesContent(json.dumps(answer).encode()))) == answer


def test_an_escape_of_a_slash_costs_nothing() -> None:
    data = b'{"data":"' + b"AB\\/C" * 20_000 + b'"}'
    assert plain(read_json(BytesContent(data))) == {"data": "AB/C" * 20_000}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        b'{"a": "b',
        b'{"a": "b\\',
        b'{"a": 1',
        b'{"a" 1}',
        b"[" * 100_000,
        b'"' + b"x" * 70_000,
    ],
)
def test_what_is_no_json_is_said_so(data: bytes) -> None:
    with pytest.raises(NotJsonError):
        read_json(BytesContent(data))


@settings(deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_whatever_comes_is_an_answer_or_none(head: bytes, tail: bytes) -> None:
    for data in (
        head + tail,
        b'{"a":"' + head + b'","b":' + tail,
        head + b'"' + b"x" * (LONG + 1) + b'"' + tail,
    ):
        try:
            plain(read_json(BytesContent(data)))
        except NotJsonError:
            continue


def test_members_are_found_whatever_the_case_of_their_names() -> None:
    assert get({"errorcode": "15"}, "ErrorCode") == "15"
    assert get({"ErrorCode": "0", "errorcode": "15"}, "errorcode") == "15"
    assert get([], "a") is None
