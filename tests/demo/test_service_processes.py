from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.service_processes import MARK, ServiceProcesses

SLEEP = [sys.executable, "-c", "import time; print('chạy', flush=True); time.sleep(60)"]
# A leader whose child sits in a session of its own and wears another name, as Airflow's workers do.
WITH_CHILD = [
    sys.executable,
    "-c",
    "import subprocess, time\n"
    "child = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
    "print(child.pid, flush=True); time.sleep(60)",
]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('điếc', flush=True); time.sleep(60)",
]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[ServiceProcesses]:
    own = ServiceProcesses(tmp_path / "services")
    yield own
    own.stop_all(0.5)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def first_line(processes: ServiceProcesses, name: str) -> str:
    deadline = time.monotonic() + 20
    while not processes.log_tail(name):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return processes.log_tail(name).splitlines()[0]


def test_a_later_process_finds_and_ends_it(processes: ServiceProcesses) -> None:
    pid = processes.start("scheduler", SLEEP, dict(os.environ))
    assert first_line(processes, "scheduler") == "chạy"
    assert os.getsid(pid) == pid
    later = ServiceProcesses(processes.folder)
    assert later.pid("scheduler") == pid
    later.stop_all(5)
    later.stop_all(5)
    assert not alive(pid)
    assert later.pid("scheduler") is None


def test_what_a_killed_leader_left_is_ended_too(processes: ServiceProcesses) -> None:
    leader = processes.start("scheduler", WITH_CHILD, dict(os.environ))
    child = int(first_line(processes, "scheduler"))
    os.kill(leader, signal.SIGKILL)
    os.waitpid(leader, 0)
    assert processes.pid("scheduler") is None
    assert alive(child)
    processes.stop_all(5)
    assert not alive(child)


def test_one_that_does_not_listen_is_killed(processes: ServiceProcesses) -> None:
    pid = processes.start("triggerer", DEAF, dict(os.environ))
    assert first_line(processes, "triggerer") == "điếc"
    processes.stop_all(0.3)
    assert not alive(pid)


def test_a_process_id_that_someone_else_has_now_is_not_ours(processes: ServiceProcesses) -> None:
    processes.start("api-server", SLEEP, dict(os.environ))
    with subprocess.Popen(["sleep", "60"]) as stranger:
        note = processes.folder / "run" / "api-server.pid"
        note.write_text(f"{stranger.pid} {note.read_text().split()[1]}0\n")
        assert processes.pid("api-server") is None
        processes.stop_all(5)
        assert stranger.poll() is None
        stranger.kill()


def test_another_folders_processes_are_left_alone(processes: ServiceProcesses, tmp_path: Path) -> None:
    other = ServiceProcesses(tmp_path / "services-2")
    pid = other.start("scheduler", SLEEP, dict(os.environ))
    assert first_line(other, "scheduler") == "chạy"
    processes.stop_all(0.3)
    assert other.pid("scheduler") == pid
    other.stop_all(5)


def test_a_mark_inherited_from_outside_does_not_matter(
    processes: ServiceProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MARK, "/nơi/khác")
    pid = processes.start("scheduler", SLEEP, dict(os.environ))
    assert first_line(processes, "scheduler") == "chạy"
    processes.stop_all(5)
    assert not alive(pid)
