"""Which database the archive is in, and how to reach it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import psycopg
import sqlalchemy
from sqlalchemy.engine import URL, make_url

from archive.access_roles import Role
from archive.embedded import EmbeddedServer
from archive.folders import make_folder
from schemas.errors import ConfigurationError, RetriableError

URL_VARIABLE = "LIENTHONG_DATABASE_URL"
HOME_VARIABLE = "LIENTHONG_HOME"
DATABASE = "lienthong"
OLDEST_SERVER = 15

_DRIVER = "postgresql+psycopg"
_DIALECTS = ("postgresql", "postgres")
_CONNECT_TIMEOUT = 10


def database_url() -> str:
    """The URL of the archive's database: ``LIENTHONG_DATABASE_URL``, or else the embedded server, started.

    Raises:
        ConfigurationError: the variable cannot be read, or names something else than PostgreSQL 15 or newer.
        RetriableError: the server does not answer.
        FatalError: the embedded server does not start.
    """
    given = os.environ.get(URL_VARIABLE, "").strip()
    if given:
        url = normalised_url(given)
        _check_server(url)
        return url
    server = embedded_server()
    server.start()
    server.ensure_database(DATABASE)
    return server.url(DATABASE)


def embedded_server() -> EmbeddedServer:
    """The embedded server of this machine's data folder, not started."""
    return EmbeddedServer(data_folder() / "postgres")


def data_folder() -> Path:
    """Where Lienthong keeps its data, made when absent.

    ``LIENTHONG_HOME``; or ``/var/lib/lienthong`` as root; or ``$XDG_DATA_HOME/lienthong``, which is
    ``~/.local/share/lienthong`` by default (XDG Base Directory Specification 0.8). As root every user can go
    through it (0711), because the embedded server runs as ``nobody``; secrets go to ``private_folder``.

    Raises:
        ConfigurationError: the folder cannot be made.
    """
    return make_folder(_data_path(), 0o711 if os.geteuid() == 0 else 0o700)


def private_folder(name: str) -> Path:
    """The folder ``name`` in the data folder, which only our own account can enter.

    Raises:
        ConfigurationError: it cannot be made.
    """
    return make_folder(data_folder() / name, 0o700)


def create_engine(url: str, role: Role | None = None) -> sqlalchemy.Engine:
    """An engine for ``url`` with a small pool that notices a restarted server; connects only when used.

    Args:
        url: as ``database_url`` gives it.
        role: of the archive, under which every connection works; ``None``: as whom the URL logs in.
    """
    return sqlalchemy.create_engine(
        url,
        pool_size=2,
        max_overflow=4,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args=_connect_arguments(make_url(url), role),
    )


def normalised_url(given: str) -> str:
    """``given`` for the psycopg driver; says nothing of the password when it complains.

    Raises:
        ConfigurationError: not a URL, or not of PostgreSQL.
    """
    wanted = "postgresql://user:password@host/database"
    try:
        url = make_url(given)
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        raise ConfigurationError(
            "the database URL cannot be read", where=URL_VARIABLE, expected=wanted
        ) from error
    dialect = url.drivername.partition("+")[0]
    if dialect not in _DIALECTS:
        raise ConfigurationError(
            f"the archive is kept in PostgreSQL only, not in {dialect!r}", where=URL_VARIABLE, expected=wanted
        )
    if not url.database:
        raise ConfigurationError("the database URL names no database", where=URL_VARIABLE, expected=wanted)
    return url.set(drivername=_DRIVER).render_as_string(hide_password=False)


def _data_path() -> Path:
    chosen = os.environ.get(HOME_VARIABLE, "").strip()
    if chosen:
        return Path(os.path.abspath(Path(chosen).expanduser()))  # noqa: PTH100 - Path.absolute keeps ".."
    if os.geteuid() == 0:
        return Path("/var/lib/lienthong")
    # The specification: a relative XDG_DATA_HOME is to be ignored.
    data_home = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (data_home if data_home.is_absolute() else _home() / ".local" / "share") / "lienthong"


def _home() -> Path:
    home = Path(os.environ.get("HOME", ""))
    if home.is_absolute():
        return home
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError as error:
        raise ConfigurationError(
            "this user has no home folder", action=f"set {HOME_VARIABLE} to a folder for the data"
        ) from error


def _connect_arguments(url: URL, role: Role | None) -> dict[str, str | int]:
    ours: dict[str, str | int] = {"application_name": "lienthong", "connect_timeout": _CONNECT_TIMEOUT}
    arguments = {name: value for name, value in ours.items() if name not in url.query}
    if role is not None:
        # The session begins as the role: RESET ROLE leads back to it, not to the login.
        given = url.query.get("options", ())
        options = (given,) if isinstance(given, str) else given
        arguments["options"] = " ".join((*options, f"-c role={role}"))
    return arguments


def _check_server(url: str) -> None:
    address = make_url(url)
    shown = address.render_as_string(hide_password=True)
    conninfo = address.set(drivername="postgresql").render_as_string(hide_password=False)
    timeout = int(str(address.query.get("connect_timeout", _CONNECT_TIMEOUT)))
    try:
        with psycopg.connect(conninfo, connect_timeout=timeout) as connection:
            version = connection.info.server_version
    except psycopg.OperationalError as error:
        raise RetriableError(
            f"the database server does not let us in: {error}",
            where=f"{URL_VARIABLE} ({shown})",
            action="see that it runs, that this machine may reach it, and that user and password are right",
        ) from error
    if version < OLDEST_SERVER * 10_000:
        raise ConfigurationError(
            f"the database server is PostgreSQL {version // 10_000}",
            where=f"{URL_VARIABLE} ({shown})",
            expected=f"PostgreSQL {OLDEST_SERVER} or newer",
        )
