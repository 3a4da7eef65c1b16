"""The cheap core of ``python -m benchmarks.archive faults``: whatever strikes, all is there once and adds up."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.embedded import EmbeddedServer
from benchmarks.archive_faults import suffered
from benchmarks.fault_scene import Scene
from benchmarks.measured_server import measured_server

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    """A server of its own, because it is stopped without warning."""
    with measured_server(fsync="off") as running:  # it loses its processes, never the machine
        yield running


@pytest.fixture
def folder() -> Iterator[Path]:
    """Outside of pytest's own folders, which nobody else may enter: as root the server runs as nobody, who must come
    through to a small disk."""
    place = Path(tempfile.mkdtemp(prefix="lienthong-tests-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place)


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        ("killed", 5),
        ("server_stopped", 2),
        ("store_full", 1),
        ("database_full", 1),
        ("clock_back", 2),
    ],
)
def test_after_a_fault_the_archive_is_that_of_an_undisturbed_run(
    fault: str, times: int, server: EmbeddedServer, folder: Path
) -> None:
    outcome = suffered(fault, server, folder, times, random.Random(5))
    if outcome is None:
        pytest.skip("it takes root to make a small file system")
    struck, left = outcome
    assert struck == times
    assert left.nights >= 1
    assert left.clean, left


def test_what_is_missing_shows(server: EmbeddedServer, folder: Path) -> None:
    scene = Scene(server, "missing", folder / "missing")
    scene.fill(1)
    with scene.connected() as engine, engine.begin() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")
        connection.exec_driver_sql(
            "DELETE FROM archive.document WHERE id = (SELECT id FROM archive.document LIMIT 1)"
        )
    left = scene.aftermath()
    assert left.lost == 1
    assert left.different == 1
    assert left.findings > 0
    assert not left.clean
