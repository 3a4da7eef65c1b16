"""A source over the Domino simulator, with a clock that never really waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from connectors.lotus_notes.domino import DominoSource
from demo.domino_database import NotesDatabase, StoredDocument, small_documents
from demo.domino_server import ACCOUNT, DATABASE_PATH, PASSWORD, REPLICA_ID, DominoServer
from schemas.connection import ServiceConnection
from schemas.record import SourceRecord, Unreadable, Window
from schemas.service_config import DominoService
from tests.connectors.source_contract import SourceCase

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TUESDAY_NIGHT = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
VIEW: dict[str, object] = {
    "inventory": "views",
    "views": ["tatca"],
    "columns": {"modified": "$modified", "sequence": "$sequence"},
    "views_hold_everything": True,
}


@dataclass
class FakeClock:
    """Sleeping moves it on."""

    moment: datetime = TUESDAY_NIGHT
    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)
            self.seconds += seconds
            self.moment += timedelta(seconds=seconds)


def database(count: int = 12, file_every: int = 5) -> NotesDatabase:
    """A database of small documents."""
    made = NotesDatabase(DATABASE_PATH, REPLICA_ID)
    made.add(small_documents(count, file_every=file_every))
    return made


def connection(server: DominoServer | str, **changed: object) -> ServiceConnection:
    """The right account at ``server`` (or its address); ``changed`` are other attributes."""
    address = urlsplit(server if isinstance(server, str) else server.url)
    given: dict[str, object] = {"login": ACCOUNT, "password": PASSWORD, **changed}
    return ServiceConnection("may", address.hostname or "", address.scheme, address.port, **given)  # type: ignore[arg-type]


def service(**changed: object) -> DominoService:
    """Settings; a page of few rows, so that there are several."""
    politeness = {"requests_per_second": 1000, "read_timeout": 5, "tries": 4}
    politeness |= changed.pop("politeness", {})  # type: ignore[arg-type]
    given = {"kind": "domino", "database": DATABASE_PATH, "page": 5, "politeness": politeness, **changed}
    return DominoService.model_validate(given)


def source(server: DominoServer, clock: FakeClock | None = None, **changed: object) -> DominoSource:
    """A source of its own session."""
    return DominoSource("notes", service(**changed), connection(server), ZONE, clock or FakeClock())


def fetched(reading: DominoSource, window: Window | None = None) -> list[SourceRecord | Unreadable]:
    """Everything that is listed, fetched."""
    return list(reading.fetch(list(reading.inventory(window or Window()))))


def unid_of(number: int) -> str:
    """UNID of the small document ``number``."""
    return document_of(number).unid


def document_of(number: int) -> StoredDocument:
    """The small document ``number``."""
    return list(small_documents(number + 1))[number]


@dataclass(frozen=True)
class DominoCase(SourceCase):
    """The contract's case over a server instead of a folder."""

    server: DominoServer | None = None

    @property
    def _server(self) -> DominoServer:
        assert self.server is not None
        return self.server

    def state(self) -> object:
        """The documents, and whatever tried to change them."""
        written = [request for request in self._server.requests if request.method not in {"GET", "POST"}]
        logins = [request.command for request in self._server.requests if request.method == "POST"]
        return self._server.database.all(), self._server.violations, written, set(logins) - {"login"}

    def erase(self) -> None:
        """Delete every document."""
        for found in self._server.database.all():
            self._server.database.delete(found.unid)

    def vanish(self) -> None:
        """The server is gone."""
        self._server.__exit__(None, None, None)


NO_FOLDER = Path()
