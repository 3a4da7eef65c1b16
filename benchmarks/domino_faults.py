"""A Domino server that dies at each request of a whole night, one after the other: what each death costs.

``python -m benchmarks.domino_faults [--documents N] [--every N] [--json]``. For each request of an undisturbed sync a
new source is synced from a server that answers no more from that request on; then the server is back, and the same run
is asked for again. Every stage is the pipeline's own, the archive is a real one in a PostgreSQL server of its own, and
only waiting is left out. Prints, by kind of request, how many deaths there were and what was lost, kept twice or not
accounted for afterwards: three columns of zeros are the aim.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from unittest.mock import patch
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from archive.runs import RunSummary
from benchmarks.temporary_archive import temporary_archive
from connectors.lotus_notes.domino import DominoSource
from demo.domino_database import NotesDatabase, small_documents
from demo.domino_faults import Cut, Request
from demo.domino_server import ACCOUNT, DATABASE_PATH, PASSWORD, REPLICA_ID, DominoServer
from pipeline import stages
from pipeline.quiet import quiet_libraries
from pipeline.settings import Settings
from pipeline.stages import Order, Stores
from pipeline.sync import run_here
from schemas.connection import ServiceConnection
from schemas.errors import RetriableError
from schemas.record import Window
from schemas.service_config import DominoService

_FILE_EVERY = 5
_BATCH = 50
_YAML = """
source: {source}
title: Văn bản
system: lotus_notes
connection: mo_phong
service: {{kind: domino, database: {database}}}
schedule: {{cron: "0 1 * * *", inventory: full}}
pool: domino
organ: {{name: Văn phòng Tỉnh ủy}}
records: [{{kind: document, fields: {{symbol: SoKyHieu, subject: TrichYeu, body: NoiDung}}}}]
"""


@dataclass(slots=True)
class Cost:
    """What deaths at one kind of request came to, after the repeat.

    Attributes:
        deaths: how many there were. stopped: how many of them stopped the run.
        lost: documents that the archive does not have. twice: documents that it has more than once.
        unaccounted: runs whose counts do not add up to what was listed.
    """

    deaths: int = 0
    stopped: int = 0
    lost: int = 0
    twice: int = 0
    unaccounted: int = 0


class _NoWaiting:
    """A clock on which no time is lost."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return self._seconds

    def sleep(self, seconds: float) -> None:
        self._seconds += max(seconds, 0)


def main() -> int:
    """Measures and prints; the exit status is 0 when nothing was lost, kept twice or unaccounted for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--every", type=int, default=1, help="only every n-th request")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    quiet_libraries()
    with temporary_archive() as (settings, stores):
        costs = measure(settings, stores, options.documents, options.every)
    if options.json:
        print(json.dumps({kind: asdict(cost) for kind, cost in costs.items()}))
    else:
        _print(costs)
    return 0 if not any(cost.lost or cost.twice or cost.unaccounted for cost in costs.values()) else 1


def measure(settings: Settings, stores: Stores, documents: int, every: int) -> dict[str, Cost]:
    """The costs by kind of request."""
    with DominoServer(_database(documents)) as calm:
        _night(settings, stores, calm, "undisturbed")
        kinds = [_kind(request) for request in calm.requests]
    costs: dict[str, Cost] = {}
    for number in range(1, len(kinds) + 1, every):
        source = f"death_{number}"
        cost = costs.setdefault(kinds[number - 1], Cost())
        cost.deaths += 1
        with DominoServer(_database(documents)) as server:
            server.faults.when(_from(number), Cut(), times=sys.maxsize)
            try:
                _night(settings, stores, server, source)
            except RetriableError:
                cost.stopped += 1
            server.faults.clear()
            run = _night(settings, stores, server, source)
        accounted = run.archived + run.unchanged + run.quarantined + run.withheld
        cost.unaccounted += not run.listed == documents == accounted
        kept = _kept(stores, source)
        cost.lost += documents - len(kept)
        cost.twice += sum(times > 1 for times in kept.values())
    return costs


def _night(settings: Settings, stores: Stores, server: DominoServer, source: str) -> RunSummary:
    """One run, or the rest of one that failed."""
    folder = settings.home / "sources"
    folder.mkdir(exist_ok=True)
    (folder / "one.yaml").write_text(_YAML.format(source=source, database=DATABASE_PATH), encoding="utf-8")
    address = urlsplit(server.url)
    connection = ServiceConnection("mo_phong", str(address.hostname), "http", address.port, ACCOUNT, PASSWORD)
    service = DominoService.model_validate(
        {"kind": "domino", "database": DATABASE_PATH, "page": 50, "politeness": {"tries": 2}}
    )
    opened = DominoSource(source, service, connection, ZoneInfo("Asia/Ho_Chi_Minh"), _NoWaiting())
    with patch.object(stages, "open_source", lambda *_: opened):
        return run_here(settings, stores, Order(source, "sync", "night", Window(), batch_size=_BATCH))


def _from(number: int) -> Callable[[Request], bool]:
    return lambda request: request.number >= number


def _kind(request: Request) -> str:
    if "$FILE" in request.path:
        return "attachment"
    return request.query.get("cmd") or request.command


def _database(documents: int) -> NotesDatabase:
    made = NotesDatabase(DATABASE_PATH, REPLICA_ID)
    made.add(small_documents(documents, file_every=_FILE_EVERY))
    return made


def _kept(stores: Stores, source: str) -> Counter[str]:
    """How often each document of ``source`` is in the archive."""
    statement = sa.text(
        "select d.source_key from archive.document_version v join archive.document d on d.id = v.document_id"
        " where d.source = :source"
    )
    with stores.engine.connect() as connection:
        return Counter(connection.execute(statement, {"source": source}).scalars())


def _print(costs: dict[str, Cost]) -> None:
    names = list(asdict(Cost()))
    print(f"{'request':<12}" + "".join(f"{name:>13}" for name in names))
    for kind, cost in costs.items():
        print(f"{kind:<12}" + "".join(f"{value:>13}" for value in asdict(cost).values()))


if __name__ == "__main__":
    sys.exit(main())
