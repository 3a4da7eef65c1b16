"""Turning the database's errors into ours: what to try again, what to stop for, and no text of a document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa

from schemas.errors import FatalError, RetriableError

_RETRIABLE_CLASSES = ("08", "40", "57P")  # connection; rollback (deadlock, serialization); server going down
_RETRIABLE_STATES = {
    "25P03",  # idle_in_transaction_session_timeout
    "53300",  # too_many_connections
    "55P03",  # lock_not_available
    "57014",  # query_canceled
    "58000",  # system_error of the server
}


@contextmanager
def database_errors(doing: str) -> Iterator[None]:
    """Raise what the database answers as ``RetriableError`` or ``FatalError``.

    Only the server's own sentence and the names of table and constraint are repeated: the rest of its
    answer, and the statement with its parameters, quote the rows.

    Args:
        doing: what was being done, for the message: ``loading batch 3``.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _translated(doing, error.orig) from None
    except psycopg.Error as error:
        raise _translated(doing, error) from None
    except sa.exc.TimeoutError:
        raise RetriableError(f"{doing}: no database connection came free") from None


def _translated(doing: str, error: BaseException | None) -> FatalError | RetriableError:
    if not isinstance(error, psycopg.Error):
        return FatalError(f"{doing}: {type(error).__name__}")
    state = error.sqlstate
    told = f"{doing}: the database says {error.diag.message_primary or type(error).__name__!r}"
    where = " ".join(filter(None, (state, error.diag.table_name, error.diag.constraint_name)))
    if state in _RETRIABLE_STATES or (state or "").startswith(_RETRIABLE_CLASSES):
        return RetriableError(told, where=where)
    if state is None and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return RetriableError(told, where=where, action="see that the database server runs")
    action = "make room on the database's disk" if state == "53100" else ""
    return FatalError(told, where=where, action=action)
