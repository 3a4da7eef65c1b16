"""``lienthong rebuild`` on an installation that has had a night."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from archive.embedded import EmbeddedServer
from pipeline.cli import build
from pipeline.reverify import reverify
from pipeline.settings import load_settings
from tests.pipeline.conftest import Night

pytestmark = pytest.mark.postgres


def test_a_night_and_its_later_verification_are_made_again(night: Night) -> None:
    reverify(night.settings, night.stores, "lại tất cả", everything=True)
    done = CliRunner().invoke(build(), ["rebuild", "--json"])
    told = json.loads(done.stdout)
    assert [table for table in told["tables"] if not table["equal"]] == []
    assert (done.exit_code, told["equal"], told["troubles"]) == (0, True, [])
    assert told["documents"] > 0
    with night.stores.engine.connect() as connection:
        names = connection.scalars(
            sa.text("SELECT datname FROM pg_database WHERE datname LIKE 'lienthong_rebuild%'")
        )
        assert list(names) == []
    assert load_settings().home == night.settings.home


def _run(*arguments: str) -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(build(), [*arguments, "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, json.loads(done.stdout)


def test_a_drill_from_backup_to_an_audited_archive_in_another_place(
    night: Night, postgres_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, made = _run("backup", str(tmp_path / "sao-luu"))
    assert (code, made["forgotten_objects"]) == (0, 0)
    code, exported = _run("export-archive", str(tmp_path / "goi"))
    assert code == 0
    for name in ("phuc-hoi", "nhap"):
        postgres_server.ensure_database(f"drill_{name[0]}{os.getpid()}")
        monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / name))
        monkeypatch.setenv("LIENTHONG_DATABASE_URL", postgres_server.url(f"drill_{name[0]}{os.getpid()}"))
        if name == "phuc-hoi":
            code, restored = _run("restore", str(tmp_path / "sao-luu"))
            assert (code, restored["audit"]["clean"]) == (0, True)  # type: ignore[index]
        else:
            code, imported = _run("import-archive", str(tmp_path / "goi"))
            assert (code, imported["root"], imported["already_here"]) == (0, exported["root"], False)
            assert _run("audit", "--full")[0] == 0
