"""The rows of all tables as files: what a backup keeps of the database, readable by any PostgreSQL's COPY.

One gzip file a table, in COPY's text format (PostgreSQL manual, COPY, "Text Format"), rows in the order of their keys.
No programs of a server's version are needed to write or to read them.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.rows import TupleRow

from archive.columns import SCHEMA
from archive.cursors import psycopg_cursor
from archive.schema import metadata
from schemas.errors import FatalError

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class TableFile:
    """The rows of one table.

    Attributes:
        table, columns: what the file holds. rows: how many.
        file: its name. size, sha256: of its bytes.
    """

    table: str
    columns: tuple[str, ...]
    rows: int
    file: str
    size: int
    sha256: str


def write_tables(connection: sa.Connection, folder: Path) -> list[TableFile]:
    """Write every table into ``folder``, as the transaction of ``connection`` sees it; flushed to the disk."""
    cursor = psycopg_cursor(connection)
    cursor.execute("SET LOCAL TimeZone = 'UTC'")
    cursor.execute("SET LOCAL DateStyle = 'ISO, YMD'")
    return [_write(cursor, table, folder) for table in metadata.sorted_tables]


def read_tables(cursor: psycopg.Cursor[TupleRow], folder: Path, files: Sequence[TableFile]) -> None:
    """Bring the rows back, each table after those that it refers to.

    Raises:
        FatalError: a file was changed, or holds another number of rows.
    """
    cursor.execute("SET LOCAL DateStyle = 'ISO, YMD'")
    cursor.execute("SET LOCAL TimeZone = 'UTC'")
    for one in files:
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(SCHEMA, one.table), sql.SQL(", ").join(map(sql.Identifier, one.columns))
        )
        with cursor.copy(statement) as copy, gzip.open(folder / one.file) as rows:
            while piece := rows.read(_PIECE):
                copy.write(piece)
        if cursor.rowcount != one.rows:
            raise FatalError(
                f"the table {one.table} came back with {cursor.rowcount} rows",
                where=str(folder / one.file),
                expected=f"{one.rows} rows",
                action="take another backup",
            )


def check_files(folder: Path, named: Mapping[str, str]) -> None:
    """See that each file of ``folder`` has the SHA-256 that it should have.

    Raises:
        FatalError: one is missing or was changed; its name is told.
    """
    for name, sha256 in named.items():
        path = folder / name
        if not path.is_file() or file_sha256(path) != sha256:
            raise FatalError(
                f"{path} is not what the backup wrote" if path.is_file() else f"{path} is missing",
                expected=f"SHA-256 {sha256}",
                action="take another backup: nothing was restored",
            )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(cursor: psycopg.Cursor[TupleRow], table: sa.Table, folder: Path) -> TableFile:
    columns = tuple(column.name for column in table.columns)
    statement = sql.SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.Identifier(SCHEMA, table.name),
        sql.SQL(", ").join(sql.Identifier(column.name) for column in table.primary_key.columns),
    )
    path = folder / f"{table.name}.copy.gz"
    with path.open("xb") as stream:
        # Without a time and a name in it: equal rows give an equal file.
        with gzip.GzipFile("", "wb", 1, stream, mtime=0) as packed, cursor.copy(statement) as copy:
            _pour(copy, packed)
        stream.flush()
        os.fsync(stream.fileno())
    return TableFile(table.name, columns, cursor.rowcount, path.name, path.stat().st_size, file_sha256(path))


def _pour(copy: Iterator[bytes | memoryview] | psycopg.Copy, packed: IO[bytes] | gzip.GzipFile) -> None:
    piece = bytearray()
    for row in copy:
        piece += bytes(row)
        if len(piece) >= _PIECE:
            packed.write(bytes(piece))
            piece.clear()
    packed.write(bytes(piece))
