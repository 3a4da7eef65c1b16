"""Background processes that can be found again, and ended whole, by a later process.

Each leads a session of its own and carries a mark in its environment, which its descendants inherit. The mark
finds those that outlived their leader. A process id in a file counts only together with its start time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.folders import make_folder, write_private

MARK = "LIENTHONG_SERVICES"


@dataclass(frozen=True, slots=True)
class ServiceProcesses:
    """The processes of one ``folder``, with their ids in ``run/``, output in ``logs/``."""

    folder: Path

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Start ``command`` in the background and remember it as ``name``; gives its process id."""
        make_folder(self.folder / "run", 0o700)
        make_folder(self.folder / "logs", 0o700)
        # setproctitle, which Airflow uses, overwrites the environment and our mark, unless told not to.
        marked = {**environment, MARK: str(self.folder), "SPT_NOENV": "1"}
        descriptor = os.open(self.log(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                list(command),
                cwd=self.folder,
                env=marked,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
            )
        finally:
            os.close(descriptor)
        write_private(self._pid_file(name), f"{process.pid} {_start_time(process.pid)}\n")
        return process.pid

    def pid(self, name: str) -> int | None:
        """The process id of ``name`` while it runs."""
        try:
            written, _, started = self._pid_file(name).read_text(encoding="ascii").strip().partition(" ")
        except FileNotFoundError:
            return None
        pid = int(written)
        return pid if started and _start_time(pid) == started else None

    def log(self, name: str) -> Path:
        """Where the output of ``name`` goes."""
        return self.folder / "logs" / f"{name}.log"

    def log_tail(self, name: str, lines: int = 20) -> str:
        """The last lines that ``name`` wrote."""
        try:
            return "\n".join(self.log(name).read_text("utf-8", "replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def stop_all(self, grace: float) -> None:
        """End every process of this folder: asked to first, killed when not gone after ``grace`` seconds."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + grace
            for pid in self._marked():
                _send(pid, number)
            while self._marked() and time.monotonic() < deadline:
                time.sleep(0.1)
        run = self.folder / "run"
        for note in run.glob("*.pid") if run.is_dir() else ():
            note.unlink()

    def _pid_file(self, name: str) -> Path:
        return self.folder / "run" / f"{name}.pid"

    def _marked(self) -> list[int]:
        """Every living process that carries our mark, leaders and orphans alike."""
        mark = os.fsencode(f"{MARK}={self.folder}")
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdecimal() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue  # gone meanwhile, or another user's
        return found


def _start_time(pid: int) -> str:
    """When a process started, in ticks since boot (field 22 of /proc/pid/stat, proc(5)); empty when dead."""
    _reap(pid)
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The command's name stands in brackets and may hold spaces and brackets itself.
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # started by an earlier process


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
