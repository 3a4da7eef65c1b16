"""Documents cited in text, with their dates; and dates that contradict each other."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.citations import Contradiction, contradictions, find_citations


def cited(text: str) -> list[tuple[str, date | None]]:
    return [(citation.symbol.printed, citation.issued_date) for citation in find_citations(text)]


def test_the_references_of_an_offices_report() -> None:
    report = (
        "Thực hiện Kết luận số 160-KL/TU ngày 02/01/2018 của Ban Thường vụ; Quy định số 66-QĐ/TW,\nngày "
        "06/02/2017 của Ban Bí thư; "
        "Hướng dẫn số 36-HD/VPTW của Văn phòng Trung ương Đảng ngày 03 tháng 4 năm 2018; Quyết định 693-QĐ/VPTW; "
        "Nghị định số 33/2002/NĐ-CP ngày 28/3/2002 của Chính phủ, Thông tư số 33/2015/TT-BCA (20/7/2015) và "
        "Nghị định\nsố 99/2016/NĐ-CP của Chính phủ quy định về con dấu có hiệu lực từ ngày 01/7/2016."
    )  # fmt: skip
    assert cited(report) == [
        ("160-KL/TU", date(2018, 1, 2)),
        ("66-QĐ/TW", date(2017, 2, 6)),
        ("36-HD/VPTW", date(2018, 4, 3)),
        ("693-QĐ/VPTW", None),
        ("33/2002/NĐ-CP", date(2002, 3, 28)),
        ("33/2015/TT-BCA", date(2015, 7, 20)),
        ("99/2016/NĐ-CP", None),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Công văn số 1308/STTTT-VP ngày 2/3/2020", [("1308/STTTT-VP", date(2020, 3, 2))]),
        ("tỷ lệ 1308/STTTT-VP", []),
        ("Nghị quyết số 202/2025/QH15 ngày 12/6/2025", [("202/2025/QH15", date(2025, 6, 12))]),
        ("số 160 - KL / TU", [("160-KL/TU", None)]),
        ("Thông tư 12/2020/\nTT-BNV ngày 1.2.2020", [("12/2020/TT-BNV", date(2020, 2, 1))]),
        ("(số 15-QC/BTCTU-BDVTU)", [("15-QC/BTCTU-BDVTU", None)]),
        ("Nghị định 33/2002/ND-CP", [("33/2002/ND-CP", None)]),
        ("Quy định số 66-Q\u00d0/TW ngày 06/02/2017", [("66-QĐ/TW", date(2017, 2, 6))]),
        ("33/2002/NĐ-CP ngày 28/3/2002 và 33/2002/NĐ-CP", [("33/2002/NĐ-CP", date(2002, 3, 28))]),
        ("33/2002/NĐ-CP ngày 31/02/2002", [("33/2002/NĐ-CP", None)]),
        ("33/2002/NĐ-CP có hiệu lực từ ngày 01/4/2002", [("33/2002/NĐ-CP", None)]),
        ("ngày 12/3/2020, 24/7, km/h, 3/4, và/hoặc, TCP/IP", []),
        ("bệnh 5-HT/KG", []),
        ("http://x.vn/12/2020/TT-BNV.html", []),
        ("160-KL/TUX/2", []),
        ("", []),
    ],
)
def test_what_is_and_is_not_cited(text: str, found: list[tuple[str, date | None]]) -> None:
    assert cited(text) == found


def test_dates_that_cannot_all_be_right() -> None:
    text = (
        "33/2002/NĐ-CP ngày 28/3/2002, 33/2002/NĐ-CP ngày 30/3/2002, 66-QĐ/TW ngày 06/02/2017,"
        " 66-QĐ/TW ngày 6/2/2017, 33/2015/TT-BCA ngày 20/7/2016"
    )
    assert contradictions(find_citations(text)) == (
        Contradiction("33/2002/NĐ-CP", (date(2002, 3, 28), date(2002, 3, 30))),
        Contradiction("33/2015/TT-BCA", (date(2016, 7, 20),)),
    )


@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    assert len(find_citations(text)) <= 200


WORDS = ("số 12-QĐ/TU", "33/2002/NĐ-CP", " ngày 1/2/2003", "\n", " của ", "Chính phủ ", "- ", "/", "12", "QĐ")


@given(st.lists(st.sampled_from(WORDS), max_size=60).map("".join))
def test_every_symbol_found_is_in_the_text(text: str) -> None:
    squeezed = "".join(text.split())
    assert all("".join(symbol.split()) in squeezed for symbol, _ in cited(text))
