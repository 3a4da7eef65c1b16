"""psycopg's own cursor inside a SQLAlchemy transaction: COPY and server-side arrays need it."""

from __future__ import annotations

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow


def psycopg_cursor(connection: sa.Connection) -> psycopg.Cursor[TupleRow]:
    """A cursor in the transaction that ``connection`` is in, or begins with the next statement."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw.cursor()
