"""Bringing the database's schema up to this program: at every start, by whoever is first."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from archive.access_rights import apply_rights, rights_mark
from archive.access_roles import Role, ensure_roles, settable_roles
from archive.columns import SCHEMA
from archive.failures import database_errors
from schemas.errors import ConfigurationError, FatalError

REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
)
"""Every revision that this program knows, oldest first; a constant, so that most starts need no Alembic."""

_LOCK = int.from_bytes(hashlib.sha256(b"lienthong archive migration").digest()[:8], "big", signed=True)


def migrate(engine: sa.Engine, revision: str = REVISIONS[-1]) -> None:
    """Bring the schema ``archive`` to the newest revision and rights; costs two queries when it is there already.

    ``revision``: an older one, for an empty database that is to take in what that version wrote; rights come with the
    newest. Any number of processes may call it at once: one migrates in one transaction, the others wait and find
        it done.

    Raises:
        ConfigurationError: the roles are missing, or the login may not work as the owner; the message says what
            an administrator has to run.
        FatalError: the database is newer than this program, or refuses.
        RetriableError: the database is away or busy.
    """
    with database_errors("migrating the archive's database"):
        with engine.connect() as connection:
            if _is_current(connection):
                return
            _refuse_lesser_login(connection)
        ensure_roles(engine)
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            if not _is_current(connection):
                _hand_to_owner(connection)
                connection.execute(sa.text(f"SET LOCAL ROLE {Role.OWNER}"))
                _upgrade(connection, revision)
                if revision == REVISIONS[-1]:
                    apply_rights(connection)


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
    return found == REVISIONS[-1] and connection.scalar(_COMMENT, {"schema": SCHEMA}) == rights_mark()


def _refuse_lesser_login(connection: sa.Connection) -> None:
    roles = settable_roles(connection)
    if roles and Role.OWNER not in roles:
        raise ConfigurationError(
            "the archive's database is not yet at this program's version, and this login may not bring it there",
            expected=f"a login that is a member of {Role.OWNER}",
            action="run `lienthong status` once under the account that loads the archive",
        )


def _hand_to_owner(connection: sa.Connection) -> None:
    """Make the schema the owner's, with whatever a version before roles left as the login's."""
    if connection.scalar(sa.text("SELECT to_regnamespace(:schema)"), {"schema": SCHEMA}) is None:
        connection.execute(sa.text(f"CREATE SCHEMA {SCHEMA} AUTHORIZATION {Role.OWNER}"))
        return
    for kind, name in connection.execute(_FOREIGN, {"schema": SCHEMA, "owner": Role.OWNER}).all():
        connection.execute(sa.text(f"ALTER {kind} {name} OWNER TO {Role.OWNER}"))


_COMMENT = sa.text("SELECT obj_description(to_regnamespace(:schema), 'pg_namespace')")
_FOREIGN = sa.text(
    """SELECT kind, name FROM (
      SELECT 1, 'SCHEMA', quote_ident(nspname), nspowner FROM pg_namespace WHERE nspname = :schema
      UNION ALL
      SELECT 2, CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass::text, relowner
      FROM pg_class c WHERE relnamespace = to_regnamespace(:schema) AND relkind IN ('r', 'p', 'v')
      UNION ALL
      SELECT 3, 'FUNCTION', p.oid::regprocedure::text, proowner
      FROM pg_proc p WHERE pronamespace = to_regnamespace(:schema)
    ) AS held(place, kind, name, owner)
    WHERE owner <> (SELECT oid FROM pg_roles WHERE rolname = :owner) ORDER BY place, name"""
)


def _upgrade(connection: sa.Connection, revision: str) -> None:
    # Imported here: half a second that only the first start and an upgrade have to pay.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "archive:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
