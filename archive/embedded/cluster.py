"""One data folder and the programs that make, start and stop its server. Callers hold the lock."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archive.embedded import places as place
from archive.embedded.account import ServerAccount
from archive.embedded.binaries import Installation, choose_installation, reachable
from archive.embedded.places import Places
from archive.embedded.postmaster import postmaster_pid
from archive.folders import make_folder, sync_folder
from schemas.errors import ConfigurationError, FatalError

ADMIN_ROLE = "lienthong"

# Nothing listens on the network; sizes suit one office on one machine.
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(place.PORT),
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d %a ",
    "log_checkpoints": "off",
}
_LOG_LIMIT = 8 * 1024 * 1024
# What PostgreSQL says while processes of a killed server are still leaving.
_LEAVING = ("is still in use", "already exists")


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is needed to work on one data folder. ``timeout`` in seconds, for a start or a stop."""

    places: Places
    account: ServerAccount
    installation: Installation
    settings: Mapping[str, str]
    timeout: float

    def initialise(self, password: str) -> None:
        """Make the data folder when there is none; what an earlier, interrupted attempt left is thrown away.

        Raises:
            FatalError: initdb failed; the message carries what it said.
        """
        places = self.places
        if places.data.exists():
            return
        if places.unfinished.exists():
            shutil.rmtree(places.unfinished)
        make_folder(places.unfinished, 0o700)
        self.account.own(places.unfinished)
        places.initdb_password.unlink(missing_ok=True)
        try:
            self._hand_over(password)
            made = self.account.run([self.installation.program("initdb"), *self._initdb_arguments()])
        finally:
            places.initdb_password.unlink(missing_ok=True)
        if made.returncode != 0:
            raise FatalError(
                f"initdb {self.installation.version} failed: {_tail(made.stdout + made.stderr)}",
                where=str(places.unfinished),
                action="look at the space and the mount options of this disk, then start again",
            )
        places.unfinished.rename(places.data)
        sync_folder(places.folder)

    def launch(self) -> None:
        """Start the server; call again when it does not answer, for processes of a killed one may be leaving.

        Raises:
            FatalError: it does not start; the message carries the end of its log.
        """
        places = self.places
        socket = place.ensure_socket_folder(places, self.account)
        _start_new_log(places)
        before = len(place.read_untrusted(places.log, _LOG_LIMIT))
        started = self._pg_ctl("start", "--log", places.log, "--options", self._options(socket))
        if started is None:
            return
        said = _tail(place.read_untrusted(places.log, _LOG_LIMIT)[before:]) or started
        slow = postmaster_pid(places.data) is not None
        if slow or any(words in said for words in _LEAVING):
            return
        raise FatalError(
            f"PostgreSQL {self.installation.version} did not start: {said}",
            where=str(places.log),
            action="mend what the log says, then start again; nothing was changed in the data",
        )

    def shut_down(self) -> None:
        """Stop the server, ending its sessions.

        Raises:
            FatalError: it does not stop.
        """
        failed = self._pg_ctl("stop", "--mode=fast")
        if failed is not None and postmaster_pid(self.places.data) is not None:
            raise FatalError(
                f"the database does not stop: {failed}; {_tail(place.read_untrusted(self.places.log))}",
                where=str(self.places.log),
                action="see which sessions hold it, then stop it again",
            )

    def _pg_ctl(self, mode: str, *arguments: str | Path) -> str | None:
        """What ``pg_ctl`` complained of; None when it did what it was told."""
        program = self.installation.program("pg_ctl")
        common = ("--wait", "--silent", f"--timeout={self.timeout:.0f}", "--pgdata", self.places.data)
        done = self.account.run([program, mode, *common, *arguments], timeout=self.timeout + 10)
        return None if done.returncode == 0 else _tail(done.stderr) or f"exit code {done.returncode}"

    def _options(self, socket: Path) -> str:
        # The setting is a list, in which a quoted part may hold a comma or a space.
        settings = {**_SETTINGS, **self.settings, "unix_socket_directories": f'"{socket}"'}
        return " ".join(shlex.quote(f"--{name}={value}") for name, value in settings.items())

    def _initdb_arguments(self) -> list[str]:
        # The builtin provider came with 17; the C library's own C.UTF-8 sorts and folds the same way.
        builtin = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return [
            *("--pgdata", str(self.places.unfinished), "--username", ADMIN_ROLE, "--encoding=UTF8"),
            *("--pwfile", str(self.places.initdb_password), "--auth=scram-sha-256", "--data-checksums"),
            *(builtin if self.installation.major >= 17 else ["--locale=C.UTF-8"]),
            *(["--no-sync"] if self.settings.get("fsync") == "off" else []),
        ]

    def _hand_over(self, password: str) -> None:
        """Write the password where initdb, as the server's account, can read it."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(self.places.initdb_password, flags, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(password + "\n")
        self.account.own(self.places.initdb_password)


def open_cluster(
    places: Places, account: ServerAccount, settings: Mapping[str, str], timeout: float
) -> Cluster:
    """The cluster of ``places`` with programs that fit its data and that ``account`` can run.

    Raises:
        ConfigurationError: there are no such programs, or the data folder is not PostgreSQL's.
    """
    chosen = choose_installation(data_major(places))
    return Cluster(places, account, reachable(chosen, account, places.binaries), settings, timeout)


def data_major(places: Places) -> int | None:
    """The major version that made the data folder, None when there is none.

    Raises:
        ConfigurationError: there is something in the data folder's place that is not PostgreSQL's.
    """
    if not places.data.exists():
        return None
    text = place.read_untrusted(places.data / "PG_VERSION", 32).strip()
    if re.fullmatch(r"\d+", text) is None:
        raise ConfigurationError(
            f"{places.data} is not a PostgreSQL data folder, or is damaged",
            where=str(places.data / "PG_VERSION"),
            action="put the data back from a backup, or move the folder away to begin with an empty database",
        )
    return int(text)


def _start_new_log(places: Places) -> None:
    """Keep one older log when the present one has grown; done only while no server writes to it."""
    try:
        if places.log.lstat().st_size > _LOG_LIMIT:
            places.log.rename(places.log.with_suffix(".log.1"))
    except FileNotFoundError:
        return


def _tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
