"""Migration: at the first start by whoever is first, and never downwards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from archive.database import create_engine
from archive.migrate import REVISIONS, current_revision, migrate
from archive.queries import find_with_recalled
from archive.schema import SCHEMA, metadata
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


def test_an_archive_of_the_first_revision_comes_up_with_all_it_holds(empty: sa.Engine) -> None:
    """A document, its recall by the issuer, a status message and a failure, as the first revision held them."""
    with empty.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA archive"))
        upgrade(connection, "0001")
        for statement in FIRST_ROWS:
            connection.execute(sa.text(statement))
        before = dict(connection.execute(ROWS_OF_FIRST).mappings().one())
    migrate(empty)
    with empty.connect() as connection:
        assert dict(connection.execute(ROWS_OF_FIRST).mappings().one()) == before
        steps = connection.execute(
            sa.text(
                "SELECT version, ordinal, organ_id, organ_name, status_code, text FROM archive.handling_step"
            )
        )
        assert [tuple(row) for row in steps] == [(1, 1, "H99", "UBND tỉnh", "03", None)]
        in_force = connection.execute(
            sa.text("SELECT kind, by_issuer FROM archive.relation_in_force ORDER BY kind")
        )
        assert [tuple(row) for row in in_force] == [("recalls", True), ("status_of", False)]
        (row,) = connection.execute(
            sa.text("SELECT source_key, original_sha256, files FROM archive.quarantine")
        )
        assert tuple(row) == ("k4", "0" * 64, [])
    (view,) = find_with_recalled(empty, "k1")
    assert (view.recalled, [step.status_code for step in view.history]) == (True, ["03"])
    with empty.begin() as connection, pytest.raises(sa.exc.ProgrammingError, match="is refused"):
        connection.execute(sa.text("UPDATE archive.handling_step SET text = 'x'"))


def upgrade(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "archive:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _version(number: int, kind: str, **fields: str) -> str:
    names = "".join(f", {name}" for name in fields)
    values = "".join(f", '{value}'" for value in fields.values())
    return f"""INSERT INTO archive.document_version (document_id, version, revision, received_at, run_id,
      manifest_sha256, original_sha256, original_type, original_size, kind, form, direction, signers,
      recipients, flags, search_text{names})
    VALUES ('{_uuid(number)}', 1, '1', now(), '{_uuid(9)}', '{number:064}', '{number:064}', 'x', 1, '{kind}',
      '', 'unknown', '{{}}', '{{}}', '[]', ''{values})"""


def _uuid(number: int) -> str:
    return f"00000000-0000-5000-8000-{number:012}"


FIRST_ROWS = (
    f"""INSERT INTO archive.quarantine VALUES ('{_uuid(4)}', 's', 'k4', '1', 'read', 'xml_malformed', 'cụt', '',
      '{"0" * 64}', '{{}}', '{_uuid(9)}', '{_uuid(9)}', 1, 'open')""",
    *(
        f"INSERT INTO archive.document VALUES ('{_uuid(number)}', 's', 'k{number}', '{kind}', 1, now(), NULL)"
        for number, kind in ((1, "document"), (2, "document"), (3, "status"))
    ),
    _version(1, "document", uid="G1", issuer_id="A99", issuer_name="Tỉnh ủy", symbol="160-KL/TU"),
    _version(2, "document", uid="G1", issuer_id="A99", issuer_name="Tỉnh ủy", business_type="recall"),
    _version(3, "status", issuer_id="H99", issuer_name="UBND tỉnh", status_code="03"),
    *(
        f"""INSERT INTO archive.relation (document_id, version, ordinal, kind, target_uid, evidence, target_document)
        VALUES ('{_uuid(number)}', 1, 1, '{kind}', 'G1', '', '{_uuid(1)}')"""
        for number, kind in ((2, "recalls"), (3, "status_of"))
    ),
)
ROWS_OF_FIRST = sa.text(
    """SELECT (SELECT count(*) FROM archive.document) AS documents,
      (SELECT string_agg(uid || manifest_sha256, ',' ORDER BY document_id) FROM archive.document_version) AS versions,
      (SELECT string_agg(target_uid || target_document, ',' ORDER BY document_id) FROM archive.relation)
        AS relations"""
)


def test_a_failing_migration_leaves_nothing(empty: sa.Engine) -> None:
    with empty.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA archive"))
        connection.execute(sa.text("CREATE TABLE archive.signature_verdict (other int)"))
    with pytest.raises(FatalError, match="already exists"):
        migrate(empty)
    with empty.connect() as connection:
        assert sa.inspect(connection).get_table_names(SCHEMA) == ["signature_verdict"]
