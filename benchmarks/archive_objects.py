"""Storing objects durably, and reading all of them again, against the bare system calls on the same bytes.

    python -m benchmarks.archive objects [--files 2000] [--checked 5000] [--kilobytes 200] [--json]

The floor of storing is what durability costs without a store: write, fsync, rename, fsync of the folder, into the same
256 folders, the names known beforehand. Floor and store take turns, batch by batch, so that both see the same disk.
The floor of checking is SHA-256 of the same files, one after the other in one thread; both read from the page cache,
which is the hardest case for the ratio. Checking is the whole of ``check_objects``: names compared, canaries, table and
ledger. A ratio is bytes per second over the floor's bytes per second; ``_cpu`` of CPU seconds, all threads counted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import sqlalchemy as sa

from archive.encryption_keys import new_ring, write_ring
from archive.fixity import check_objects
from archive.objects import ObjectStore, open_object_store
from archive.tables import stored_object
from benchmarks.temporary_archive import temporary_archive

_BATCHES = 10
_THREADS = 8


@dataclass
class Clock:
    """Wall and CPU seconds of one thing, over all its turns."""

    wall: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "objects", help="storing and checking objects", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument(
        "--checked", type=int, default=5_000, help="files to check, made without waiting for the disk"
    )
    parser.add_argument("--kilobytes", type=int, default=200, help="size of a file")
    parser.add_argument("--json", action="store_true", help="one object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure and print."""
    size = options.kilobytes * 1_000
    figures = {"files": options.files, "bytes_per_file": size}
    with tempfile.TemporaryDirectory(prefix="lienthong-objects-", dir=Path.cwd()) as folder:
        figures |= _storing(Path(folder), options.files, size)
        figures |= _checking(Path(folder), options.checked, size)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:32} {value:,.2f}" if isinstance(value, float) else f"{name:32} {value:,}")
    return 0


def _storing(folder: Path, files: int, size: int) -> dict[str, float]:
    ring = folder / "keyring.json"
    write_ring(new_ring(folder / "recovery.txt"), ring)
    plain, encrypted = open_object_store(folder / "plain"), open_object_store(folder / "encrypted", ring)
    threaded = open_object_store(folder / "threaded")
    bare = folder / "bare"
    for name in ("tmp", *(f"{n:02x}" for n in range(256))):
        (bare / name).mkdir(parents=True)
    ways: dict[str, Callable[[Sequence[bytes]], object]] = {
        "bare": lambda batch: _each_bare(bare, batch),
        "put": lambda batch: [plain.put_bytes(data) for data in batch],
        "encrypted": lambda batch: [encrypted.put_bytes(data) for data in batch],
        "threads": lambda batch: _in_threads(threaded, batch),
    }
    clocks = {name: Clock() for name in (*ways, "known", "hashed")}
    source = random.Random(20250520)
    for turn in range(_BATCHES):
        batch = [source.randbytes(size) for _ in range(files // _BATCHES)]
        order = list(ways)
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            os.sync()  # what others left to write is in nobody's figure
            with clocks[name].running():
                ways[name](batch)
        _age(plain, batch)
        with clocks["known"].running():
            for data in batch:
                assert not plain.put_bytes(data).created
        with clocks["hashed"].running():
            for data in batch:
                hashlib.sha256(data).hexdigest()
    done = files // _BATCHES * _BATCHES
    rate = {name: done / clock.wall for name, clock in clocks.items()}
    return {
        "bare_files_per_second": rate["bare"],
        "put_files_per_second": rate["put"],
        "put_megabytes_per_second": rate["put"] * size / 1e6,
        "put_to_bare": rate["put"] / rate["bare"],
        "encrypted_files_per_second": rate["encrypted"],
        "encrypted_to_bare": rate["encrypted"] / rate["bare"],
        "encrypted_to_put": rate["encrypted"] / rate["put"],
        f"put_{_THREADS}_threads_files_per_second": rate["threads"],
        "known_files_per_second": rate["known"],
        "known_to_sha256": rate["known"] / rate["hashed"],
    }


def _each_bare(root: Path, batch: Sequence[bytes]) -> None:
    for data in batch:
        _bare(root, data)


def _bare(root: Path, data: bytes) -> None:
    partial = f"{root}/tmp/{random.getrandbits(64):016x}"
    folder = f"{root}/{data[0]:02x}"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440)
    os.write(descriptor, data)
    os.fsync(descriptor)
    os.close(descriptor)
    os.rename(partial, f"{folder}/{data[:16].hex()}")  # noqa: PTH104 - the bare call
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


def _age(store: ObjectStore, batch: Sequence[bytes]) -> None:
    """Make the objects those of last night: a name that is minutes old is synchronised once more."""
    yesterday = time.time() - 86_400
    for data in batch:
        name = hashlib.sha256(data).hexdigest()
        os.utime(Path(store.location, "sha256", name[:2], name), (yesterday, yesterday))


def _in_threads(store: ObjectStore, batch: Sequence[bytes]) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(store.put_bytes, batch))


def _checking(folder: Path, files: int, size: int) -> dict[str, float]:
    ring = folder / "keyring.json"
    figures: dict[str, float] = {}
    _fill(open_object_store(folder / "checked"), files, size)
    _fill(open_object_store(folder / "checked encrypted", ring), files, size)
    stores = {
        "fixity": open_object_store(folder / "checked"),
        "fixity_encrypted": open_object_store(folder / "checked encrypted", ring),
        "fixity_encrypted_without_keys": open_object_store(folder / "checked encrypted"),
    }
    for name, store in stores.items():
        paths = sorted(path for path in Path(store.location, "sha256").rglob("*") if path.is_file())
        floor, checked = Clock(), Clock()
        with temporary_archive() as (_, archive):
            _enter(archive.engine, store)
            _hash_files(paths)  # into the page cache
            for _ in range(2):
                with floor.running():
                    _hash_files(paths)
                with checked.running():
                    report = check_objects(archive.engine, store)
                assert report.sound
                assert report.checked == len(paths)
        read = 2 * sum(path.stat().st_size for path in paths)
        figures[f"{name}_megabytes_per_second"] = read / checked.wall / 1e6
        figures[f"{name}_to_sha256"] = floor.wall / checked.wall
        figures[f"{name}_to_sha256_cpu"] = floor.cpu / checked.cpu
    return figures


def _fill(store: ObjectStore, files: int, size: int) -> None:
    source = random.Random(files)
    with patch("os.fsync"):
        for _ in range(files):
            store.put_bytes(source.randbytes(size))


def _enter(engine: sa.Engine, store: ObjectStore) -> None:
    now = datetime.now(UTC)
    rows = [
        {"sha256": name, "size": store.size(name), "media_type": "application/pdf", "stored_at": now}
        for name in store
    ]
    with engine.begin() as connection:
        connection.execute(stored_object.insert(), rows)


def _hash_files(paths: Sequence[Path]) -> None:
    for path in paths:
        with path.open("rb") as stream:
            hashlib.file_digest(stream, "sha256").hexdigest()
