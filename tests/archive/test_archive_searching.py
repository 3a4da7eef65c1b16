"""Names under which a document is found."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.searching import issuer_norm, search_text, symbol_norm, words
from archive.stored_text import column_text, key_text
from schemas.document import OfficialDocument, Organ


@pytest.mark.parametrize(
    ("text", "norm"),
    [
        ("160-KL/TU", "160-kl-tu"),
        ("Số: 160-KL/TU", "160-kl-tu"),
        ("So 0160 – kl / tu", "160-kl-tu"),
        ("33/2015/TT-BCA", "33-2015-tt-bca"),
        ("12/QĐ-UBND", "12-qd-ubnd"),
        ("12/Q\u00d0-UBND", "12-qd-ubnd"),
        (unicodedata.normalize("NFD", "12/QĐ-BCĐTƯ"), "12-qd-bcdtu"),
        ("202/2025/QH15", "202-2025-qh-15"),
        ("000", "0"),
        ("", None),
        (None, None),
        (" – / ", None),
    ],
)
def test_one_symbol_one_spelling(text: str | None, norm: str | None) -> None:
    assert symbol_norm(text) == norm


@given(st.text(max_size=40))
def test_a_norm_is_its_own_norm(text: str) -> None:
    norm = symbol_norm(text)
    assert symbol_norm(norm) == norm


def test_words_have_no_diacritics_and_no_case() -> None:
    assert list(words("Đề án số 06/ĐA-TTg về chuyển đổi số")) == [
        "de", "an", "so", "06", "da", "ttg", "ve", "chuyen", "doi", "so",
    ]  # fmt: skip
    assert issuer_norm("  UBND  tỉnh Thừa Thiên – Huế ") == "ubnd tinh thua thien hue"
    assert issuer_norm("–") is None


def test_the_search_text_holds_symbol_issuer_subject_and_body() -> None:
    document = OfficialDocument(
        source="s", source_key="k", revision="1", symbol="1-CV/TU", issuer=Organ(name="Tỉnh ủy"),
        subject="Về đê điều", body="Nội dung",
    )  # fmt: skip
    assert search_text(document) == "1 cv tu ve de dieu tinh uy noi dung"


@given(st.text(st.characters(), max_size=30), st.text(st.characters(), max_size=30))
def test_different_keys_stay_different_and_can_be_stored(first: str, second: str) -> None:
    assert (key_text(first) == key_text(second)) == (first == second)
    for kept in (column_text(first), key_text(second)):
        assert "\0" not in kept
        kept.encode()


def test_a_long_key_fits_an_index_and_stays_itself() -> None:
    assert len(key_text("ă" * 5000).encode()) < 1300
    assert key_text("ă" * 5000) != key_text("ă" * 5001)
