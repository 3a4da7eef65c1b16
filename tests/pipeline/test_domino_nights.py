"""Whole nights over a Domino server that fails: nothing lost, nothing twice, the counts add up, a repeat completes."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from archive.objects import ObjectStore
from archive.runs import RunSummary
from demo.domino_database import NotesDatabase, small_documents
from demo.domino_faults import Cut, Meanwhile
from demo.domino_server import DominoServer, Settings
from demo.petitions import expected as petitions_expected
from demo.petitions import failing_unid, petitions_database
from demo.simulators import SIMULATORS
from mappings.config import load_source
from pipeline import stages
from pipeline.settings import load_settings
from pipeline.stages import Order, Stores, open_stores
from pipeline.sync import run_here
from schemas.errors import RetriableError
from schemas.record import Window
from tests.connectors.domino_cases import database, document_of, source, unid_of

pytestmark = pytest.mark.postgres

LATER = datetime(2026, 11, 24, 20, 30)  # noqa: DTZ001 - local time, as the simulator keeps it
CONFIG = """
source: {name}
title: Văn bản đến
system: lotus_notes
connection: khong_dung
service: {{kind: domino, database: vanban/vbdendi.nsf}}
schedule: {{cron: "0 1 * * *", inventory: full}}
pool: domino
organ: {{name: Văn phòng Tỉnh ủy}}
records:
  - kind: document
    fields:
      symbol: SoKyHieu
      subject: {{from: TrichYeu, required: true}}
      body: NoiDung
      relations: {{each: {{path: $parent, fields: {{kind: {{value: response_in_source}}, uid: .}}}}}}
"""


@dataclass
class Office:
    """An archive, and a way to have a night over any server."""

    stores: Stores
    environment: pytest.MonkeyPatch

    def night(
        self, server: DominoServer, name: str = "dong_bo", key: str = "", **service: object
    ) -> RunSummary:
        """One run of the source ``name``; the same ``key`` goes on with a run that failed."""
        settings = load_settings()
        folder = settings.home / "sources"
        folder.mkdir(exist_ok=True)
        for earlier in folder.glob("*.yaml"):
            earlier.unlink()
        (folder / f"{name}.yaml").write_text(CONFIG.format(name=name), encoding="utf-8")
        opened = source(server, **service)
        opened.name = name
        self.environment.setattr(stages, "open_source", lambda *_: opened)
        order = Order(name, "sync", key or uuid.uuid4().hex, Window(), batch_size=5)
        return run_here(settings, self.stores, order)

    def archived(self, name: str = "dong_bo") -> list[tuple[str, str, int]]:
        """UNID, revision and number of attachments of each version, in order."""
        statement = (
            "select d.source_key, v.revision, (select count(*) from archive.attachment a"
            " where a.document_id = v.document_id and a.version = v.version)"
            " from archive.document_version v join archive.document d on d.id = v.document_id"
            " where d.source = :name order by 1, v.version"
        )
        with self.stores.engine.connect() as connection:
            rows = connection.execute(sa.text(statement), {"name": name}).all()
        return [(key.rpartition(":")[2], revision, files) for key, revision, files in rows]

    def quarantined(self, name: str = "dong_bo") -> dict[str, str]:
        """Reason by UNID."""
        statement = "select source_key, reason from archive.quarantine where source = :name"
        with self.stores.engine.connect() as connection:
            rows = connection.execute(sa.text(statement), {"name": name}).all()
        return {key.rpartition(":")[2]: reason for key, reason in rows}


@pytest.fixture(scope="module")
def office(postgres_server, tmp_path_factory) -> Iterator[Office]:
    name = f"domino_{uuid.uuid4().hex[:12]}"
    postgres_server.ensure_database(name)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LIENTHONG_HOME", str(tmp_path_factory.mktemp("domino") / "lienthong"))
        environment.setenv("LIENTHONG_DATABASE_URL", postgres_server.url(name))
        stores = open_stores(load_settings())
        yield Office(stores, environment)
        stores.engine.dispose()


@pytest.fixture
def name() -> str:
    """A source of the test's own."""
    return f"nguon_{uuid.uuid4().hex[:8]}"


def of(held: NotesDatabase) -> list[tuple[str, str, int]]:
    """What the archive must hold of a database that never changed: each document once, in its state, with its files."""
    return sorted(
        (
            found.unid,
            f"{found.note.sequence}/{found.note.last_edit - timedelta(hours=7):%Y-%m-%dT%H:%M:%S}Z",
            len(found.attachments),
        )
        for found in held.all()
    )


def adds_up(run: RunSummary, listed: int) -> bool:
    return run.listed == listed == run.archived + run.unchanged + run.quarantined + run.withheld


