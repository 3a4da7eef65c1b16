"""A run that is killed at any instruction and repeated leaves the archive of a run that was not."""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid

import pytest
import sqlalchemy as sa

from archive.manifest import read_manifest
from pipeline.settings import load_settings
from pipeline.stages import Order, open_stores
from pipeline.sync import run_here
from schemas.record import Window
from tests.pipeline.conftest import install

pytestmark = pytest.mark.postgres

ORDER = Order("notes_van_ban", "sync", "chạy thử", Window(), batch_size=4)

# Dies by SIGKILL at the n-th call of one function, before or after its work.
DYING = """
import os, signal, sys
from archive.loader import Archive
from archive.objects import ObjectStore
from pipeline.settings import load_settings
from pipeline.stages import Order, open_stores
from pipeline.sync import run_here
from schemas.record import Window

owner = {"Archive": Archive, "ObjectStore": ObjectStore}[sys.argv[1]]
name, nth, moment = sys.argv[2], int(sys.argv[3]), sys.argv[4]
working, calls = getattr(owner, name), 0

def dying(self, *arguments, **named):
    global calls
    calls += 1
    if calls == nth and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = working(self, *arguments, **named)
    if calls == nth:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(owner, name, dying)
settings = load_settings()
run_here(settings, open_stores(settings), Order("notes_van_ban", "sync", "chạy thử", Window(), batch_size=4))
"""


def archive_content() -> dict[str, object]:
    """Everything in the archive that does not tell when or in which run it came."""
    settings = load_settings()
    stores = open_stores(settings)
    with stores.engine.connect() as connection:
        versions = connection.execute(
            sa.text(
                "select d.source, d.source_key, v.revision, v.version, v.original_sha256, v.manifest_sha256"
                " from archive.document_version v join archive.document d on d.id = v.document_id"
                " order by 1, 2, 3"
            )
        ).all()
        quarantined = connection.execute(
            sa.text(
                "select source, source_key, revision, stage, reason, original_sha256, state"
                " from archive.quarantine order by 1, 2, 3"
            )
        ).all()
        withheld = connection.execute(
            sa.text(
                "select source, key_sha256, revision_sha256, level, rule from archive.withheld order by 1, 2, 3"
            )
        ).all()
        events = connection.execute(
            sa.text("select type, outcome, count(*) from archive.event group by 1, 2 order by 1, 2")
        ).all()
    documents = []
    for version in versions:
        with stores.objects.open(version.manifest_sha256) as stream:
            manifest = read_manifest(stream.read())
        found = [
            (v.sha256, v.attachment, v.verdict.indication, v.verdict.sub_indication)
            for v in manifest.verdicts
        ]
        documents.append((tuple(version[:5]), manifest.document, found))
    manifests = {version.manifest_sha256 for version in versions}
    objects = set(stores.objects)
    stores.engine.dispose()
    assert manifests <= objects
    return {
        "documents": documents,
        "quarantined": [tuple(row) for row in quarantined],
        "withheld": [tuple(row) for row in withheld],
        "events": [tuple(row) for row in events],
        "files": objects - manifests,
        "number of manifests": len(manifests),
    }


def run_again() -> None:
    settings = load_settings()
    stores = open_stores(settings)
    run_here(settings, stores, ORDER)
    stores.engine.dispose()


@pytest.fixture(scope="module")
def undisturbed(made_up_office, postgres_server, tmp_path_factory) -> dict[str, object]:
    """The archive of a run that nobody killed."""
    database = f"undisturbed_{uuid.uuid4().hex[:12]}"
    postgres_server.ensure_database(database)
    with pytest.MonkeyPatch.context() as environment:
        home = install(made_up_office[0], tmp_path_factory.mktemp("undisturbed") / "lienthong")
        environment.setenv("LIENTHONG_HOME", str(home))
        environment.setenv("LIENTHONG_DATABASE_URL", postgres_server.url(database))
        run_again()
        return archive_content()


@pytest.mark.parametrize(
    ("owner", "function", "nth", "moment"),
    [
        pytest.param("ObjectStore", "put", 3, "before", id="receiving the first batch"),
        pytest.param("ObjectStore", "put", 9, "after", id="receiving a later batch"),
        pytest.param("ObjectStore", "put_bytes", 2, "after", id="between two manifests"),
        pytest.param("Archive", "load", 1, "before", id="before the transaction"),
        pytest.param("Archive", "load", 2, "after", id="after the commit, before anyone knew"),
    ],
)
def test_killed_and_retried_is_as_if_never_killed(home, undisturbed, owner, function, nth, moment):
    died = subprocess.run(
        [sys.executable, "-c", DYING, owner, function, str(nth), moment],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    run_again()
    retried = archive_content()

    assert retried["documents"]
    assert retried == undisturbed
