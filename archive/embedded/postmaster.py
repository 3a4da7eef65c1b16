"""Whether the server that ``postmaster.pid`` names is alive."""

from __future__ import annotations

import os
from pathlib import Path

from archive.embedded.account import ServerAccount
from archive.embedded.places import read_untrusted

# Process ids stay below /proc/sys/kernel/pid_max, which is at most 2^22 (proc_sys_kernel(5)).
_NEVER_A_PID = 4_194_304


def postmaster_pid(data: Path) -> int | None:
    """The process id of the server of ``data``; None when none runs, or its id is another's by now."""
    pid = _written_pid(data)
    return pid if pid is not None and _serves(pid, data) else None


def release_reused_pid(data: Path, account: ServerAccount) -> None:
    """Let PostgreSQL see that the server named in ``postmaster.pid`` is gone, but its id is in use.

    PostgreSQL refuses to start while that id lives. The file is not removed, because its later lines name the
    shared memory by which PostgreSQL notices processes that a killed server left; only the id is replaced.
    Call it only when ``postmaster_pid`` gives None, and alone.
    """
    pid = _written_pid(data)
    if pid is None or not _alive(pid):
        return
    # As the server's account: root must not write through a link that this account may have put there.
    account.run(["sed", "-i", f"1s/.*/{_NEVER_A_PID}/", data / "postmaster.pid"])


def _written_pid(data: Path) -> int | None:
    first = read_untrusted(data / "postmaster.pid").partition("\n")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _serves(pid: int, data: Path) -> bool:
    try:
        # Not /proc/<pid>/cwd: in a container root may not read it of another account's process.
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        # No /proc on this system: the id is all there is to go by.
        return not Path("/proc/self").exists() and _alive(pid)
    return os.fsencode(data) in arguments
