"""The vocabularies: dated, with sources, loaded whole."""

from __future__ import annotations

from datetime import date

import pytest

from schemas import vocabulary
from schemas.document import BusinessType, Urgency
from schemas.errors import ConfigurationError


def test_every_entry_says_who_says_so() -> None:
    terms = [
        *vocabulary.document_types(),
        *vocabulary.urgencies(),
        *vocabulary.business_types(),
        *vocabulary.retentions(),
        *vocabulary.status_codes(),
        *vocabulary.organs(),
        *vocabulary.secrecy_words().levels,
    ]
    assert all(term.source for term in terms)
    assert all(
        term.valid_to is None or term.valid_from is None or term.valid_from <= term.valid_to for term in terms
    )


def test_the_party_has_the_25_types_of_its_regulation() -> None:
    names = [kind.name for kind in vocabulary.document_types() if kind.system == "party"]
    assert names[:25] == [
        "Cương lĩnh chính trị", "Điều lệ Đảng", "Chiến lược", "Nghị quyết", "Quyết định", "Chỉ thị",
        "Kết luận",
        "Quy chế", "Quy định", "Thông tri", "Hướng dẫn", "Thông báo", "Thông cáo", "Tuyên bố",
        "Lời kêu gọi",
        "Báo cáo", "Kế hoạch", "Quy hoạch", "Chương trình", "Đề án", "Phương án", "Dự án", "Tờ trình",
        "Công văn",
        "Biên bản",
    ]  # fmt: skip


def test_the_state_prints_the_abbreviations_of_decree_30() -> None:
    printed = {
        letters
        for kind in vocabulary.document_types()
        if kind.system == "state" and kind.source.startswith("Nghị định 30")
        for letters in kind.abbreviations
    }
    expected = (
        "NQ QĐ CT QC QyĐ TC TB HD CTr KH PA ĐA DA BC BB TTr HĐ CĐ BGN BTT GUQ GM GGT GNP PG PC PB SY TrS SL"
    )
    assert printed == set(expected.split())


def test_archive_codes_of_circular_05() -> None:
    codes = {kind.name: kind.tt05 for kind in vocabulary.document_types() if kind.system == "state"}
    assert (codes["Nghị quyết"], codes["Công văn"], codes["Bản vẽ"], codes["Thông tư"]) == (
        "01",
        "22",
        "31",
        "32",
    )
    assert {kind.tt05 for kind in vocabulary.document_types()} == {f"{code:02}" for code in range(1, 33)}
    assert [(term.name, term.tt05, term.years) for term in vocabulary.retentions()][:3] == [
        ("Vĩnh viễn", "01", None),
        ("70 năm", "02", 70),
        ("50 năm", "03", 50),
    ]


def test_rows_of_both_tables_of_the_exchange_standard() -> None:
    state = [kind for kind in vocabulary.document_types() if kind.system == "state"]
    rows = {row for kind in state for row in (kind.qcvn102, kind.qcvn102_legal) if row}
    assert rows == {f"A{row}" for row in range(1, 14)} | {f"B{row}" for row in range(1, 27)}
    assert len(rows) == sum(bool(kind.qcvn102) + bool(kind.qcvn102_legal) for kind in state)
    # Rows that were not legible are those that say so.
    inferred = {kind.qcvn102 for kind in state if "qcvn102" in kind.inferred}
    assert inferred == {f"B{row}" for row in range(10, 18)}


@pytest.mark.parametrize(
    ("day", "codes"), [(date(2025, 6, 30), {"unknown"}), (date(2025, 7, 1), {"unknown", "permanent", "y70"})]
)
def test_terms_hold_from_their_first_day(day: date, codes: set[str]) -> None:
    valid = {term.code for term in vocabulary.valid_on(vocabulary.retentions(), day)}
    assert valid & {"unknown", "permanent", "y70"} == codes


def test_codes_are_those_of_the_shared_schema() -> None:
    assert [term.code for term in vocabulary.urgencies()] == list(Urgency)
    assert [term.edxml for term in vocabulary.urgencies()] == ["0", "1", "2", "3", "4"]
    assert [term.code for term in vocabulary.business_types()] == list(BusinessType)
    assert [term.code for term in vocabulary.status_codes()] == [
        "01",
        "02",
        "03",
        "04",
        "05",
        "06",
        "13",
        "15",
        "16",
    ]


def test_organs_have_successors_on_the_day_of_the_merger() -> None:
    def valid(day: date) -> set[str]:
        return {organ.code for organ in vocabulary.valid_on(vocabulary.organs(), day)}

    assert {"H10", "H19"} <= valid(date(2025, 6, 30))
    assert "H10" not in valid(date(2025, 7, 1))
    by_code = {organ.code: organ for organ in vocabulary.organs()}
    assert by_code["H10"].successor == "H19"
    assert by_code["BDVTU"].successor == "BTGDVTU"
    assert all(organ.successor in by_code for organ in vocabulary.organs() if organ.successor)


def test_a_file_of_another_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="vocabulary: nothing"):
        vocabulary._unusable_if_misnamed("nothing", {"vocabulary": "something"})
