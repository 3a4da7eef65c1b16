"""The account that the server's processes run as: ourselves, or ``nobody`` when we are root."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigurationError, RetriableError

UNPRIVILEGED = "nobody"

# PostgreSQL's tools need no more, and a caller's PGHOST, LANG or HOME must not change what they do.
_ENVIRONMENT: Mapping[str, str] = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """Whose processes and files the server's are.

    ``switch``: we are root and must become this account, because PostgreSQL refuses to run as root.
    """

    uid: int
    gid: int
    switch: bool

    def run(self, command: Sequence[str | Path], timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run ``command`` as this account in a clean environment and give its output, whatever its exit code.

        Raises:
            ConfigurationError: the machine does not let us become this account, or has no such program.
            RetriableError: the command took longer than ``timeout`` seconds.
        """
        try:
            return subprocess.run(  # noqa: S603 - the commands are PostgreSQL's own tools, no shell
                [str(part) for part in command],
                cwd="/",
                env=dict(_ENVIRONMENT),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                umask=0o077,
                start_new_session=True,
                user=self.uid if self.switch else None,
                group=self.gid if self.switch else None,
                extra_groups=[] if self.switch else None,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RetriableError(
                f"{Path(str(command[0])).name} did not finish within {timeout:.0f} s",
                action="look at the load of this machine and its disk, then start again",
            ) from error
        except (OSError, subprocess.SubprocessError) as error:
            raise ConfigurationError(
                f"cannot run {command[0]} as user id {self.uid}: {error}",
                action="run as an ordinary user, or set LIENTHONG_DATABASE_URL to a PostgreSQL server",
            ) from error

    def can_enter(self, folder: Path) -> bool:
        """Whether this account may open files below ``folder``; asked of the kernel, so that ACLs count."""
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder]).returncode == 0

    def own(self, path: Path) -> None:
        """Give ``path`` to this account; nothing to do when we are that account."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def server_account() -> ServerAccount:
    """The account for the server: ``nobody`` when we are root, else ourselves.

    Raises:
        ConfigurationError: root, and no ``nobody`` here; or a user id without a name (initdb refuses it).
    """
    if os.geteuid() == 0:
        try:
            entry = pwd.getpwnam(UNPRIVILEGED)
        except KeyError as error:
            raise ConfigurationError(
                f"PostgreSQL does not run as root, and this machine has no account {UNPRIVILEGED!r}",
                action="run as an ordinary user, or set LIENTHONG_DATABASE_URL to a PostgreSQL server",
            ) from error
        return ServerAccount(entry.pw_uid, entry.pw_gid, switch=True)
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError as error:
        raise ConfigurationError(
            f"user id {os.geteuid()} has no name on this machine, and initdb needs one",
            action="add the user to /etc/passwd, or set LIENTHONG_DATABASE_URL to a PostgreSQL server",
        ) from error
    return ServerAccount(os.geteuid(), os.getegid(), switch=False)
