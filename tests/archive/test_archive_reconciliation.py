"""The reconciliation: what was listed, numbered, cited and asked for, against what is here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from archive.decisions import decide
from archive.known_gaps import gap_decision, known_gaps, withdrawal
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from archive.outcomes import Unchanged, Withheld
from archive.presence import mark_presence
from archive.reconciliation import Reconciliation, reconcile
from archive.runs import account, record_listed
from mappings.office_settings import Numbering
from schemas.document import Direction, Organ, RecordKind, RelationKind
from schemas.errors import ConfigurationError
from tests.archive.office_records import CLOCK, archived, quarantined, relation

pytestmark = pytest.mark.postgres
NOTES = "notes_van_ban_di"
NOW = datetime(2026, 3, 10, tzinfo=UTC)
POLICIES: Mapping[str, Numbering] = {NOTES: Numbering(restart="per_term", whole_series=True, arrivals=True)}
SERIES = f"{NOTES}:TU:KL:2020-2025"
MakeBatch = Callable[..., Batch]
WHO = {"by": "Trần Thị Mẫu", "account": "vanthu"}


def numbered(objects: ObjectStore, key: str, number: str, **fields: Any) -> Any:
    return archived(objects, key, number=number, term="2020-2025", **fields)


def of(engine: sa.Engine, policies: Mapping[str, Numbering] = POLICIES) -> Reconciliation:
    return reconcile(engine, policies, at=NOW)


def rows(found: Reconciliation, table: str, *columns: str) -> list[tuple[object, ...]]:
    one = found.table(table)
    places = [one.columns.index(column) for column in columns]
    return [tuple(row[place] for place in places) for row in one.rows]


def test_every_run_and_source_is_told_with_its_difference(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    run = batch()
    record_listed(archive.engine, run.run, listed=6, unchanged_at_plan=1, batches=1)
    archive.load(
        run,
        [
            archived(objects, "A1"),
            archived(objects, "A2", number="161", kind=RecordKind.STATUS),
            quarantined("Q1"),
            Withheld("S1", "1", "mat", "field"),
            Unchanged("A1", "1"),
        ],
    )
    account(archive.engine, run.run, now=NOW)
    found = of(archive.engine)
    states = ("archived", "unchanged", "quarantined", "withheld")
    assert rows(found, "runs", "source", "state", "listed", *states, "difference") == [
        (NOTES, "finished", 6, 2, 2, 1, 1, 0)
    ]
    kinds = ("documents", "statuses", "others", "versions")
    assert rows(found, "sources", "source", *kinds, "quarantine_open", "withheld") == [
        (NOTES, 1, 1, 0, 2, 1, 1)
    ]
    assert found.in_order


def test_the_newest_complete_inventory_is_held_against_the_archive(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    run = batch()
    archive.load(
        run,
        [
            archived(objects, "A1"),
            archived(objects, "A2", number="161"),
            quarantined("Q1"),
            Withheld("S1", "1", "mat", "field"),
        ],
    )
    listed = ["A1", "A1", "Q1", "S1", "M1"]
    tonight = CLOCK + timedelta(days=1)
    mark_presence(archive.engine, NOTES, run.run, listed, tonight)
    mark_presence(
        archive.engine, NOTES, run.run, ["A1", "A2"], CLOCK + timedelta(hours=1)
    )  # an older one, late
    found = of(archive.engine)
    assert found.table("inventory").rows == ((NOTES, tonight, 4, 1, 1, 1, 1),)
    assert found.table("missing").rows == ((NOTES, "M1", tonight),)
    assert not found.in_order
    mark_presence(archive.engine, NOTES, run.run, ["A1"], tonight + timedelta(days=1))
    found = of(archive.engine)
    assert rows(found, "gone", "source", "symbol", "issued_date") == [(NOTES, "161-KL/TU", date(2025, 5, 20))]
    assert found.in_order


def test_gaps_are_questions_until_a_person_explains_them_and_again_when_taken_back(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    engine = archive.engine
    archive.load(batch(), [numbered(objects, f"A{number}", number) for number in ("1", "02", "5", "5a", "9")])

    def gaps() -> list[tuple[object, ...]]:
        return rows(of(engine), "gaps", "series", "first", "last", "count", "may_be_secret")

    assert gaps() == [(SERIES, 3, 4, 2, True), (SERIES, 6, 8, 3, True)]
    why = "Biên bản hủy số ngày 02/3/2026"
    decide(engine, gap_decision(SERIES, 6, 7, reason="cancelled", why=why, **WHO))
    assert gaps() == [(SERIES, 3, 4, 2, True), (SERIES, 8, 8, 1, True)]
    assert rows(of(engine), "known_gaps", "first", "last", "gap_reason", "by", "why") == [
        (6, 7, "cancelled", "Trần Thị Mẫu", why)
    ]
    with pytest.raises(ConfigurationError, match="has explained the numbers 6 to 7 already"):
        decide(engine, gap_decision(SERIES, 7, 8, reason="secret", why="x", **WHO))
    decide(engine, withdrawal(SERIES, 6, 7, why="Nhầm dãy số", **WHO))
    assert gaps()[1] == (SERIES, 6, 8, 3, True)
    assert known_gaps(engine) == []
    with pytest.raises(ConfigurationError, match="nobody has explained"):
        decide(engine, withdrawal(SERIES, 6, 7, why="lần nữa", **WHO))


@pytest.mark.parametrize(
    ("first", "last", "reason", "message"),
    [
        (0, 3, "paper", "no numbers of a series"),
        (5, 3, "paper", "no numbers"),
        (1, 2, "lost", "no reason for a gap"),
    ],
)
def test_only_numbers_and_the_four_reasons_are_entered(
    engine: sa.Engine, first: int, last: int, reason: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        decide(engine, gap_decision(SERIES, first, last, reason=reason, why="x", **WHO))


def test_without_a_policy_nothing_is_asked_about_numbers(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    archive.load(batch(), [numbered(objects, "A1", "1"), numbered(objects, "A2", "9")])
    for policies in ({}, {NOTES: Numbering()}):
        found = of(archive.engine, policies)
        assert (found.table("gaps").rows, found.questions) == ((), 0)


def test_a_number_given_twice_in_one_source_and_sightings_in_two_are_told_apart(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    archive.load(
        batch(),
        [
            numbered(objects, "A1", "1", files={"a.pdf": b"a"}),
            numbered(objects, "A2", "01", subject="Kết luận khác"),
        ],
    )
    archive.load(
        batch(source="truc"),
        [
            archived(objects, "T1", source="truc", number="1", files={"b.pdf": b"a"}),
            archived(objects, "T2", source="truc", number="9", issuer=Organ(name="Tỉnh ủy Khác")),
        ],
    )
    archive.load(batch(number=2), [numbered(objects, "A9", "2", notation="NQ/TU", type_code="NQ")])
    found = of(archive.engine)
    assert rows(found, "duplicates", "series", "number", "symbol", "subject") == [
        (SERIES, "1", "01-KL/TU", "Kết luận khác"),
        (SERIES, "1", "1-KL/TU", "Kết luận về đẩy mạnh chuyển đổi số trong các cơ quan Đảng"),
    ]
    assert found.table("unlinked").rows == ()


def test_the_same_symbol_and_day_in_two_sources_without_a_link_is_a_question(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    archive.load(batch(), [archived(objects, "A1", issuer=None)])
    archive.load(batch(source="truc"), [archived(objects, "T1", source="truc")])
    assert rows(of(archive.engine), "unlinked", "symbol", "issued_date") == [("160-KL/TU", date(2025, 5, 20))]


def test_what_is_cited_and_not_here_is_counted_by_target(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    cited = relation(
        RelationKind.CITES, number="66", notation="QĐ/TW", symbol="66-QĐ/TW", issued_date=date(2017, 2, 6)
    )
    own = relation(RelationKind.CITES, number="161", notation="KL/TU", issued_date=date(2025, 5, 20))
    archive.load(
        batch(),
        [
            archived(objects, "A1", relations=(cited,)),
            archived(objects, "A2", number="161", relations=(cited, own)),
            archived(objects, "A3", number="162", relations=(own,)),
        ],
    )
    assert rows(of(archive.engine), "cited", "relation", "target", "target_date", "times", "candidates") == [
        ("cites", "66-QĐ/TW", date(2017, 2, 6), 2, 0)
    ]


def test_a_reply_or_the_word_done_ends_the_waiting(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    asks: dict[str, Any] = {"direction": Direction.INCOMING, "due_date": date(2026, 3, 1)}
    reply = relation(RelationKind.REPLIES_TO, uid="G.2")
    done = relation(RelationKind.STATUS_OF, uid="G.3")
    archive.load(
        batch(),
        [
            archived(objects, "A1", number="1", uid="G.1", **asks),
            archived(objects, "A2", number="2", uid="G.2", **asks),
            archived(objects, "A3", number="3", uid="G.3", **asks),
            archived(objects, "A4", number="4", uid="G.4", **{**asks, "due_date": date(2026, 3, 10)}),
            archived(objects, "B1", number="5", relations=(reply,)),
            archived(objects, "S1", number=None, kind=RecordKind.STATUS, status_code="06", relations=(done,)),
        ],
    )
    assert rows(of(archive.engine), "awaited", "symbol", "due_date", "days_late") == [
        ("1-KL/TU", date(2026, 3, 1), 9)
    ]


def test_what_may_not_be_listed_is_left_out_and_makes_no_gap(
    archive: Archive, batch: MakeBatch, objects: ObjectStore
) -> None:
    cites = relation(RelationKind.CITES, number="66", notation="QĐ/TW", issued_date=date(2017, 2, 6))
    late: dict[str, Any] = {"direction": Direction.INCOMING, "due_date": date(2026, 3, 1)}
    archive.load(
        batch(),
        [
            numbered(objects, "A1", "1"),
            numbered(objects, "A2", "2", subject="Kỷ luật", relations=(cites,)),
            numbered(objects, "A3", "02", subject="Kỷ luật"),
            numbered(objects, "A4", "3"),
            archived(objects, "B1", number="5", **late),
        ],
    )
    with archive.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE archive.document SET access = 'sealed' WHERE source_key IN ('A2', 'A3', 'B1')")
        )
    found = reconcile(archive.engine, POLICIES, at=NOW, classes=["open", "conditional"])
    assert [found.table(name).rows for name in ("gaps", "cited", "awaited")] == [(), (), ()]
    assert found.table("duplicates").rows == ((SERIES, "2", None, None, None, None),) * 2
    assert [len(of(archive.engine).table(name).rows) for name in ("cited", "awaited")] == [1, 1]
