"""Airflow for the DAG tests: its metadata in the embedded PostgreSQL, its home in a temporary folder.

Airflow reads where its database is when it is first imported. Tests of hooks import it before this folder's fixtures
run, so it is told again here.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def airflow_home(postgres_server, tmp_path_factory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("airflow")
    postgres_server.ensure_database("airflow_tests")
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": postgres_server.url("airflow_tests", "postgresql+psycopg2"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Ho_Chi_Minh",
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(bytes(32)).decode(),
        "AIRFLOW__API_AUTH__JWT_SECRET": "only-for-tests-" + "x" * 64,
        "LIENTHONG_HOME": str(home / "lienthong"),
    }
    os.environ.update(settings)
    from airflow import settings as airflow_settings
    from airflow.utils.db import initdb

    airflow_settings.configure_vars()
    airflow_settings.dispose_orm()
    airflow_settings.configure_orm()
    initdb()
    yield home
    from airflow.settings import dispose_orm

    dispose_orm()  # before the server goes, or Airflow complains at exit
    for name in settings:
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def dag_bag(airflow_home):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(REPOSITORY / "dags")


@pytest.fixture
def lienthong_home(airflow_home, database_url, tmp_path, monkeypatch) -> Path:
    """A fresh installation: an empty archive, an empty data folder."""
    home = tmp_path / "lienthong"
    (home / "drop").mkdir(parents=True)
    monkeypatch.setenv("LIENTHONG_HOME", str(home))
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", database_url)
    return home
