"""Quarantine and withheld: one line a record, resolved by what comes later."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
import sqlalchemy as sa

from archive.audit_facts import audit_facts
from archive.audit_finding import Findings
from archive.cursors import psycopg_cursor
from archive.disposal_trace import keep_objects
from archive.fixity import check_objects
from archive.identities import key_sha256, quarantine_id
from archive.ledger import verify_chain
from archive.loader import Archive, Batch, LoadReport, Outcome, Quarantined, Withheld
from archive.objects import ObjectStore
from archive.queries import quarantine_list
from schemas.errors import RetriableError
from tests.archive.conftest import SOURCE
from tests.archive.office_records import CLOCK, archived, everything, passed, quarantined

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
    assert events(select) == ["quarantine", "deletion", "withholding", "deletion"]
    (payload,) = select(
        "SELECT payload FROM archive.event WHERE payload LIKE '%loaded%' ORDER BY seq DESC LIMIT 1"
    )
    assert json.loads(str(payload[0]))["again"]


def stored(objects: ObjectStore, key: str, *files: str, **fields: str) -> Quarantined:
    """A record that failed after its bytes and attachments were stored."""
    return replace(
        quarantined(key, **fields),
        stage="map",
        original_sha256=objects.put_bytes(f"<document unid='{key}'>".encode()).sha256,
        files=tuple(objects.put_bytes(text.encode()).sha256 for text in files),
    )


def contents(objects: ObjectStore) -> set[str]:
    return {objects.open(name).read().decode() for name in objects}


def test_nothing_of_a_record_found_secret_stays_but_that_there_was_one(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    archive.load(
        batch("dem-1"), [stored(objects, "A1", "kế hoạch phòng thủ", "sơ đồ"), stored(objects, "A2")]
    )
    archive.load(batch("dem-2"), [stored(objects, "A1", "kế hoạch phòng thủ", reason="date_missing")])
    report = check_objects(archive.engine, objects, orphan_age=timedelta(0))
    assert (report.standing, report.orphan_count, report.young) == (0, 0, 0)
    names = {name for name in objects if "A2" not in objects.open(name).read().decode()}
    assert len(names) == 5  # two records of failures, the original, two files
    secret = [Withheld("A1", "1", "mat", "stamp")]
    assert archive.load(batch("dem-3"), secret) == LoadReport(0, 0, 0, 1)
    assert names.isdisjoint(objects)
    assert len(list(objects)) == 2
    (row,) = select("SELECT * FROM archive.quarantine WHERE resolved_by = 'gate'")
    assert not {"A1", *names} & set(map(str, row))
    assert select(
        """SELECT w.level FROM archive.quarantine q JOIN archive.withheld w
        ON (w.source, w.key_sha256, w.revision_sha256) = (q.source, q.source_key, q.revision)"""
    ) == [("mat",)]
    ((told,),) = select("SELECT payload FROM archive.event WHERE type = 'deletion'")
    assert set(json.loads(str(told))["objects"]) == names
    report = check_objects(archive.engine, objects, orphan_age=timedelta(0))
    assert (report.sound, report.orphan_count, report.young) == (True, 0, 0)
    assert audited(archive.engine) == []


def audited(engine: sa.Engine) -> list[tuple[str, object]]:
    findings = Findings()
    with engine.connect() as connection:
        audit_facts(connection, findings)
    return [(finding.kind, finding.values["table"]) for finding in findings.kept]


@pytest.mark.parametrize(
    "change",
    [
        "message = 'Trích yếu'",
        "state = 'open'",
        "original_sha256 = 'x'",
        "files = '{x}'",
        "source_key = 'A1'",
        'context = \'{"a": "b"}\'',
    ],
)
def test_the_audit_reports_what_comes_back_of_a_secret(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, engine: sa.Engine, change: str
) -> None:
    archive.load(batch("dem-1"), [stored(objects, "A1", "sơ đồ")])
    archive.load(batch("dem-2"), [Withheld("A1", "1", "mat", "stamp")])
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE archive.quarantine SET {change}"))
    assert audited(engine) == [("row_differs", "quarantine")]


def test_bytes_of_earlier_tries_stay_known(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    first = stored(objects, "A1", "a", "b")
    second = replace(first, reason="x", original_sha256=objects.put_bytes(b"<document>").sha256, files=())
    third = replace(second, original_sha256=None, stage="gate")
    archive.load(batch("dem-1"), [first])
    for night, record in (("dem-2", second), ("dem-3", third), ("dem-4", third)):
        archive.load(batch(night), [record])
        report = check_objects(archive.engine, objects, orphan_age=timedelta(0))
        assert (report.sound, report.orphan_count) == (True, 0)
    assert [name for name in events(select) if name != "fixity check"] == ["quarantine"] * 3
    assert audited(archive.engine) == []


def test_withholding_it_every_night_afterwards_writes_nothing(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select, archive_url: str
) -> None:
    archive.load(batch("dem-1"), [stored(objects, "A1", "sơ đồ")])
    secret = [Withheld("A1", "1", "mat", "stamp")]
    archive.load(batch("dem-2"), secret)
    before = everything(archive_url)["quarantine"], events(select)
    archive.load(batch("dem-3"), secret)
    assert (everything(archive_url)["quarantine"], events(select)) == before


def test_what_others_need_stays_when_a_secret_leaves(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    archive.load(batch("dem-1"), [stored(objects, "A1", "của văn bản khác", "của hồ sơ khác", "riêng")])
    archive.load(
        batch("dem-2"),
        [
            archived(objects, "B1", files={"a.txt": "của văn bản khác".encode()}),
            stored(objects, "A2", "của hồ sơ khác"),
        ],
    )
    archive.load(batch("dem-3"), [Withheld("A1", "1", "mat", "stamp")])
    left = contents(objects)
    assert {"của văn bản khác", "của hồ sơ khác"} <= left
    assert not {"riêng", "<document unid='A1'>"} & left


def test_what_a_verdict_rests_on_stays_when_a_secret_leaves(
    archive: Archive, objects: ObjectStore, batch: MakeBatch
) -> None:
    certificate = objects.put_bytes(b"chung thu so").sha256
    judged = replace(passed(), chain=(certificate,))
    archive.load(batch("dem-1"), [archived(objects, "B1", files={"a.pdf": b"%PDF"}, verdicts=(judged,))])
    archive.load(batch("dem-2"), [stored(objects, "A1", "chung thu so")])
    archive.load(batch("dem-3"), [Withheld("A1", "1", "mat", "stamp")])
    assert objects.exists(certificate)


def test_a_secret_that_fails_later_leaves_no_bytes_either(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    archive.load(batch("dem-1"), [stored(objects, "A1", "sơ đồ")])
    archive.load(batch("dem-2"), [Withheld("A1", "1", "mat", "stamp"), Withheld("A2", "1", "mat", "stamp")])
    failing: list[Outcome] = [stored(objects, "A1", "sơ đồ"), stored(objects, "A2", "kế hoạch")]
    assert archive.load(batch("dem-3"), failing) == LoadReport(0, 0, 2, 0)
    assert list(objects) == []
    assert select("SELECT source_key = 'A1', state FROM archive.quarantine") == [(False, "rejected")]
    assert events(select)[-2:] == ["deletion", "deletion"]


def test_what_one_listing_of_a_secret_stored_leaves_when_the_other_is_withheld(
    archive: Archive, objects: ObjectStore, batch: MakeBatch
) -> None:
    twice: list[Outcome] = [
        archived(objects, "A1", files={"a.pdf": b"%PDF"}),
        stored(objects, "A2", "sơ đồ"),
        *(Withheld(key, "1", "mat", "stamp") for key in ("A1", "A2")),
    ]
    assert archive.load(batch(), twice) == LoadReport(0, 0, 0, 4)
    assert list(objects) == []


def test_a_row_that_an_older_program_emptied_is_emptied_whole(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, engine: sa.Engine, select: Select
) -> None:
    archive.load(batch("dem-1"), [stored(objects, "A1", "sơ đồ")])
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE archive.quarantine SET state = 'rejected', resolved_by = 'gate'"))
    archive.load(batch("dem-2"), [Withheld("A1", "1", "mat", "stamp")])
    assert list(objects) == []
    assert select("SELECT original_sha256, files FROM archive.quarantine") == [(None, [])]


def test_only_what_the_gate_withheld_is_given_up(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, engine: sa.Engine
) -> None:
    archive.load(batch(), [stored(objects, "A1"), Withheld("A2", "1", "mat", "stamp")])
    (told,) = [name for name in objects if b"lienthong_quarantine" in objects.open(name).read()]
    ask = sa.text("SELECT * FROM archive.give_up_secret(:row, :source, :key, :revision, ARRAY[:name])")
    values = {"row": quarantine_id(SOURCE, "A1", "1"), "source": SOURCE, "revision": key_sha256("1")}
    with engine.connect() as connection:
        # The words of another record's failure, under the warrant of a secret.
        row = {"row": quarantine_id(SOURCE, "A2", "1"), "key": key_sha256("A2"), "name": told}
        assert connection.execute(ask, values | row).all() == []
        with pytest.raises(sa.exc.ProgrammingError, match="withheld no such record"):
            connection.execute(ask, values | {"key": key_sha256("A1"), "name": told})


def test_bytes_do_not_leave_while_others_bring_in_rows(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, engine: sa.Engine
) -> None:
    archive.load(batch("dem-1"), [stored(objects, "A1", "chung")])
    other = batch("dem-2")
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            keep_objects(psycopg_cursor(connection))  # as a loader whose record has the same attachment
            loading = pool.submit(archive.load, other, [Withheld("A1", "1", "mat", "stamp")])
            with pytest.raises(TimeoutError):
                loading.result(timeout=0.5)
            assert "chung" in contents(objects)
        assert loading.result(timeout=60) == LoadReport(0, 0, 0, 1)
    assert list(objects) == []


def test_a_secret_brought_in_meanwhile_makes_the_batch_be_loaded_again(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, monkeypatch: pytest.MonkeyPatch, select: Select
) -> None:
    archive.load(batch("dem-1"), [stored(objects, "A1")])
    with monkeypatch.context() as patch:
        patch.setattr(
            "archive.loader.takes_back", lambda *_: False
        )  # it was not there when the loader looked
        with pytest.raises(RetriableError, match="found to be secret"):
            archive.load(batch("dem-2"), [Withheld("A1", "1", "mat", "stamp")])
    assert (len(list(objects)), events(select)) == (2, ["quarantine"])
    archive.load(batch("dem-2"), [Withheld("A1", "1", "mat", "stamp")])
    assert list(objects) == []
