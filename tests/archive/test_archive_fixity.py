"""Fixity: each object is read again, and a checker that has stopped checking is found out."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import RawIOBase
from pathlib import Path

import pytest
import sqlalchemy as sa

from archive import fixity, fixity_check
from archive.fixity import FixityReport, check_objects
from archive.fixity_check import CheckedObject, FixityOutcome, Wanted
from archive.ledger import verify_chain
from archive.loader import Archive, Batch
from archive.objects import ObjectStore, Stored
from schemas.errors import FatalError, RetriableError
from tests.archive.office_records import CLOCK, archived, quarantined

pytestmark = pytest.mark.postgres
Select = Callable[..., list[tuple[object, ...]]]
MakeBatch = Callable[..., Batch]


@pytest.fixture
def names(archive: Archive, objects: ObjectStore, batch: MakeBatch) -> list[str]:
    """An archive of four documents, each with a file; returns the names of all objects."""
    archive.load(
        batch(), [archived(objects, f"UNID{n}", files={"van-ban.pdf": b"cv %d" % n * 1000}) for n in range(4)]
    )
    return list(objects)


def path_of(objects: ObjectStore, name: str) -> Path:
    return Path(objects.location) / "sha256" / name[:2] / name


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o640)
    path.write_bytes(data)


def age(path: Path, by: timedelta) -> None:
    moment = time.time() - by.total_seconds()
    os.utime(path, (moment, moment))


def found(report: FixityReport) -> dict[str, FixityOutcome]:
    return {one.sha256: one.outcome for one in report.failures}


def test_an_untouched_store_is_sound(
    engine: sa.Engine, objects: ObjectStore, names: list[str], select: Select
) -> None:
    report = check_objects(engine, objects, clock=lambda: CLOCK)
    assert report.sound
    assert (report.checked, report.unchecked, report.standing, report.orphan_count) == (len(names), 0, 0, 0)
    assert report.outcomes == {FixityOutcome.INTACT: len(names)}
    assert report.read == sum(objects.size(name) for name in names)
    assert report.oldest == CLOCK
    assert select("SELECT outcome, basis, count(*) FROM archive.fixity GROUP BY 1, 2") == [
        ("intact", "content", len(names))
    ]
    assert select(
        "SELECT object, outcome, payload::jsonb ->> 'checked' FROM archive.event WHERE type = 'fixity check'"
    ) == [(str(report.run), "success", str(len(names)))]
    assert not list(Path(objects.location, "tmp").iterdir()), "what was planted is gone again"


def test_every_kind_of_damage_is_told_apart(
    engine: sa.Engine, objects: ObjectStore, names: list[str], select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, longer, missing, unreadable, *_ = names
    opening = ObjectStore.open_stored

    def bad_sector(store: ObjectStore, stored: Stored) -> RawIOBase:
        if stored.key.endswith(unreadable):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opening(store, stored)

    monkeypatch.setattr(ObjectStore, "open_stored", bad_sector)
    flip(path_of(objects, changed))
    path_of(objects, longer).chmod(0o640)
    path_of(objects, longer).write_bytes(b"x")
    path_of(objects, missing).unlink()
    report = check_objects(engine, objects, clock=lambda: CLOCK)
    wrong = {
        changed: FixityOutcome.CHANGED,
        longer: FixityOutcome.WRONG_LENGTH,
        missing: FixityOutcome.MISSING,
        unreadable: FixityOutcome.UNREADABLE,
    }
    assert found(report) == wrong
    assert not report.sound
    assert report.outcomes[FixityOutcome.INTACT] == len(names) - 4
    assert dict(
        select(
            """SELECT object, payload::jsonb ->> 'outcome' FROM archive.event
            WHERE type = 'fixity check' AND outcome = 'failure' AND object <> :run""",
            run=str(report.run),
        )
    ) == {name: outcome.value for name, outcome in wrong.items()}
    assert verify_chain(engine) == []


def test_a_failure_stands_until_the_object_is_restored(
    engine: sa.Engine, objects: ObjectStore, names: list[str]
) -> None:
    path = path_of(objects, names[-1])
    right = path.read_bytes()
    flip(path)
    assert check_objects(engine, objects).standing == 1
    later = check_objects(engine, objects, limit=0)
    assert (later.checked, later.standing, later.sound) == (0, 1, False)
    path.write_bytes(right)
    restored = check_objects(engine, objects, limit=2)
    assert restored.sound
    assert restored.checked == 2, "half of a small budget is for what was wrong before"


def test_a_budget_is_kept_and_the_next_run_goes_on(
    engine: sa.Engine, objects: ObjectStore, names: list[str], select: Select
) -> None:
    now = CLOCK
    rounds: list[list[object]] = []
    for _ in range(len(names) + 1):
        now += timedelta(days=1)
        report = check_objects(engine, objects, byte_budget=1, clock=lambda moment=now: moment)
        assert report.checked == 1
        rounds.append(
            [row[0] for row in select("SELECT sha256 FROM archive.fixity WHERE checked_at = :now", now=now)]
        )
    assert rounds[: len(names)] == [[name] for name in names]
    assert rounds[-1] == [names[0]], "the one that waited longest comes first again"


def test_a_clock_put_back_neither_repeats_nor_skips(
    engine: sa.Engine, objects: ObjectStore, names: list[str]
) -> None:
    check_objects(engine, objects, clock=lambda: CLOCK)
    moments = iter([CLOCK - timedelta(hours=hours) for hours in range(1, 100)])
    assert check_objects(engine, objects, clock=lambda: next(moments)).checked == len(names)


def test_objects_without_a_row_are_orphans_once_they_are_old(
    engine: sa.Engine, objects: ObjectStore, names: list[str]
) -> None:
    old = objects.put_bytes(b"cu")
    objects.put_bytes(b"moi")
    age(path_of(objects, old.sha256), timedelta(days=2))
    report = check_objects(engine, objects)
    assert (report.orphans, report.orphan_count, report.young) == ((old.sha256,), 1, 1)
    assert report.sound


def test_what_is_in_quarantine_is_kept_and_checked_too(
    archive: Archive, engine: sa.Engine, objects: ObjectStore, batch: MakeBatch, select: Select
) -> None:
    stored = objects.put_bytes(b"<note hong")
    age(path_of(objects, stored.sha256), timedelta(days=2))
    archive.load(batch(), [replace(quarantined("HONG"), original_sha256=stored.sha256)])
    assert check_objects(engine, objects).checked == 2  # and the record of its failure
    flip(path_of(objects, stored.sha256))
    assert found(check_objects(engine, objects)) == {stored.sha256: FixityOutcome.CHANGED}


def test_a_missing_object_is_found_whatever_the_budget(
    engine: sa.Engine, objects: ObjectStore, names: list[str]
) -> None:
    path_of(objects, names[-1]).unlink()
    report = check_objects(engine, objects, limit=0)
    assert found(report) == {names[-1]: FixityOutcome.MISSING}


def test_an_object_that_the_archive_keeps_no_more_is_forgotten(
    engine: sa.Engine, objects: ObjectStore, names: list[str], select: Select
) -> None:
    check_objects(engine, objects)
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM archive.object WHERE sha256 = :name"), {"name": names[0]})
    assert check_objects(engine, objects).checked == len(names) - 1


def all_well(_objects: ObjectStore, wanted: list[Wanted]) -> list[CheckedObject]:
    return [CheckedObject(one.sha256, FixityOutcome.INTACT) for one in wanted]


def nothing(_objects: ObjectStore, _wanted: list[Wanted]) -> list[CheckedObject]:
    return []


@pytest.mark.parametrize("checker", [all_well, nothing])
@pytest.mark.parametrize("empty", [True, False])
def test_a_checker_that_checks_nothing_fails_its_run(
    engine: sa.Engine, objects: ObjectStore, archive: Archive, batch: MakeBatch, select: Select,
    monkeypatch: pytest.MonkeyPatch, checker: Callable[..., list[CheckedObject]], empty: bool,
) -> None:  # fmt: skip
    if not empty:
        archive.load(batch(), [archived(objects, "UNID1")])
    monkeypatch.setattr(fixity, "check_each", checker)
    with pytest.raises(FatalError, match="did not report a file that was planted wrong"):
        check_objects(engine, objects)
    assert select("SELECT FROM archive.fixity WHERE outcome <> 'unchecked'") == []
    assert select("SELECT FROM archive.event WHERE type = 'fixity check'") == []


def test_a_comparison_that_always_agrees_fails_its_run(
    engine: sa.Engine, objects: ObjectStore, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Yes(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = str.__hash__

    class Digest:
        def update(self, data: object) -> None: ...

        def hexdigest(self) -> str:
            return Yes("0" * 64)

    real = hashlib.sha256
    monkeypatch.setattr(fixity_check.hashlib, "sha256", lambda *data: real(*data) if data else Digest())
    with pytest.raises(FatalError, match="planted wrong"):
        check_objects(engine, objects)


def test_two_checks_at_once_are_one_too_many(
    engine: sa.Engine, objects: ObjectStore, names: list[str]
) -> None:
    def second(_objects: int, _bytes: int) -> None:
        with pytest.raises(RetriableError, match="another fixity check is running"):
            check_objects(engine, objects)

    assert check_objects(engine, objects, on_progress=second).sound


def test_what_a_stopped_run_wrote_stays(
    engine: sa.Engine, objects: ObjectStore, names: list[str], select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StopError(Exception):
        pass

    def stop(checked: int, _bytes: int) -> None:
        if checked >= 2:
            raise StopError

    monkeypatch.setattr(fixity, "_BATCH", 1)
    with pytest.raises(StopError):
        check_objects(engine, objects, on_progress=stop)
    assert select("SELECT count(*) FROM archive.fixity WHERE outcome = 'intact'") == [(2,)]
    report = check_objects(engine, objects, limit=len(names) - 2)
    assert (report.unchecked, report.sound) == (0, True)


def test_the_report_tells_what_was_never_checked(
    engine: sa.Engine, objects: ObjectStore, names: list[str]
) -> None:
    report = check_objects(engine, objects, limit=1)
    assert report.unchecked == len(names) - 1
    assert report.oldest is None
    assert isinstance(report.finished, datetime)


def test_a_file_server_that_is_away_says_nothing_of_its_objects(
    engine: sa.Engine, objects: ObjectStore, names: list[str], select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_store: ObjectStore, _stored: Stored) -> RawIOBase:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    monkeypatch.setattr(ObjectStore, "open_stored", gone)
    with pytest.raises(RetriableError, match="file server of the object store"):
        check_objects(engine, objects)
    assert select("SELECT DISTINCT outcome FROM archive.fixity") == [("unchecked",)]
