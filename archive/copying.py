"""Bulk rows into a table, by PostgreSQL's COPY in its text format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from itertools import chain
from typing import cast
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from archive.columns import SCHEMA
from archive.stored_text import column_text

_PIECE = 1 << 15  # bytes sent at once, so that the server works on them while the next rows are made
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def copy_rows(cursor: psycopg.Cursor[TupleRow], table: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Append ``rows`` to ``table``; each has the same columns in the same order.

    Values are text, whole numbers, booleans, dates, aware times, UUIDs, lists of text, or ``None``. What
    PostgreSQL's text cannot hold becomes a visible escape (``archive.stored_text``).
    """
    waiting = iter(rows)
    first = next(waiting, None)
    if first is None:
        return
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(SCHEMA, table), sql.SQL(", ").join(map(sql.Identifier, first))
    )
    with cursor.copy(statement) as copy:
        piece = bytearray()
        for row in chain((first,), waiting):
            piece += line(row.values())
            if len(piece) >= _PIECE:
                copy.write(bytes(piece))
                piece.clear()
        copy.write(bytes(piece))


def line(values: Iterable[object]) -> bytes:
    """A row in COPY's text format, with its end of line."""
    shown = [value if type(value) is str else _SHOWN[type(value)](value) for value in values]
    present = "".join([value for value in shown if value is not None])
    if "\\" in present or "\n" in present or "\t" in present or "\r" in present or "\0" in present:
        return _escaped_line(shown)
    text = "\t".join([r"\N" if value is None else value for value in shown])
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:
        return _escaped_line(shown)


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


def _escaped_line(values: Iterable[str | None]) -> bytes:
    return ("\t".join([r"\N" if value is None else _escaped(value) for value in values]) + "\n").encode()


def _escaped(value: str) -> str:
    value = column_text(value)
    for sign, escape in _ESCAPES.items():
        value = value.replace(sign, escape)
    return value


def _nothing(_: object) -> None:
    return None


_SHOWN: Mapping[type, Callable[[object], str | None]] = {
    type(None): _nothing,
    int: str,
    bool: lambda value: "t" if value else "f",
    UUID: str,
    date: lambda value: cast(date, value).isoformat(),
    datetime: lambda value: cast(datetime, value).isoformat(),
    list: lambda value: array_text(cast("list[str]", value)),
}
