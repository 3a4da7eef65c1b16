"""Organs over time: codes by explicit tables only, successors by the day."""

from __future__ import annotations

from datetime import date

import pytest

from mappings.organs import issuer_fits, organ_of_code, present_code, successor_on
from schemas.vocabulary import organs


@pytest.mark.parametrize(
    ("code", "day", "successor"),
    [
        ("H10", date(2025, 6, 30), "H10"),
        ("H10", date(2025, 7, 1), "H19"),
        ("000.00.00.H10", date(2025, 6, 30), "H10"),
        ("000.00.00.H10", date(2026, 1, 1), "H19"),
        ("H19", date(2025, 6, 30), "H19"),
        ("A10", date(2025, 7, 1), "A19"),
        ("BDVTU", date(2025, 2, 28), "BDVTU"),
        ("BDVTU", date(2025, 3, 1), "BTGDVTU"),
        ("BTGTU", date(2025, 3, 1), "BTGDVTU"),
        ("BTGDVTU", date(2025, 2, 28), None),
        ("H99", date(2025, 7, 1), None),
    ],
)
def test_who_carries_on(code: str, day: date, successor: str | None) -> None:
    found = successor_on(code, day)
    assert (found.code if found else None) == successor


def test_a_code_is_known_on_its_days_only() -> None:
    assert organ_of_code("H10", date(2025, 6, 30)) is not None
    assert organ_of_code("H10", date(2025, 7, 1)) is None
    assert organ_of_code("h10") is organ_of_code("000.00.00.H10")


@pytest.mark.parametrize(
    ("code", "present"),
    [("000.00.00.H10", "H10"), ("H10", "H10"), ("000.00.01.H10", "000.00.01.H10"), ("H10.01", "H10.01"),
     ("000.00.00.H53", "000.00.00.H53")],
)  # fmt: skip
def test_no_code_is_made_from_another(code: str, present: str) -> None:
    assert present_code(code) == present


@pytest.mark.parametrize(
    ("letters", "issuer", "fits"),
    [
        ("TU", "Tỉnh ủy Bình Phước", True),
        ("TU", "Thành uỷ Đồng Xoài", True),
        ("TU", "Ban Thường vụ Tỉnh ủy", True),
        ("TU", "Ủy ban nhân dân tỉnh Bình Phước", False),
        ("VPTW", "Văn phòng Trung ương Đảng", True),
        ("VPTW", "Văn phòng Tỉnh ủy", False),
        ("BDVTU", "Ban Dân vận Tỉnh ủy", True),
        ("STTTT-VP", "Sở Thông tin và Truyền thông", True),
    ],
)
def test_whose_letters(letters: str, issuer: str, fits: bool) -> None:
    assert issuer_fits(letters, issuer) is fits


def test_what_is_inferred_says_so() -> None:
    inferred = {organ.code: organ.inferred for organ in organs() if organ.inferred}
    assert inferred["A10"] == inferred["A19"] == ("code",)
    assert inferred["BDVTU"] == ("valid_to",)
