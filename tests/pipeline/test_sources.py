"""Which source a configuration opens: a folder that is named, else its live service, else its drop folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.lotus_notes.domino import DominoSource
from connectors.lotus_notes.folder import DxlFolder
from mappings.config import SourceConfig, load_source
from pipeline.settings import Settings, load_settings
from pipeline.sources import drop_folder, open_source, try_service
from schemas.errors import ConfigurationError

YAML = """
source: van_ban
title: Văn bản
system: lotus_notes
connection: mo_nguon
service: {kind: domino, database: vanban/vbden.nsf}
pool: domino
organ: {name: Văn phòng Tỉnh ủy}
records: [{kind: other}]
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / "home"))
    return load_settings()


def config(tmp_path: Path, text: str = YAML) -> SourceConfig:
    path = tmp_path / "van_ban.yaml"
    path.write_text(text, encoding="utf-8")
    return load_source(path)


def test_a_live_service_is_opened_through_its_connection(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"conn_type": "domino", "host": "domino.example.vn", "login": "doc", "password": "mat-khau"}
    monkeypatch.setenv("AIRFLOW_CONN_MO_NGUON", json.dumps(given))
    source = open_source(config(tmp_path), settings)
    assert isinstance(source, DominoSource)
    assert source.name == "van_ban"


def test_a_folder_that_is_named_is_read_whatever_service_there_is(tmp_path: Path, settings: Settings) -> None:
    source = open_source(config(tmp_path), settings, tmp_path)
    assert isinstance(source, DxlFolder)
    assert source.folder == tmp_path


def test_without_a_service_the_drop_folder_is_read(tmp_path: Path, settings: Settings) -> None:
    plain = config(tmp_path, YAML.replace("service:", "# service:"))
    with pytest.raises(ConfigurationError, match="drop folder"):
        open_source(plain, settings)
    drop_folder(plain, settings).mkdir(parents=True)
    assert isinstance(open_source(plain, settings), DxlFolder)
    assert try_service(plain) == (False, "source van_ban reads no live service")


def test_a_service_without_its_connection_says_how_to_make_one(tmp_path: Path, settings: Settings) -> None:
    missing = config(tmp_path, YAML.replace("mo_nguon", "khong_co_ket_noi"))
    with pytest.raises(ConfigurationError, match="AIRFLOW_CONN_KHONG_CO_KET_NOI"):
        open_source(missing, settings)
    good, told = try_service(missing)
    assert not good
    assert "AIRFLOW_CONN_KHONG_CO_KET_NOI" in told
