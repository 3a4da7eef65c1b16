"""Independent of the encoder: the VN3 set of TCVN 5712-1:1993, written down byte by byte."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.tcvn3 import legible, written

_CODE_PAGE = (
    "A1Ă A2Â A3Ê A4Ô A5Ơ A6Ư A7Đ A8ă A9â AAê ABô ACơ ADư AEđ "
    "B5à B6ả B7ã B8á B9ạ BBằ BCẳ BDẵ BEắ C6ặ C7ầ C8ẩ C9ẫ CAấ CBậ "
    "CCè CEẻ CFẽ D0é D1ẹ D2ề D3ể D4ễ D5ế D6ệ D7ì D8ỉ DCĩ DDí DEị "
    "DFò E1ỏ E2õ E3ó E4ọ E5ồ E6ổ E7ỗ E8ố E9ộ EAờ EBở ECỡ EDớ EEợ "
    "EFù F1ủ F2ũ F3ú F4ụ F5ừ F6ử F7ữ F8ứ F9ự FAỳ FBỷ FCỹ FDý FEỵ"
)
DECODED = {chr(int(entry[:2], 16)): entry[2] for entry in _CODE_PAGE.split()}
_LETTERS = sorted(DECODED.values()) + list("abcxyzABC 0123-/.,")


def decode(text: str) -> str:
    return "".join(DECODED.get(letter, letter) for letter in text)


@pytest.mark.parametrize(
    ("readable", "as_exported"),
    [
        ("Cộng hòa Xã hội chủ nghĩa Việt Nam", "Céng hßa X· héi chñ nghÜa ViÖt Nam"),
        ("Đảng Cộng sản", "§¶ng Céng s¶n"),
        ("thư ký", "th\u00ad ký"),
        ("Tối mật", "Tèi mËt"),
        ("02/QĐ-STC", "02/Q§-STC"),
    ],
)
def test_writes_what_notes_exports_of_a_tcvn3_item(readable, as_exported):
    assert written(readable) == as_exported


def test_toned_capitals_that_the_encoding_lacks_become_small():
    assert legible("Ủy ban Kiểm tra, Ấp 3") == "ủy ban Kiểm tra, ấp 3"
    assert written("Ủy ban") == "ñy ban"


def test_decomposed_letters_are_composed_first():
    assert written(unicodedata.normalize("NFD", "Tối mật")) == "Tèi mËt"


@given(st.text(alphabet=_LETTERS))
def test_what_is_written_reads_back(text):
    assert decode(written(text)) == text == legible(text)


@given(st.text(alphabet=_LETTERS))
def test_what_is_written_fits_the_old_code_page(text):
    assert len(written(text).encode("cp1252")) == len(text)


@pytest.mark.samples
def test_agrees_with_the_published_table(samples):
    table = (samples / "encodings" / "tcvn3.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines()[1:]]
    assert {chr(int(code, 16)): letter for code, letter in rows} == DECODED
    assert all(written(letter) == chr(int(code, 16)) for code, letter in rows)
