"""A store in a folder: what it holds under a name hashes to that name, whatever happens to its writers."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from archive.encryption_keys import new_ring, write_ring
from archive.fixity_check import FixityOutcome, Wanted, check_each
from archive.objects import LAYOUT, ObjectStore, StoredObject, open_object_store
from schemas.errors import FatalError, RetriableError
from schemas.record import BytesContent

TEXT = "Kết luận của Ban Thường vụ Tỉnh ủy".encode()
NAME = hashlib.sha256(TEXT).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


def root_of(store: ObjectStore) -> Path:
    return Path(store.location)


def stored_path(store: ObjectStore, name: str) -> Path:
    return root_of(store) / "sha256" / name[:2] / name


def temporary_files(store: ObjectStore) -> list[Path]:
    return list((root_of(store) / "tmp").iterdir())


def assert_whole(store: ObjectStore) -> int:
    count = 0
    for name in store:
        assert hashlib.sha256(stored_path(store, name).read_bytes()).hexdigest() == name
        count += 1
    return count


def test_the_second_put_of_the_same_bytes_touches_nothing(store: ObjectStore) -> None:
    store.put_bytes(TEXT)
    before = stored_path(store, NAME).stat()
    assert store.put_bytes(TEXT) == StoredObject(NAME, len(TEXT), created=False)
    after = stored_path(store, NAME).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert temporary_files(store) == []


def test_only_the_owner_can_enter_and_nobody_can_write_an_object(store: ObjectStore) -> None:
    store.put_bytes(TEXT)
    assert stat.S_IMODE(root_of(store).stat().st_mode) == 0o700
    assert stat.S_IMODE(stored_path(store, NAME).stat().st_mode) == 0o440


def test_a_store_of_another_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0=lienthong_objects_2.0").touch()
    with pytest.raises(FatalError, match="no object store of this version"):
        ObjectStore(tmp_path)


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "công văn.docx").write_bytes(b"x")
    with pytest.raises(FatalError, match=r"công văn\.docx"):
        ObjectStore(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["công văn.docx"]


def test_a_store_whose_making_was_interrupted_is_completed(tmp_path: Path) -> None:
    (tmp_path / "sha256" / "ab").mkdir(parents=True)
    store = ObjectStore(tmp_path)
    assert store.put_bytes(TEXT).created
    assert (tmp_path / LAYOUT).is_file()


def test_a_stored_object_of_the_wrong_length_stops_the_run(store: ObjectStore) -> None:
    store.put_bytes(TEXT)
    path = stored_path(store, NAME)
    path.chmod(0o640)
    path.write_bytes(TEXT[:-1])
    with pytest.raises(FatalError, match="restore it from the backup"):
        store.put_bytes(TEXT)


def test_a_full_disk_is_fatal_and_leaves_nothing(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(FatalError, match="is full; to do: make room"):
        store.put_bytes(TEXT)
    assert list(store) == []
    assert temporary_files(store) == []


def test_a_disk_that_really_fills_up(tmp_path: Path) -> None:
    """The child may write 64 KiB a file: the same failure path as a full disk, made by the kernel."""
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from archive.objects import ObjectStore\n"
        "from schemas.errors import FatalError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "store = ObjectStore(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "try:\n"
        "    store.put_bytes(bytes(200000))\n"
        "except FatalError as error:\n"
        "    print(error.what, list(store), len(list((Path(store.location) / 'tmp').iterdir())))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "o")],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout.strip().endswith("cannot be written: File too large [] 0")


def test_old_leftovers_are_swept_and_work_in_progress_is_not(store: ObjectStore) -> None:
    old, new = root_of(store) / "tmp" / "old", root_of(store) / "tmp" / "new"
    old.touch()
    new.touch()
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    assert store.sweep_temporary(timedelta(hours=1)) == 1
    assert temporary_files(store) == [new]


def put_for_ever(root: str | Path, seed: int, ring: Path | None = None) -> None:
    store = open_object_store(root, ring)
    for n in range(1_000_000):
        store.put(BytesContent(hashlib.sha256(b"%d-%d" % (seed, n)).digest() * (500 + n % 9000)))


def test_killed_writers_leave_no_wrong_object(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "objects")
    spawn = multiprocessing.get_context("fork")
    for attempt in range(10):
        writers = [spawn.Process(target=put_for_ever, args=(root_of(store), attempt % 3)) for _ in range(2)]
        for writer in writers:
            writer.start()
        time.sleep(0.03 + 0.011 * attempt)
        for writer in writers:
            assert writer.pid is not None
            os.kill(writer.pid, signal.SIGKILL)
            writer.join()
        assert_whole(store)
    assert assert_whole(store) > 10
    store.sweep_temporary(timedelta(0))
    assert temporary_files(store) == []


# What a file server does, and what a copied store lacks.


def fail_once(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, error: OSError, *, after: bool
) -> None:
    """The first call of ``name`` ends in ``error``, before or after it was carried out."""
    real = getattr(owner, name)
    left = [error]

    def call(*arguments: object, **options: object) -> object:
        if not left:
            return real(*arguments, **options)
        if after:
            real(*arguments, **options)
        raise left.pop()

    monkeypatch.setattr(owner, name, call)


def test_a_rename_whose_answer_was_lost_is_a_rename(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS: the server did it, the client asked again and was told that there is no such file."""
    fail_once(monkeypatch, Path, "rename", FileNotFoundError(errno.ENOENT, "No such file"), after=True)
    assert store.put_bytes(TEXT).created
    assert assert_whole(store) == 1
    assert temporary_files(store) == []


