"""Quarantine and withheld: one line a record, resolved by what comes later."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC

import pytest
import sqlalchemy as sa

from archive.ledger import verify_chain
from archive.loader import Archive, Batch, LoadReport, Outcome, Withheld
from archive.objects import ObjectStore
from archive.queries import quarantine_list
from tests.archive.office_records import CLOCK, archived, quarantined

pytestmark = pytest.mark.postgres
MakeBatch = Callable[..., Batch]
Select = Callable[..., list[tuple[object, ...]]]


def events(select: Select) -> list[object]:
    return [
        row[0] for row in select("SELECT type FROM archive.event WHERE type <> 'accounting' ORDER BY seq")
    ]


def test_the_same_failure_again_is_another_attempt_and_no_event(
    archive: Archive, batch: MakeBatch, select: Select
) -> None:
    for night in ("dem-1", "dem-2", "dem-3"):
        assert archive.load(batch(night), [quarantined("A1")]) == LoadReport(0, 0, 1, 0)
    (row,) = quarantine_list(archive.engine)
    assert (row.attempts, row.state) == (3, "open")
    assert (row.first_run, row.last_run) == (batch("dem-1").run, batch("dem-3").run)
    assert events(select) == ["quarantine"]


def test_another_failure_of_the_same_record_is_an_event(
    archive: Archive, batch: MakeBatch, select: Select
) -> None:
    archive.load(batch("dem-1"), [quarantined("A1")])
    archive.load(batch("dem-2"), [quarantined("A1", reason="date_missing")])
    (row,) = quarantine_list(archive.engine)
    assert (row.reason, row.attempts) == ("date_missing", 2)
    assert events(select) == ["quarantine", "quarantine"]


def test_a_record_that_now_succeeds_leaves_quarantine(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    archive.load(batch("dem-1"), [quarantined("A1"), quarantined("A2")])
    assert archive.load(batch("dem-2"), [archived(objects, "A1")]) == LoadReport(1, 0, 0, 0)
    assert [row.source_key for row in quarantine_list(archive.engine)] == ["A2"]
    (row,) = quarantine_list(archive.engine, state="released")
    assert (row.source_key, row.resolved_by, row.resolved_why) == ("A1", "retry", "archived")
    assert row.resolved_at is not None
    assert row.resolved_at.astimezone(UTC) == CLOCK
    assert events(select) == ["quarantine", "quarantine", "ingestion", "unquarantine"]


def test_another_revision_does_not_release_the_broken_one(
    archive: Archive, objects: ObjectStore, batch: MakeBatch
) -> None:
    archive.load(batch("dem-1"), [quarantined("A1", revision="1")])
    archive.load(batch("dem-2"), [archived(objects, "A1", revision="2")])
    assert [row.revision for row in quarantine_list(archive.engine)] == ["1"]


def test_what_a_person_rejected_stays_rejected(archive: Archive, batch: MakeBatch, engine: sa.Engine) -> None:
    archive.load(batch("dem-1"), [quarantined("A1")])
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE archive.quarantine SET state = 'rejected', resolved_by = 'văn thư'")
        )
    archive.load(batch("dem-2"), [quarantined("A1")])
    assert quarantine_list(archive.engine) == []
    assert quarantine_list(archive.engine, state="rejected")[0].attempts == 2


def test_an_archived_record_is_never_put_in_quarantine(
    archive: Archive, objects: ObjectStore, batch: MakeBatch
) -> None:
    archive.load(batch("dem-1"), [archived(objects, "A1")])
    assert archive.load(batch("dem-2"), [quarantined("A1")]) == LoadReport(0, 1, 0, 0)
    assert quarantine_list(archive.engine, state=None) == []


def test_withholding_again_writes_nothing(archive: Archive, batch: MakeBatch, select: Select) -> None:
    secret = Withheld("A1", "1", "mat", "field:DoMat")
    for night in ("dem-1", "dem-2"):
        assert archive.load(batch(night), [secret]) == LoadReport(0, 0, 0, 1)
    assert select("SELECT count(*) FROM archive.withheld") == [(1,)]
    assert events(select) == ["withholding"]


def test_a_record_both_archived_and_withheld_in_a_batch_is_withheld(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    twice: list[Outcome] = [archived(objects, "A1"), Withheld("A1", "1", "mat", "stamp")]
    assert archive.load(batch(), twice) == LoadReport(0, 0, 0, 2)
    assert select("SELECT count(*) FROM archive.document") == [(0,)]


def test_quarantined_words_of_a_record_found_secret_are_removed(
    archive: Archive, batch: MakeBatch, select: Select
) -> None:
    archive.load(batch("dem-1"), [quarantined("A1")])
    archive.load(batch("dem-2"), [Withheld("A1", "1", "mat", "stamp")])
    assert select("SELECT message, location, context, state, resolved_by FROM archive.quarantine") == [
        ("", "", {}, "rejected", "gate")
    ]
    assert verify_chain(archive.engine) == []


def test_a_record_listed_twice_is_counted_twice_and_kept_once(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    record = archived(objects, "A1")
    assert archive.load(batch(), [record, record, quarantined("A2"), quarantined("A2")]) == LoadReport(
        1, 1, 2, 0
    )
    assert select("SELECT count(*) FROM archive.document_version") == [(1,)]


def test_a_record_once_found_secret_leaves_no_words_when_it_fails_again(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    archive.load(batch("dem-1"), [quarantined("A1")])
    archive.load(batch("dem-2"), [Withheld("A1", "1", "mat", "stamp")])
    again = replace(quarantined("A1"), message="Trích yếu: kế hoạch phòng thủ")
    assert archive.load(batch("dem-3"), [again]) == LoadReport(0, 0, 1, 0)
    assert select("SELECT message, location, context, state, attempts FROM archive.quarantine") == [
        ("", "", {}, "rejected", 2)
    ]
    assert not any("phòng thủ".encode() in objects.open(name).read() for name in objects)
    assert events(select) == ["quarantine", "deletion", "withholding"]
    (payload,) = select(
        "SELECT payload FROM archive.event WHERE payload LIKE '%loaded%' ORDER BY seq DESC LIMIT 1"
    )
    assert json.loads(str(payload[0]))["again"]
