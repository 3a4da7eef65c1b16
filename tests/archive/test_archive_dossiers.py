"""Dossiers and fonds: made from what records say, changed by people, and the same again from manifests and ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from archive.canonical import Json
from archive.decision import Decision
from archive.decisions import KINDS, decide, read_decision
from archive.dossiers import Refreshed, refresh
from archive.holdings import dossier, dossier_list, dossiers_of, fonds_list, organ_on
from archive.identities import document_id, dossier_id, fonds_id, made_dossier_id
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from schemas.errors import ConfigurationError
from tests.archive.office_records import CLOCK, archived, everything, places

pytestmark = pytest.mark.postgres
NOTES = "notes_van_ban_di"
TERM = "2020-2025"
CODE = "HS.03-2025"
ID = str(dossier_id(NOTES, CODE, TERM))
MakeBatch = Callable[..., Batch]
Select = Callable[..., list[tuple[object, ...]]]


def decided(kind: str, object_: str, values: Mapping[str, Json], source: str = "") -> Decision:
    return Decision(kind, object_, "Trần Thị Mẫu", "vanthu", "Sắp xếp lại hồ sơ", values, source)


def of_person(document: str, state: str = "in", position: int | None = None) -> Decision:
    values: dict[str, Json] = {
        "origin": "records",
        "document": document,
        "state": state,
        "position": position,
    }
    return decided("dossier_document", ID, values, NOTES)


@pytest.fixture
def filled(archive: Archive, batch: MakeBatch, objects: ObjectStore) -> Archive:
    """A dossier of three documents, one of which spells the code otherwise, and a fourth outside of it."""
    within: dict[str, Any] = {"file_code": CODE, "file_title": "Chuyển đổi số trong Đảng", "term": TERM}
    archive.load(
        batch(),
        [
            archived(objects, "A1", number="9", issued=date(2025, 2, 3), retention="20 năm", page_count=3, **within),
            archived(objects, "A2", number="10", issued=date(2025, 2, 3), page_count=4, retention="10 năm", **within),
            archived(
                objects, "A3", number="7", issued=date(2024, 12, 30), page_count=1,
                **{**within, "file_code": " hs.03-2025", "file_title": "Chuyển đổi số trong đảng"},
            ),
            archived(objects, "B1", number="11"),
        ],
    )  # fmt: skip
    refresh(archive.engine)
    return archive


def test_a_dossier_is_what_its_records_say_together(filled: Archive) -> None:
    found = dossier(filled.engine, CODE)
    assert (found.id, found.origin, found.source, found.code, found.term) == (
        ID,
        "records",
        NOTES,
        CODE,
        TERM,
    )
    assert found.title == "Chuyển đổi số trong Đảng"
    assert (found.start_date, found.end_date, found.page_count) == (date(2024, 12, 30), date(2025, 2, 3), 8)
    assert found.retention == "20 năm"
    assert [(d.ordinal, d.number, d.origin, d.disposed) for d in found.documents] == [
        (1, "7", "records", False),
        (2, "10", "records", False),
        (3, "9", "records", False),
    ]
    assert [view.id for view in dossiers_of(filled.engine, str(document_id(NOTES, "A2")))] == [ID]
    assert dossiers_of(filled.engine, str(document_id(NOTES, "B1"))) == []


def test_the_same_code_in_another_term_is_another_dossier(
    filled: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    filled.load(batch("dem-2"), [archived(objects, "C1", file_code=CODE, term="2025-2030")])
    refresh(filled.engine)
    assert [(view.code, view.term, view.document_count) for view in dossier_list(filled.engine)] == [
        (CODE, TERM, 3),
        (CODE, "2025-2030", 1),
    ]
    with pytest.raises(ConfigurationError, match="names 2 dossiers"):
        dossier(filled.engine, CODE)


def test_a_record_with_a_title_only_has_a_dossier_of_that_title(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    archive.load(batch(), [archived(objects, "A1", file_title="Hồ sơ đại hội"), archived(objects, "A2")])
    refresh(archive.engine)
    (view,) = dossier_list(archive.engine)
    assert (view.code, view.title, view.document_count) == (None, "Hồ sơ đại hội", 1)


def test_a_second_refresh_writes_no_row(filled: Archive, archive_url: str) -> None:
    before = places(archive_url)
    assert refresh(filled.engine) == Refreshed(0, 0)
    assert places(archive_url) == before


def test_a_corrected_record_moves_and_an_empty_dossier_goes(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    archive.load(batch(), [archived(objects, "A1", file_code="01", changed_at=CLOCK)])
    refresh(archive.engine)
    archive.load(
        batch("dem-2"),
        [archived(objects, "A1", revision="2", file_code="02", changed_at=CLOCK + timedelta(days=1))],
    )
    assert refresh(archive.engine) == Refreshed(3, 2)
    assert [view.code for view in dossier_list(archive.engine)] == ["02"]


def test_a_later_revision_that_says_less_shortens_nothing(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    for revision, retention in enumerate(("Vĩnh viễn", "10 năm", None), start=1):
        changed = CLOCK + timedelta(days=revision)
        record = archived(
            objects, "A1", revision=str(revision), file_code="01", retention=retention, changed_at=changed
        )
        archive.load(batch(f"dem-{revision}"), [record])
        refresh(archive.engine)
    assert dossier(archive.engine, "01").retention == "Vĩnh viễn"


def test_what_a_person_says_of_a_dossier_stays(
    filled: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    fields: dict[str, Json] = {
        "title": "Hồ sơ chuyển đổi số",
        "end_date": "2025-12-31",
        "keywords": ["số hóa"],
    }
    decide(filled.engine, decided("dossier", ID, {"origin": "records", "set": fields}, NOTES))
    late = archived(objects, "A4", issued=date(2026, 1, 5), file_code=CODE, file_title="Khác", term=TERM)
    filled.load(batch("dem-2"), [late])
    refresh(filled.engine)
    found = dossier(filled.engine, ID)
    assert (found.title, found.end_date, found.keywords) == (
        "Hồ sơ chuyển đổi số",
        date(2025, 12, 31),
        ("số hóa",),
    )
    assert (found.document_count, found.decided) == (4, ("end_date", "keywords", "title"))


def test_a_person_orders_adds_and_takes_out_and_records_do_not_undo_it(filled: Archive) -> None:
    first, other = (str(document_id(NOTES, key)) for key in ("A1", "B1"))
    for decision in (
        of_person(first, position=1),
        of_person(other),
        of_person(str(document_id(NOTES, "A3")), "out"),
    ):
        decide(filled.engine, decision)
    assert refresh(filled.engine).memberships == 0
    assert [d.number for d in dossier(filled.engine, ID).documents] == ["9", "10", "11"]


def test_one_document_is_in_two_dossiers_and_is_one_document(filled: Archive, select: Select) -> None:
    identity = str(made_dossier_id("A99.01", "01", "0007"))
    document = str(document_id(NOTES, "A1"))
    decide(filled.engine, decided("dossier", identity, {"origin": "person", "set": {"code": "0007"}}))
    decide(
        filled.engine,
        decided("dossier_document", identity, {"origin": "person", "document": document, "state": "in"}),
    )
    refresh(filled.engine)
    assert sorted(view.id for view in dossiers_of(filled.engine, document)) == sorted([ID, identity])
    assert select("SELECT count(*) FROM archive.document") == [(4,)]


def test_a_fonds_takes_in_the_dossiers_of_its_sources_but_for_what_a_person_placed(filled: Archive) -> None:
    for code, sources in (("A99.01", [NOTES]), ("A99.02", [])):
        values: dict[str, Json] = {"code": code, "name": "Phông Tỉnh ủy Sông Hương", "sources": sources}
        decide(filled.engine, decided("fonds", code, values))
    refresh(filled.engine)
    assert [(view.code, view.dossiers) for view in fonds_list(filled.engine)] == [
        ("A99.01", 1),
        ("A99.02", 0),
    ]
    other: Mapping[str, Json] = {"origin": "records", "set": {"fonds_id": str(fonds_id("A99.02"))}}
    decide(filled.engine, decided("dossier", ID, other, NOTES))
    refresh(filled.engine)
    found = dossier(filled.engine, ID)
    assert (found.fonds_code, found.fonds_name) == ("A99.02", "Phông Tỉnh ủy Sông Hương")


def test_a_document_that_is_not_there_comes_into_no_dossier(filled: Archive) -> None:
    with pytest.raises(ConfigurationError, match="does not hold that document"):
        decide(filled.engine, of_person("00000000-0000-0000-0000-000000000001"))
    with pytest.raises(ConfigurationError, match="sets no field"):
        decide(filled.engine, decided("dossier", ID, {"origin": "records", "set": {"id": "x"}}))


def test_decisions_replayed_over_the_records_give_the_same_rows(
    filled: Archive, archive_url: str, select: Select, engine: sa.Engine
) -> None:
    decide(engine, decided("fonds", "A99.01", {"code": "A99.01", "name": "Phông", "sources": [NOTES]}), CLOCK)
    decide(
        engine, decided("dossier", ID, {"origin": "records", "set": {"note": "Đã chỉnh lý"}}, NOTES), CLOCK
    )
    decide(engine, of_person(str(document_id(NOTES, "B1")), position=1), CLOCK)
    refresh(engine)
    tables = ("fonds", "dossier", "dossier_document", "organ")
    before = {name: rows for name, rows in everything(archive_url).items() if name in tables}
    events = select(
        "SELECT source, object, payload, at FROM archive.event WHERE payload LIKE '%\"decision\"%' ORDER BY seq"
    )
    with engine.begin() as connection:
        connection.execute(
            sa.text("TRUNCATE archive.fonds, archive.dossier, archive.dossier_document, archive.organ")
        )
        cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
        for source, object_, payload, at in events:
            decision = read_decision(str(source), str(object_), json.loads(str(payload)))
            assert decision
            KINDS[decision.kind].apply(cursor, decision, at)  # type: ignore[arg-type]
    refresh(engine)
    assert {name: rows for name, rows in everything(archive_url).items() if name in tables} == before


@pytest.mark.parametrize(
    ("code", "day", "name"),
    [
        ("A10", date(2025, 6, 30), "Tỉnh ủy Bình Phước"),
        ("A10", date(2025, 7, 1), None),
        ("A19", date(2025, 7, 1), "Tỉnh ủy Đồng Nai"),
        ("000.00.00.h10", date(2020, 1, 1), "Ủy ban nhân dân tỉnh Bình Phước"),
        ("BTGDVTU", date(2025, 2, 28), None),
    ],
)
def test_an_organ_is_who_it_was_on_that_day(archive: Archive, code: str, day: date, name: str | None) -> None:
    refresh(archive.engine)
    found = organ_on(archive.engine, code, day)
    assert (found.name if found else None) == name


def test_a_person_corrects_an_organ_and_the_vocabulary_gives_way(archive: Archive) -> None:
    refresh(archive.engine)
    values: dict[str, Json] = {
        "code": "BDVTU", "name": "Ban Dân vận Tỉnh ủy", "system": "party", "valid_to": "2025-03-14",
        "successor": "BTGDVTU",
    }  # fmt: skip
    decide(archive.engine, decided("organ", "BDVTU", values))
    refresh(archive.engine)
    found = organ_on(archive.engine, "BDVTU", date(2025, 3, 10))
    assert found
    assert (found.valid_to, found.basis) == (date(2025, 3, 14), "Trần Thị Mẫu: Sắp xếp lại hồ sơ")
