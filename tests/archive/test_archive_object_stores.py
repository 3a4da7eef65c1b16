"""What every store promises, wherever it is and whether it encrypts: the same tests on each."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from archive.encryption_keys import new_ring, with_new_data_key, write_ring
from archive.fixity_check import FixityOutcome, Wanted, canaries, check_each
from archive.object_place import KEYS, object_key
from archive.objects import LAYOUT, ObjectStore, Stored, StoredObject, open_object_store
from archive.removal_warrant import _SEAL, Warrant
from schemas.errors import ConfigurationError, FatalError, RetriableError
from schemas.record import BytesContent, Content
from tests.archive.object_media import Bucket

TEXT = "Kết luận của Ban Thường vụ Tỉnh ủy".encode()
NAME = hashlib.sha256(TEXT).hexdigest()
LARGE = 9 << 20


@dataclass
class Medium:
    """A store, how to open it again, and a hand that reaches below it."""

    store: ObjectStore
    again: Callable[[], ObjectStore]
    read: Callable[[str], bytes]
    write: Callable[[str, bytes], None]
    listing: Callable[[], list[str]]

    def stored(self, sha256: str) -> Stored:
        found = self.store.locate(sha256)
        assert found is not None
        return found

    def check(self, sha256: str, size: int | None = None) -> FixityOutcome:
        return check_each(self.store, [Wanted(sha256, size)])[0].outcome


MEDIA = ("folder", "folder, encrypted", "bucket", "bucket, encrypted")


@pytest.fixture(params=MEDIA)
def medium(request: pytest.FixtureRequest, tmp_path: Path) -> Medium:
    place, _, encrypted = request.param.partition(", ")
    ring = None
    if encrypted:
        ring = tmp_path / "keys" / "keyring.json"
        write_ring(new_ring(tmp_path / "recovery.txt"), ring)
    if place == "folder":
        root = tmp_path / "objects"

        def write(key: str, data: bytes) -> None:
            (root / key).unlink(missing_ok=True)
            (root / key).write_bytes(data)

        def folder() -> ObjectStore:
            return open_object_store(root, ring)

        return Medium(
            folder(), folder, lambda key: (root / key).read_bytes(), write,
            lambda: sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()),
        )  # fmt: skip
    bucket: Bucket = request.getfixturevalue("bucket")

    def remote() -> ObjectStore:
        return open_object_store(f"s3://{bucket.name}/luu-tru", ring, bucket.options)

    return Medium(
        remote(), remote, lambda key: bucket.read(f"luu-tru/{key}"),
        lambda key, data: bucket.overwrite(f"luu-tru/{key}", data),
        lambda: [key.removeprefix("luu-tru/") for key in bucket.listing()],
    )  # fmt: skip


def test_bytes_are_found_again_under_their_hash(medium: Medium) -> None:
    assert medium.store.put_bytes(TEXT) == StoredObject(NAME, len(TEXT), created=True)
    for store in (medium.store, medium.again()):
        assert store.exists(NAME)
        assert store.size(NAME) == store.content(NAME).size == len(TEXT)
        with store.open(NAME) as stream:
            assert stream.read() == TEXT


def test_the_second_put_of_the_same_bytes_writes_nothing(medium: Medium) -> None:
    medium.store.put_bytes(TEXT)
    key = medium.stored(NAME).key
    before = medium.read(key), medium.stored(NAME).modified
    assert medium.again().put_bytes(TEXT) == StoredObject(NAME, len(TEXT), created=False)
    assert (medium.read(key), medium.stored(NAME).modified) == before


def test_the_names_on_the_medium_are_those_of_the_layout(medium: Medium) -> None:
    medium.store.put_bytes(TEXT)
    end = ".enc" if medium.store.encrypts else ""
    keys = {key for key in medium.listing() if not key.startswith(KEYS)}
    assert keys == {LAYOUT, f"sha256/{NAME[:2]}/{NAME}{end}"}
    assert (TEXT in medium.read(medium.stored(NAME).key)) is not medium.store.encrypts


def test_any_length_comes_back(medium: Medium) -> None:
    for size in (0, 1, 65_535, 65_536, 65_537, 131_072, (4 << 20) + 1, LARGE):
        data = (bytes(range(251)) * (size // 251 + 1))[:size]
        stored = medium.store.put_bytes(data)
        assert (stored.size, stored.created) == (size, True)
        assert medium.store.put_bytes(data).created is False
        assert medium.store.size(stored.sha256) == size
        with medium.store.open(stored.sha256) as stream:
            assert hashlib.sha256(stream.read()).hexdigest() == stored.sha256
        assert medium.check(stored.sha256, size) is FixityOutcome.INTACT


def test_a_reader_can_be_moved(medium: Medium) -> None:
    data = os.urandom(200_000)
    name = medium.store.put_bytes(data).sha256
    with medium.store.open(name) as stream:
        assert stream.seek(-10, os.SEEK_END) == 199_990
        assert stream.read() == data[-10:]
        stream.seek(65_530)
        assert stream.read(20) == data[65_530:65_550]
        assert stream.tell() == 65_550
        stream.seek(5, os.SEEK_CUR)
        assert stream.read(3) == data[65_555:65_558]
        stream.seek(300_000)
        assert stream.read() == b""
        stream.seek(0)
        assert stream.read() == data


LARGE_CONTENT = """
import sys, tracemalloc
from pathlib import Path
from archive.objects import open_object_store
from tests.archive.object_media import Zeros

