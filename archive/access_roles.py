"""The archive's roles in PostgreSQL: who may do what is for the database to decide, not for the program.

Roles belong to the whole server, so all archives on it share them. None of them logs in: a login is made a member,
and each connection says under which of its roles it works (``archive.database.create_engine``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import psycopg
import sqlalchemy as sa
from psycopg import sql

from archive.failures import database_errors
from schemas.errors import ConfigurationError


class Role(StrEnum):
    """A role of the archive.

    ``OWNER`` owns the schema and migrates it; it alone sees what is sealed. ``LOADER`` adds, and never changes what is
    append-only. ``READER`` reads open and conditional documents. ``CLERK`` (văn thư, lưu trữ) reads personal and
    recalled ones and the quarantine too, and decides. ``AUDITOR`` reads ledger, anchors and runs, and no content.
    """

    OWNER = "archive_owner"
    LOADER = "archive_loader"
    READER = "archive_reader"
    CLERK = "archive_clerk"
    AUDITOR = "archive_auditor"


@dataclass(frozen=True, slots=True)
class _Made:
    """What the server has: the roles by name, whether the loader passes row security, whether the clerk is a reader,
    and under which roles the login may work."""

    names: frozenset[str]
    bypasses: bool
    inherits: bool
    settable: frozenset[str]
    login: str


_LOOK = sa.text(
    """SELECT coalesce(array_agg(rolname::text), '{}') AS names,
      coalesce(bool_or(rolbypassrls) FILTER (WHERE rolname = 'archive_loader'), false) AS bypasses,
      EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles c ON c.oid = m.member JOIN pg_roles g ON g.oid = m.roleid
        WHERE c.rolname = 'archive_clerk' AND g.rolname = 'archive_reader') AS inherits,
      coalesce(array_agg(rolname::text) FILTER (WHERE pg_has_role(session_user, oid,
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)), '{}')
        AS settable,
      session_user::text AS login
    FROM pg_roles WHERE rolname = ANY(:names)"""
)


def settable_roles(connection: sa.Connection) -> set[Role]:
    """The archive's roles under which this login may work."""
    return {Role(name) for name in _look(connection).settable}


def ensure_roles(engine: sa.Engine) -> None:
    """Make the roles that the server lacks, and the login a member of them all.

    Any number of processes, for any number of databases of the server, may call it at once. Where an administrator
    has made the roles, nothing happens.

    Raises:
        ConfigurationError: the login may not; the message carries what an administrator has to run once.
        RetriableError, FatalError: the database is away, or refuses.
    """
    with database_errors("making the archive's roles"), engine.connect() as connection:
        # Each statement for itself: the roles are the server's, and others may be making them at this moment.
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        while statements := _missing(made := _look(alone)):
            statement = statements[0].as_string()
            try:
                alone.execute(sa.text(statement))
            except sa.exc.DBAPIError as error:
                if _was_made_meanwhile(error.orig):
                    continue
                if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
                    raise _cannot_make(made, statements) from None
                raise


def _look(connection: sa.Connection) -> _Made:
    row = connection.execute(_LOOK, {"names": [role.value for role in Role]}).one()
    return _Made(frozenset(row.names), row.bypasses, row.inherits, frozenset(row.settable), row.login)


def _missing(made: _Made) -> Sequence[sql.Composed]:
    """What has to be run for the roles to be complete, in order."""
    loader, clerk, reader = (sql.Identifier(role) for role in (Role.LOADER, Role.CLERK, Role.READER))
    statements = [
        sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role))
        for role in Role
        if role not in made.names
    ]
    if not made.bypasses:  # COPY into a table with row security is refused to everyone else
        statements.append(sql.SQL("ALTER ROLE {} BYPASSRLS").format(loader))
    if not made.inherits:
        statements.append(sql.SQL("GRANT {} TO {}").format(reader, clerk))
    login = sql.Identifier(made.login)
    statements += [
        sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), login)
        for role in Role
        if role not in made.settable
    ]
    return statements


def _was_made_meanwhile(error: BaseException | None) -> bool:
    if isinstance(error, psycopg.errors.DuplicateObject | psycopg.errors.UniqueViolation):
        return True
    return isinstance(error, psycopg.errors.InternalError_) and "concurrently updated" in str(error)


def _cannot_make(made: _Made, statements: Sequence[sql.Composed]) -> ConfigurationError:
    script = "\n".join(f"{statement.as_string()};" for statement in statements)
    return ConfigurationError(
        f"the login {made.login!r} may not make the roles of the archive that the database server lacks",
        expected=f"the roles {', '.join(Role)}, of which {made.login!r} is a member",
        action=f"have the server's administrator run this once as a superuser, then start again:\n{script}",
    )


def usable_role(engine: sa.Engine, roles: Sequence[Role]) -> Role:
    """The first of ``roles`` under which the engine's login may work.

    Raises:
        ConfigurationError: it may under none; the message carries the GRANT that an administrator has to run.
        RetriableError, FatalError: the database is away, or refuses.
    """
    with database_errors("looking for the archive's roles"), engine.connect() as connection:
        made = _look(connection)
    for role in roles:
        if role in made.settable:
            return role
    grants = [
        sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(made.login)).as_string()
        for role in roles
    ]
    raise ConfigurationError(
        f"the login {made.login!r} may not work as {' or '.join(roles)}",
        expected="membership in the role",
        action=f"have the server's administrator run: {' or '.join(grants)}",
    )


def personal_login(engine: sa.Engine) -> str | None:
    """The engine's login, where it is one person's: it may not become the owner. ``None`` for the archive's own.

    Raises:
        RetriableError, FatalError: the database is away, or refuses.
    """
    asked = sa.text(
        "SELECT session_user::text WHERE NOT pg_has_role(session_user, CAST(:owner AS name), 'MEMBER')"
    )
    with database_errors("asking for the login"), engine.connect() as connection:
        found = connection.scalar(asked, {"owner": Role.OWNER.value})
    return None if found is None else str(found)