@pytest.mark.parametrize("code", [errno.ESTALE, errno.ETIMEDOUT])
def test_a_file_server_that_is_away_is_tried_again_later(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    fail_once(monkeypatch, os, "fsync", OSError(code, os.strerror(code)), after=False)
    with pytest.raises(RetriableError, match="file server of the object store"):
        store.put_bytes(TEXT)
    assert list(store) == temporary_files(store) == []
    assert store.put_bytes(TEXT).created


def test_a_name_that_another_machine_just_took_is_seen(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS: that a name was free may be remembered until its folder is opened."""
    store.put_bytes(TEXT)
    real_stat, real_open = os.stat, os.open
    remembered = [True]

    def stat_from_memory(path: object, **options: object) -> os.stat_result:
        if remembered and str(path).endswith(NAME):
            raise FileNotFoundError(errno.ENOENT, "No such file")
        return real_stat(path, **options)

    def open_folder(path: object, flags: int, *mode: int, **options: object) -> int:
        if flags & os.O_DIRECTORY:
            remembered.clear()
        return real_open(path, flags, *mode, **options)

    monkeypatch.setattr(os, "stat", stat_from_memory)
    monkeypatch.setattr(os, "open", open_folder)
    assert store.exists(NAME)


def test_a_store_copied_without_its_empty_folders_still_works(store: ObjectStore) -> None:
    (root_of(store) / "sha256" / NAME[:2]).rmdir()
    assert not store.exists(NAME)
    assert store.put_bytes(TEXT).created
    assert assert_whole(store) == 1


def test_a_name_is_synchronised_unless_that_was_done_long_after_it_was_made(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put_bytes(TEXT)
    synced: list[str] = []
    monkeypatch.setattr("archive.object_folder.sync_folder", lambda folder: synced.append(folder.name))
    again = ObjectStore(root_of(store))
    again.put_bytes(TEXT)
    again.put_bytes(TEXT)
    assert synced == [NAME[:2]] * 2, "it is minutes old: its writer may have been killed before it did it"
    yesterday = time.time() - 86_400
    os.utime(stored_path(store, NAME), (yesterday, yesterday))
    again.put_bytes(TEXT)
    assert len(synced) == 2
    ObjectStore(root_of(store)).put_bytes(TEXT)
    assert len(synced) == 3, "another process has not done it yet"


def test_an_encrypting_writer_that_is_killed_leaves_no_wrong_object(tmp_path: Path) -> None:
    ring = tmp_path / "keyring.json"
    write_ring(new_ring(tmp_path / "recovery.txt"), ring)
    store = open_object_store(tmp_path / "objects", ring)
    fork = multiprocessing.get_context("fork")
    for attempt in range(5):
        writers = [
            fork.Process(target=put_for_ever, args=(store.location, attempt % 3, ring)) for _ in range(2)
        ]
        for writer in writers:
            writer.start()
        time.sleep(0.03 + 0.013 * attempt)
        for writer in writers:
            assert writer.pid is not None
            os.kill(writer.pid, signal.SIGKILL)
            writer.join()
        found = check_each(store, [Wanted(name, None) for name in store])
        assert {one.outcome for one in found} <= {FixityOutcome.INTACT}
    assert len(list(store)) > 5
    store.sweep_temporary(timedelta(0))
    assert temporary_files(store) == []
