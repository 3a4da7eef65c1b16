from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from archive.database import create_engine
from archive.loader import Archive, Batch
from archive.migrate import migrate
from archive.objects import ObjectStore
from archive.runs import start_run
from schemas.record import Window
from tests.archive.office_records import CLOCK

SOURCE = "notes_van_ban_di"


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """A migrated, empty archive database."""
    engine = create_engine(database_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


@pytest.fixture
def archive(engine: sa.Engine, objects: ObjectStore) -> Archive:
    return Archive(engine, objects, clock=lambda: CLOCK)


@pytest.fixture
def batch(engine: sa.Engine) -> Callable[..., Batch]:
    """Makes the batch ``number`` of the run ``run_key`` of ``source``."""

    def make(run_key: str = "dem-1", number: int = 1, source: str = SOURCE, attempt: str = "a") -> Batch:
        run = start_run(engine, source, "sync", Window(), run_key, now=CLOCK)
        return Batch(source=source, run=run, number=number, attempt=attempt)

    return make


@pytest.fixture
def select(engine: sa.Engine) -> Callable[..., list[tuple[object, ...]]]:
    """Rows of a query, for looking into the tables."""

    def ask(query: str, **values: object) -> list[tuple[object, ...]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query), values)]

    return ask
