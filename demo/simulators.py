"""The live systems of the demo: simulators on localhost, each with a source's YAML and an Airflow connection."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from archive.folders import make_folder, write_private
from demo import exchange_messages, exchange_source, petitions, vxp_server
from demo.domino_server import ACCOUNT, PASSWORD
from demo.report import SourceCounts
from demo.service_processes import ServiceProcesses
from demo.simulated_service import HOST
from schemas.errors import FatalError

_REPOSITORY = Path(__file__).resolve().parents[1]
_SOURCES = Path(__file__).resolve().parent / "sources"
_PORTS = "ports.json"
_ANSWERS_WITHIN = 20
_STOP_GRACE = 3.0


@dataclass(frozen=True, slots=True)
class Simulator:
    """One live system.

    Attributes:
        source: name of the source. yaml: the text of its YAML file.
        command: module and arguments for ``python -m``, without the port; ``{data}`` stands for the data folder.
        connection: id of the Airflow connection.
        facts: what the connection holds beside host and port.
        expected: what a night over it must come to.
    """

    source: str
    yaml: Callable[[], str]
    command: tuple[str, ...]
    connection: str
    facts: Mapping[str, object]
    expected: Callable[[], SourceCounts]


def _kept(source: str) -> Callable[[], str]:
    return partial((_SOURCES / f"{source}.yaml").read_text, encoding="utf-8")


SIMULATORS: Sequence[Simulator] = (
    Simulator(
        source="don_thu",
        yaml=_kept("don_thu"),
        command=("demo.domino_server", "--petitions"),
        connection="lotus_notes_don_thu",
        facts={"conn_type": "domino", "schema": "http", "login": ACCOUNT, "password": PASSWORD},
        expected=petitions.expected,
    ),
    Simulator(
        source=exchange_source.SOURCE,
        yaml=exchange_source.exchange_yaml,
        command=("demo.vxp_server", "{data}/simulators/messages", "--made-up"),
        connection=exchange_source.CONNECTION,
        facts={
            "conn_type": "edoc_exchange",
            "schema": "http",
            "extra": {"dialect": "vxp", "system_id": vxp_server.SYSTEM, "secret_key": vxp_server.SECRET},
        },
        expected=exchange_messages.expected,
    ),
)


@dataclass(frozen=True, slots=True)
class LiveSystems:
    """The simulators of the demo in the folder ``data``: what they keep is in ``data/simulators``."""

    data: Path
    simulators: Sequence[Simulator] = field(default=SIMULATORS)

    def start(self) -> bool:
        """Start those that do not run, and write their YAML; true when one got another port than before.

        Raises:
            FatalError: one does not answer; the message carries the end of its log.
        """
        processes = ServiceProcesses(self._home)
        before = self._ports()
        ports = {
            simulator.source: before.get(simulator.source, 0)
            if processes.pid(simulator.source)
            else _free_port(before.get(simulator.source, 0))
            for simulator in self.simulators
        }
        make_folder(self._home, 0o700)
        write_private(self._home / _PORTS, json.dumps(ports))
        sources = make_folder(self.data / "sources", 0o700)
        environment = {**os.environ, "PYTHONPATH": str(_REPOSITORY)}
        for simulator in self.simulators:
            (sources / f"{simulator.source}.yaml").write_text(simulator.yaml(), encoding="utf-8")
            if processes.pid(simulator.source) is None:
                command = [part.replace("{data}", str(self.data)) for part in simulator.command]
                port = ("--port", str(ports[simulator.source]))
                processes.start(simulator.source, [sys.executable, "-m", *command, *port], environment)
        return ports != before

    def wait_until_answering(self) -> None:
        """Wait until each accepts a connection.

        Raises:
            FatalError: one ended, or does not answer in time; the message carries the end of its log.
        """
        processes = ServiceProcesses(self._home)
        deadline = time.monotonic() + _ANSWERS_WITHIN
        for source, port in self._ports().items():
            while not _answers(port):
                if processes.pid(source) is None or time.monotonic() > deadline:
                    raise FatalError(
                        f"the simulator of source {source} does not answer: {processes.log_tail(source)}",
                        where=str(processes.log(source)),
                        action="mend what the log says, then start again",
                    )
                time.sleep(0.05)

    def stop(self) -> None:
        """End them; fine when none runs."""
        ServiceProcesses(self._home).stop_all(_STOP_GRACE)

    def environment(self) -> dict[str, str]:
        """Their connections, as Airflow reads them from the environment. Needs ``start`` before."""
        ports = self._ports()
        return {
            f"AIRFLOW_CONN_{simulator.connection.upper()}": json.dumps(
                {**simulator.facts, "host": HOST, "port": ports[simulator.source]}
            )
            for simulator in self.simulators
            if simulator.source in ports
        }

    def expected(self) -> dict[str, SourceCounts]:
        """What a night must come to, by source."""
        return {simulator.source: simulator.expected() for simulator in self.simulators}

    @property
    def _home(self) -> Path:
        return self.data / "simulators"

    def _ports(self) -> dict[str, int]:
        try:
            found: dict[str, int] = json.loads((self._home / _PORTS).read_text("ascii"))
        except FileNotFoundError:
            return {}
        return found


def _free_port(wanted: int) -> int:
    """``wanted`` where it is free, else one that the system chooses."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise FatalError(f"no free port on {HOST}", action="end some of what listens there")


def _answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
