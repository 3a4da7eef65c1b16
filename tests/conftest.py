from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from archive.embedded import EmbeddedServer
from demo.office import OfficeReport, generate

_FAST_NOT_SAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_OF_THE_TESTS = ("LIENTHONG_SAMPLES", "LIENTHONG_TEST_AIRFLOW")


def pytest_configure(config: pytest.Config) -> None:
    # Before anything imports Airflow, which would make a home for itself in that of whoever runs the tests.
    home = tempfile.mkdtemp(prefix="lienthong-airflow-")
    os.environ["AIRFLOW_HOME"] = home
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))


@pytest.fixture(scope="session", autouse=True)
def _no_real_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reaches the archive, objects, keys, anchors or servers of whoever runs the tests by forgetting to name
    its own.
    """
    with pytest.MonkeyPatch.context() as environment:
        for name in os.environ:
            if name.startswith(("LIENTHONG_", "AIRFLOW_CONN_")) and name not in _OF_THE_TESTS:
                environment.delenv(name)
        home = tmp_path_factory.mktemp("home")
        environment.setenv("LIENTHONG_HOME", str(home))
        environment.setattr("pipeline.settings.default_keyring", lambda: home / "etc" / "keyring.json")
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedServer]:
    """One server for the whole session; a test that needs to stop it starts one of its own."""
    folder = Path(tempfile.mkdtemp(prefix="lienthong-tests-"))
    folder.chmod(0o711)  # as root the server runs as nobody, who must come through
    server = EmbeddedServer(folder / "postgres", settings=_FAST_NOT_SAFE)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def database_url(postgres_server: EmbeddedServer) -> Iterator[str]:
    """The URL of an empty database of the test's own, dropped afterwards with whoever is still connected."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    postgres_server.ensure_database(name)
    yield postgres_server.url(name)
    with psycopg.connect(postgres_server.url("postgres", "postgresql"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def samples() -> Path:
    """The shared sample files, which are not part of the project."""
    default = Path(__file__).parents[2] / "shared" / "samples"
    folder = Path(os.environ.get("LIENTHONG_SAMPLES", default))
    if not folder.is_dir():
        pytest.skip(f"no samples in {folder}; set LIENTHONG_SAMPLES")
    return folder


@pytest.fixture(scope="session")
def made_up_office(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, OfficeReport]:
    """A small office, made once: its folder, and what it says of itself."""
    folder = tmp_path_factory.mktemp("office")
    return folder, generate(folder, size=10)
