"""An archive that is filled night by night while something goes wrong, and what is left of it afterwards."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import psycopg
import sqlalchemy as sa
from psycopg import sql

from archive.audit import audit
from archive.database import create_engine
from archive.embedded import EmbeddedServer
from archive.loader import Archive, Batch, Outcome, Quarantined, Withheld
from archive.objects import ObjectStore
from archive.runs import account, record_listed, run_summary, start_run
from benchmarks.generated_records import CLOCK, SOURCE, generated_records
from benchmarks.measured_server import fresh_archive
from schemas.errors import RetriableError
from schemas.record import Window

BATCHES = 4
DOCUMENTS = 10
T = TypeVar("T")

_LISTED = BATCHES * (DOCUMENTS + 2)
_PATIENCE = 600.0  # seconds: longer than a server takes to recover on a busy machine


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What an archive holds against what was listed; all zeros and a clean audit, or something was lost or invented.

    Attributes:
        nights: runs, each of four batches of ten documents, one broken and one secret record.
        lost: documents that are not there. twice: versions and events beyond one a document.
        unaccounted: listed records that no count has. different: rows other than in an undisturbed archive.
        findings: of a full audit.
    """

    nights: int
    lost: int
    twice: int
    unaccounted: int
    different: int
    findings: int

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing twice, nothing open, nothing else."""
        return not (self.lost or self.twice or self.unaccounted or self.different or self.findings)


class Scene:
    """A database and an object store of their own.

    Args:
        server: running. name: of the database. folder: for the store.
        clock: of the loader, given the night's number.
    """

    def __init__(
        self,
        server: EmbeddedServer,
        name: str,
        folder: Path,
        clock: Callable[[int], datetime] = lambda _: CLOCK,
    ) -> None:
        self.server, self.name, self.folder = server, name, folder
        self.url = fresh_archive(server, name)
        self.clock = clock
        ObjectStore(folder)

    def fill(self, nights: int | None = None) -> None:
        """Load night after night, from the first that is not finished; forever, or up to ``nights`` in all."""
        with self.connected() as engine:
            objects = ObjectStore(self.folder)
            for night in itertools.count(_patiently(lambda: _finished(engine))):
                if nights is not None and night >= nights:
                    return
                _patiently(lambda night=night: self._night(engine, objects, night))  # type: ignore[misc]

    def finish(self) -> int:
        """Complete the night that was interrupted; returns how many there are then."""
        with self.connected() as engine:
            begun = _count(engine, "SELECT count(*) FROM archive.run")
        self.fill(begun)
        return begun

    def load_night(self, night: int) -> None:
        """Load the batches of a planned night."""
        with self.connected() as engine:
            self._load(engine, ObjectStore(self.folder), night)

    def plan(self, night: int) -> None:
        """Start a night and keep what its inventory came to."""
        with self.connected() as engine:
            self._plan(engine, night)

    def close(self, night: int) -> None:
        """Account for a night."""
        with self.connected() as engine:
            account(engine, _run(engine, night), now=CLOCK)

    def aftermath(self, undisturbed: bool = True) -> Aftermath:
        """Complete the archive and look at it; compared with one that nothing happened to, if wanted."""
        nights = self.finish()
        with self.connected() as engine:
            report = audit(engine, ObjectStore(self.folder), full=True)
            counts = {name: _count(engine, query) for name, query in _COUNTS.items()}
        expected = nights * BATCHES * DOCUMENTS
        return Aftermath(
            nights=nights,
            lost=expected - counts["documents"],
            twice=counts["versions"] + counts["ingestions"] - 2 * counts["documents"],
            unaccounted=nights * _LISTED - counts["accounted"],
            different=self._different(nights) if undisturbed else 0,
            findings=sum(report.counts.values()),
        )

    @contextmanager
    def connected(self) -> Iterator[sa.Engine]:
        """An engine for the scene's database."""
        engine = create_engine(self.url)
        try:
            yield engine
        finally:
            engine.dispose()

    def _night(self, engine: sa.Engine, objects: ObjectStore, night: int) -> None:
        self._plan(engine, night)
        self._load(engine, objects, night)
        account(engine, _run(engine, night), now=CLOCK)

    def _plan(self, engine: sa.Engine, night: int) -> None:
        run = _run(engine, night)
        if run_summary(engine, run).listed is None:
            record_listed(engine, run, _LISTED, 0, BATCHES, now=CLOCK)

    def _load(self, engine: sa.Engine, objects: ObjectStore, night: int) -> None:
        archive, run = Archive(engine, objects, clock=lambda: self.clock(night)), _run(engine, night)
        for number in range(1, BATCHES + 1):
            archive.load(Batch(SOURCE, run, number, "fault"), _outcomes(objects, night, number))

    def _different(self, nights: int) -> int:
        control = Scene(self.server, f"{self.name}_undisturbed", self.folder, self.clock)
        control.fill(nights)
        mine, other = _rows(self.url), _rows(control.url)
        return sum(len(set(mine[table]) ^ set(other[table])) for table in mine)


_COUNTS = {
    "documents": "SELECT count(*) FROM archive.document",
    "versions": "SELECT count(*) FROM archive.document_version",
    "ingestions": "SELECT count(*) FROM archive.event WHERE type = 'ingestion'",
    "accounted": """SELECT coalesce(sum(archived + unchanged + quarantined + withheld), 0)::int FROM archive.run
        WHERE state = 'finished'""",
}


def _outcomes(objects: ObjectStore, night: int, number: int) -> Sequence[Outcome]:
    start = (night * BATCHES + number - 1) * DOCUMENTS
    return [
        *generated_records(start, DOCUMENTS, objects.put_bytes),
        Quarantined(f"HONG{start}", "1", "read", "xml_malformed", "Bản ghi hỏng."),
        Withheld(f"MAT{start}", "1", "mat", "field:DoMat"),
    ]


def _run(engine: sa.Engine, night: int) -> str:
    return start_run(engine, SOURCE, "sync", Window(), f"dem-{night}", now=CLOCK)


def _finished(engine: sa.Engine) -> int:
    return _count(engine, "SELECT count(*) FROM archive.run WHERE state = 'finished'")


def _count(engine: sa.Engine, query: str) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.text(query)) or 0)


def _patiently(action: Callable[[], T]) -> T:
    """Try again while the database is away, as Airflow would."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return action()
        except (RetriableError, sa.exc.OperationalError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _rows(url: str) -> dict[str, list[str]]:
    with psycopg.connect(sa.make_url(url).set(drivername="postgresql").render_as_string(False)) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'archive'").fetchall()
        return {
            name: [
                row[0]
                for row in connection.execute(
                    sql.SQL("SELECT t::text FROM archive.{} t").format(sql.Identifier(name))
                )
            ]
            for (name,) in tables
        }
