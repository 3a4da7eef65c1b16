"""Starting, stopping and reaching the private PostgreSQL server.

The programs come from a wheel or from the system. The wheel's own launcher is not used, because as root it
creates an account and opens every parent folder to everybody (docs/decisions/0002-embedded-postgresql.md).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from archive.embedded import places as place
from archive.embedded.account import ServerAccount, server_account
from archive.embedded.binaries import Installation, choose_installation, reachable
from archive.embedded.places import Places
from archive.embedded.postmaster import postmaster_pid, release_reused_pid
from archive.folders import make_folder, sync_folder
from schemas.errors import ConfigurationError, FatalError, RetriableError

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
class ServerStatus:
    """What is known of the server at one moment; ``data_size`` in bytes, ``version`` ``18.4`` or ``18``."""

    running: bool
    pid: int | None
    version: str | None
    data_size: int
    socket: Path | None
    folder: Path
    log: Path


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A PostgreSQL server of our own, with everything it has below ``folder``.

    The server outlives the process that starts it; any number of processes may share it.

    Args:
        folder: where data, log, socket, password and lock are. As root, ``nobody`` must be able to reach it.
        settings: settings beside ours, such as ``{"shared_buffers": "512MB"}``, from the next start.
        timeout: seconds to wait for a start (which may include a recovery), a stop, or another starter.
    """

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 120.0

    def start(self) -> None:
        """Make the server run and answer; nothing happens when it does already.

        Raises:
            ConfigurationError: no programs, data of another version, or a folder that cannot be used.
            FatalError: the server does not start; the message carries the end of its log.
            RetriableError: it did not answer in time.
        """
        if self._answers() is None:
            return
        account = server_account()
        places = self._places
        make_folder(places.folder, 0o711 if account.switch else 0o700)
        place.check_owner(places)
        with place.exclusive(places, self.timeout):
            if self._answers() is None:
                return
            place.prepare(places, account)
            installation = reachable(choose_installation(_data_major(places)), account, places.binaries)
            self._initialise(installation, account)
            self._launch(installation, account)

    def stop(self) -> None:
        """Stop the server, ending its sessions; nothing happens when it is stopped.

        Raises:
            FatalError: it does not stop.
        """
        places = self._places
        if not places.lock_file.exists():
            return
        place.check_owner(places)
        with place.exclusive(places, self.timeout):
            if postmaster_pid(places.data) is not None:
                self._shut_down(server_account())
            place.forget_short_socket_folder(places)

    def status(self) -> ServerStatus:
        """Look at the server without changing anything."""
        places = self._places
        pid = postmaster_pid(places.data)
        running = pid is not None and self._answers() is None
        major = _data_major(places)
        return ServerStatus(
            running=running,
            pid=pid,
            version=self._server_version() if running else (str(major) if major else None),
            data_size=_size(places.data),
            socket=place.socket_folder(places) if running else None,
            folder=places.folder,
            log=places.log,
        )

    def url(self, database: str, driver: str = "postgresql+psycopg") -> str:
        """The URL of ``database``, password included, for SQLAlchemy's PostgreSQL drivers, libpq and Airflow.

        Raises:
            RetriableError: the server was never started.
        """
        try:
            password = place.read_password(self._places)
        except FileNotFoundError as error:
            raise RetriableError(
                f"the database in {self.folder} was never started", action="start it first"
            ) from error
        # Slashes stay: percent signs would have to be doubled where a URL passes through an ini file.
        socket = quote(str(place.socket_folder(self._places)), safe="/")
        name = quote(database, safe="")
        return f"{driver}://{ADMIN_ROLE}:{password}@/{name}?host={socket}&port={place.PORT}"

    def ensure_database(self, name: str) -> None:
        """Make the database ``name`` unless it is there.

        Raises:
            RetriableError: the server does not answer.
        """
        try:
            with self._connect() as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
                if known is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return  # another process was quicker
        except psycopg.OperationalError as error:
            raise RetriableError(
                f"the database in {self.folder} does not answer: {error}", action="start it, then try again"
            ) from error

    @property
    def _places(self) -> Places:
        # normpath, not resolve: a socket path through a link may be short on purpose.
        return Places(Path(os.path.abspath(self.folder)))  # noqa: PTH100 - Path.absolute keeps ".."

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            self.url("postgres", "postgresql"),
            autocommit=True,
            connect_timeout=5,
            application_name="lienthong",
        )

    def _answers(self) -> str | None:
        """None when our server answers a query, else what stands in the way."""
        try:
            with self._connect() as connection:
                row = connection.execute("SELECT current_setting('data_directory')").fetchone()
        except RetriableError as error:
            return str(error)
        except psycopg.Error as error:
            if "password authentication failed" in str(error):
                raise ConfigurationError(
                    f"the database in {self.folder} does not accept its own password",
                    where=str(self._places.password_file),
                    action="put the password file back from the backup that the data came from",
                ) from error
            return str(error)
        data = self._places.data
        if row is None or not Path(str(row[0])).samefile(data):
            return f"the server at this socket serves {row}, not {data}"
        return None

    def _server_version(self) -> str | None:
        with self._connect() as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]) if row else None

    def _initialise(self, installation: Installation, account: ServerAccount) -> None:
        places = self._places
        password = place.password(places)
        if places.data.exists():
            return
        _remove_tree(places.unfinished)
        make_folder(places.unfinished, 0o700)
        account.own(places.unfinished)
        places.initdb_password.unlink(missing_ok=True)
        try:
            _hand_over(places.initdb_password, password, account)
            made = account.run([installation.program("initdb"), *self._initdb_arguments(installation)])
        finally:
            places.initdb_password.unlink(missing_ok=True)
        if made.returncode != 0:
            raise FatalError(
                f"initdb of PostgreSQL {installation.version} failed: {_tail(made.stdout + made.stderr)}",
                where=str(places.unfinished),
                action="look at the space and the mount options of this disk, then start again",
            )
        places.unfinished.rename(places.data)
        sync_folder(places.folder)

    def _initdb_arguments(self, installation: Installation) -> list[str]:
        places = self._places
        # The builtin provider came with 17; the C library's own C.UTF-8 sorts and folds the same way.
        builtin = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        locale = builtin if installation.major >= 17 else ["--locale=C.UTF-8"]
        unsafe = ["--no-sync"] if self.settings.get("fsync") == "off" else []
        return [
            *("--pgdata", str(places.unfinished), "--username", ADMIN_ROLE, "--encoding=UTF8"),
            *("--pwfile", str(places.initdb_password), "--auth=scram-sha-256", "--data-checksums"),
            *locale,
            *unsafe,
        ]

    def _launch(self, installation: Installation, account: ServerAccount) -> None:
        places = self._places
        deadline = time.monotonic() + self.timeout
        while True:
            if postmaster_pid(places.data) is None:
                release_reused_pid(places.data)
                socket = place.ensure_socket_folder(places, account)
                _start_new_log(places)
                said = self._pg_ctl_start(installation, account, socket)
                if said is not None and not any(words in said for words in _LEAVING):
                    raise FatalError(
                        f"PostgreSQL {installation.version} did not start: {said}",
                        where=str(places.log),
                        action="mend what the log says, then start again; nothing was changed in the data",
                    )
            obstacle = self._answers()
            if obstacle is None:
                return
            if time.monotonic() > deadline:
                raise RetriableError(
                    f"the database did not answer within {self.timeout:.0f} s: {obstacle}",
                    where=str(places.log),
                    action="a recovery after a crash may take longer: read the log and try again",
                )
            time.sleep(0.1)

    def _pg_ctl_start(self, installation: Installation, account: ServerAccount, socket: Path) -> str | None:
        places = self._places
        quoted_socket = str(socket).replace('"', '""')
        settings = {**_SETTINGS, **self.settings, "unix_socket_directories": f'"{quoted_socket}"'}
        options = " ".join(shlex.quote(f"--{name}={value}") for name, value in settings.items())
        before = len(place.read_untrusted(places.log, _LOG_LIMIT))
        started = account.run(
            [
                *(installation.program("pg_ctl"), "start", "--wait", "--silent"),
                *(f"--timeout={self.timeout:.0f}", "--pgdata", places.data, "--log", places.log),
                *("--options", options),
            ],
            timeout=self.timeout + 10,
        )
        if started.returncode == 0:
            return None
        return _tail(place.read_untrusted(places.log, _LOG_LIMIT)[before:]) or _tail(started.stderr)

    def _shut_down(self, account: ServerAccount) -> None:
        places = self._places
        installation = reachable(choose_installation(_data_major(places)), account, places.binaries)
        stopped = account.run(
            [
                *(installation.program("pg_ctl"), "stop", "--mode=fast", "--wait", "--silent"),
                *(f"--timeout={self.timeout:.0f}", "--pgdata", places.data),
            ],
            timeout=self.timeout + 10,
        )
        if stopped.returncode != 0 and postmaster_pid(places.data) is not None:
            raise FatalError(
                f"the database does not stop: {_tail(stopped.stderr + place.read_untrusted(places.log))}",
                where=str(places.log),
                action="see which sessions hold it, then stop it again",
            )


def _hand_over(path: Path, password: str, account: ServerAccount) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        if account.switch:
            os.fchown(descriptor, account.uid, account.gid)
        stream.write(password + "\n")


def _data_major(places: Places) -> int | None:
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


def _remove_tree(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - thousands of files
            except FileNotFoundError:
                continue  # PostgreSQL removes files while we count
    return total


def _tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
