"""The type of a document, by its name, its symbol and its title."""

from __future__ import annotations

import pytest

from mappings.doc_types import ResolvedType, resolve_type
from mappings.notation import parse_symbol


@pytest.mark.parametrize(
    ("name", "symbol", "title", "expected"),
    [
        ("Quy định", "66-QĐ/TW", None, ResolvedType("Quy định", "QyĐ")),
        ("Quyết định", "66-QĐ/TW", None, ResolvedType("Quyết định", "QĐ")),
        (
            None,
            "66-QĐ/TW",
            "Quy định về thể loại văn bản",
            ResolvedType("Quy định", "QyĐ", ("type_from_title",)),
        ),
        (None, "12-QĐ/TU", "QUYẾT ĐỊNH về cán bộ", ResolvedType("Quyết định", "QĐ", ("type_from_title",))),
        (None, "12-QĐ/TU", "Về việc điều động cán bộ", ResolvedType(None, None, ("ambiguous_type",))),
        (None, "05/QĐ-UBND", None, ResolvedType("Quyết định", "QĐ", ("type_from_symbol",))),
        (None, "160-KL/TU", None, ResolvedType("Kết luận", "KL", ("type_from_symbol",))),
        (None, "1308/STTTT-VP", None, ResolvedType("Công văn", "CV", ("type_from_symbol",))),
        (None, "05-TT/TU", None, ResolvedType("Thông tri", "TTri", ("type_from_symbol",))),
        (None, "33/2015/TT-BCA", None, ResolvedType("Thông tư", "TT", ("type_from_symbol",))),
        ("Thông báo", "160-KL/TU", None, ResolvedType("Thông báo", "TB", ("type_mismatch",))),
        ("KẾT LUẬN", "160-KL/TU", None, ResolvedType("KẾT LUẬN", "KL")),
        ("Giấy tờ khác", "160-KL/TU", None, ResolvedType("Giấy tờ khác", None, ("unknown_type",))),
        (None, "202/2025/QH15", None, ResolvedType(None, None)),
        (None, None, "Thư mời", ResolvedType(None, None)),
    ],
)
def test_types(name: str | None, symbol: str | None, title: str | None, expected: ResolvedType) -> None:
    texts = (title,) if title else ()
    assert resolve_type(name, parse_symbol(symbol) if symbol else None, texts) == expected


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("TỈNH ỦY BÌNH PHƯỚC\n*\nSố 12-QĐ/TU\nQUY ĐỊNH\nvề chế độ công tác", "QyĐ"),
        ("ĐẢNG CỘNG SẢN VIỆT NAM\n\n  QUYẾT  ĐỊNH\nvề việc điều động cán bộ\nQuy định này", "QĐ"),
        ("QUYẾT ĐỊNH\nban hành Quy định về chế độ công tác", "QĐ"),
        ("Căn cứ Quy định số 66-QĐ/TW", None),
        ("QUY ĐỊNHX", None),
    ],
)
def test_the_title_line_of_the_text_decides_what_the_subject_does_not(body: str, code: str | None) -> None:
    resolved = resolve_type(None, parse_symbol("12-QĐ/TU"), ("Về chế độ công tác", body))
    assert resolved.code == code


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("12-QĐi/TU", "Quy định"),
        ("12-QyĐ/TU", "Quy định"),
        ("12/QyĐ-UBND", "Quy định"),
        ("12/QĐ-UBND", "Quyết định"),
        ("05-TT/TU", "Thông tri"),
        ("05/2020/TT-BNV", "Thông tư"),
        ("05/SY-UBND", "Bản sao y"),
        ("05/TrS-UBND", "Bản trích sao"),
        ("05/SL-UBND", "Bản sao lục"),
        ("24-BS/UBKTTU", "Bản sao"),
        ("1518-QĐNS/TU", "Quyết định"),
        ("202/2025/QH15", None),
    ],
)
def test_the_type_by_the_symbol_alone(symbol: str, name: str | None) -> None:
    assert resolve_type(None, parse_symbol(symbol)).name == name
