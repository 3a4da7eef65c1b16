"""Bringing the database's schema up to this program: at every start, by whoever is first."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from archive.columns import SCHEMA
from archive.failures import database_errors
from schemas.errors import FatalError

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""Every revision that this program knows, oldest first; a constant, so that most starts need no Alembic."""

_LOCK = int.from_bytes(hashlib.sha256(b"lienthong archive migration").digest()[:8], "big", signed=True)


def migrate(engine: sa.Engine) -> None:
    """Bring the schema ``archive`` to the newest revision; costs one query when it is there already.

    Any number of processes may call it at once: one migrates in one transaction, the others wait and find
        it done.

    Raises:
        FatalError: the database is newer than this program, or refuses.
        RetriableError: the database is away or busy.
    """
    with database_errors("migrating the archive's database"):
        with engine.connect() as connection:
            if _is_current(connection):
                return
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            if not _is_current(connection):
                connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
                _upgrade(connection)


def current_revision(connection: sa.Connection) -> str | None:
    """The revision of the database; ``None`` when it holds no archive yet."""
    table = f"{SCHEMA}.archive_alembic_version"
    if connection.scalar(sa.text("SELECT to_regclass(:table)"), {"table": table}) is None:
        return None
    revision = connection.scalar(sa.text(f"SELECT version_num FROM {table}"))  # noqa: S608 - our constant
    return None if revision is None else str(revision)


def _is_current(connection: sa.Connection) -> bool:
    found = current_revision(connection)
    if found is not None and found not in REVISIONS:
        raise FatalError(
            f"the archive's database has revision {found!r}, which is newer than this program",
            expected=f"revision {REVISIONS[-1]!r} or older",
            action="install the program's newer version; nothing was changed",
        )
    return found == REVISIONS[-1]


def _upgrade(connection: sa.Connection) -> None:
    # Imported here: half a second that only the first start and an upgrade have to pay.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "archive:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, REVISIONS[-1])
