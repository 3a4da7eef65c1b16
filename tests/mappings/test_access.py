"""What a record and its source's rules say about access."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.access import class_of_regime
from mappings.config import AccessSettings, SourceConfig, load_source, load_sources
from mappings.engine import normalise
from schemas.access import AccessClass, strictest
from schemas.errors import ConfigurationError
from schemas.record import BytesContent, Field, Listing, SourceRecord

NOTES = load_sources()["notes_van_ban"]


@pytest.mark.parametrize(
    ("regime", "expected"),
    [
        (None, "open"),
        ("", "open"),
        ("Công khai", "open"),
        ("CÔNG  KHAI.", "open"),
        ("Cong khai", "open"),
        ("01", "open"),
        ("Liên thông văn bản quốc gia", "open"),
        ("02", "conditional"),
        ("Sử dụng có điều kiện", "conditional"),
        ("Hạn chế sử dụng", "conditional"),
        ("Lưu hành nội bộ", "conditional"),
        ("Không công khai", "conditional"),
        ("Xem xong trả lại", "conditional"),
        ("chữ không ai biết", "conditional"),
        ("Bí mật đời sống riêng tư", "personal"),
    ],
)
def test_a_regime_of_use_is_a_class_and_an_unknown_one_restricts(regime: str | None, expected: str) -> None:
    assert class_of_regime(regime) == expected


def record(**fields: str) -> SourceRecord:
    listing = Listing("0F1E2D3C4B5A69788796A5B4C3D2E1F0", "1", "a.dxl")
    items = tuple(Field(name, "text", (value,)) for name, value in {"SoKyHieu": "12-CV/TU", **fields}.items())
    return SourceRecord(
        listing, "document", "VanBanDen", BytesContent(b"<document/>"), "application/xml", items
    )


def config(access: object) -> SourceConfig:
    return NOTES.model_copy(update={"access": AccessSettings.model_validate(access)})


@pytest.mark.parametrize(
    ("access", "subject", "expected"),
    [
        ("open", "Về chương trình công tác", "open"),
        ("personal", "Về chương trình công tác", "personal"),
        ({"rules": [{"subject": "kỷ luật", "access": "personal"}]}, "V/v KỶ LUẬT cán bộ", "personal"),
        ({"rules": [{"subject": ["kỷ luật"], "access": "personal"}]}, "Về kỷ lục sản lượng", "open"),
        ({"rules": [{"subject": "an", "access": "personal"}]}, "Ban hành văn bản", "open"),
        (
            {"rules": [{"when": {"equals": {"LoaiVanBan": "Đơn thư"}}, "access": "personal"}]},
            "Khiếu nại",
            "personal",
        ),
        (
            {
                "default": "conditional",
                "rules": [{"when": {"form": "VanBanDi"}, "subject": "Khiếu nại", "access": "personal"}],
            },
            "Khiếu nại",
            "conditional",
        ),
        (
            {
                "default": "personal",
                "rules": [{"when": {"form": "VanBanDen"}, "access": "open"}],
            },
            "Một rule không nới lỏng",
            "personal",
        ),
    ],
)
def test_of_what_the_source_s_rules_say_the_strictest_counts(
    access: object, subject: str, expected: str
) -> None:
    document = normalise(record(TrichYeu=subject, LoaiVanBan="Đơn thư"), config(access))
    assert document.access == expected


@pytest.mark.parametrize(
    ("access", "problem"),
    [
        ("access: secret", "Input should be"),
        ("access: sealed", "Input should be"),
        ("access: {rules: [{access: personal}]}", "for every record"),
        ("access: {rule: []}", "did you mean 'rules'"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_line(tmp_path: Path, access: str, problem: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "source: a\ntitle: Thử\nsystem: lotus_notes\nconnection: a\npool: a\norgan: {name: VP}\n"
        f"records: [{{kind: other}}]\n{access}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError, match=problem) as told:
        load_source(path)
    assert f"{path}:8" in told.value.where


def test_the_strictest_of_nothing_is_open() -> None:
    assert strictest(()) is AccessClass.OPEN
    assert strictest(AccessClass) is AccessClass.SEALED
