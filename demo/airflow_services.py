"""Airflow 3.3 on localhost for the demo: four services, with everything they have below one folder.

Not ``airflow standalone``: a TERM signal to it leaves its services running, and it listens on every address.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psycopg
import requests

from archive.folders import make_folder, write_private
from demo.service_processes import ServiceProcesses
from schemas.errors import ConfigurationError, FatalError, RetriableError

USER = "admin"
HOST = "127.0.0.1"

# The DAG processor and the scheduler serve nobody else; log servers would listen on every address.
_SERVICES: Mapping[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "dag-processor": ("dag-processor",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
_HEALTH_PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")
_PORTS_TRIED = 50
# The triggerer takes 12 s to end its child, though no demo DAG has anything deferred.
_STOP_GRACE = 6.0
_REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class AirflowServices:
    """One Airflow installation of the demo.

    Args:
        home: holds configuration, secrets, logs and process ids.
        metadata_url: SQLAlchemy URL of Airflow's own database, driver psycopg2; may be empty for ``stop``.
        dags_folder: where the DAG files are.
        port: the port to try first.
        extra_env: variables for the services beside Airflow's own.
    """

    home: Path
    metadata_url: str
    dags_folder: Path
    port: int
    extra_env: Mapping[str, str]

    @property
    def base_url(self) -> str:
        """Where the interface answers, for instance ``http://127.0.0.1:8080``."""
        return f"http://{HOST}:{self._chosen_port()}"

    @property
    def user(self) -> str:
        """Who may log in."""
        return USER

    @property
    def password(self) -> str:
        """The password of ``user``, made on first use."""
        return self._secrets()["password"]

    def environment(self) -> dict[str, str]:
        """The variables that make Airflow this installation, for the services and ``airflow`` commands."""
        kept = self._secrets()
        settings = {
            "core": {
                "dags_folder": str(self.dags_folder),
                "executor": "LocalExecutor",
                "parallelism": "4",
                "load_examples": "False",
                "dags_are_paused_at_creation": "True",
                "default_timezone": "Asia/Ho_Chi_Minh",
                "fernet_key": kept["fernet_key"],
                "test_connection": "Enabled",
                "simple_auth_manager_users": f"{USER}:admin",
                "simple_auth_manager_passwords_file": str(self.home / "passwords.json"),
                # Without this a task calls the default port, whatever ours is, and fails without a log.
                "execution_api_server_url": f"{self.base_url}/execution/",
            },
            "api": {
                "host": HOST,
                "port": str(self._chosen_port()),
                "base_url": self.base_url,
                "secret_key": kept["secret_key"],
            },
            "api_auth": {"jwt_secret": kept["jwt_secret"]},
            "database": {"sql_alchemy_conn": self.metadata_url},
            "scheduler": {"scheduler_idle_sleep_time": "0.1"},
            "workers": {"execution_api_timeout": "30"},
            "dag_processor": {
                "dag_bundle_storage_path": str(self.home / "bundles"),
                "refresh_interval": "10",
                "bundle_refresh_check_interval": "2",
                "min_file_process_interval": "10",
            },
            "logging": {"base_log_folder": str(self.home / "logs" / "tasks"), "colored_console_log": "False"},
        }
        named = {
            f"AIRFLOW__{section.upper()}__{key.upper()}": value
            for section, keys in settings.items()
            for key, value in keys.items()
        }
        return {"AIRFLOW_HOME": str(self.home), "PYTHONPATH": str(_REPOSITORY), **named, **self.extra_env}

    def migrate(self) -> None:
        """Bring Airflow's database to the installed version; quick when it is there already.

        Raises:
            FatalError: Airflow's migration failed; the message carries the end of what it said.
            RetriableError: the database does not answer.
        """
        done = self.home / "migrated"
        installed = version("apache-airflow-core")
        revision = self._revision()
        if revision and done.is_file() and done.read_text("ascii").split() == [installed, revision]:
            return
        processes = self._processes()
        pid = processes.start("migrate", _command("db", "migrate"), self._process_environment())
        _, status = os.waitpid(pid, 0)
        if status != 0:
            raise FatalError(
                f"Airflow's database was not migrated: {processes.log_tail('migrate')}",
                where=str(processes.log("migrate")),
                action="mend what the log says; the demo's data can also be removed with `make clean-demo`",
            )
        write_private(done, f"{installed} {self._revision()}\n")

    def start(self) -> None:
        """Start every service; nothing happens when all run. What an earlier crash left is ended first."""
        if all(self.status().values()):
            return
        self.stop()
        make_folder(self.home, 0o700)
        write_private(self.home / "port", f"{_free_port(self._chosen_port())}\n")
        processes = self._processes()
        environment = self._process_environment()
        for name, arguments in _SERVICES.items():
            processes.start(name, _command(*arguments), environment)

    def wait_until_healthy(self, timeout: float) -> None:
        """Wait until every service says that it is well and the address that tasks call answers.

        Raises:
            FatalError: a service ended; the message carries the end of its log.
            RetriableError: not all were well after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while ill := self._unwell():
            for name, pid in self.status().items():
                if pid is None:
                    raise FatalError(
                        f"Airflow's {name} ended: {self._processes().log_tail(name)}",
                        where=str(self._processes().log(name)),
                        action="mend what the log says, then start again",
                    )
            if time.monotonic() > deadline:
                raise RetriableError(
                    f"Airflow is not well after {timeout:.0f} s: {', '.join(ill)}",
                    where=str(self.home / "logs"),
                    action="a busy machine needs longer: look at the logs and try again",
                )
            time.sleep(0.3)

    def stop(self) -> None:
        """End every process of this installation, also those that a crash left; fine when none runs."""
        self._processes().stop_all(_STOP_GRACE)

    def status(self) -> dict[str, int | None]:
        """The process id of each service, None for one that does not run."""
        processes = self._processes()
        return {name: processes.pid(name) for name in _SERVICES}

    def _processes(self) -> ServiceProcesses:
        return ServiceProcesses(self.home)

    def _process_environment(self) -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
        return {**outside, **self.environment()}

    def _chosen_port(self) -> int:
        try:
            return int((self.home / "port").read_text("ascii"))
        except FileNotFoundError:
            return self.port

    def _secrets(self) -> dict[str, str]:
        path = self.home / "secrets.json"
        if not path.is_file():
            make_folder(self.home, 0o700)
            made = {
                "jwt_secret": secrets.token_urlsafe(64),
                "secret_key": secrets.token_urlsafe(64),
                "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                "password": secrets.token_urlsafe(12),
            }
            # Written before Airflow looks, so that it neither makes a password of its own nor prints it.
            write_private(self.home / "passwords.json", json.dumps({USER: made["password"]}))
            write_private(path, json.dumps(made))
        kept: dict[str, str] = json.loads(path.read_text("utf-8"))
        return kept

    def _revision(self) -> str | None:
        address = "postgresql://" + self.metadata_url.partition("://")[2]
        try:
            with psycopg.connect(address, connect_timeout=10) as connection:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
        except psycopg.OperationalError as error:
            raise RetriableError(
                f"Airflow's database does not answer: {error}", action="start it, then try again"
            ) from error
        return str(row[0]) if row else None

    def _unwell(self) -> list[str]:
        """The parts that do not answer or are not healthy yet."""
        with requests.Session() as session:
            session.trust_env = False  # a proxy for the outside must not be asked for this machine
            try:
                health = session.get(f"{self.base_url}/api/v2/monitor/health", timeout=5).json()
                execution = session.get(f"{self.base_url}/execution/health", timeout=5).status_code
            except (requests.RequestException, ValueError):
                return ["api-server"]
        ill = [part for part in _HEALTH_PARTS if health.get(part, {}).get("status") != "healthy"]
        return ill + ([] if execution == 200 else ["execution API"])


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]


def _free_port(first: int) -> int:
    for port in range(first, first + _PORTS_TRIED):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise ConfigurationError(
        f"no free port between {first} and {first + _PORTS_TRIED - 1} on {HOST}",
        action="end what listens there, or give another port",
    )
