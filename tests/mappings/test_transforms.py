"""Named transforms: printed values to values of the shared schema."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.dates import VIETNAM
from mappings.shared_fields import GROUPS, LISTS, SINGLE
from mappings.transforms import PROBLEMS, TRANSFORMS, Reading
from schemas.document import BusinessType, Urgency


@pytest.mark.parametrize(
    ("name", "values", "reading"),
    [
        ("text", ("  Dòng một\r\nDòng hai ",), Reading("Dòng một\nDòng hai")),
        ("line", ("V/v  phân\ncông ",), Reading("V/v phân công")),
        ("line", ("a", "b"), Reading("a; b", ("several_values",))),
        ("code", ("null",), Reading(None, ("null_literal",))),
        ("code", (" H10.01 ",), Reading("H10.01")),
        ("list", ("Như trên\nLưu VT", "BTV"), Reading(("Như trên", "Lưu VT", "BTV"))),
        ("semicolon_list", ("đảng viên; cán bộ",), Reading(("đảng viên", "cán bộ"))),
        ("integer", ("012 trang",), Reading(12)),
        ("integer", ("12.0",), Reading(12)),
        ("integer", ("-1",), Reading(-1, ("negative_number",))),
        ("integer", ("vài trang",), Reading(None, ("unparsed_number",))),
        ("notation", (" - KL / TU",), Reading("KL/TU")),
        ("notation", ("Q\u00d0/TU",), Reading("QĐ/TU", ("odd_letter",))),
        ("symbol", ("số lạ",), Reading("số lạ", ("unparsed_symbol",))),
        ("person_name", ("CN=Nguyen Van A/OU=VPTU/O=TUBP",), Reading("Nguyen Van A")),
        ("retention", ("VĨNH VIỄN",), Reading("Vĩnh viễn")),
        ("retention", ("Bảo quản 20 năm.",), Reading("20 năm")),
        ("retention", ("5 năm",), Reading("5 năm")),
        ("retention", ("Lâu dài",), Reading("Lâu dài", ("unknown_retention",))),
        ("urgency", ("0",), Reading(Urgency.NORMAL)),
        ("urgency", ("4",), Reading(Urgency.TIMED_EXPRESS)),
        ("urgency", ("Thượng khẩn",), Reading(Urgency.VERY_URGENT)),
        ("urgency", ("HOẢ TỐC",), Reading(Urgency.EXPRESS)),
        ("urgency", ("Hỏa tốc",), Reading(Urgency.EXPRESS)),
        ("urgency", ("Gấp lắm",), Reading(None, ("unknown_urgency",))),
        ("business_type", ("1",), Reading(BusinessType.RECALL)),
        ("business_type", ("9",), Reading(None, ("unknown_business_type",))),
        ("status", ("3",), Reading("03")),
        ("status", ("99",), Reading("99", ("unknown_status",))),
    ],
)
def test_transforms(name: str, values: tuple[str, ...], reading: Reading) -> None:
    assert TRANSFORMS[name](values) == reading


def test_a_handling_line_has_three_parts() -> None:
    line = ("05/03/2012 08:15 - Trần Thị B: Chuyển phòng Tổng hợp: trước 10/3",)
    assert TRANSFORMS["trace_moment"](line) == Reading(datetime(2012, 3, 5, 8, 15, tzinfo=VIETNAM))
    assert TRANSFORMS["trace_staff"](line) == Reading("Trần Thị B")
    assert TRANSFORMS["trace_text"](line) == Reading("Chuyển phòng Tổng hợp: trước 10/3")


def test_another_form_of_handling_line_is_kept_whole() -> None:
    line = ("Đã xử lý xong",)
    assert TRANSFORMS["trace_moment"](line) == Reading(None)
    assert TRANSFORMS["trace_text"](line) == Reading("Đã xử lý xong")


def test_every_shared_field_has_a_transform_that_exists() -> None:
    used = {
        *SINGLE.values(),
        *LISTS.values(),
        *(name for parts in GROUPS.values() for name in parts.values()),
    }
    assert used <= set(TRANSFORMS)


@given(st.sampled_from(sorted(TRANSFORMS)), st.lists(st.text(max_size=30), max_size=3))
def test_no_transform_raises_and_every_problem_is_explained(name: str, values: list[str]) -> None:
    reading = TRANSFORMS[name](tuple(values))
    assert set(reading.problems) <= set(PROBLEMS)
