from __future__ import annotations

import unicodedata
from datetime import date

import pypdfium2
import pytest

from demo.organs import BY_KEY
from demo.pages import render
from demo.papers import Plan, issue
from demo.typefaces import CHARACTERS


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def lines_of(pdf: bytes) -> list[str]:
    return [line.strip() for line in text_of(pdf).splitlines()]


@pytest.fixture(scope="module")
def decision():
    return issue(5, [Plan("x", date(2019, 3, 4), "TU", "QĐ")])["x"]


def test_a_party_document_reads_as_one(decision, faces):
    lines = lines_of(render(decision, faces))
    assert lines[:5] == [
        "TỈNH ỦY THƯỢNG GIANG",
        "*",
        f"Số {decision.symbol}",
        "ĐẢNG CỘNG SẢN VIỆT NAM",
        "Giang An, ngày 04 tháng 03 năm 2019",
    ]
    assert "QUYẾT ĐỊNH" in lines
    assert "Nơi nhận:" in lines
    assert lines[-3:] == ["T/M BAN THƯỜNG VỤ", "PHÓ BÍ THƯ THƯỜNG TRỰC", "Lâm Thị Thục Oanh"]


def test_a_state_document_reads_as_one(faces):
    paper = issue(5, [Plan("x", date(2019, 3, 4), "UBND", "BC")])["x"]
    lines = lines_of(render(paper, faces))
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in lines
    assert "Độc lập - Tự do - Hạnh phúc" in lines
    assert f"Số: {paper.symbol}" in lines


def test_every_word_of_the_body_can_be_copied_out(decision, faces):
    flat = " ".join(text_of(render(decision, faces)).split())
    for paragraph in decision.body:
        assert paragraph in flat
    assert flat == unicodedata.normalize("NFC", flat)


def test_a_stamp_stands_on_the_first_page_alone_in_its_line(faces):
    stamped = issue(5, [Plan("x", date(2019, 3, 4), "HULG", "BC", stamp="MẬT")])["x"]
    assert "MẬT" in lines_of(render(stamped, faces))


def test_long_documents_run_over_pages(faces):
    plan = Plan(
        "x", date(2019, 3, 4), "TU", "NQ", remark="Quán triệt, triển khai thực hiện nghị quyết. " * 60
    )
    document = pypdfium2.PdfDocument(render(issue(5, [plan])["x"], faces))
    assert len(document) > 1
    assert document[1].get_textpage().get_text_range().startswith("2")


def test_the_same_paper_gives_the_same_bytes(decision, faces):
    assert render(decision, faces) == render(decision, faces)


@pytest.mark.parametrize("face", ["regular", "bold"])
def test_both_faces_have_every_vietnamese_letter(faces, face):
    vietnamese = "".join(
        unicodedata.normalize("NFC", vowel + tone)
        for vowel in "aăâeêioôơuưy"
        for tone in "\u0300\u0309\u0303\u0301\u0323"
    )
    needed = set(vietnamese + vietnamese.upper() + "đĐ")
    assert len(needed) == 122
    assert needed <= CHARACTERS
    assert needed <= set(getattr(faces, face).glyphs)
    assert 0 not in {getattr(faces, face).glyphs[letter] for letter in needed}


def test_names_of_organs_can_all_be_set(faces):
    for organ in BY_KEY.values():
        assert faces.bold.width(" ".join(organ.header), 12) > 0
