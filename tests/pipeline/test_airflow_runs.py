"""Which Airflow an order goes to, and what its form says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline import airflow_runs
from pipeline.settings import load_settings
from pipeline.stages import Order
from pipeline.window import civil_days
from schemas.errors import ConfigurationError
from schemas.record import Window

VARIABLES = (airflow_runs.URL, airflow_runs.USER, airflow_runs.PASSWORD_FILE)


class Recorded:
    def __init__(self, *login: str) -> None:
        self.login = login


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(airflow_runs, "AirflowClient", Recorded)
    return load_settings()


def test_the_data_folder_names_its_airflow(settings):
    login = {"url": "http://127.0.0.1:8080", "user": "admin", "password": "bí mật"}
    (settings.home / airflow_runs.LOGIN_FILE).write_text(json.dumps(login), encoding="utf-8")
    assert airflow_runs.client_of(settings).login == tuple(login.values())


@pytest.mark.parametrize("content", ["bí mật\n", '{"quantri": "bí mật", "khach": "x"}'])
def test_the_environment_comes_first_with_a_plain_or_airflows_own_password_file(
    settings, monkeypatch, content
):
    file = settings.home / "mat_khau"
    file.write_text(content, encoding="utf-8")
    for name, value in zip(VARIABLES, ("http://kho:8080", "quantri", str(file)), strict=True):
        monkeypatch.setenv(name, value)
    assert airflow_runs.client_of(settings).login == ("http://kho:8080", "quantri", "bí mật")


def test_a_half_named_airflow_is_a_configuration_error(settings, monkeypatch):
    with pytest.raises(ConfigurationError, match=airflow_runs.URL):
        airflow_runs.client_of(settings)
    monkeypatch.setenv(airflow_runs.URL, "http://kho:8080")
    with pytest.raises(ConfigurationError, match=airflow_runs.USER):
        airflow_runs.client_of(settings)


def test_the_form_says_what_the_order_says_in_civil_days():
    window = civil_days("2010-01-01", "2012-12-31")
    order = Order("thu", "backfill", "k", window, folder=Path("/kho/dxl"), batch_size=50)
    assert airflow_runs._form(order, dry_run=True) == {
        "from_day": "2010-01-01",
        "to_day": "2012-12-31",
        "folder": "/kho/dxl",
        "dry_run": True,
        "batch_size": 50,
    }
    assert airflow_runs._form(Order("thu", "sync", "k", Window()), dry_run=False) == {
        "from_day": None,
        "to_day": None,
        "folder": None,
        "dry_run": False,
    }
