"""Handing out files: who read which file under which right, written to the ledger before the first byte leaves.

Listing and searching are not reading. The database writes the event itself, so that a role that may only read leaves
its trace too; it refuses a file that is not of the document, or not for the role, and puts in the names of role and
login that the session really has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

import sqlalchemy as sa

from archive.failures import database_errors
from archive.objects import ObjectStore
from archive.stored_text import column_text
from schemas.errors import ConfigurationError

_RECORD = sa.text(
    "SELECT archive.record_readings(CAST(:documents AS uuid[]), CAST(:files AS text[]), :person, :account, :purpose)"
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and what for.

    Attributes:
        person: as they gave their name. account: of the system. purpose: in words (mục đích sử dụng).
    """

    person: str
    account: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A file of a document: its original, its manifest or an attachment, of any version."""

    document: str
    sha256: str


def record_readings(engine: sa.Engine, readings: Sequence[Reading], reader: Reader) -> None:
    """Append an event for each of ``readings``, all in one transaction: call it before the bytes leave.

    Raises:
        ConfigurationError: no person or purpose is given.
        FatalError: the role may not read one of them; nothing was recorded and nothing may be handed out.
        RetriableError: the database is away.
    """
    if not reader.person.strip() or not reader.purpose.strip():
        raise ConfigurationError(
            "a file was asked for without a person or a purpose", expected="who reads, and what for, in words"
        )
    if not readings:
        return
    values = {
        "documents": [UUID(reading.document) for reading in readings],
        "files": [reading.sha256 for reading in readings],
        "person": column_text(reader.person),
        "account": column_text(reader.account),
        "purpose": column_text(reader.purpose),
    }
    with database_errors("recording who reads"), engine.begin() as connection:
        connection.execute(_RECORD, values)


@contextmanager
def read_object(
    engine: sa.Engine, objects: ObjectStore, reading: Reading, reader: Reader
) -> Iterator[BinaryIO]:
    """The bytes of one file, its reading recorded first.

    Raises:
        ConfigurationError, FatalError, RetriableError: as ``record_readings``; the store lacks the file.
    """
    record_readings(engine, (reading,), reader)
    with objects.open(reading.sha256) as stream:
        yield stream
