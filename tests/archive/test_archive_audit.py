"""The audit on a whole archive of a made-up office: clean as it is, and every way of tampering is reported.

The attacks are those of the tamper table (``benchmarks.tampering``), done as a superuser or on the disk.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from archive import audit as audit_module
from archive.access_roles import Role
from archive.database import create_engine
from archive.embedded import EmbeddedServer
from archive.fixity import FixityOutcome, check_objects
from archive.loader import Archive
from archive.objects import ObjectStore, open_object_store
from benchmarks.tampering import ATTACKS, Attack, Scene, prepare
from demo.office import OfficeReport
from pipeline.auditing import Audited, audit_archive
from pipeline.cli import build
from pipeline.settings import Settings, load_settings
from pipeline.stages import Stores, open_stores
from pipeline.words.audit import AUDIT
from schemas.errors import RetriableError

pytestmark = pytest.mark.postgres

WHOLE = "audit_whole"


@pytest.fixture(scope="module")
def whole(
    postgres_server: EmbeddedServer,
    made_up_office: tuple[Path, OfficeReport],
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """The settings of an archive that nobody has tampered with; its database is ``WHOLE``."""
    home = tmp_path_factory.mktemp("whole") / "home"
    postgres_server.ensure_database(WHOLE)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LIENTHONG_HOME", str(home))
        environment.setenv("LIENTHONG_DATABASE_URL", postgres_server.url(WHOLE))
        settings = load_settings()
        stores = open_stores(settings)
        prepare(settings, stores, made_up_office[0])
        stores.engine.dispose()
    return settings


@pytest.fixture
def scene(whole: Settings, postgres_server: EmbeddedServer, tmp_path: Path) -> Iterator[Scene]:
    """A copy of the whole archive, to be tampered with."""
    with copied(whole, postgres_server, tmp_path / "home", "scene") as made:
        yield made


@pytest.fixture(scope="module")
def untouched(
    whole: Settings, postgres_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """A copy that no test changes."""
    with copied(whole, postgres_server, tmp_path_factory.mktemp("untouched") / "home", "untouched") as made:
        yield made


@contextmanager
def copied(whole: Settings, postgres_server: EmbeddedServer, home: Path, name: str) -> Iterator[Scene]:
    name = f"audit_{os.getpid()}_{name}"
    shutil.copytree(whole.home, home)
    moved = replace(
        whole, home=home, objects=str(home / "objects"), trust=home / "trust", anchors=(home / "anchors",)
    )
    with psycopg.connect(postgres_server.url("postgres", "postgresql"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {WHOLE}")
        engine = create_engine(postgres_server.url(name), Role.LOADER)
        superuser = create_engine(postgres_server.url(name))
        objects = open_object_store(moved.objects)
        yield Scene(moved, Stores(engine, objects, Archive(engine, objects)), superuser)
        engine.dispose()
        superuser.dispose()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def audited(scene: Scene) -> Audited:
    return audit_archive(scene.settings, scene.stores, full=True)


def test_an_archive_that_nobody_tampered_with_is_clean(untouched: Scene) -> None:
    done = audited(untouched)
    assert dict(done.counts) == {}
    report = done.report
    assert report.clean
    assert (report.anchors, report.outside, report.stamps) == (2, 2, 1)
    assert report.compared == report.versions > 20
    assert 0 < report.anchored < report.events
    with untouched.stores.engine.connect() as connection:
        for table in ("quarantine", "withheld", "verification", "verdict_set_aside", "same_as", "relation"):
            assert connection.scalar(sa.text(f"SELECT count(*) FROM archive.{table}")), (
                f"{table} is not tried"
            )


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_reported(scene: Scene, attack: Attack) -> None:
    attack.do(scene)
    done = audited(scene)
    assert set(done.counts) >= attack.kinds
    assert not done.clean


def test_the_program_itself_may_not_do_it(untouched: Scene) -> None:
    tried = [attack.statement for attack in ATTACKS if attack.statement and not attack.may]
    assert len(tried) >= 10
    for statement in tried:
        refused = pytest.raises(sa.exc.ProgrammingError, match="permission denied")
        with refused, untouched.stores.engine.begin() as connection:
            connection.execute(sa.text(statement))


def test_the_command_says_what_is_wrong_and_ends_with_four(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIENTHONG_HOME", str(scene.settings.home))
    address = scene.superuser.url.render_as_string(hide_password=False)
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", address)
    runner = CliRunner()
    whole = runner.invoke(build(), ["audit", "--budget", "1"])
    assert whole.exit_code == 0, whole.output
    assert "Kho lưu trữ toàn vẹn" in whole.output
    for attack in ATTACKS:
        if attack.name in ("add a file that nothing names", "delete the last 10 events"):
            attack.do(scene)
    found = runner.invoke(build(), ["audit", "--full", "--json"])
    assert found.exit_code == 4
    told = json.loads(found.stdout)
    assert told["clean"] is False
    assert {"orphan", "ledger_cut_off"} <= set(told["counts"])
    assert {frozenset(problem) for problem in told["problems"]} == {frozenset(("kind", "where", "message"))}
    in_english = runner.invoke(build(), ["--lang", "en", "audit", "--full"]).output
    assert "The ledger was cut off: anchor 2 saw" in in_english
    assert "An orphan: nothing in the database names it" in in_english


def test_all_orphans_count_though_a_report_names_only_the_first(untouched: Scene) -> None:
    checked = check_objects(untouched.stores.engine, untouched.stores.objects)
    many = replace(checked, orphans=("0" * 64,), orphan_count=1_500)
    found = audit_module.audit(untouched.stores.engine, untouched.stores.objects, fixity=many)
    assert found.counts["orphan"] == 1_500


def test_of_a_store_that_is_away_nothing_is_said(untouched: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_store: ObjectStore, _sha256: str) -> object:
        raise RetriableError("the object store is away")

    monkeypatch.setattr(ObjectStore, "open", away)
    with pytest.raises(RetriableError, match="store is away"):
        audit_module.audit(
            untouched.stores.engine, untouched.stores.objects, folders=untouched.settings.anchors
        )


def test_every_finding_has_its_sentence() -> None:
    """Whatever the audit's modules add has words in both languages."""
    named = set()
    for path in (Path(audit_module.__file__).parent).glob("audit*.py"):
        named |= set(re.findall(r'add\(\s*"([a-z_]+)"|Finding\("([a-z_]+)"', path.read_text()))
    kinds = {first or second for first, second in named}
    kinds |= {"row_added", "row_differs", "row_removed", "dead_reference", "fixity_failed"}
    kinds |= {"event_missing", "event_loose", "event_changed"}
    kinds |= {f"object_{outcome}" for outcome in FixityOutcome if outcome not in ("intact", "unchecked")}
    assert len(kinds) > 25
    assert {kind for kind in kinds if f"audit_{kind}" not in AUDIT} == set()
