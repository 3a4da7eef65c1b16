"""Comparing two databases of the archive, row by row: a digest for each table, and where they differ the rows' keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import sqlalchemy as sa

from archive.columns import SCHEMA
from archive.failures import database_errors
from archive.schema import metadata

NOT_COMPARED: Mapping[str, str] = MappingProxyType(
    {
        "extracted_text": "read again from the files by the next indexing",
        "fixity": "working knowledge: made anew by checking again; what was found stands in the ledger",
        "inventory": "working knowledge: the next complete inventory of a source makes it anew",
        "search_body": "made again from the documents by the next indexing",
        "search_entry": "made again from the documents by the next indexing",
        "search_state": "how far the index has come; an empty one begins anew",
    }
)
"""Tables that are no part of the archive's truth, and why."""
_NAMED = 20


@dataclass(frozen=True, slots=True)
class TableComparison:
    """A table in both databases.

    Attributes:
        name: of the table. rows, other_rows: how many rows each has.
        equal: every row is in both, the same in every column.
        differing: how many rows are in one only, or differ.
        keys: of the first of them: key and what is wrong (``missing``, ``added`` or ``differs``).
    """

    name: str
    rows: int
    other_rows: int
    equal: bool
    differing: int = 0
    keys: tuple[tuple[str, str], ...] = ()


def compare(living: sa.Connection, made: sa.Connection) -> list[TableComparison]:
    """Compare every table of the archive but ``NOT_COMPARED``; both in the transaction that they are in.

    Args:
        living: the archive's database. made: the one that was made again.
    """
    with database_errors("comparing the databases"):
        for connection in (living, made):
            connection.execute(sa.text("SET LOCAL TimeZone = 'UTC'"))
            connection.execute(sa.text("SET LOCAL DateStyle = 'ISO, YMD'"))
        names = sorted(table.name for table in metadata.tables.values() if table.name not in NOT_COMPARED)
        return [_table(living, made, metadata.tables[f"{SCHEMA}.{name}"]) for name in names]


def _table(living: sa.Connection, made: sa.Connection, table: sa.Table) -> TableComparison:
    (rows, one), (other_rows, other) = (_digest(connection, table) for connection in (living, made))
    if (rows, one) == (other_rows, other):
        return TableComparison(table.name, rows, other_rows, True)
    keys: list[tuple[str, str]] = []
    count = 0
    for difference in _differences(_rows(living, table), _rows(made, table)):
        count += 1
        if len(keys) < _NAMED:
            keys.append(difference)
    return TableComparison(table.name, rows, other_rows, False, count, tuple(keys))


def _row_text(table: sa.Table) -> str:
    return "ROW(" + ", ".join(f't."{column.name}"' for column in table.columns) + ")::text"


def _digest(connection: sa.Connection, table: sa.Table) -> tuple[int, str]:
    # A sum does not depend on the order of rows; 64 bits of MD5 each: this looks for faults, not for forgers.
    row = connection.execute(
        sa.text(
            f"""SELECT count(*), coalesce(sum(('x' || left(md5({_row_text(table)}), 16))::bit(64)::bigint::numeric), 0)
            FROM {SCHEMA}."{table.name}" t"""  # noqa: S608 - names of our own tables
        )
    ).one()
    return int(row[0]), str(row[1])


def _rows(connection: sa.Connection, table: sa.Table) -> Iterator[tuple[str, str]]:
    key = "concat_ws(' ', " + ", ".join(f't."{column.name}"' for column in table.primary_key.columns) + ")"
    found = connection.execution_options(yield_per=5_000).execute(
        sa.text(
            f"""SELECT {key} AS place, md5({_row_text(table)}) AS digest FROM {SCHEMA}."{table.name}" t
            ORDER BY {key} COLLATE "C" """  # noqa: S608 - names of our own tables
        )
    )
    for row in found:
        yield row.place, row.digest


def _differences(
    living: Iterator[tuple[str, str]], made: Iterator[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    one, other = next(living, None), next(made, None)
    while one is not None or other is not None:
        # Code points in Python's order are bytes in UTF-8's: that of COLLATE "C".
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield one[0], "missing"
            one = next(living, None)
        elif one is None or other[0] < one[0]:
            yield other[0], "added"
            other = next(made, None)
        else:
            if one[1] != other[1]:
                yield one[0], "differs"
            one, other = next(living, None), next(made, None)
