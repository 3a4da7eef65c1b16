"""Which documents a command lists that has to compute with all of them."""

from __future__ import annotations

import sqlalchemy as sa

from archive.access_roles import Role, settable_roles
from archive.database import create_engine, database_url
from archive.failures import database_errors


def listed_classes() -> list[str]:
    """The classes of access that the login may read as clerk, or else as reader; none when it is neither."""
    login = create_engine(database_url())
    try:
        with database_errors("asking what may be listed"), login.connect() as connection:
            settable = settable_roles(connection)
            role = next((role for role in (Role.CLERK, Role.READER) if role in settable), None)
            if role is None:
                return []
            connection.execute(sa.text(f"SET ROLE {role}"))
            return list(connection.scalar(sa.text("SELECT archive.readable_classes()")) or [])
    finally:
        login.dispose()
