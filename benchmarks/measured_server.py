"""A PostgreSQL server of its own for one measurement, durability on, and a clock for both sides of the connection."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from archive.database import create_engine
from archive.embedded import EmbeddedServer
from archive.migrate import migrate

_SETTINGS = {"autovacuum": "off", "max_wal_size": "4GB", "shared_buffers": "512MB"}

_TEMPLATE = "bench_template"


@contextmanager
def measured_server(**settings: str) -> Iterator[EmbeddedServer]:
    """The server, started; gone afterwards with all its data. ``settings`` stand before ours."""
    folder = Path(tempfile.mkdtemp(prefix="lienthong-bench-"))
    folder.chmod(0o711)  # as root the server runs as nobody, who must come through
    server = EmbeddedServer(folder / "postgres", settings=_SETTINGS | settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def fresh_archive(server: EmbeddedServer, name: str) -> str:
    """The URL of a new, migrated, empty database."""
    server.ensure_database(_TEMPLATE)
    engine = create_engine(server.url(_TEMPLATE))
    migrate(engine)
    engine.dispose()
    with psycopg.connect(server.url("postgres", "postgresql"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(_TEMPLATE))
        )
    return server.url(name)


@dataclass(slots=True)
class Taken:
    """What a phase took so far, in seconds: by the clock, of this process's processor, of the server's."""

    clock: float = 0.0
    client: float = 0.0
    server: float = 0.0

    @property
    def processor(self) -> float:
        """Of both processors."""
        return self.client + self.server


@contextmanager
def clocked(taken: Taken, postmaster: int) -> Iterator[None]:
    """Add what happens inside to ``taken``; ``postmaster`` is the server's first process."""
    before = _server_seconds(postmaster)
    started, busy = time.perf_counter(), time.process_time()
    yield
    taken.clock += time.perf_counter() - started
    taken.client += time.process_time() - busy
    taken.server += _server_seconds(postmaster) - before


def _server_seconds(postmaster: int) -> float:
    """Processor time of the server's processes that are alive (Linux, ``/proc/<pid>/schedstat``: nanoseconds)."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in children) / 1e9
