"""Links between documents: found whichever came first, and never guessed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import permutations

import pytest

from archive.identities import document_id
from archive.loader import Archive, Archived, Batch
from archive.objects import ObjectStore
from archive.queries import find_document
from schemas.document import Organ, RelationKind
from tests.archive.office_records import CLOCK, COMMITTEE, PEOPLE, archived, relation

pytestmark = pytest.mark.postgres
MakeBatch = Callable[..., Batch]
Select = Callable[..., list[tuple[object, ...]]]
NOTES, EXCHANGE = "notes_van_ban_di", "truc_tinh"


@pytest.fixture
def bring(archive: Archive, batch: MakeBatch) -> Callable[[Archived], None]:
    """Loads one record as a batch of its own."""
    numbers = iter(range(1, 1000))

    def load(record: Archived) -> None:
        source = record.processed.document.source
        archive.load(batch(number=next(numbers), source=source), [record])

    return load


def targets(select: Select) -> list[object]:
    return [
        row[0] for row in select("SELECT target_document FROM archive.relation ORDER BY document_id, ordinal")
    ]


@pytest.mark.parametrize("recall_first", [False, True])
@pytest.mark.parametrize(
    "named",
    [
        {"uid": "G09.1"},
        {"uid": "UNID1"},
        {"number": "160", "notation": "KL/TU", "issued_date": date(2025, 5, 20)},
    ],
)
def test_a_recall_finds_its_document_whichever_comes_first(
    bring: Callable[[Archived], None], objects: ObjectStore, archive: Archive, select: Select,
    named: dict[str, object], recall_first: bool,
) -> None:  # fmt: skip
    document = archived(objects, "UNID1", uid="G09.1")
    recall = archived(objects, "UNID2", number="9", relations=(relation(RelationKind.RECALLS, **named),))
    for record in (recall, document) if recall_first else (document, recall):
        bring(record)
    assert targets(select) == [document_id(NOTES, "UNID1")]
    assert find_document(archive.engine, "UNID1")[0].recalled
    assert select("SELECT object, payload FROM archive.event WHERE type = 'recall'") == [
        (str(document_id(NOTES, "UNID1")), f'{{"by":"{document_id(NOTES, "UNID2")}","version":1}}')
    ]


def test_an_organ_cannot_recall_the_document_of_another(
    bring: Callable[[Archived], None], objects: ObjectStore, archive: Archive, select: Select
) -> None:
    bring(archived(objects, "UNID1", uid="G09.1", issuer=COMMITTEE))
    bring(archived(objects, "UNID2", issuer=PEOPLE, relations=(relation(RelationKind.RECALLS, uid="G09.1"),)))
    by_symbol = relation(RelationKind.RECALLS, number="160", notation="KL/TU", issued_date=date(2025, 5, 20))
    bring(archived(objects, "UNID3", number="7", issuer=PEOPLE, relations=(by_symbol,)))
    (view,) = find_document(archive.engine, "UNID1")
    assert not view.recalled
    assert [(r.kind, r.inverse, r.by_issuer) for r in view.relations] == [("recalls", True, False)]


def test_of_two_candidates_none_is_taken_in_every_order(
    bring: Callable[[Archived], None], objects: ObjectStore, select: Select
) -> None:
    """Two communes number alike; the reference does not say whose document it is."""
    for round_, order in enumerate(permutations("ABR")):
        day = date(2025, 1, 1) + timedelta(days=round_)
        named = relation(RelationKind.CITES, number="12", notation="QĐ-UBND", issued_date=day)
        records = {
            "A": archived(
                objects,
                f"A{round_}",
                number="12",
                notation="QĐ-UBND",
                issued=day,
                issuer=Organ(name="UBND xã Đông"),
            ),
            "B": archived(
                objects,
                f"B{round_}",
                number="12",
                notation="QĐ-UBND",
                issued=day,
                issuer=Organ(name="UBND xã Tây"),
            ),
            "R": archived(objects, f"R{round_}", number=str(500 + round_), relations=(named,)),
        }
        for name in order:
            bring(records[name])
    assert targets(select) == [None] * 6


def test_the_own_source_is_preferred(
    bring: Callable[[Archived], None], objects: ObjectStore, select: Select
) -> None:
    bring(archived(objects, "TD-1", source=EXCHANGE, uid="G09.1"))
    bring(archived(objects, "UNID1", uid="G09.1"))
    bring(archived(objects, "UNID2", number="9", relations=(relation(RelationKind.REPLIES_TO, uid="G09.1"),)))
    assert targets(select) == [document_id(NOTES, "UNID1")]


def test_a_document_is_no_target_of_itself(
    bring: Callable[[Archived], None], objects: ObjectStore, select: Select
) -> None:
    bring(archived(objects, "UNID1", uid="G09.1", relations=(relation(RelationKind.CITES, uid="G09.1"),)))
    assert targets(select) == [None]


@pytest.mark.parametrize("exchange_first", [False, True])
def test_the_same_document_in_both_systems_is_linked_and_stays_two(
    bring: Callable[[Archived], None], objects: ObjectStore, select: Select, exchange_first: bool
) -> None:
    notes = archived(objects, "UNID1", number="0160", files={"kl160.pdf": b"kl", "pl.pdf": b"pl"})
    exchange = archived(objects, "TD-1", source=EXCHANGE, files={"vanban.pdf": b"kl"})
    for record in (exchange, notes) if exchange_first else (notes, exchange):
        bring(record)
    pair = sorted([document_id(NOTES, "UNID1"), document_id(EXCHANGE, "TD-1")])
    assert select("SELECT document_a, document_b, grade, state FROM archive.same_as ORDER BY grade") == [
        (*pair, "A", "found"),
        (*pair, "B", "found"),
    ]
    assert select("SELECT count(*) FROM archive.document") == [(2,)]


@pytest.mark.parametrize(
    "other",
    [
        {"number": "161"},
        {"notation": "NQ/TU"},
        {"issued": date(2024, 5, 20)},
        {"issued": None},
        {"issuer": PEOPLE},
        {"issuer": None},
        {"source": NOTES},
    ],
)
def test_what_differs_in_one_of_symbol_date_issuer_is_not_the_same(
    bring: Callable[[Archived], None], objects: ObjectStore, select: Select, other: dict[str, object]
) -> None:
    bring(archived(objects, "UNID1", files={"a.pdf": b"a"}))
    record = archived(objects, "TD-1", **{"source": EXCHANGE, "files": {"b.pdf": b"b"}, **other})  # type: ignore[arg-type]
    bring(record)
    assert select("SELECT * FROM archive.same_as") == []


def test_an_empty_file_or_a_later_attachment_proves_nothing(
    bring: Callable[[Archived], None], objects: ObjectStore, select: Select
) -> None:
    bring(archived(objects, "UNID1", files={"rong.pdf": b"", "mau.docx": b"mau"}))
    bring(archived(objects, "TD-1", source=EXCHANGE, number="1", files={"rong.pdf": b""}))
    bring(archived(objects, "TD-2", source=EXCHANGE, number="2", files={"mau.docx": b"mau"}))
    assert select("SELECT * FROM archive.same_as") == []


def test_a_form_that_everybody_attaches_links_nobody(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    form = {"mau.docx": b"mau"}
    many = [archived(objects, f"U{n}", number=str(n), files=form) for n in range(60)]
    archive.load(batch(), many)
    archive.load(
        batch(source=EXCHANGE), [archived(objects, "TD-1", source=EXCHANGE, number="999", files=form)]
    )
    assert select("SELECT count(*) FROM archive.same_as") == [(0,)]


def test_the_newest_by_the_sources_time_is_current(
    bring: Callable[[Archived], None], objects: ObjectStore, archive: Archive
) -> None:
    def revision(name: str, changed_at: datetime | None, subject: str) -> None:
        bring(archived(objects, "UNID1", revision=name, changed_at=changed_at, subject=subject))

    revision("2", CLOCK, "sửa lần hai")
    revision("1", CLOCK - timedelta(days=9), "bản đầu, đến muộn")
    revision("x", None, "không rõ ngày")
    (view,) = find_document(archive.engine, "UNID1")
    assert [version.version for version in view.versions] == [1, 2, 3]
    assert view.current.subject == "sửa lần hai"
    revision("3", CLOCK, "sửa lần ba")
    assert find_document(archive.engine, "UNID1")[0].current.subject == "sửa lần ba"
