"""Threads: recalls, statuses and replies come to the same archive in whatever order they arrive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.identities import document_id
from archive.loader import Archive, Archived, Batch
from archive.objects import ObjectStore
from archive.queries import find_document, find_with_recalled, totals
from archive.views import DocumentView, HandlingStep, Tombstone
from schemas.document import BusinessType, Organ, RecordKind, RelationKind, TraceEntry
from tests.archive.office_records import COMMITTEE, HANOI, PEOPLE, archived, everything, relation

pytestmark = pytest.mark.postgres
MakeBatch = Callable[..., Batch]
Select = Callable[..., list[tuple[object, ...]]]
SOURCE = "truc_tinh"
SENT = datetime(2025, 5, 20, 9, 0, tzinfo=HANOI)


def day(number: int) -> datetime:
    return SENT + timedelta(days=number)


def status(objects: ObjectStore, uid: str, code: str, at: datetime, issuer: Organ = PEOPLE) -> Archived:
    """A status message as the mapping of the exchange makes it; 13 takes the document back."""
    kinds = [RelationKind.STATUS_OF, *([RelationKind.RECALLS] if code == "13" else [])]
    step = TraceEntry(
        organ_id=issuer.organ_id, moment=at, staff="Văn thư Mẫu", status_code=code, text=f"Bước {code}"
    )
    return archived(
        objects, f"status|{issuer.organ_id}|{uid}|{code}", source=SOURCE, kind=RecordKind.STATUS,
        number=None, notation=None, issued=None, subject=None, issuer=issuer, status_code=code,
        trace=(step,), changed_at=at, relations=tuple(relation(kind, uid=uid) for kind in kinds),
    )  # fmt: skip


def message(
    objects: ObjectStore, uid: str, business: str, *, at: datetime, issuer: Organ = COMMITTEE,
    revision: str = "1", number: str = "160", about: str = "",
) -> Archived:  # fmt: skip
    """A package that does something to another one; a recall repeats the identity of what it recalls."""
    kinds = {"recall": RelationKind.RECALLS, "update": RelationKind.AMENDS, "replace": RelationKind.REPLACES,
             "new": RelationKind.REPLIES_TO}  # fmt: skip
    return archived(
        objects, f"{issuer.organ_id}|{uid}|{business}", source=SOURCE, uid=uid, revision=revision,
        issuer=issuer, number=number, business_type=BusinessType(business), changed_at=at,
        relations=(relation(kinds[business], uid=about or uid),),
    )  # fmt: skip


def thread(objects: ObjectStore, uid: str) -> list[Archived]:
    """A document, its recall sent twice, what strangers tried, three statuses and a reply."""
    sent = TraceEntry(organ_id=COMMITTEE.organ_id, moment=SENT)
    return [
        archived(objects, f"A|{uid}|", source=SOURCE, uid=uid, trace=(sent,), changed_at=SENT),
        message(objects, uid, "recall", at=day(2)),
        message(objects, uid, "recall", at=day(3), revision="2"),
        message(objects, uid, "recall", at=day(1), issuer=PEOPLE),
        status(objects, uid, "01", day(0) + timedelta(hours=1)),
        status(objects, uid, "03", day(1)),
        status(objects, uid, "15", day(4)),
        message(objects, f"{uid}-tra-loi", "new", at=day(1), issuer=PEOPLE, number="7", about=uid),
    ]


def seen(view: DocumentView) -> DocumentView:
    """What must not depend on the order: all but the numbers of versions and when each arrived."""
    return replace(view, versions=(), current=replace(view.current, version=0))


def test_a_thread_is_told_whole(archive: Archive, objects: ObjectStore, batch: MakeBatch) -> None:
    archive.load(batch(source=SOURCE), thread(objects, "G09.1"))
    (view,) = find_with_recalled(archive.engine, "A|G09.1|")
    assert view.recalled
    told = [(r.kind, r.other_issuer, r.by_issuer) for r in view.relations if r.inverse]
    assert told == [
        ("recalls", COMMITTEE.name, True), ("recalls", PEOPLE.name, False),
        ("replies_to", PEOPLE.name, False),
        *[("status_of", PEOPLE.name, False)] * 3,
    ]  # fmt: skip
    steps = [(step.status_code, step.organ_name, step.staff, step.text) for step in view.history]
    assert steps == [
        (None, COMMITTEE.name, None, None),
        ("01", PEOPLE.name, "Văn thư Mẫu", "Bước 01"),
        ("03", PEOPLE.name, "Văn thư Mẫu", "Bước 03"),
        ("15", PEOPLE.name, "Văn thư Mẫu", "Bước 15"),
    ]
    assert view.history[1].moment == day(0) + timedelta(hours=1)
    assert view.history[1].by == str(document_id(SOURCE, f"status|{PEOPLE.organ_id}|G09.1|01"))
    assert totals(archive.engine).recalled == 1


_round = count()


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(order=st.permutations(range(8)), cuts=st.sets(st.integers(1, 7)))
def test_the_order_of_arrival_does_not_matter(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, order: list[int], cuts: set[int]
) -> None:
    """Any permutation, in any batches, against the thread loaded in its own order at once."""
    at = next(_round)
    views = []
    for name, arrival, ends in (("a", list(range(8)), {8}), ("b", order, {*cuts, 8})):
        uid = f"G{at}.{name}"
        records = [thread(objects, uid)[place] for place in arrival]
        for number, (start, end) in enumerate(zip(sorted({0, *ends})[:-1], sorted(ends), strict=True), 1):
            archive.load(batch(f"dem-{at}{name}", number, source=SOURCE), records[start:end])
        (view,) = find_with_recalled(archive.engine, f"A|{uid}|")
        views.append(seen(view))
    one, other = views
    assert _without_names(one, f"G{at}.a") == _without_names(other, f"G{at}.b")
    assert (other.recalled, len(other.history), len(other.relations)) == (True, 4, 6)


def _without_names(view: DocumentView, uid: str) -> tuple[object, ...]:
    relations = sorted(
        (r.kind, r.inverse, r.other_symbol or "", r.other_issuer or "", r.named.replace(uid, ""), r.by_issuer)
        for r in view.relations
    )
    history = [replace(step, by=bool(step.by) and "status") for step in view.history]
    return view.recalled, view.replaced, relations, history


def test_again_changes_nothing(
    archive: Archive, archive_url: str, objects: ObjectStore, batch: MakeBatch
) -> None:
    records = thread(objects, "G09.1")
    archive.load(batch(source=SOURCE), records)
    of_runs = ("run", "run_batch", "event")
    before = {name: rows for name, rows in everything(archive_url).items() if name not in of_runs}
    archive.load(batch("dem-2", source=SOURCE), list(reversed(records)))
    after = {name: rows for name, rows in everything(archive_url).items() if name not in of_runs}
    assert after == before


@pytest.mark.parametrize("recall_first", [False, True])
def test_a_recall_by_another_organ_is_recorded_and_not_applied(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select, recall_first: bool
) -> None:
    records = [thread(objects, "G09.1")[place] for place in ((3, 0) if recall_first else (0, 3))]
    for number, record in enumerate(records, 1):
        archive.load(batch(number=number, source=SOURCE), [record])
    (view,) = find_document(archive.engine, "A|G09.1|")
    assert isinstance(view, DocumentView)
    assert not view.recalled
    assert [(r.kind, r.by_issuer, r.reason) for r in view.relations] == [("recalls", False, "Ban hành nhầm")]
    ((outcome, payload),) = select("SELECT outcome, payload FROM archive.event WHERE type = 'recall'")
    assert outcome == "failure"
    assert '"why":"not_by_issuer"' in str(payload)


def test_the_issuer_is_told_by_its_code_and_only_without_codes_by_its_name(
    archive: Archive, objects: ObjectStore, batch: MakeBatch
) -> None:
    cases = [
        (Organ(name="Đảng ủy xã Đông", organ_id="A1"), Organ(name="Đảng ủy xã Đông", organ_id="A2"), False),
        (Organ(name="Đảng ủy xã Đông", organ_id="A1"), Organ(name="Tên mới", organ_id="A1"), True),
        (Organ(name="Đảng ủy xã Đông", organ_id="A1"), Organ(name="ĐẢNG UỶ XÃ ĐÔNG"), True),
        (Organ(name="UBND tỉnh", organ_id="000.00.00.H10"), Organ(name="UBND tỉnh", organ_id="H10"), True),
        (Organ(name="UBND tỉnh", organ_id="000.00.00.H99"), Organ(name="UBND tỉnh", organ_id="H99"), False),
        (Organ(organ_id="A1"), Organ(name="Đảng ủy xã Đông"), False),
    ]  # fmt: skip
    for at, (issuer, recaller, applied) in enumerate(cases):
        uid = f"G{at}"
        records = [
            archived(objects, f"D|{uid}", source=SOURCE, uid=uid, issuer=issuer),
            message(objects, uid, "recall", at=day(1), issuer=recaller),
        ]
        archive.load(batch(number=at + 1, source=SOURCE), records)
        (view,) = find_with_recalled(archive.engine, f"D|{uid}")
        assert view.recalled is applied, (issuer, recaller)


def test_status_13_of_the_sender_takes_the_document_back_and_of_a_receiver_does_not(
    archive: Archive, objects: ObjectStore, batch: MakeBatch
) -> None:
    for number, (uid, sender, recalled) in enumerate((("G1", COMMITTEE, True), ("G2", PEOPLE, False)), 1):
        records = [
            status(objects, uid, "13", day(1), issuer=sender),
            archived(objects, f"D|{uid}", source=SOURCE, uid=uid),
        ]
        archive.load(batch(number=number, source=SOURCE), records)
        (found,) = find_document(archive.engine, f"D|{uid}")
        assert isinstance(found, Tombstone) is recalled
        assert [step.status_code for step in found.history] == ["13"]


def test_a_status_13_that_names_only_the_symbol_and_its_receiver_is_a_step_of_the_document(
    archive: Archive, objects: ObjectStore, batch: MakeBatch
) -> None:
    named = {"symbol": "160-KL/TU", "issued_date": date(2025, 5, 20)}
    step = TraceEntry(organ_id=COMMITTEE.organ_id, moment=day(1), status_code="13")
    taken_back = archived(
        objects, "status|13", source=SOURCE, kind=RecordKind.STATUS, number=None, notation=None, issued=None,
        issuer=COMMITTEE, status_code="13", trace=(step,), changed_at=day(1),
        relations=(
            relation(RelationKind.STATUS_OF, **named, organ_id=PEOPLE.organ_id),
            relation(RelationKind.RECALLS, **named),
        ),
    )  # fmt: skip
    archive.load(batch(source=SOURCE), [taken_back, archived(objects, "D|1", source=SOURCE, uid="G1")])
    (found,) = find_with_recalled(archive.engine, "D|1")
    assert (found.recalled, [step.status_code for step in found.history]) == (True, ["13"])


def test_update_and_replacement_supersede_with_links_and_hide_nothing(
    archive: Archive, objects: ObjectStore, batch: MakeBatch
) -> None:
    replacement = message(objects, "G2", "replace", at=day(1), number="161", about="G1")
    update = message(objects, "G3", "update", at=day(2), number="162", about="G1")
    foreign = message(objects, "G4", "replace", at=day(2), number="163", issuer=PEOPLE, about="G5")
    documents = [archived(objects, f"D|{uid}", source=SOURCE, uid=uid) for uid in ("G1", "G5")]
    archive.load(batch(source=SOURCE), [replacement, foreign, update, *documents])
    (old,) = find_document(archive.engine, "D|G1")
    assert isinstance(old, DocumentView)
    assert (old.replaced, old.recalled) == (True, False)
    assert [(r.kind, r.other_symbol) for r in old.relations] == [
        ("amends", "162-KL/TU"),
        ("replaces", "161-KL/TU"),
    ]
    (other,) = find_document(archive.engine, "D|G5")
    assert isinstance(other, DocumentView)
    assert not other.replaced


def test_a_recall_that_repeats_its_document_is_hidden_with_it_and_no_other(
    archive: Archive, objects: ObjectStore, batch: MakeBatch
) -> None:
    notice = message(objects, "G10.2", "recall", at=day(5), number="161", about="G09.1")
    archive.load(batch(source=SOURCE), [*thread(objects, "G09.1"), notice])
    shown = {
        name: find_document(archive.engine, name)[0]
        for name in (
            f"{COMMITTEE.organ_id}|G09.1|recall",
            f"{PEOPLE.organ_id}|G09.1|recall",
            f"{COMMITTEE.organ_id}|G10.2|recall",
        )
    }
    assert [isinstance(view, Tombstone) for view in shown.values()] == [True, False, False]
    assert [view.recalled for view in shown.values()] == [False, False, False]


def test_a_message_means_the_document_and_not_the_recall_of_the_same_identifier(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    by_symbol = relation(RelationKind.CITES, number="160", notation="KL/TU", issued_date=date(2025, 5, 20))
    citing = archived(objects, "UNID9", source=SOURCE, number="9", relations=(by_symbol,))
    archive.load(batch(source=SOURCE), [citing, *thread(objects, "G09.1")])
    assert select("SELECT DISTINCT target_document FROM archive.relation") == [
        (document_id(SOURCE, "A|G09.1|"),)
    ]


def test_a_citation_finds_a_decree_by_its_whole_symbol(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    decree = archived(objects, "D|1", source=SOURCE, number="33", notation="NĐ-CP", symbol="33/2002/NĐ-CP",
                      issued=date(2002, 3, 28))  # fmt: skip
    named = {"number": "33", "notation": "NĐ-CP", "symbol": "33/2002/NĐ-CP"}
    records = [
        archived(objects, f"C|{number}", source=SOURCE, number=number,
                 relations=(relation(RelationKind.CITES, issued_date=issued, **named),))
        for number, issued in (("5", date(2002, 3, 28)), ("6", date(2002, 3, 30)))
    ]  # fmt: skip
    archive.load(batch(source=SOURCE), [*records, decree])
    assert select("SELECT target_document FROM archive.relation ORDER BY target_issued_date") == [
        (document_id(SOURCE, "D|1"),),
        (None,),
    ]


def test_notes_opinions_are_steps_too(archive: Archive, objects: ObjectStore, batch: MakeBatch) -> None:
    opinions = (
        TraceEntry(moment=datetime(2012, 3, 6, 2, 0, tzinfo=UTC), staff="Trần Mẫu", text="Giao phòng TH"),
        TraceEntry(text="Đã xem"),
    )
    archive.load(batch(), [archived(objects, "UNID1", trace=opinions)])
    (view,) = find_document(archive.engine, "UNID1")
    assert view.history == (
        HandlingStep(None, None, opinions[0].moment, "Trần Mẫu", None, "Giao phòng TH", None),
        HandlingStep(None, None, None, None, None, "Đã xem", None),
    )
