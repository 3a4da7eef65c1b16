from __future__ import annotations

import os
import socket
import stat
import sys
import textwrap
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from archive.embedded import EmbeddedServer
from demo import airflow_services
from demo.airflow_services import AirflowServices
from pipeline.airflow_client import AirflowClient
from schemas.errors import FatalError, RetriableError

HANOI = timezone(timedelta(hours=7))
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def services(tmp_path: Path) -> Iterator[AirflowServices]:
    own = AirflowServices(
        tmp_path / "airflow", "", tmp_path / "dags", free_port(), {"LIENTHONG_HOME": "/kho"}
    )
    yield own
    own.stop()


def test_the_three_addresses_agree_and_stay_on_this_machine(services: AirflowServices) -> None:
    environment = services.environment()
    address = f"http://127.0.0.1:{services.port}"
    assert services.base_url == address
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__API__PORT"] == str(services.port)
    assert environment["AIRFLOW__API__BASE_URL"] == address
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"{address}/execution/"
    assert environment["LIENTHONG_HOME"] == "/kho"


def test_secrets_are_made_once_and_kept_to_ourselves(services: AirflowServices) -> None:
    before = os.umask(0)
    try:
        first = services.environment()
    finally:
        os.umask(before)
    assert services.environment() == first
    assert len(first["AIRFLOW__API_AUTH__JWT_SECRET"].encode()) >= 64
    modes = {path.name: f"{stat.S_IMODE(path.stat().st_mode):04o}" for path in services.home.iterdir()}
    assert modes == {"secrets.json": "0600", "passwords.json": "0600"}
    assert f"{stat.S_IMODE(services.home.stat().st_mode):04o}" == "0700"
    other = AirflowServices(services.home.with_name("other"), "", services.dags_folder, services.port, {})
    assert other.password != services.password


def test_settings_of_another_airflow_do_not_leak_in(
    services: AirflowServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW__LOGGING__REMOTE_LOGGING", "True")
    monkeypatch.setenv("AIRFLOW_CONN_DOMINO", "http://noi-khac")
    show = [
        sys.executable,
        "-c",
        "import os; print(sorted(n for n in os.environ if n.startswith('AIRFLOW')))",
    ]
    monkeypatch.setattr(airflow_services, "_command", lambda *arguments: show)
    monkeypatch.setattr(airflow_services, "_HEALTH_PARTS", ())
    services.start()
    with pytest.raises(FatalError) as ended:
        services.wait_until_healthy(20)
    assert "AIRFLOW__CORE__EXECUTOR" in str(ended.value)
    assert "REMOTE_LOGGING" not in str(ended.value)
    assert "AIRFLOW_CONN_DOMINO" not in str(ended.value)


def test_a_busy_port_gives_way_to_the_next_which_is_remembered(
    services: AirflowServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_services, "_command", lambda *arguments: SLEEP)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", services.port))
        busy.listen()
        services.start()
    chosen = int(services.base_url.rpartition(":")[2])
    assert chosen > services.port
    assert services.environment()["AIRFLOW__API__PORT"] == str(chosen)
    services.stop()
    services.start()
    assert services.base_url.endswith(f":{chosen}")


def test_start_and_stop_may_be_repeated_and_a_partial_crash_is_cleaned_up(
    services: AirflowServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_services, "_command", lambda *arguments: SLEEP)
    names = ["api-server", "dag-processor", "scheduler", "triggerer"]
    assert services.status() == dict.fromkeys(names)
    services.start()
    first = services.status()
    assert list(first) == names
    assert None not in first.values()
    services.start()
    assert services.status() == first

    crashed = first["scheduler"]
    assert crashed is not None
    os.kill(crashed, 9)
    while services.status()["scheduler"] is not None:
        pass
    services.start()
    second = services.status()
    assert None not in second.values()
    assert not set(second.values()) & set(first.values())
    services.stop()
    services.stop()
    assert services.status() == dict.fromkeys(names)


def test_a_service_that_ends_shows_the_end_of_its_log(
    services: AirflowServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [sys.executable, "-c", "raise SystemExit('cơ sở dữ liệu của Airflow ở phiên bản khác')"]
    monkeypatch.setattr(
        airflow_services, "_command", lambda *arguments: broken if arguments[0] == "scheduler" else SLEEP
    )
    services.start()
    with pytest.raises(FatalError, match=r"scheduler ended: cơ sở dữ liệu của Airflow ở phiên bản khác"):
        services.wait_until_healthy(20)


def test_one_that_does_not_become_well_is_named(
    services: AirflowServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_services, "_command", lambda *arguments: SLEEP)
    services.start()
    with pytest.raises(RetriableError, match="not well after 0 s: api-server"):
        services.wait_until_healthy(0)


DAG_FILE = """
import pendulum
from airflow.sdk import DAG, get_current_context, task

with DAG("hai_buoc", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Ho_Chi_Minh")):

    @task(show_return_value_in_logs=False)
    def dem() -> list[str]:
        context = get_current_context()
        return [str(context["data_interval_start"]), str(context["data_interval_end"])]

    @task(show_return_value_in_logs=False)
    def doi_chieu(window: list[str]) -> None:
        if window != ["2014-12-31 17:00:00+00:00", "2015-01-31 17:00:00+00:00"]:
            raise ValueError(window)

    doi_chieu(dem())
"""


@pytest.mark.dag
@pytest.mark.postgres
@pytest.mark.skipif(
    os.environ.get("LIENTHONG_TEST_AIRFLOW") != "1", reason="takes a minute; set LIENTHONG_TEST_AIRFLOW=1"
)
def test_a_real_airflow_carries_a_run_over_an_old_month(
    tmp_path: Path, postgres_server: EmbeddedServer
) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "hai_buoc.py").write_text(textwrap.dedent(DAG_FILE))
    postgres_server.ensure_database("airflow_that")
    metadata = postgres_server.url("airflow_that", "postgresql+psycopg2")
    services = AirflowServices(tmp_path / "airflow", metadata, tmp_path / "dags", free_port(), {})
    try:
        services.migrate()
        migrated = (services.home / "logs" / "migrate.log").stat().st_mtime_ns
        services.migrate()
        assert (services.home / "logs" / "migrate.log").stat().st_mtime_ns == migrated
        services.start()
        services.wait_until_healthy(180)
        client = AirflowClient(services.base_url, services.user, services.password)
        client.unpause("hai_buoc")
        january = (datetime(2015, 1, 1, tzinfo=HANOI), datetime(2015, 2, 1, tzinfo=HANOI))
        runs = [client.trigger("hai_buoc", conf={}, data_interval=january, run_id=None) for _ in range(2)]
        assert [client.wait("hai_buoc", run, 120) for run in runs] == ["success", "success"]
        assert sorted(one.task_id for one in client.task_instances("hai_buoc", runs[0])) == [
            "dem",
            "doi_chieu",
        ]
        assert client.import_errors() == []
        port = int(services.base_url.rpartition(":")[2])
        listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        assert f"0100007F:{port:04X}" in listening
        assert f"00000000:{port:04X}" not in listening
    finally:
        services.stop()
    marked = services._processes()._marked()
    assert marked == []