def test_a_server_that_dies_at_any_request_costs_nothing_but_a_repeat(office: Office) -> None:
    with DominoServer(database(5, file_every=3)) as calm:
        office.night(calm, "yen_tinh")
        requests = len(calm.requests)
    for dying in range(1, requests + 1):
        name = f"chet_{dying}"
        with DominoServer(database(5, file_every=3)) as server:
            server.faults.when(lambda request, at=dying: request.number >= at, Cut(), times=10_000)
            with pytest.raises(RetriableError):
                office.night(server, name, key="đêm", politeness={"tries": 2})
            server.faults.clear()
            run = office.night(server, name, key="đêm")
            assert adds_up(run, 5), dying
            assert run.archived == 5, dying
            assert office.archived(name) == of(server.database), dying
            assert server.violations == []
    assert requests >= 10


def test_a_night_with_a_cut_at_every_request_needs_no_repeat(office: Office, name: str) -> None:
    with DominoServer(database(8, file_every=3)) as server:
        server.faults.when(lambda request: request.number % 2 == 0, Cut(0.5), times=10_000)
        run = office.night(server, name)

        assert adds_up(run, 8)
        assert office.archived(name) == of(server.database)


def test_sessions_that_end_after_three_requests_are_begun_again(office: Office, name: str) -> None:
    with DominoServer(database(8, file_every=3), Settings(request_limit=3)) as server:
        run = office.night(server, name)

        assert run.archived == 8
        assert office.archived(name) == of(server.database)
        assert server.asked("login") > 3


def test_a_document_deleted_between_listing_and_fetching_is_counted_and_gone_the_next_night(
    office: Office, name: str
) -> None:
    with DominoServer(database(8)) as server:
        exported = unid_of(4)
        server.faults.when(
            lambda request: request.query.get("unid") == exported,
            Meanwhile(lambda held: held.delete(exported)),
        )
        first, second = office.night(server, name), office.night(server, name)

        assert adds_up(first, 8)
        assert (first.archived, first.quarantined) == (7, 1)
        assert office.quarantined(name)[exported] == "deleted_meanwhile"
        assert adds_up(second, 7)
        assert second.unchanged == 7


@pytest.mark.parametrize("full", [1, 4, 9])
def test_a_full_disk_stops_the_run_and_a_repeat_completes_it(
    office: Office, name: str, full: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    storing, calls = ObjectStore.put, []

    def put(self, content):
        calls.append(content)
        if len(calls) == full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return storing(self, content)

    with DominoServer(database(8, file_every=3)) as server:
        with monkeypatch.context() as disk:
            disk.setattr(ObjectStore, "put", put)
            with pytest.raises(OSError, match="No space left"):
                office.night(server, name, key="đêm")
        run = office.night(server, name, key="đêm")

        assert adds_up(run, 8)
        assert office.archived(name) == of(server.database)


def test_what_has_not_changed_is_not_fetched_and_what_came_late_is(office: Office, name: str) -> None:
    with DominoServer(database(8)) as server:
        office.night(server, name)
        asked = server.asked("export")
        held = server.database
        held.edit(unid_of(2), LATER, "Sửa")
        held.replicate_in(document_of(20), LATER)
        conflict = held.save_conflict(unid_of(5), LATER)
        run = office.night(server, name)

        versions = [unid for unid, _, _ in office.archived(name)]
        assert adds_up(run, 10)
        assert (run.archived, run.unchanged) == (3, 7)
        assert server.asked("export") == asked + 3
        assert sorted(versions) == sorted(
            [*(unid_of(n) for n in range(8)), unid_of(2), unid_of(20), conflict]
        )
        # Those of documents 0 and 5, and the conflict's own.
        assert server.asked("$FILE") == 3


def test_a_document_with_readers_is_counted_where_the_server_shows_it(office: Office, name: str) -> None:
    held = NotesDatabase("vanban/vbdendi.nsf", "47257A3C002E91B5")
    held.add(
        replace(found, readers=frozenset({"CN=Bi thu/O=ThuongGiang"})) if n == 3 else found
        for n, found in enumerate(small_documents(8))
    )
    with DominoServer(held, Settings(lists_hidden=True)) as server:
        run = office.night(server, name)

        assert adds_up(run, 8)
        assert (run.archived, run.quarantined) == (7, 1)
        assert office.quarantined(name) == {unid_of(3): "access_denied"}


def test_the_petitions_of_the_demo_come_to_what_their_maker_says(office: Office) -> None:
    petitions = next(found for found in SIMULATORS if found.source == "don_thu")
    here = load_settings()
    (here.home / "sources").mkdir(exist_ok=True)
    path = here.home / "sources" / "don_thu.yaml"
    path.write_text(petitions.yaml(), encoding="utf-8")
    config = load_source(path)
    settings = Settings(lists_hidden=True, failing={failing_unid(): "damaged"})
    with DominoServer(petitions_database(), settings) as server:
        opened = source(server, database=config.service.database)
        opened.name = "don_thu"
        office.environment.setattr(stages, "open_source", lambda *_: opened)
        run = run_here(here, office.stores, Order("don_thu", "sync", "đêm", Window()))

    counts = petitions_expected()
    assert (run.listed, run.archived, run.quarantined, run.withheld) == (
        counts.listed,
        counts.archived,
        counts.quarantined,
        counts.withheld,
    )
    assert set(office.quarantined("don_thu").values()) == {"access_denied", "agent_error"}
