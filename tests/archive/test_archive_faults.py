"""Killed loaders, loaders side by side, odd records: afterwards the archive is that of an undisturbed run."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
import sqlalchemy as sa

from archive.database import create_engine
from archive.ledger import verify_chain
from archive.loader import Archive, Batch, LoadReport, Outcome, Quarantined, Withheld
from archive.objects import ObjectStore
from archive.runs import account, record_listed, start_run
from schemas.document import Flag, Organ, RelationKind
from schemas.errors import FatalError, RetriableError
from schemas.record import Window
from tests.archive.office_records import (
    CLOCK,
    archived,
    everything,
    passed,
    places,
    quarantined,
    relation,
    unsigned,
)

pytestmark = pytest.mark.postgres
MakeBatch = Callable[..., Batch]
SOURCE = "notes_van_ban_di"


def night(objects: ObjectStore, size: int = 40, *, start: int = 0) -> list[Outcome]:
    """A batch of documents with files, verdicts and relations, and of records that stay outside."""
    outcomes: list[Outcome] = []
    for n in range(start, start + size):
        outcomes.append(
            archived(
                objects,
                f"UNID{n:05d}",
                number=str(100 + n),
                uid=f"G09.{n}",
                files={"van-ban.pdf": b"vb%d" % n, "phu-luc.pdf": b"pl%d" % (n % 7)},
                verdicts=(passed(), unsigned()),
                relations=(relation(RelationKind.REPLIES_TO, uid=f"G09.{(n * 7) % (start + size)}"),),
            )
        )
    return [*outcomes, quarantined(f"HONG{start}"), Withheld(f"MAT{start}", "1", "mat", "field:DoMat")]


def test_loading_a_batch_again_changes_nothing(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, archive_url: str
) -> None:
    outcomes, first = night(objects), batch()
    report = archive.load(first, outcomes)
    rows, lie = everything(archive_url), places(archive_url)
    again = Batch(first.source, first.run, first.number, attempt="another try")
    assert archive.load(again, outcomes) == report == LoadReport(40, 0, 1, 1)
    assert everything(archive_url) == rows
    assert places(archive_url) == lie


def test_another_night_with_nothing_new_touches_no_row_of_the_archive(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, archive_url: str
) -> None:
    outcomes = night(objects)
    archive.load(batch(), outcomes)
    lie = places(archive_url)
    assert archive.load(batch("dem-2"), outcomes) == LoadReport(0, 40, 1, 1)
    after = places(archive_url)
    # The new run itself, and that quarantine was tried again.
    of_the_run = {"run", "run_batch", "quarantine", "event"}
    assert {name: rows for name, rows in after.items() if name not in of_the_run} == {
        name: rows for name, rows in lie.items() if name not in of_the_run
    }
    assert len(after["quarantine"]) == len(lie["quarantine"]) == 1
    assert set(lie["event"]) < set(after["event"])


def load_and_wait(url: str, root: Path, batch: Batch, ready: Barrier) -> None:
    """A loader that stands still inside its transaction, everything written and nothing committed."""
    objects = ObjectStore(root)
    outcomes = night(objects)
    engine = create_engine(url)

    @sa.event.listens_for(engine, "commit")
    def stop(_: sa.Connection) -> None:
        ready.wait()
        time.sleep(60)

    Archive(engine, objects, clock=lambda: CLOCK).load(batch, outcomes)


def load_all(url: str, root: Path, batches: Sequence[Batch], started: Connection) -> None:
    objects = ObjectStore(root)
    archive = Archive(create_engine(url), objects, clock=lambda: CLOCK)
    for number, batch in enumerate(batches):
        started.send(number)
        archive.load(batch, night(objects, 15, start=number * 15))


def test_a_loader_killed_before_its_commit_leaves_nothing_and_the_retry_completes(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, archive_url: str
) -> None:
    spawn = multiprocessing.get_context("fork")
    ready, first = spawn.Barrier(2), batch()
    empty = everything(archive_url)
    child = spawn.Process(target=load_and_wait, args=(archive_url, Path(objects.location), first, ready))
    child.start()
    ready.wait(60)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert everything(archive_url) == empty
    assert archive.load(first, night(objects)) == LoadReport(40, 0, 1, 1)
    assert verify_chain(archive.engine) == []


def test_loaders_killed_at_any_moment_end_in_the_same_archive(
    archive: Archive,
    objects: ObjectStore,
    batch: MakeBatch,
    archive_url: str,
    engine: sa.Engine,
    tmp_path: Path,
) -> None:
    batches = [batch(number=number) for number in range(1, 7)]
    record_listed(engine, batches[0].run, 6 * 17, 0, 6, now=CLOCK)
    fork = multiprocessing.get_context("fork")
    for kill in range(8):
        told, started = fork.Pipe(duplex=False)
        child = fork.Process(target=load_all, args=(archive_url, Path(objects.location), batches, started))
        child.start()
        assert child.pid is not None
        while told.recv() < kill % 6:
            pass
        time.sleep(0.007 * kill)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        assert verify_chain(engine) == []
    for number, one in enumerate(batches):
        assert archive.load(one, night(objects, 15, start=number * 15)) == LoadReport(15, 0, 1, 1)
    assert account(engine, batches[0].run, now=CLOCK).archived == 90
    assert everything(archive_url) == undisturbed(archive_url, batches, objects)


def undisturbed(url: str, batches: Sequence[Batch], objects: ObjectStore) -> dict[str, list[str]]:
    """What a database holds into which the same batches went one after the other, without a fault."""
    address = sa.make_url(url)
    control = create_engine(address.set(database="postgres").render_as_string(False))
    with control.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("CREATE DATABASE undisturbed TEMPLATE archive_template"))
        other = address.set(database="undisturbed").render_as_string(False)
        engine = create_engine(other)
        try:
            run = start_run(engine, SOURCE, "sync", Window(), "dem-1", now=CLOCK)
            assert run == batches[0].run
            record_listed(engine, run, 6 * 17, 0, 6, now=CLOCK)
            for number, one in enumerate(batches):
                Archive(engine, objects, clock=lambda: CLOCK).load(one, night(objects, 15, start=number * 15))
            account(engine, run, now=CLOCK)
            return everything(other)
        finally:
            engine.dispose()
            connection.execute(sa.text("DROP DATABASE undisturbed WITH (FORCE)"))
            control.dispose()


def test_two_loaders_of_the_same_batch_write_it_once(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, engine: sa.Engine
) -> None:
    outcomes, first = night(objects), batch()
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: archive.load(first, outcomes), range(2)))
    assert reports == [LoadReport(40, 0, 1, 1)] * 2
    assert verify_chain(engine) == []


def test_loaders_of_overlapping_batches_do_not_block_each_other_for_ever(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, engine: sa.Engine
) -> None:
    """The same records in opposite order in many batches: the classical deadlock."""
    outcomes = [outcome for outcome in night(objects, 60) if not isinstance(outcome, Withheld | Quarantined)]
    batches = [batch(number=number) for number in range(1, 7)]
    record_listed(engine, batches[0].run, 6 * 60, 0, 6)

    def load(one: Batch) -> LoadReport:
        return archive.load(one, outcomes if one.number % 2 else outcomes[::-1])

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(load, batches))
    assert sum(report.archived for report in reports) == 60
    assert sum(report.unchanged for report in reports) == 5 * 60
    assert account(engine, batches[0].run).listed == 360
    assert verify_chain(engine) == []


def test_concurrent_loaders_do_not_miss_each_others_relations(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, engine: sa.Engine
) -> None:
    batches: list[tuple[Batch, list[Outcome]]] = []
    for n in range(12):
        answer = relation(RelationKind.REPLIES_TO, uid=f"D{n}")
        batches += [
            (batch(number=2 * n + 1), [archived(objects, f"D{n}", uid=f"D{n}", number=str(n))]),
            (batch(number=2 * n + 2), [archived(objects, f"R{n}", number=f"9{n}", relations=(answer,))]),
        ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda both: archive.load(*both), batches))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(target_document) FROM archive.relation")) == 12


def test_records_that_no_column_can_hold_are_loaded_all_the_same(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, select: Callable[..., list[tuple[object, ...]]]
) -> None:
    odd = archived(
        objects,
        b"t\xeap\x00.dxl".decode("utf-8", "surrogateescape"),
        revision="r" * 5000,
        number="1" * 3000,
        notation="QĐ\x00/TU",
        subject="Về việc\x00 kiểm tra",
        uid="u" * 9000,
        issuer=Organ(name="Tỉnh ủy\x00", organ_id="9" * 4000),
        files={"tên\x00 lạ.pdf": b"x"},
        flags=(Flag(field="subject", code="nul", message="có ký tự NUL", value="\x00"),),
        changed_at=datetime(1, 1, 1, tzinfo=UTC),
        year=10**12,
        page_count=-(10**12),
        issued_date=date(1, 1, 1),
        body="dài " * 200_000,
    )
    assert archive.load(batch(), [odd, archived(objects, "A1")]) == LoadReport(2, 0, 0, 0)
    assert archive.load(batch("dem-2"), [odd]) == LoadReport(0, 1, 0, 0)
    assert archive.known(SOURCE, [(odd.key, odd.revision), (odd.key, "r" * 4999)]) == {
        (odd.key, odd.revision)
    }
    assert select(
        "SELECT v.subject, v.year, v.changed_at, d.source_key, a.name FROM archive.document_version v"
        " JOIN archive.document d ON d.id = v.document_id JOIN archive.attachment a ON a.document_id = d.id"
    ) == [("Về việc\\x00 kiểm tra", None, None, "t\\udceap\\x00.dxl", "tên\\x00 lạ.pdf")]


def test_a_missing_object_stops_the_batch_before_a_row_is_written(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, archive_url: str
) -> None:
    record, first = archived(objects, "A1"), batch()
    rows = everything(archive_url)
    (Path(objects.location) / "sha256" / record.manifest_sha256[:2] / record.manifest_sha256).unlink()
    with pytest.raises(FatalError, match="is missing from the store"):
        archive.load(first, [record])
    assert everything(archive_url) == rows


def test_a_server_that_goes_away_is_a_matter_of_trying_again(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, engine: sa.Engine
) -> None:
    first, outcomes = batch(), night(objects, 3)

    def cut() -> datetime:
        with engine.connect() as other:
            other.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        return CLOCK

    with pytest.raises(RetriableError, match="loading batch 1"):
        Archive(engine, objects, clock=cut).load(first, outcomes)
    assert archive.load(first, outcomes) == LoadReport(3, 0, 1, 1)


def test_an_unknown_run_is_refused(archive: Archive, objects: ObjectStore) -> None:
    nowhere = Batch(SOURCE, "00000000-0000-0000-0000-000000000000", 1)
    with pytest.raises(FatalError, match="knows no run"):
        archive.load(nowhere, night(objects, 1))


def test_a_database_error_does_not_quote_a_document(
    archive: Archive, objects: ObjectStore, batch: MakeBatch, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text("ALTER TABLE archive.document_version ADD CONSTRAINT no_words CHECK (subject IS NULL)")
        )
    try:
        with pytest.raises(FatalError) as caught:
            archive.load(batch(), [archived(objects, "A1", subject="Lời riêng của văn bản")])
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE archive.document_version DROP CONSTRAINT no_words"))
    told = f"{caught.value!r} {caught.value.__cause__!r}"
    assert "no_words" in told
    assert "Lời riêng" not in told
    assert caught.value.__suppress_context__