location, ring, endpoint = sys.argv[1:]
client = {"endpoint_url": endpoint, "region_name": "us-east-1"}
options = {"key": "ai", "secret": "bi-mat", "client_kwargs": client}
store = open_object_store(location, Path(ring) if ring else None, options)
tracemalloc.start()
stored = store.put(Zeros(48 << 20))
with store.open(stored.sha256) as stream:
    read = sum(map(len, iter(lambda: stream.read(1 << 16), b"")))
print(stored.size, read, tracemalloc.get_traced_memory()[1] >> 20)
"""


@pytest.mark.parametrize("medium", ["folder, encrypted", "bucket, encrypted"], indirect=True)
def test_large_content_is_never_held_whole(
    medium: Medium, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """In a process of its own, because the server of the bucket is in this one."""
    remote = medium.store.location.startswith("s3:")
    ring = tmp_path / "keys" / "keyring.json"
    done = subprocess.run(
        [
            sys.executable, "-c", LARGE_CONTENT, medium.store.location,
            str(ring) if medium.store.encrypts else "",
            request.getfixturevalue("s3_endpoint") if remote else "",
        ],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    size, read, megabytes = map(int, done.stdout.split())
    assert size == read == 48 << 20
    assert megabytes < (40 if remote else 12)


def test_objects_are_listed_in_order(medium: Medium) -> None:
    names = sorted(medium.store.put_bytes(b"%d" % n).sha256 for n in range(25))
    assert list(medium.store) == names


@pytest.mark.parametrize("name", ["", "../" + NAME, NAME[:-1], NAME.upper(), NAME + "\n", "/etc/passwd"])
def test_a_name_that_is_no_hash_is_refused(medium: Medium, name: str) -> None:
    for call in (medium.store.exists, medium.store.content, medium.store.open):
        with pytest.raises(FatalError, match="64 lower-case hexadecimal"):
            call(name)


def test_a_missing_object_says_so(medium: Medium) -> None:
    assert not medium.store.exists(NAME)
    for call in (medium.store.content, medium.store.size, medium.store.open):
        with pytest.raises(FatalError, match="missing from the store"):
            call(NAME)
    assert medium.check(NAME) is FixityOutcome.MISSING


def test_damage_is_told_apart(medium: Medium) -> None:
    name = medium.store.put_bytes(TEXT * 5000).sha256
    key = medium.stored(name).key
    right = medium.read(key)
    for place in (0, 50, len(right) // 2, len(right) - 1):
        medium.write(key, right[:place] + bytes([right[place] ^ 1]) + right[place + 1 :])
        assert medium.check(name, len(TEXT) * 5000) is FixityOutcome.CHANGED
    for wrong in (right[:-1], right + b"\n", b""):
        medium.write(key, wrong)
        assert medium.check(name, len(TEXT) * 5000) in {FixityOutcome.WRONG_LENGTH, FixityOutcome.CHANGED}
        with pytest.raises(FatalError, match="restore it from the backup"):
            medium.store.put_bytes(TEXT * 5000)


def test_what_is_planted_is_found_wrong_and_gone_afterwards(medium: Medium) -> None:
    with canaries(medium.store) as planted:
        assert {one.planted.sealed for one in planted if one.planted} == {False, True}
        assert [one.outcome for one in check_each(medium.store, list(planted))] == [FixityOutcome.CHANGED] * 2
        assert list(medium.store) == []
    assert not [key for key in medium.listing() if key.startswith("tmp/")]


def test_an_object_can_be_destroyed_under_a_warrant(medium: Medium) -> None:
    medium.store.put_bytes(TEXT)
    for _ in range(2):
        medium.store.remove(Warrant(NAME, len(TEXT), _SEAL))
        assert list(medium.store) == []


class Vanishing:
    size = 10

    def open(self) -> BinaryIO:
        raise FileNotFoundError(2, "No such file or directory")


class Restless:
    """Content that is another one each time it is read."""

    size = LARGE

    def __init__(self) -> None:
        self.times = 0

    def open(self) -> BinaryIO:
        self.times += 1
        return BytesContent(bytes([self.times]) * self.size).open()


@pytest.mark.parametrize("content", [Vanishing(), Restless()])
def test_content_that_cannot_be_read_or_changes_is_not_stored(medium: Medium, content: Content) -> None:
    with pytest.raises(RetriableError, match="bytes to be stored"):
        medium.store.put(content)
    assert list(medium.store) == []
    assert medium.store.sweep_temporary(timedelta(0)) == 0, "nothing was left behind"


def test_many_writers_of_the_same_bytes(medium: Medium) -> None:
    pieces = [b"%d" % (n % 5) * 1000 for n in range(40)]
    start = threading.Barrier(4)
    stores = [medium.store, medium.again()] * 2

    def put(store: ObjectStore) -> list[StoredObject]:
        start.wait()
        return [store.put_bytes(piece) for piece in pieces]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(put, stores))
    names = {stored.sha256 for stored in results[0]}
    assert set(medium.store) == names
    assert all(
        [stored.sha256 for stored in one] == [stored.sha256 for stored in results[0]] for one in results
    )
    assert {medium.check(name) for name in names} == {FixityOutcome.INTACT}


def test_a_place_with_something_else_is_refused_and_left_alone(medium: Medium) -> None:
    before = medium.listing()
    medium.write("cong-van.docx", b"x")
    medium.write(LAYOUT, b"")
    medium.again()
    assert medium.listing() == sorted([*before, "cong-van.docx"])


# Encryption comes and goes.


@pytest.fixture(params=["folder", "bucket"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Path | None], ObjectStore]:
    if request.param == "folder":
        return lambda ring, **how: open_object_store(tmp_path / "objects", ring, **how)
    bucket: Bucket = request.getfixturevalue("bucket")
    return lambda ring, **how: open_object_store(f"s3://{bucket.name}", ring, bucket.options, **how)


Reopen = Callable[..., ObjectStore]


def test_encryption_turned_on_is_for_new_objects_only(reopen: Reopen, tmp_path: Path) -> None:
    old = reopen(None).put_bytes(b"cu").sha256
    ring = tmp_path / "keyring.json"
    write_ring(new_ring(tmp_path / "recovery.txt"), ring)
    with pytest.raises(ConfigurationError, match="does not know this key ring"):
        reopen(ring)
    store = reopen(ring, enroll=True)
    assert store.put_bytes(b"cu").created is False, "the same bytes are still kept once"
    new = store.put_bytes(b"moi").sha256
    located = {name: store.locate(name) for name in (old, new)}
    assert {name: found.sealed for name, found in located.items() if found} == {old: False, new: True}
    assert sorted(store) == sorted([old, new])
    for name, data in ((old, b"cu"), (new, b"moi")):
        with store.open(name) as stream:
            assert stream.read() == data


def test_rotation_changes_no_object_and_old_ones_stay_readable(reopen: Reopen, tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    ring = new_ring(tmp_path / "recovery.txt")
    write_ring(ring, path)
    first = reopen(path).put_bytes(b"truoc")
    before = reopen(path).locate(first.sha256)
    write_ring(with_new_data_key(ring), path)
    store = reopen(path)
    second = store.put_bytes(b"sau")
    assert store.locate(first.sha256) == before
    ids = []
    for name, data in ((first.sha256, b"truoc"), (second.sha256, b"sau")):
        with store.open(name) as stream:
            assert stream.read() == data
        located = store.locate(name)
        assert located is not None
        with store.open_stored(located) as stored:
            ids.append((stored.read(24) or b"")[8:].hex())
    assert ids == [key.id for key in store.key_ring.keys]


def test_without_the_key_ring_nothing_is_stored_plain_by_mistake(reopen: Reopen, tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    write_ring(new_ring(tmp_path / "recovery.txt"), path)
    name = reopen(path).put_bytes(TEXT).sha256
    store = reopen(None)
    with pytest.raises(ConfigurationError, match="encrypts, and there is no key ring"):
        store.put_bytes(b"khac")
    with pytest.raises(ConfigurationError, match="holds encrypted objects, and there is no key ring"):
        store.open(name)
    assert store.exists(name)
    assert store.size(name) == len(TEXT)
    assert store.put_bytes(TEXT).created is False, "known bytes need no key"
    found = check_each(store, [Wanted(name, len(TEXT))])[0]
    assert (found.outcome, found.basis) == (FixityOutcome.INTACT, "stored")


def test_the_file_of_another_object_is_refused_without_the_keys_too(reopen: Reopen, tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    write_ring(new_ring(tmp_path / "recovery.txt"), path)
    store = reopen(path)
    one, other = store.put_bytes(b"mot").sha256, store.put_bytes(b"hai").sha256
    with store.open_stored(Stored(object_key(other, sealed=True), 3 + 152, 0)) as stream:
        data = b"".join(iter(lambda: stream.read(1000) or b"", b""))
    with store.planted(data, one) as swapped:
        for asked in (store, reopen(None)):
            found = check_each(asked, [Wanted(one, 3, swapped)])[0]
            assert (found.outcome, found.detail) == (
                FixityOutcome.CHANGED, "its header is that of another object",
            )  # fmt: skip


def test_an_object_whose_key_is_in_no_ring_is_unreadable(reopen: Reopen, tmp_path: Path) -> None:
    for name in ("mot", "hai"):
        write_ring(new_ring(tmp_path / f"recovery-{name}.txt"), tmp_path / name)
    name = reopen(tmp_path / "mot").put_bytes(TEXT).sha256
    with pytest.raises(ConfigurationError, match="does not know this key ring"):
        reopen(tmp_path / "hai")
    store = reopen(tmp_path / "hai", enroll=True)
    assert check_each(store, [Wanted(name, len(TEXT))])[0].outcome is FixityOutcome.UNREADABLE
    with pytest.raises(FatalError, match="the key ring has no data key"):
        store.open(name)
