"""How long something is kept: the longest statement, counted from the end, and an honest "not determined"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from archive.canonical import Json
from archive.decision import Decision
from archive.decisions import decide
from archive.dossiers import refresh
from archive.identities import document_id, dossier_id
from archive.legal_holds import holds
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from archive.retention import Kept, due_list, kept
from archive.retention_periods import read_period
from schemas.errors import ConfigurationError
from tests.archive.office_records import CLOCK, archived

pytestmark = pytest.mark.postgres
NOTES = "notes_van_ban_di"
MakeBatch = Callable[..., Batch]


def decided(kind: str, object_: str, values: Mapping[str, Json], source: str = "") -> Decision:
    return Decision(kind, object_, "Trần Thị Mẫu", "vanthu", "Theo bảng thời hạn của cơ quan", values, source)


@pytest.mark.parametrize(
    ("printed", "name", "code", "years"),
    [
        ("Vĩnh viễn", "Vĩnh viễn", "01", None),
        ("VINH VIEN.", "Vĩnh viễn", "01", None),
        ("70 năm", "70 năm", "02", 70),
        ("có thời hạn 20 năm", "20 năm", "05", 20),
        ("15 năm", "15 năm", "07", 15),
        ("Đến khi hết hiệu lực", "Đến khi hết hiệu lực", "07", None),
        ("Chưa rõ", "Chưa xác định", "", None),
        ("  ", "Chưa xác định", "", None),
        (None, "Chưa xác định", "", None),
    ],
)
def test_a_period_is_read_as_the_circular_codes_it(
    printed: str | None, name: str, code: str, years: int | None
) -> None:
    period = read_period(printed)
    assert (period.name, period.code, period.years) == (name, code, years)


def test_periods_are_ordered_by_length_and_what_cannot_be_read_is_no_short_one() -> None:
    printed = ["Chưa xác định", "15 năm", "20 năm", "70 năm", "00 năm", "Đến khi hết hiệu lực", "Vĩnh viễn"]
    assert sorted(printed, key=lambda text: read_period(text).rank) == printed


@pytest.mark.parametrize(
    ("printed", "ended", "due"),
    [
        ("10 năm", date(2015, 3, 1), date(2026, 1, 1)),
        ("10 năm", date(2015, 12, 31), date(2026, 1, 1)),
        ("10 năm", None, None),
        ("Vĩnh viễn", date(2015, 3, 1), None),
        ("Chưa xác định", date(1945, 9, 2), None),
        ("Đến khi hết hiệu lực", date(1945, 9, 2), None),
        ("0 năm", date(1945, 9, 2), None),
    ],
)
def test_a_period_counts_whole_years_after_the_one_in_which_the_work_ended(
    printed: str, ended: date | None, due: date | None
) -> None:
    assert read_period(printed).due_on(ended) == due


@pytest.fixture
def of(archive: Archive) -> Callable[[str], Kept]:
    return lambda key: kept(archive.engine, [str(document_id(NOTES, key))])[0]


def test_the_longer_of_document_and_dossier_wins(
    archive: Archive, batch: MakeBatch, objects: ObjectStore, of: Callable[[str], Kept]
) -> None:
    archive.load(
        batch(),
        [
            archived(objects, "A1", issued=date(2010, 5, 1), file_code="01", retention="10 năm"),
            archived(
                objects, "A2", number="161", issued=date(2012, 5, 1), file_code="01", retention="20 năm"
            ),
            archived(objects, "A3", number="162", issued=date(2010, 5, 1), retention="10 năm"),
            archived(objects, "A4", number="163", issued=date(2010, 5, 1)),
        ],
    )
    refresh(archive.engine)
    first, alone, silent = of("A1"), of("A3"), of("A4")
    assert (first.retention, first.said_by, first.ended, first.ended_by, first.due_on) == (
        "20 năm", "dossier", date(2012, 5, 1), "dossier", date(2033, 1, 1),
    )  # fmt: skip
    assert first.basis == "Thông tư 05/2025/TT-BNV; Luật Lưu trữ 33/2024/QH15"
    assert (alone.retention, alone.said_by, alone.ended_by, alone.due_on) == (
        "10 năm", "record", "issued", date(2021, 1, 1),
    )  # fmt: skip
    assert (silent.retention, silent.said_by, silent.basis, silent.due_on) == ("Chưa xác định", "", "", None)


def test_a_later_version_shortens_nothing_but_a_person_may(
    archive: Archive, batch: MakeBatch, objects: ObjectStore, of: Callable[[str], Kept]
) -> None:
    issued = date(2001, 1, 5)
    archive.load(batch(), [archived(objects, "A1", issued=issued, retention="50 năm")])
    archive.load(batch("dem-2"), [archived(objects, "A1", revision="2", issued=issued, retention="5 năm")])
    assert of("A1").retention == "50 năm"
    decide(archive.engine, decided("retention", str(document_id(NOTES, "A1")), {"retention": "20 nam"}))
    found = of("A1")
    assert (found.retention, found.said_by, found.due_on) == ("20 năm", "person", date(2022, 1, 1))
    assert found.basis == "Trần Thị Mẫu: Theo bảng thời hạn của cơ quan"


def test_a_rule_of_the_office_counts_only_where_all_else_is_silent(
    archive: Archive, batch: MakeBatch, objects: ObjectStore, of: Callable[[str], Kept]
) -> None:
    values: dict[str, Json] = {"type_code": "KL", "retention": "20 năm", "basis": "35-HD/VPTW, mục 12"}
    decide(archive.engine, decided("retention_rule", "KL", values))
    archive.load(
        batch(),
        [
            archived(objects, "A1", issued=date(2001, 1, 5), retention="10 năm"),
            archived(objects, "A2", number="161", issued=date(2001, 1, 5), retention="Chưa xác định"),
            archived(objects, "A3", number="162", issued=date(2001, 1, 5), type_code="BC"),
        ],
    )
    assert (of("A1").retention, of("A1").said_by) == ("10 năm", "record")
    assert (of("A2").retention, of("A2").said_by, of("A2").basis) == ("20 năm", "rule", "35-HD/VPTW, mục 12")
    assert of("A3").retention == "Chưa xác định"


@pytest.mark.parametrize("words", ["Chưa xác định", "Khác", "đến khi hết hiệu lực", ""])
def test_a_person_says_for_how_long_or_nothing(archive: Archive, words: str) -> None:
    with pytest.raises(ConfigurationError, match="does not say how long"):
        decide(archive.engine, decided("retention", str(document_id(NOTES, "A1")), {"retention": words}))


def test_a_dossier_is_due_when_the_last_of_it_is(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    archive.load(
        batch(),
        [
            archived(
                objects,
                "A1",
                issued=date(2010, 5, 1),
                file_code="01",
                file_title="Thi đua",
                retention="10 năm",
            ),
            archived(objects, "A2", number="161", issued=date(2012, 5, 1), file_code="01"),
            archived(
                objects, "B1", number="9", issued=date(2000, 5, 1), file_code="02", retention="Vĩnh viễn"
            ),
            archived(objects, "B2", number="8", issued=date(2000, 5, 1), retention="10 năm"),
            archived(objects, "B3", number="7", issued=date(2000, 5, 1)),
        ],
    )
    refresh(archive.engine)
    assert [
        (d.kind, d.reference, d.documents, d.due_on) for d in due_list(archive.engine, date(2022, 12, 31))
    ] == [("document", "8-KL/TU", 1, date(2011, 1, 1))]
    _, dossier = due_list(archive.engine, date(2023, 1, 1))
    assert (dossier.kind, dossier.reference, dossier.title, dossier.documents, dossier.retention, dossier.ended) == (
        "dossier", "01", "Thi đua", 2, "10 năm", date(2012, 5, 1),
    )  # fmt: skip


def test_a_dossier_with_a_document_that_may_not_be_listed_is_left_out(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    old: dict[str, Any] = {"issued": date(2000, 5, 1), "retention": "10 năm"}
    records = [
        archived(objects, "A1", file_code="01", **old),
        archived(objects, "A2", number="161", file_code="01", **old),
        archived(objects, "B1", number="9", file_code="02", **old),
    ]
    archive.load(batch(), records)
    refresh(archive.engine)
    with archive.engine.begin() as connection:
        connection.execute(sa.text("UPDATE archive.document SET access = 'personal' WHERE source_key = 'A2'"))
    today = date(2026, 1, 1)
    assert [item.reference for item in due_list(archive.engine, today, ["open"])] == ["02"]
    assert [item.reference for item in due_list(archive.engine, today)] == ["01", "02"]


def test_holds_are_of_cases_and_each_is_released_by_itself(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    engine = archive.engine
    archive.load(
        batch(), [archived(objects, "A1", issued=date(2000, 5, 1), file_code="01", retention="10 năm")]
    )
    refresh(engine)
    document, dossier = str(document_id(NOTES, "A1")), str(dossier_id(NOTES, "01", ""))

    def cases() -> tuple[str, ...]:
        return due_list(engine, date(2026, 1, 1))[0].cases

    decide(engine, decided("hold", document, {"case": "12/2026/TLST-HC", "kind": "document"}), CLOCK)
    decide(engine, decided("hold", dossier, {"case": "Thanh tra 2026", "kind": "dossier"}), CLOCK)
    decide(engine, decided("hold", document, {"case": " 12/2026/tlst-hc", "kind": "document"}))
    assert cases() == ("12/2026/TLST-HC", "Thanh tra 2026")
    assert [(hold.case, hold.kind, hold.reference) for hold in holds(engine)] == [
        ("12/2026/TLST-HC", "document", "160-KL/TU"),
        ("Thanh tra 2026", "dossier", "01"),
    ]
    decide(engine, decided("release_hold", "thanh tra 2026", {"case": "thanh tra 2026", "on": None}))
    assert cases() == ("12/2026/TLST-HC",)
    with pytest.raises(ConfigurationError, match="no hold of the case"):
        decide(engine, decided("release_hold", "x", {"case": "Thanh tra 2026", "on": None}))
    assert [hold.released_by for hold in holds(engine, released=True)] == [None, "Trần Thị Mẫu"]


@pytest.mark.parametrize("values", [{"case": " ", "kind": "document"}, {"case": "1", "kind": "dossier"}])
def test_a_hold_is_on_something_that_is_there_and_of_a_case(
    archive: Archive, batch: MakeBatch, objects: ObjectStore, values: dict[str, Json]
) -> None:
    archive.load(batch(), [archived(objects, "A1")])
    with pytest.raises(ConfigurationError, match=r"needs the case|nothing to hold"):
        decide(archive.engine, decided("hold", str(document_id(NOTES, "A1")), values))
