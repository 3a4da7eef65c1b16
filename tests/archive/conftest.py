from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from archive.access_roles import Role
from archive.database import create_engine
from archive.embedded import EmbeddedServer
from archive.loader import Archive, Batch
from archive.migrate import migrate
from archive.objects import ObjectStore
from archive.runs import start_run
from archive.schema import metadata
from schemas.record import Window
from tests.archive.object_media import Bucket, make_bucket, s3_server
from tests.archive.office_records import CLOCK

SOURCE = "notes_van_ban_di"


@pytest.fixture(scope="session")
def template(postgres_server: EmbeddedServer) -> str:
    """A migrated, empty database to copy: migrating once for each test would cost half a second."""
    postgres_server.ensure_database("archive_template")
    engine = create_engine(postgres_server.url("archive_template"))
    migrate(engine)
    engine.dispose()
    return "archive_template"


@pytest.fixture(scope="session")
def archive_database(postgres_server: EmbeddedServer, template: str) -> str:
    """The URL of a database that all tests use, one after the other."""
    with psycopg.connect(postgres_server.url("postgres", "postgresql"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE archive_tests TEMPLATE {template}")
    return postgres_server.url("archive_tests")


@pytest.fixture
def archive_url(archive_database: str) -> str:
    """The URL of a migrated, empty archive database."""
    tables = ", ".join(f"archive.{table.name}" for table in metadata.sorted_tables)
    with psycopg.connect(archive_database.replace("+psycopg", "")) as connection:
        connection.execute("SET session_replication_role = replica")  # past the guard of append-only tables
        connection.execute(f"TRUNCATE {tables}")
    return archive_database


@pytest.fixture
def engine(archive_url: str) -> Iterator[sa.Engine]:
    engine = create_engine(archive_url)
    yield engine
    engine.dispose()


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


@pytest.fixture
def archive(engine: sa.Engine, objects: ObjectStore) -> Archive:
    return Archive(engine, objects, clock=lambda: CLOCK)


@pytest.fixture
def login(postgres_server: EmbeddedServer) -> Iterator[Callable[..., str]]:
    """Makes a login of the server, a member of some roles, and gives its name and password in one."""
    names: list[str] = []
    with psycopg.connect(postgres_server.url("postgres", "postgresql"), autocommit=True) as connection:

        def make(*roles: Role, attributes: str = "") -> str:
            name = f"login_{uuid4().hex[:8]}"
            names.append(name)
            connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}' {attributes}")
            for role in roles:
                connection.execute(f"GRANT {role} TO {name}")
            return name

        yield make
        for name in names:
            connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(name)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def as_login(url: str, name: str) -> str:
    return sa.make_url(url).set(username=name, password=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A server that speaks S3, for all tests."""
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3_endpoint: str) -> Bucket:
    """An empty bucket."""
    return make_bucket(s3_endpoint, f"kho-{uuid4().hex}")


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
