"""Migration: at the first start by whoever is first, and never downwards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from archive.database import create_engine
from archive.migrate import REVISIONS, current_revision, migrate
from archive.tables import SCHEMA, metadata
from schemas.errors import FatalError

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(database_url: str) -> Iterator[sa.Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


def test_an_empty_database_gets_the_schema_and_nothing_outside_it(empty: sa.Engine) -> None:
    migrate(empty)
    migrate(empty)
    with empty.connect() as connection:
        assert current_revision(connection) == REVISIONS[-1]
        tables = set(sa.inspect(connection).get_table_names(SCHEMA))
        assert tables == {table.name for table in metadata.tables.values()} | {"archive_alembic_version"}
        assert sa.inspect(connection).get_table_names("public") == []


def test_models_and_migrations_do_not_drift(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
                "version_table": "archive_alembic_version",
                "version_table_schema": SCHEMA,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        assert compare_metadata(context, metadata) == []


def test_the_known_revisions_are_those_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", "archive:migrations")
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == REVISIONS


def test_many_starters_at_once_migrate_once(empty: sa.Engine) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: migrate(empty), range(6)))
    with empty.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM archive.archive_alembic_version")) == 1


def test_a_newer_database_is_refused_and_left_alone(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE archive.archive_alembic_version SET version_num = '9999'"))
    with pytest.raises(FatalError, match="'9999', which is newer than this program"):
        migrate(engine)
    with engine.begin() as connection:
        assert current_revision(connection) == "9999"
        connection.execute(
            sa.text(f"UPDATE archive.archive_alembic_version SET version_num = '{REVISIONS[-1]}'")
        )


def test_a_current_database_needs_no_alembic(archive_url: str, engine: sa.Engine) -> None:
    script = (
        "import sys\n"
        "from archive.database import create_engine\n"
        "from archive.migrate import migrate\n"
        "migrate(create_engine(sys.argv[1]))\n"
        "print('alembic' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, archive_url], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "False\n"


def test_a_failing_migration_leaves_nothing(empty: sa.Engine) -> None:
    with empty.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA archive"))
        connection.execute(sa.text("CREATE TABLE archive.signature_verdict (other int)"))
    with pytest.raises(FatalError, match="already exists"):
        migrate(empty)
    with empty.connect() as connection:
        assert sa.inspect(connection).get_table_names(SCHEMA) == ["signature_verdict"]
