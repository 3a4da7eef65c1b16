"""Bulk rows into a table, by PostgreSQL's COPY in its text format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice
from types import NoneType
from typing import cast
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from archive.columns import SCHEMA
from archive.stored_text import column_text

_BLOCK = 32  # rows of which the text is made, and sent, at once
_NULL = r"\N"
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def copy_rows(
    cursor: psycopg.Cursor[TupleRow],
    table: str,
    rows: Iterable[Mapping[str, object]],
    sent: Callable[[], None] = lambda: None,
) -> None:
    """Append ``rows`` to ``table``; each has the same columns in the same order.

    Values are text, whole numbers, booleans, dates, aware times, UUIDs, lists of text, or ``None``. What
    PostgreSQL's text cannot hold becomes a visible escape (``archive.stored_text``). ``sent`` is called when all is on
    its way, before the database is done with it.
    """
    waiting = iter(rows)
    first = next(waiting, None)
    if first is None:
        sent()
        return
    with _copying(cursor, table, first) as copy:
        # Rows are made while they are sent: the server works on the first as the last are still being made.
        for block in _blocks(chain((first,), waiting)):
            copy.write(block)
        sent()


@dataclass(frozen=True, slots=True)
class MadeRows:
    """Rows of a table as COPY takes them.

    Attributes:
        table: where they belong. columns: their names, in the order of the values. blocks: some lines each.
    """

    table: str
    columns: Sequence[str]
    blocks: Sequence[bytes]


def made_rows(table: str, rows: Iterable[Mapping[str, object]]) -> MadeRows:
    """``rows``, as ``copy_rows`` takes them, for ``copy_made``: made while the database does something else."""
    waiting = iter(rows)
    first = next(waiting, None)
    if first is None:
        return MadeRows(table, (), ())
    return MadeRows(table, tuple(first), list(_blocks(chain((first,), waiting))))


def copy_made(cursor: psycopg.Cursor[TupleRow], made: MadeRows) -> None:
    """Append rows that were made before."""
    if made.blocks:
        with _copying(cursor, made.table, made.columns) as copy:
            for block in made.blocks:
                copy.write(block)


def _copying(
    cursor: psycopg.Cursor[TupleRow], table: str, columns: Iterable[str]
) -> AbstractContextManager[psycopg.Copy]:
    return cursor.copy(
        sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(SCHEMA, table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
    )


def _blocks(rows: Iterator[Mapping[str, object]]) -> Iterator[bytes]:
    while block := [row.values() for row in islice(rows, _BLOCK)]:
        yield lines(block)


def lines(rows: Sequence[Iterable[object]]) -> bytes:
    """Rows of equal length, one or more, in COPY's text format.

    Whether a sign needs an escape is asked once for all of them, by counting what the format itself puts there.
    """
    columns = list(zip(*rows, strict=True))
    text = "\n".join(map("\t".join, zip(*map(_shown, columns), strict=True)))
    nulls = sum(column.count(None) for column in columns)
    if (
        text.count("\\") == nulls
        and text.count("\n") == len(rows) - 1
        and text.count("\t") == len(rows) * (len(columns) - 1)
        and "\r" not in text
        and "\0" not in text
    ):
        try:
            return f"{text}\n".encode()
        except UnicodeEncodeError:
            pass
    return b"".join(map(_escaped_line, rows))


def _shown(column: Sequence[object]) -> Sequence[str]:
    kinds = set(map(type, column))
    if kinds == {str}:
        return cast("Sequence[str]", column)
    if kinds == {NoneType}:
        return [_NULL] * len(column)
    if len(kinds) == 1:
        return list(map(_SHOWN[kinds.pop()], column))
    return [_SHOWN[type(value)](value) for value in column]


def array_text(values: Iterable[str]) -> str:
    """``values`` as PostgreSQL writes an array of text (PostgreSQL manual 8.15.6), every element in quotes."""
    elements = list(values)
    inner = '","'.join(elements)
    if "\\" in inner or inner.count('"') != 2 * (len(elements) - 1) or column_text(inner) != inner:
        inner = '","'.join(map(_quotable, elements))
    return f'{{"{inner}"}}' if elements else "{}"


def word_array(values: Iterable[str]) -> str:
    """As ``array_text`` for values that need no quotes: numbers, hashes, UUIDs."""
    return "{" + ",".join(values) + "}"


def _quotable(value: str) -> str:
    return column_text(value).replace("\\", "\\\\").replace('"', '\\"')


def _escaped_line(values: Iterable[object]) -> bytes:
    return (
        "\t".join([_NULL if value is None else _escaped(_SHOWN[type(value)](value)) for value in values])
        + "\n"
    ).encode()


def _escaped(value: str) -> str:
    value = column_text(value)
    for sign, escape in _ESCAPES.items():
        value = value.replace(sign, escape)
    return value


_SHOWN: Mapping[type, Callable[[object], str]] = {
    NoneType: lambda _: _NULL,
    str: lambda value: cast(str, value),
    int: str,
    bool: lambda value: "t" if value else "f",
    UUID: str,
    date: lambda value: cast(date, value).isoformat(),
    datetime: lambda value: cast(datetime, value).isoformat(),
    list: lambda value: array_text(cast("list[str]", value)),
}
