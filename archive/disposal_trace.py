"""What stays of a document whose content is destroyed, and which objects of the store only it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from archive.canonical import Json
from archive.decision import Decision
from archive.identities import lock_key
from archive.rows import json_text
from schemas.errors import ConfigurationError

_REMOVAL = lock_key("removal of objects")


@dataclass(frozen=True, slots=True)
class Trace:
    """The trace of a document.

    Attributes:
        source: its source.
        document: its row. versions: its versions' rows without content: identity, number, date, issuer, objects.
        relations: what it does to which document. links: statements that it is the same as another.
        failures: identities in quarantine that it had before it was archived: their words go with it.
        objects: name, size (where known) and media type of each object that nothing but this document needs.
    """

    source: str
    document: Mapping[str, Json]
    versions: Sequence[Mapping[str, Json]]
    relations: Sequence[Mapping[str, Json]]
    links: Sequence[Mapping[str, Json]]
    failures: Sequence[Json]
    objects: Sequence[Mapping[str, Json]]

    def values(self) -> dict[str, Json]:
        """As the values of a decision."""
        return {name: getattr(self, name) for name in _PARTS}

    @classmethod
    def of(cls, decision: Decision) -> Trace:
        """The trace that a decision carries; one of an older program names no ``failures``."""
        values = {"failures": [], **decision.values}
        return cls(decision.source, *(cast("Any", values[name]) for name in _PARTS))


_PARTS = ("document", "versions", "relations", "links", "failures", "objects")


def lock_removal(cursor: psycopg.Cursor[TupleRow]) -> None:
    """Wait until no one brings in references to objects, and keep everybody from it until the transaction ends.

    Taken before any row.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_REMOVAL,))


def keep_objects(cursor: psycopg.Cursor[TupleRow]) -> None:
    """No object is given up or removed until the transaction ends: for who brings in references to objects.

    Taken before any row.
    """
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", (_REMOVAL,))


def read_trace(cursor: psycopg.Cursor[TupleRow], document: str) -> Trace:
    """The trace of ``document`` as it is now.

    Raises:
        ConfigurationError: the archive does not hold it.
    """
    cursor.execute(
        "SELECT source, archive.disposal_trace(id) FROM archive.document WHERE id = %s", (UUID(document),)
    )
    row = cursor.fetchone()
    if row is None or row[1] is None:
        raise ConfigurationError("the archive does not hold that document", where=document)
    return Trace(row[0], *(row[1][name] for name in _PARTS))


def restore_trace(cursor: psycopg.Cursor[TupleRow], decision: Decision) -> None:
    """Make the rows that a ``disposal_execution`` left, where they are missing: its manifests are gone.

    For a database that is made again: after the documents, before the decisions, which may be about this one.
    """
    cursor.execute("SELECT archive.restore_trace(%s::jsonb)", (json_text(Trace.of(decision).values()),))
