from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive.runs import RunSummary
from demo.office import OfficeReport
from pipeline.quiet import quiet_libraries
from pipeline.settings import Settings, load_settings
from pipeline.stages import Order, Stores, open_stores
from pipeline.sync import run_here
from schemas.record import Window


@dataclass(frozen=True)
class Night:
    """A synced installation: its settings, its stores, and the run of each source."""

    settings: Settings
    stores: Stores
    runs: dict[str, RunSummary]


@pytest.fixture(autouse=True, scope="session")
def quiet() -> None:
    quiet_libraries()


def install(office: Path, home: Path) -> Path:
    """A data folder whose drop and trust folders are the office's; archive and objects are empty."""
    home.mkdir(mode=0o700)
    shutil.copytree(office / "trust", home / "trust")
    shutil.copytree(office / "drop", home / "drop")
    return home


@pytest.fixture
def home(made_up_office, database_url, tmp_path, monkeypatch) -> Path:
    """A fresh installation."""
    home = install(made_up_office[0], tmp_path / "lienthong")
    monkeypatch.setenv("LIENTHONG_HOME", str(home))
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", database_url)
    monkeypatch.delenv("LIENTHONG_SOURCES", raising=False)
    return home


@pytest.fixture
def stores(home) -> Iterator[Stores]:
    opened = open_stores(load_settings())
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="module")
def night(made_up_office, postgres_server, tmp_path_factory) -> Iterator[Night]:
    """One night of both sources over the made-up office, done once for the tests that only look at its archive."""
    home = install(made_up_office[0], tmp_path_factory.mktemp("night") / "lienthong")
    database = f"night_{uuid.uuid4().hex[:12]}"
    postgres_server.ensure_database(database)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LIENTHONG_HOME", str(home))
        environment.setenv("LIENTHONG_DATABASE_URL", postgres_server.url(database))
        settings = load_settings()
        stores = open_stores(settings)
        runs = {
            source: run_here(
                settings, stores, Order(source, "sync", "một đêm", Window(), batch_size=40), jobs=2
            )
            for source in ("notes_van_ban", "dieu_hanh")
        }
        yield Night(settings, stores, runs)
        stores.engine.dispose()


@pytest.fixture
def office(made_up_office) -> OfficeReport:
    return made_up_office[1]
