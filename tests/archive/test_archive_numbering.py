"""Gaps and duplicates in series as offices really number: per term and type, per year, joint, lettered, unnumbered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from archive.numbering import (
    Gap,
    KnownGap,
    Numbered,
    Register,
    gaps,
    plain_number,
    read_register,
    term_name,
)
from mappings.office_settings import Numbering, TermOfOffice

PARTY = Numbering(restart="per_term", whole_series=True, arrivals=True)
STATE = Numbering(restart="per_year", per_type=False, whole_series=True, secrets_share=False)
NAMES = iter(range(10**6))


def party(
    number: str | None, notation: str | None = "KL/TU", type_code: str | None = "KL", **fields: Any
) -> Numbered:
    symbol = f"{number}-{notation}" if number and notation else None
    given: dict[str, Any] = {
        "term": "2020-2025",
        "issued": date(2024, 3, 1),
        "source": "notes",
        "outgoing": True,
    }
    return Numbered(
        document=str(next(NAMES)), number=number, notation=notation, symbol=symbol, type_code=type_code,
        issuer="tinh uy", **{**given, **fields},
    )  # fmt: skip


def state(number: str | None, notation: str, type_code: str, year: int = 2025, **fields: Any) -> Numbered:
    given: dict[str, Any] = {"source": "ubnd", "outgoing": True, "term": None, "issued": date(year, 5, 1)}
    return Numbered(
        document=str(next(NAMES)), number=number, notation=notation, symbol=f"{number}/{notation}",
        type_code=type_code, issuer="ubnd tinh", **{**given, **fields},
    )  # fmt: skip


def incoming(number: str, arrival: str | None, day: date | None, **fields: Any) -> Numbered:
    given: dict[str, Any] = {"issued": day, **fields}
    return Numbered(
        document=str(next(NAMES)), source="notes", outgoing=False, number=number, notation="CV/HU", symbol=None,
        type_code="CV", term=None, issuer="huyen uy dong", arrival_number=arrival, arrival_date=day, **given,
    )  # fmt: skip


def read(documents: Sequence[Numbered], **policies: Numbering) -> Register:
    return read_register(documents, policies)


def missing(register: Register, *known: KnownGap) -> list[tuple[str, int, int, str]]:
    return [(gap.series, gap.first, gap.last, gap.state) for gap in gaps(register.series, known)]


def test_a_party_organ_numbers_each_type_through_the_whole_term() -> None:
    """36-HD: the year does not matter, the type does, and a secret document may have the number that is not there."""
    register = read(
        [
            party("01"),
            party("02", issued=date(2025, 6, 1)),
            party("4"),
            party("1", "QĐ/TU", "QĐ"),
            party("3", "QĐ/TU", "QyĐ"),
        ],
        notes=PARTY,
    )
    found = gaps(register.series, [])
    assert [(gap.series, gap.first, gap.last, gap.may_be_secret) for gap in found] == [
        ("notes:TU:KL:2020-2025", 3, 3, True),
        ("notes:TU:QyĐ:2020-2025", 1, 2, True),
    ]


def test_numbers_begin_again_in_a_new_term() -> None:
    register = read([party(n, term=t) for t in ("2015-2020", "2020-2025") for n in ("1", "2")], notes=PARTY)
    assert [str(one.key) for one in register.series] == ["notes:TU:KL:2015-2020", "notes:TU:KL:2020-2025"]
    assert (missing(register), register.duplicates) == ([], ())


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("2020-2025", "2020-2025"),
        ("Nhiệm kỳ 2020 – 2025", "2020-2025"),
        ("khóa XI", "khóa XI"),
        (" ", None),
        (None, None),
    ],
)
def test_a_term_is_read_in_any_spelling(printed: str | None, name: str | None) -> None:
    assert term_name(printed) == name


def test_a_term_that_a_record_does_not_name_is_told_by_its_date_or_not_at_all() -> None:
    terms = (
        TermOfOffice.model_validate({"name": "2020-2025", "from": "2020-10-15"}),
        TermOfOffice.model_validate({"name": "2025-2030", "from": "2025-09-20"}),
    )
    documents = [
        party("1", term=None, issued=day)
        for day in (date(2020, 10, 14), date(2020, 10, 15), date(2025, 9, 20), None)
    ]
    register = read(documents, notes=PARTY.model_copy(update={"terms": terms}))
    assert [one.key.period for one in register.series] == ["2020-2025", "2025-2030"]
    assert register.unjudged == {("notes", "no_term"): 2}


def test_a_letter_makes_a_number_beside_the_plain_one_and_fills_no_gap() -> None:
    register = read(
        [party("12"), party("12a"), party("14A"), party("15"), *(party(str(n)) for n in range(1, 12))],
        notes=PARTY,
    )
    assert missing(register) == [("notes:TU:KL:2020-2025", 13, 14, "question")]
    assert register.duplicates == ()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("007", (7, "")),
        ("12a", (12, "a")),
        ("12Đ", (12, "đ")),
        ("0", None),
        ("OI2", None),
        ("12/13", None),
        (None, None),
    ],
)
def test_what_is_a_number(text: str | None, number: tuple[int, str] | None) -> None:
    assert plain_number(text) == number


def test_a_joint_document_has_a_number_of_its_first_organ() -> None:
    documents = [
        party("1", "QC/BTCTU-BDVTU", "QC"),
        party("2", "QC/BTCTU", "QC"),
        party("1", "QC/BDVTU", "QC"),
    ]
    register = read(documents, notes=PARTY)
    assert [str(one.key) for one in register.series] == [
        "notes:BDVTU:QC:2020-2025",
        "notes:BTCTU:QC:2020-2025",
    ]
    assert (missing(register), register.duplicates) == ([], ())


def test_an_unnumbered_letter_is_in_no_series_and_counted() -> None:
    register = read([party(None, None, "CV"), party("1-2")], notes=PARTY)
    assert register.series == ()
    assert register.unjudged == {("notes", "no_number"): 1, ("notes", "odd_number"): 1}


def test_a_state_organ_begins_each_year_and_may_share_one_series() -> None:
    """Decree 30 article 15: administrative types as the head decides; legal normative types each by themselves."""
    register = read(
        [
            state("01", "QĐ-UBND", "QĐ"),
            state("02", "UBND-VX", "CV"),
            state("04", "BC-UBND", "BC"),
            state("1", "QĐ-UBND", "QĐ", 2026),
            state("1", "2025/QĐ-UBND", "QĐ"),
            state("3", "2025/QĐ-UBND", "QĐ"),
        ],
        ubnd=STATE,
    )
    found = gaps(register.series, [])
    assert [(gap.series, gap.first, gap.last, gap.may_be_secret) for gap in found] == [
        ("ubnd:UBND:2025", 3, 3, False),
        ("ubnd:UBND:QĐ:2025", 2, 2, False),
    ]


def test_arrival_numbers_are_one_series_a_year_over_all_organs() -> None:
    register = read(
        [
            incoming("5", "1", date(2025, 1, 2)),
            incoming("9", "0002", date(2025, 1, 2)),
            incoming("6", "5", date(2025, 1, 9)),
            incoming("7", "1", date(2026, 1, 2)),
            incoming("8", "6", None),
        ],
        notes=PARTY,
    )
    assert missing(register) == [("notes:den:2025", 3, 4, "question")]
    assert register.unjudged == {("notes", "no_date"): 1}


def test_without_a_policy_no_gap_is_asked_about_but_a_double_number_is_seen() -> None:
    """What an exchange did not carry tells nothing; NĐ 30 Appendix VI I.1h asks for a warning of doubles."""
    documents = [state("1", "QĐ-UBND", "QĐ"), state("9", "QĐ-UBND", "QĐ"), state("9", "QĐ-UBND", "QĐ")]
    register = read(documents, ubnd=Numbering())
    assert register.series == ()
    assert [(d.series, d.number, len(d.documents)) for d in register.duplicates] == [
        ("ubnd:ubnd tinh:QĐ-UBND:2025", "9", 2)
    ]
    assert read(documents).series == ()


def test_a_recall_that_repeats_the_number_is_no_double() -> None:
    register = read([party("1"), party("1", repeats=True), party("2"), party("2")], notes=PARTY)
    assert [(d.series, d.number) for d in register.duplicates] == [("notes:TU:KL:2020-2025", "2")]


def test_what_only_the_exchange_shows_is_not_missing() -> None:
    seen = party("2", source="truc")
    register = read([party("1"), party("3"), seen], notes=PARTY, truc=Numbering())
    assert missing(register) == []


KNOWN = {
    "cancelled": KnownGap(
        "1", "notes:TU:KL:2020-2025", 2, 3, "cancelled", "Trần Thị Mẫu", "Hủy theo biên bản 12"
    ),
    "reserved": KnownGap("2", "notes:TU:KL:2020-2025", 6, 6, "reserved", "Trần Thị Mẫu", "Giữ số"),
}


def test_a_person_explains_a_part_and_the_rest_stays_a_question() -> None:
    register = read([party("1"), party("5"), party("7")], notes=PARTY)
    found = gaps(register.series, list(KNOWN.values()))
    assert found == [
        Gap(
            "notes:TU:KL:2020-2025", 2, 3, False, "known", "cancelled", "Trần Thị Mẫu", "Hủy theo biên bản 12"
        ),
        Gap("notes:TU:KL:2020-2025", 4, 4, True, "question"),
        Gap("notes:TU:KL:2020-2025", 6, 6, False, "known", "reserved", "Trần Thị Mẫu", "Giữ số"),
    ]


def test_what_is_explained_as_cancelled_and_is_here_contradicts_itself() -> None:
    register = read([party(str(number)) for number in (1, 2, 4, 5, 6)], notes=PARTY)
    assert missing(register, *KNOWN.values()) == [
        ("notes:TU:KL:2020-2025", 3, 3, "known"),
        ("notes:TU:KL:2020-2025", 2, 2, "contradiction"),
    ]


def test_what_is_explained_of_a_series_that_is_not_there_is_asked_about() -> None:
    typo = KnownGap("3", "notes:TU:KL:2020-2026", 2, 3, "cancelled", "Trần Thị Mẫu", "Hủy theo biên bản 12")
    register = read([party("1"), party("2")], notes=PARTY)
    assert missing(register, typo) == [("notes:TU:KL:2020-2026", 2, 3, "no_series")]
