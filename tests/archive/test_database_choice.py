from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest
import sqlalchemy

from archive import database
from archive.embedded import EmbeddedServer
from schemas.errors import ConfigurationError, RetriableError


@pytest.mark.parametrize(
    ("given", "normalised"),
    [
        ("postgresql://vp:mat@db/kho", "postgresql+psycopg://vp:mat@db/kho"),
        ("postgres://vp:mat@db:5433/kho", "postgresql+psycopg://vp:mat@db:5433/kho"),
        ("postgresql+psycopg2://vp@/kho?host=/run/pg", "postgresql+psycopg://vp@/kho?host=%2Frun%2Fpg"),
        ("postgresql+psycopg://vp:m%40t@db/kho", "postgresql+psycopg://vp:m%40t@db/kho"),
    ],
)
def test_every_spelling_of_a_postgresql_url_is_taken(given: str, normalised: str) -> None:
    assert database.normalised_url(given) == normalised


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("sqlite:////tmp/kho.db", "kept in PostgreSQL only, not in 'sqlite'"),
        ("mysql://vp:bi-mat@db/kho", "kept in PostgreSQL only, not in 'mysql'"),
        ("bi-mat", "cannot be read"),
        ("postgresql://vp:bi-mat@db:cong/kho", "cannot be read"),
        ("postgresql://vp:bi-mat@db", "names no database"),
    ],
)
def test_other_urls_are_refused_without_repeating_them(given: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as refusal:
        database.normalised_url(given)
    assert "bi-mat" not in str(refusal.value)
    assert "LIENTHONG_DATABASE_URL" in str(refusal.value)


@pytest.mark.postgres
def test_a_given_server_is_used(
    postgres_server: EmbeddedServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", database_url.replace("postgresql+psycopg", "postgres"))
    engine = database.create_engine(database.database_url())
    with engine.connect() as connection:
        named = connection.scalar(sqlalchemy.text("SELECT current_setting('application_name')"))
    engine.dispose()
    assert named == "lienthong"


@pytest.mark.postgres
def test_an_old_server_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", database_url)
    monkeypatch.setattr(database, "OLDEST_SERVER", 99)
    with pytest.raises(ConfigurationError, match="is PostgreSQL 18") as refusal:
        database.database_url()
    assert "expected PostgreSQL 99 or newer" in str(refusal.value)
    assert str(sqlalchemy.make_url(database_url).password) not in str(refusal.value)


def test_a_server_that_is_away_is_worth_another_try(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", f"postgresql://vp:bi-mat@/kho?host={tmp_path}")
    with pytest.raises(RetriableError, match="does not let us in") as refusal:
        database.database_url()
    assert "bi-mat" not in str(refusal.value)


def test_an_application_name_in_the_url_is_kept() -> None:
    engine = database.create_engine("postgresql+psycopg://vp@/kho?application_name=kiem-toan")
    _, arguments = engine.dialect.create_connect_args(engine.url)
    assert arguments["application_name"] == "kiem-toan"


@pytest.mark.postgres
def test_without_a_url_the_embedded_server_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not tmp_path: it is closed to others, and the server of root must come through.
    home = Path(tempfile.mkdtemp(prefix="lt-"))
    home.chmod(0o711)
    monkeypatch.delenv("LIENTHONG_DATABASE_URL", raising=False)
    monkeypatch.setenv("LIENTHONG_HOME", str(home))
    try:
        engine = database.create_engine(database.database_url())
        with engine.connect() as connection:
            assert connection.scalar(sqlalchemy.text("SELECT current_database()")) == "lienthong"
        engine.dispose()
        assert database.database_url() == database.embedded_server().url("lienthong")
    finally:
        database.embedded_server().stop()
        shutil.rmtree(home)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_data_folder_is_made_with_narrow_modes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int
) -> None:
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / "a" / "b"))
    before = os.umask(umask)
    try:
        database.private_folder("objects")
    finally:
        os.umask(before)
    expected = 0o711 if os.geteuid() == 0 else 0o700
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/objects")]
    assert modes == [expected, expected, 0o700]


def test_a_file_in_the_place_of_the_data_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kho").write_text("")
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / "kho"))
    with pytest.raises(ConfigurationError, match=r"/kho"):
        database.data_folder()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_DATA_HOME": "/du-lieu", "HOME": "/home/van-thu"}, "/du-lieu/lienthong"),
        ({"XDG_DATA_HOME": "tuong-doi", "HOME": "/home/van-thu"}, "/home/van-thu/.local/share/lienthong"),
        ({"HOME": "/home/van-thu"}, "/home/van-thu/.local/share/lienthong"),
    ],
)
def test_an_ordinary_users_data_is_where_the_standard_says(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    for name in ("LIENTHONG_HOME", "XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    def make_folder(path: Path, mode: int) -> Path:
        made.append(path)
        return path

    monkeypatch.setattr(database, "make_folder", make_folder)
    assert database.data_folder() == Path(expected)
    assert made == [Path(expected)]
