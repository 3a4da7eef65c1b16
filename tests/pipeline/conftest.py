from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from demo.office import OfficeReport, generate


@pytest.fixture(scope="session")
def made_up_office(tmp_path_factory) -> tuple[Path, OfficeReport]:
    """A small office, made once: its folder and what it says of itself."""
    folder = tmp_path_factory.mktemp("office")
    return folder, generate(folder, size=10)


@pytest.fixture
def home(made_up_office, database_url, tmp_path, monkeypatch) -> Path:
    """A fresh installation whose drop and trust folders are the office's; archive and objects are empty."""
    folder, _ = made_up_office
    home = tmp_path / "lienthong"
    home.mkdir(mode=0o700)
    shutil.copytree(folder / "trust", home / "trust")
    shutil.copytree(folder / "drop", home / "drop")
    monkeypatch.setenv("LIENTHONG_HOME", str(home))
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", database_url)
    monkeypatch.delenv("LIENTHONG_SOURCES", raising=False)
    return home


@pytest.fixture
def office(made_up_office) -> OfficeReport:
    return made_up_office[1]


@pytest.fixture
def subprocess_environment(home) -> dict[str, str]:
    return dict(os.environ)
