"""Backup, restore, export and import of a whole archive: the same rows, the same files, the same ledger."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from archive import backup as backing_up
from archive.anchors import make_anchor
from archive.archive_bag import export_archive, import_archive
from archive.backup import backups, forget_backups, make_backup, restore_backup
from archive.dossiers import refresh
from archive.encryption_keys import new_ring, recovered, with_new_data_key
from archive.ledger import EventType, head, verify_chain
from archive.loader import Archive, Batch, Withheld
from archive.objects import ObjectStore
from archive.rebuild_compare import compare
from schemas.errors import ConfigurationError, FatalError
from tests.archive.office_records import CLOCK, archived, passed, quarantined
from tests.archive.test_archive_rebuild import Fresh, fresh

__all__ = ["fresh"]
pytestmark = pytest.mark.postgres


@pytest.fixture
def lived(
    archive: Archive, engine: sa.Engine, objects: ObjectStore, batch: Callable[..., Batch]
) -> sa.Engine:
    objects.put_bytes(b"A2")  # the original of the record that failed
    archive.load(
        batch(),
        [
            archived(objects, "A1", files={"a.pdf": b"%PDF mot"}, verdicts=(passed(),), file_code="01"),
            quarantined("A2"),
            Withheld("A4", "1", "mat", "field:DoMat"),
        ],
    )
    refresh(engine)
    return engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "sao-luu"
    made.mkdir()
    return made


@pytest.fixture
def pool(folder: Path) -> ObjectStore:
    return ObjectStore(folder / "objects")


def differing(living: sa.Engine, made: sa.Engine) -> dict[str, list[str]]:
    with living.connect() as one, made.connect() as other:
        return {
            table.name: [kind for _, kind in table.keys] for table in compare(one, other) if not table.equal
        }


def last_event(engine: sa.Engine) -> tuple[str, str]:
    with engine.connect() as connection:
        row = connection.execute(
            sa.text("SELECT type, outcome FROM archive.event ORDER BY seq DESC LIMIT 1")
        ).one()
    return row.type, row.outcome


def test_what_was_backed_up_comes_back_as_it_was(
    lived: sa.Engine, objects: ObjectStore, folder: Path, pool: ObjectStore, fresh: Fresh, tmp_path: Path
) -> None:
    done = make_backup(lived, objects, folder, pool, now=CLOCK)
    assert (done.copied, done.backup.missing) == (done.backup.objects, ())
    made, other = fresh(), ObjectStore(tmp_path / "khac")
    restore_backup(made, other, folder, done.backup, pool, now=CLOCK)
    assert list(other) == list(objects)
    assert all(other.open(name).read() == objects.open(name).read() for name in objects)
    # After the backup each wrote the event of what it did, under the same number.
    assert differing(lived, made) == {"event": ["differs"]}
    assert (last_event(lived), last_event(made)) == (("replication", "success"), ("recovery", "success"))
    assert verify_chain(made) == []


def test_the_next_backup_copies_only_what_is_new(
    lived: sa.Engine, archive: Archive, batch: Callable[..., Batch], objects: ObjectStore, folder: Path,
    pool: ObjectStore,
) -> None:  # fmt: skip
    first = make_backup(lived, objects, folder, pool, now=CLOCK)
    archive.load(batch("dem-2"), [archived(objects, "A7")])
    second = make_backup(lived, objects, folder, pool, now=CLOCK + timedelta(days=1))
    # Original and manifest, and segment and record of the anchor.
    assert (second.copied, second.backup.objects) == (4, first.backup.objects + 4)
    assert backups(folder) == [first.backup, second.backup]


def test_a_killed_backup_leaves_the_one_before_and_is_swept_by_the_next(
    lived: sa.Engine,
    objects: ObjectStore,
    folder: Path,
    pool: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = make_backup(lived, objects, folder, pool, now=CLOCK)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(backing_up, "_finish", killed)
        with pytest.raises(KeyboardInterrupt):
            make_backup(lived, objects, folder, pool, now=CLOCK + timedelta(days=1))
    assert backups(folder) == [first.backup]
    third = make_backup(lived, objects, folder, pool, now=CLOCK + timedelta(days=2))
    assert [path.name for path in sorted((folder / "backups").iterdir())] == [
        first.backup.name,
        third.backup.name,
    ]


def test_nobody_else_works_in_the_folder_while_a_backup_is_made_or_forgotten(
    lived: sa.Engine, objects: ObjectStore, folder: Path, pool: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def other(*_: object) -> None:
        held = os.open(folder / "backups", os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(held)
        tried.append("other")

    make_backup(lived, objects, folder, pool, now=CLOCK, on_progress=other)
    assert tried
    tried.clear()
    monkeypatch.setattr(backing_up, "_forget", other)
    forget_backups(folder, pool, keep=1)
    assert tried


def test_a_damaged_object_is_named_and_not_restored(
    lived: sa.Engine, objects: ObjectStore, folder: Path, pool: ObjectStore, fresh: Fresh, tmp_path: Path
) -> None:
    done = make_backup(lived, objects, folder, pool, now=CLOCK)
    name = sorted(pool)[0]
    path = folder / "objects" / "sha256" / name[:2] / name
    path.chmod(0o600)
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    made = fresh()
    with pytest.raises(FatalError, match=name):
        restore_backup(made, ObjectStore(tmp_path / "khac"), folder, done.backup, pool)
    assert head(made).seq == 0


def test_a_damaged_file_of_rows_is_named_before_anything_is_restored(
    lived: sa.Engine, objects: ObjectStore, folder: Path, pool: ObjectStore, fresh: Fresh, tmp_path: Path
) -> None:
    done = make_backup(lived, objects, folder, pool, now=CLOCK)
    path = folder / "backups" / done.backup.name / "tables" / "document.copy.gz"
    path.write_bytes(gzip.compress(b""))
    other = ObjectStore(tmp_path / "khac")
    with pytest.raises(FatalError, match=r"document\.copy\.gz"):
        restore_backup(fresh(), other, folder, done.backup, pool)
    assert list(other) == []


def test_nothing_is_restored_over_an_archive(
    lived: sa.Engine, objects: ObjectStore, folder: Path, pool: ObjectStore, fresh: Fresh, tmp_path: Path
) -> None:
    done = make_backup(lived, objects, folder, pool, now=CLOCK)
    with pytest.raises(ConfigurationError, match="an archive already"):
        restore_backup(lived, ObjectStore(tmp_path / "khac"), folder, done.backup, pool)
    foreign = ObjectStore(tmp_path / "nguoi-khac")
    foreign.put_bytes("của người khác".encode())
    with pytest.raises(ConfigurationError, match="an archive already"):
        restore_backup(fresh(), foreign, folder, done.backup, pool)


def test_an_object_that_the_archive_lost_makes_the_backup_say_so(
    lived: sa.Engine, objects: ObjectStore, folder: Path, pool: ObjectStore, tmp_path: Path
) -> None:
    name = sorted(objects)[0]
    path = tmp_path / "objects" / "sha256" / name[:2] / name
    path.chmod(0o600)
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    assert make_backup(lived, objects, folder, pool, now=CLOCK).backup.missing == (name,)
    assert last_event(lived) == (EventType.BACKUP, "failure")


def test_what_the_store_has_lost_is_missing_unless_an_earlier_backup_has_it(
    lived: sa.Engine,
    objects: ObjectStore,
    folder: Path,
    pool: ObjectStore,
    tmp_path: Path,
) -> None:
    make_backup(lived, objects, folder, pool, now=CLOCK)
    lost = hashlib.sha256(b"%PDF mot").hexdigest()
    (tmp_path / "objects" / "sha256" / lost[:2] / lost).unlink()
    second = make_backup(lived, objects, folder, pool, now=CLOCK + timedelta(days=1))
    assert forget_backups(folder, pool, keep=1) == 0
    assert second.backup.missing == ()
    assert pool.exists(lost)
    bare = tmp_path / "noi-khac"
    assert make_backup(lived, objects, bare, ObjectStore(bare / "objects"), now=CLOCK).backup.missing == (
        lost,
    )
    assert last_event(lived) == (EventType.BACKUP, "failure")
    with pytest.raises(FatalError, match="is missing from the store"):
        export_archive(lived, objects, tmp_path / "goi")


def test_a_full_or_unreadable_medium_stops_the_backup(
    lived: sa.Engine, objects: ObjectStore, folder: Path, pool: ObjectStore, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def full(*_: object) -> None:
        raise FatalError("the object store is full")

    monkeypatch.setattr(pool, "put", full)
    with pytest.raises(FatalError, match="is full"):
        make_backup(lived, objects, folder, pool, now=CLOCK)
    assert backups(folder) == []


def test_an_encrypted_archive_is_backed_up_encrypted_and_opens_with_the_sheet_of_the_safe(
    lived: sa.Engine, objects: ObjectStore, folder: Path, fresh: Fresh, tmp_path: Path
) -> None:
    ring = with_new_data_key(new_ring(tmp_path / "ket.txt"))
    sealed, pool = ObjectStore(tmp_path / "ma-hoa", ring), ObjectStore(folder / "objects", ring)
    for name in objects:
        sealed.put(objects.content(name))
    done = make_backup(lived, sealed, folder, pool, now=CLOCK).backup
    assert done.missing == ()
    files = [path.read_bytes() for path in (folder / "objects").rglob("*") if path.is_file()]
    assert not any(b"%PDF mot" in data or "Thẻ đóng".encode() in data for data in files)
    # The machine is lost with its ring: the folder of backups and the sheet are enough.
    again = recovered(ObjectStore(folder / "objects").ring_copies(), tmp_path / "ket.txt")
    made, other = fresh(), ObjectStore(tmp_path / "khac", again)
    restore_backup(made, other, folder, done, ObjectStore(folder / "objects", again), now=CLOCK)
    assert list(other) == list(sealed)
    assert all(other.open(name).read() == objects.open(name).read() for name in objects)
    bare, without = tmp_path / "noi-khac", ObjectStore(tmp_path / "ma-hoa")
    emptied = ObjectStore(bare / "objects")
    with pytest.raises(ConfigurationError, match="there is no key ring"):
        make_backup(lived, without, bare, emptied, now=CLOCK)


def test_old_backups_go_with_the_objects_that_only_they_name(
    lived: sa.Engine, archive: Archive, batch: Callable[..., Batch], objects: ObjectStore, folder: Path,
    pool: ObjectStore,
) -> None:  # fmt: skip
    make_backup(lived, objects, folder, pool, now=CLOCK)
    archive.load(batch("dem-2"), [Withheld("A2", "1", "mat", "stamp")])  # its words and bytes leave
    last = make_backup(lived, objects, folder, pool, now=CLOCK + timedelta(days=1))
    assert any("Thẻ đóng".encode() in pool.open(name).read() for name in pool)
    assert forget_backups(folder, pool, keep=1) == 2
    assert not any("Thẻ đóng".encode() in pool.open(name).read() for name in pool)
    assert backups(folder) == [last.backup]
    assert list(pool) == list(objects)


def test_an_exported_archive_is_imported_as_the_same_archive(
    lived: sa.Engine, objects: ObjectStore, fresh: Fresh, tmp_path: Path
) -> None:
    bag = tmp_path / "goi"
    told = export_archive(lived, objects, bag)
    made, other = fresh(), ObjectStore(tmp_path / "khac")
    assert import_archive(made, other, bag).bag == told
    assert differing(lived, made) == {"event": ["differs"]}  # EXPORT here, IMPORT there
    assert (last_event(lived)[0], last_event(made)[0]) == (EventType.EXPORT, EventType.IMPORT)
    assert all(other.open(name).read() == objects.open(name).read() for name in objects)
    assert verify_chain(made) == []
    again = make_anchor(made, other)
    assert again is not None
    assert again.anchor.number == 2
    before = head(made)
    assert import_archive(made, other, bag).made is None
    assert head(made) == before


def test_a_killed_import_is_gone_on_with(
    lived: sa.Engine, objects: ObjectStore, fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_archive(lived, objects, tmp_path / "goi")
    made, other = fresh(), ObjectStore(tmp_path / "khac")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("archive.rebuild._COMMIT_AFTER", 1)
        patch.setattr("archive.rebuild._anchors", killed)
        with pytest.raises(KeyboardInterrupt):
            import_archive(made, other, tmp_path / "goi")
    assert head(made).seq > 0
    import_archive(made, other, tmp_path / "goi")
    assert differing(lived, made) == {"event": ["differs"]}


def test_a_damaged_bag_is_refused_before_anything_enters(
    lived: sa.Engine, objects: ObjectStore, fresh: Fresh, tmp_path: Path
) -> None:
    export_archive(lived, objects, tmp_path / "goi")
    path = sorted((tmp_path / "goi" / "data").rglob("*"))[-1]
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    other = ObjectStore(tmp_path / "khac")
    with pytest.raises(FatalError, match=path.name):
        import_archive(fresh(), other, tmp_path / "goi")
    assert list(other) == []


def test_an_archive_is_not_imported_into_another(
    lived: sa.Engine, objects: ObjectStore, archive: Archive, fresh: Fresh, tmp_path: Path
) -> None:
    export_archive(lived, objects, tmp_path / "goi")
    foreign = ObjectStore(tmp_path / "khac")
    foreign.put_bytes("của người khác".encode())
    with pytest.raises(ConfigurationError, match="another archive"):
        import_archive(fresh(), foreign, tmp_path / "goi")
