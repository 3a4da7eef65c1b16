"""Bulk rows into a table, by PostgreSQL's COPY."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from archive.columns import SCHEMA


def copy_rows(cursor: psycopg.Cursor[TupleRow], table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Append ``rows`` to ``table``; each has the same columns in the same order."""
    if not rows:
        return
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(SCHEMA, table), sql.SQL(", ").join(map(sql.Identifier, rows[0]))
    )
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(tuple(row.values()))
