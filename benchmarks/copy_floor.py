"""The floor under the loader's figures: COPY of exactly the rows that it left behind, and nothing else.

Into an empty copy of the same tables with the same indexes and constraints, batch by batch with a commit each, from
tuples that are ready in memory: no checks, no identities, no links, no chain.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from archive.columns import SCHEMA
from archive.schema import metadata

_OF_THE_RUN = {"source", "run", "run_batch"}  # a row a run or a batch, whatever it holds
_LOOK_BACK = 2_000  # blocks: new rows also fill pages that the table was extended by before


@dataclass(frozen=True, slots=True)
class _Columns:
    table: str
    names: tuple[str, ...]
    json: frozenset[str]


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of one table, as values that COPY takes."""

    table: str
    columns: tuple[str, ...]
    lines: list[tuple[object, ...]]


class NewRows:
    """The rows of every table that came since the last look, so that the floor takes the same steps as the loader.

    Args:
        connection: to the archive that is loaded; nobody else writes there, and nothing is vacuumed.
    """

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection
        self._columns = [
            _columns(connection, table.name)
            for table in metadata.sorted_tables
            if table.name not in _OF_THE_RUN
        ]
        self._block = {columns.table: 0 for columns in self._columns}
        self._since = 0

    def take(self) -> list[TableRows]:
        """Tables in an order that their foreign keys allow; those without new rows are left out."""
        taken = []
        upcoming = self._connection.execute(
            "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
        ).fetchone()
        assert upcoming is not None
        for columns in self._columns:
            # jsonb as text, so that the floor does not pay for turning Python values into JSON.
            shown = [
                sql.SQL("{}::text" if name in columns.json else "{}").format(sql.Identifier(name))
                for name in columns.names
            ]
            rows = self._connection.execute(
                sql.SQL(
                    """SELECT (ctid::text::point)[0]::int AS block, {} FROM {}
                    WHERE ctid >= %s::tid AND xmin::text::bigint >= %s ORDER BY ctid"""
                ).format(sql.SQL(", ").join(shown), sql.Identifier(SCHEMA, columns.table)),
                (f"({max(0, self._block[columns.table] - _LOOK_BACK)},0)", self._since),
            ).fetchall()
            if rows:
                self._block[columns.table] = int(str(rows[-1][0]))
                taken.append(TableRows(columns.table, columns.names, [row[1:] for row in rows]))
        self._connection.commit()
        self._since = int(str(upcoming[0]))
        return taken


def copy_batch(connection: psycopg.Connection[tuple[object, ...]], batch: list[TableRows]) -> None:
    """COPY ``batch`` and commit."""
    for rows in batch:
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(SCHEMA, rows.table), sql.SQL(", ").join(map(sql.Identifier, rows.columns))
        )
        with connection.cursor().copy(statement) as copy:
            for line in rows.lines:
                copy.write_row(line)
    connection.commit()


def rows_in(connection: psycopg.Connection[tuple[object, ...]]) -> dict[str, int]:
    """How many rows each table has, but for those of runs."""
    counts = {}
    for table in metadata.sorted_tables:
        if table.name not in _OF_THE_RUN:
            row = connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(SCHEMA, table.name))
            ).fetchone()
            assert row is not None
            counts[table.name] = int(str(row[0]))
    connection.commit()
    return counts


def _columns(connection: psycopg.Connection[tuple[object, ...]], table: str) -> _Columns:
    described = connection.execute(
        """SELECT attname, atttypid = 'jsonb'::regtype FROM pg_attribute
        WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum""",
        (f"{SCHEMA}.{table}",),
    ).fetchall()
    return _Columns(
        table, tuple(str(row[0]) for row in described), frozenset(str(row[0]) for row in described if row[1])
    )
