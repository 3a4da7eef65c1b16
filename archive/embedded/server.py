"""Starting, stopping and reaching the private PostgreSQL server.

The programs come from a wheel or from the system. The wheel's own launcher is not used, because as root it
creates an account and opens every parent folder to everybody (docs/decisions/0002-embedded-postgresql.md).
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from archive.embedded import places as place
from archive.embedded.account import server_account
from archive.embedded.cluster import ADMIN_ROLE, Cluster, data_major, open_cluster
from archive.embedded.places import Places
from archive.embedded.postmaster import postmaster_pid, release_reused_pid
from archive.folders import make_folder
from schemas.errors import ConfigurationError, RetriableError


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

    def __post_init__(self) -> None:
        # abspath, not resolve: a path through a link may be short on purpose, for the socket.
        object.__setattr__(self, "folder", Path(os.path.abspath(self.folder)))  # noqa: PTH100

    def start(self) -> None:
        """Make the server run and answer; nothing happens when it does already.

        Raises:
            ConfigurationError: no programs, data of another version, or a folder that cannot be used.
            FatalError: the server does not start; the message carries the end of its log.
            RetriableError: it did not answer in time.
        """
        if self._obstacle() is None:
            return
        account = server_account()
        places = self._places
        make_folder(places.folder, 0o711 if account.switch else 0o700)
        place.check_owner(places)
        with place.exclusive(places, self.timeout):
            if self._obstacle() is None:
                return
            place.prepare(places, account)
            cluster = open_cluster(places, account, self.settings, self.timeout)
            cluster.initialise(place.password(places))
            self._launch(cluster)

    def stop(self) -> None:
        """Stop the server, ending its sessions; nothing happens when it is stopped.

        Raises:
            ConfigurationError: it is another user's.
            FatalError: it does not stop.
        """
        places = self._places
        place.check_owner(places)
        if not places.lock_file.exists():
            return
        with place.exclusive(places, self.timeout):
            if postmaster_pid(places.data) is not None:
                open_cluster(places, server_account(), self.settings, self.timeout).shut_down()
            place.forget_short_socket_folder(places)

    def status(self) -> ServerStatus:
        """Look at the server without changing anything.

        Raises:
            ConfigurationError: it is another user's, or its data folder is not PostgreSQL's.
        """
        places = self._places
        place.check_owner(places)
        pid = postmaster_pid(places.data)
        running = pid is not None and self._obstacle() is None
        major = data_major(places)
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
        return Places(self.folder)

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            self.url("postgres", "postgresql"),
            autocommit=True,
            connect_timeout=5,
            application_name="lienthong",
        )

    def _obstacle(self) -> str | None:
        """None when our own server answers a query, else what stands in the way."""
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
            return str(error).strip()
        data = self._places.data
        served = Path(str(row[0])) if row else None
        if served is None or not served.exists() or not served.samefile(data):
            return f"the server at this socket serves {served}, not {data}"
        return None

    def _server_version(self) -> str | None:
        with self._connect() as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]) if row else None

    def _launch(self, cluster: Cluster) -> None:
        data = self._places.data
        deadline = time.monotonic() + self.timeout
        while True:
            # A server that is there but silent is recovering or on its way out: wait for either end.
            if postmaster_pid(data) is None:
                release_reused_pid(data, cluster.account)
                cluster.launch()
            obstacle = self._obstacle()
            if obstacle is None:
                return
            if time.monotonic() > deadline:
                raise RetriableError(
                    f"the database did not answer within {self.timeout:.0f} s: {obstacle}",
                    where=str(self._places.log),
                    action="a recovery after a crash may take longer: read the log and try again",
                )
            time.sleep(0.1)


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - thousands of files
            except FileNotFoundError:
                continue  # PostgreSQL removes files while we count
    return total
