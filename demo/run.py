"""``make demo``, ``make stop``, ``make clean-demo``: a made-up office on this machine, through Airflow on localhost.

Each checkout has a demo of its own, in a folder of the data folder that is named by the checkout's ``.demo-id``.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive.database import DATABASE, data_folder, embedded_server
from archive.folders import make_folder, write_private
from demo.airflow_services import AirflowServices
from demo.office import OfficeReport, generate
from demo.report import ARCHIVED, NOTES
from demo.simulators import LiveSystems
from demo.summary import print_summary
from mappings.config import SourceConfig
from pipeline.airflow_client import AirflowClient
from pipeline.airflow_runs import LOGIN_FILE
from pipeline.commands.output import Output
from pipeline.settings import configured_sources, load_settings
from pipeline.wording import Wording
from schemas.errors import FatalError, LienthongError

_REPOSITORY = Path(__file__).resolve().parents[1]
_ID_FILE = _REPOSITORY / ".demo-id"
_METADATA = "airflow"
_FIRST_PORT = 8080
_HEALTHY_WITHIN = 180
_NIGHT_WITHIN = 900
_SCHEDULED_WITHIN = 30


def main(arguments: list[str]) -> int:
    """Run one of ``up``, ``down``, ``remove``; the exit status is 0 when all is well."""
    actions = {"up": up, "down": down, "remove": remove}
    if len(arguments) != 1 or arguments[0] not in actions:
        print(f"python -m demo.run {'|'.join(actions)}", file=sys.stderr)
        return 2
    try:
        return actions[arguments[0]]()
    except LienthongError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 4


def up() -> int:
    """Make the office, start the simulators and Airflow, sync one night through it, print the summary."""
    home = _enter(_own_id())
    clock = _Clock()
    server = embedded_server()
    with clock.step("Khởi động PostgreSQL riêng"):
        server.start()
        server.ensure_database(DATABASE)
        server.ensure_database(_METADATA)
    live = LiveSystems(home)
    metadata_url = server.url(_METADATA, "postgresql+psycopg2")
    with clock.step("Dựng văn phòng mẫu, khởi động máy chủ mô phỏng và Airflow"):
        if live.start():
            # Airflow's services read their connections when they start.
            _services(home, metadata_url, live).stop()
        services = _services(home, metadata_url, live)
        office = _office_while_airflow_starts(home, services)
        live.wait_until_answering()
    client = AirflowClient(services.base_url, services.user, services.password)
    login = {"url": services.base_url, "user": services.user, "password": services.password}
    write_private(home / LOGIN_FILE, json.dumps(login))
    sources = list(configured_sources(load_settings()).values())
    with clock.step("Một đêm đồng bộ qua Airflow"):
        night(client, sources)
    output = Output(Wording(os.environ.get("LIENTHONG_LANG", "vi")))
    promised = {source: office.counts(source) for source in office.sources} | live.expected()
    files = [file for record in office.records if record.outcome == ARCHIVED for file in record.files]
    as_promised = print_summary(output, promised, {NOTES: office.listed_again}, files)
    output.line()
    output.line(
        f"Airflow:   {services.base_url}   (đăng nhập / login: {services.user} / {services.password})"
    )
    output.line(f"Dữ liệu:   {home}")
    output.line(f"Thử tiếp:  {_REPOSITORY}/.venv/bin/lienthong --home {home} status")
    output.line(f"Dừng:      make stop                ({clock.total():.0f} giây / seconds)")
    return 0 if as_promised else 1


def down() -> int:
    """Stop Airflow, the simulators and the database; fine when nothing runs."""
    identity = _existing_id()
    if identity is not None:
        _stop(_enter(identity))
    return 0


def remove() -> int:
    """Stop everything and remove the demo's data."""
    identity = _existing_id()
    if identity is None:
        return 0
    # Entered once: inside the demo's folder the data folder is another one.
    home = _enter(identity)
    _stop(home)
    shutil.rmtree(home)
    _ID_FILE.unlink()
    return 0


def _stop(home: Path) -> None:
    live = LiveSystems(home)
    _services(home, "", live).stop()
    live.stop()
    embedded_server().stop()
    print("Đã dừng. / Stopped.")


def night(client: AirflowClient, sources: list[SourceConfig]) -> None:
    """One night of every source through Airflow.

    Switching a DAG on makes the scheduler run its last interval at once. Where it has run already, the same night is
    asked for again, which must change nothing.

    Raises:
        FatalError: a run failed; the task's log says why.
    """
    for config in sources:
        client.ensure_pool(config.pool, config.pool_slots, config.title)
    started = {config.source: _start_night(client, f"sync__{config.source}") for config in sources}
    for source, run_id in started.items():
        state = client.wait(f"sync__{source}", run_id, _NIGHT_WITHIN)
        if state != "success":
            raise FatalError(
                f"the night of source {source} ended as {state}",
                where=f"DAG sync__{source}, run {run_id}",
                action="read the failed task's log in the Airflow UI",
            )


def _start_night(client: AirflowClient, dag_id: str) -> str:
    before = set(client.run_ids(dag_id))
    client.unpause(dag_id)
    if not before:
        deadline = time.monotonic() + _SCHEDULED_WITHIN
        while time.monotonic() < deadline:
            if found := client.run_ids(dag_id):
                return found[0]
            time.sleep(0.5)
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return client.trigger(dag_id, conf={}, data_interval=(end - timedelta(days=1), end), run_id=None)


def _office_while_airflow_starts(home: Path, services: AirflowServices) -> OfficeReport:
    # Two cores: Airflow's processes are its own, and the office's keys and signatures take what they leave.
    with ThreadPoolExecutor(max_workers=1) as pool:
        airflow = pool.submit(_start, services)
        office = generate(home)
        airflow.result()
    return office


def _start(services: AirflowServices) -> None:
    services.migrate()
    services.start()
    services.wait_until_healthy(_HEALTHY_WITHIN)


def _services(home: Path, metadata_url: str, live: LiveSystems) -> AirflowServices:
    return AirflowServices(
        home=home / "airflow",
        metadata_url=metadata_url,
        dags_folder=_REPOSITORY / "dags",
        port=_FIRST_PORT,
        extra_env={"LIENTHONG_HOME": str(home), **live.environment()},
    )


def _enter(identity: str) -> Path:
    home = make_folder(data_folder() / f"demo-{identity}", 0o711 if os.geteuid() == 0 else 0o700)
    os.environ["LIENTHONG_HOME"] = str(home)
    # The demo is about the embedded server; an archive of the user's own must not be touched by it.
    os.environ.pop("LIENTHONG_DATABASE_URL", None)
    return home


def _existing_id() -> str | None:
    return _ID_FILE.read_text(encoding="ascii").strip() if _ID_FILE.is_file() else None


def _own_id() -> str:
    identity = _existing_id()
    if identity is None:
        identity = secrets.token_hex(4)
        _ID_FILE.write_text(identity, encoding="ascii")
    return identity


class _Clock:
    def __init__(self) -> None:
        self._started = time.monotonic()

    def total(self) -> float:
        return time.monotonic() - self._started

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        print(f"  {name} …", end="", flush=True)
        began = time.monotonic()
        yield
        print(f" {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
