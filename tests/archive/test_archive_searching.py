"""Names under which a document is found."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.search_rows import FORMAT
from archive.search_vectors import Vector
from archive.searching import issuer_norm, symbol_norm, words, words_of
from archive.stored_text import column_text, key_text
from mappings.vietnamese import fold


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


@given(st.from_regex(r"[0-9]{1,4}[-/]", fullmatch=True), st.text(max_size=12))
def test_a_space_before_a_number_and_notation_makes_no_difference(number: str, notation: str) -> None:
    assert symbol_norm(f" {number}{notation}") == symbol_norm(f"{number}{notation}")


def test_words_have_no_diacritics_and_no_case() -> None:
    assert list(words("Đề án số 06/ĐA-TTg về chuyển đổi số")) == [
        "de", "an", "so", "06", "da", "ttg", "ve", "chuyen", "doi", "so",
    ]  # fmt: skip
    assert issuer_norm("  UBND  tỉnh Thừa Thiên – Huế ") == "ubnd tinh thua thien hue"
    assert issuer_norm("–") is None


LETTERS = [
    unicodedata.normalize("NFC", vowel + tone)
    for vowel in ("a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y")
    for tone in ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
]
LETTERS = [*LETTERS, "đ", *(letter.upper() for letter in LETTERS), "Đ"]


def test_every_letter_folds_alike_composed_and_decomposed() -> None:
    assert len(LETTERS) == 146
    for letter in LETTERS:
        (word,) = words_of(f"k{letter}t")
        assert list(words_of(unicodedata.normalize("NFD", f"k{letter}t"))) == [word]
        assert word.folded.isascii()
        assert len(word.folded) == 3
        assert (word.spelled is None) == letter.isascii()
    assert len({word.spelled for letter in LETTERS for word in words_of(letter)} - {None}) == 67


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"{before}{first}{tone}{second}", f"{before}{first}{second}{tone}")
        for before in ("h", "kh", "th")
        for first, second in (("o", "a"), ("o", "e"), ("u", "y"))
        for tone in ("\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
    ],
)
def test_old_and_new_placement_of_the_tone_are_one_spelling(old: str, new: str) -> None:
    old, new = (unicodedata.normalize("NFC", text) for text in (old, new))
    assert old != new
    assert list(words_of(old)) == list(words_of(new))


def test_a_word_spelled_otherwise_is_another_one() -> None:
    assert list(words_of("định dinh đinh dĩnh Ð\u1ecbnh")) == [
        ("dinh", "đinh5"), ("dinh", None), ("dinh", "đinh"), ("dinh", "dinh4"), ("dinh", "đinh5"),
    ]  # fmt: skip


@given(st.text(max_size=60))
def test_words_are_those_of_the_folded_text(text: str) -> None:
    assert list(words(text)) == re.findall("[0-9a-z]+", fold(text))


@given(st.text(st.characters(), max_size=30), st.text(st.characters(), max_size=30))
def test_different_keys_stay_different_and_can_be_stored(first: str, second: str) -> None:
    assert (key_text(first) == key_text(second)) == (first == second)
    for kept in (column_text(first), key_text(second)):
        assert "\0" not in kept
        kept.encode()


def test_a_long_key_fits_an_index_and_stays_itself() -> None:
    assert len(key_text("ă" * 5000).encode()) < 1300
    assert key_text("ă" * 5000) != key_text("ă" * 5001)


def test_lexemes_of_a_text() -> None:
    vector = Vector()
    vector.add(words_of("Ủy ban kê 5"), "B")
    vector.mark("#type qđ")
    assert vector.literal() == (
        "'uy':3B '=uy3':3B 'ban':4B '+uy ban':4B '=uy3 ban':4B 'ke':5B '=kê':5B '+ban ke':5B '=ban kê':5B "
        "'5':6B '+ke 5':6B '=kê 5':6B '#type qđ'"
    )
    assert FORMAT == 2, "other lexemes are another format: raise it, so that every index is made anew"
