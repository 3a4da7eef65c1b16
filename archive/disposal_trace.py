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
        objects: name, size and media type of each object that nothing but this document needs.
    """

    source: str
    document: Mapping[str, Json]
    versions: Sequence[Mapping[str, Json]]
    relations: Sequence[Mapping[str, Json]]
    links: Sequence[Mapping[str, Json]]
    objects: Sequence[Mapping[str, Json]]

    def values(self) -> dict[str, Json]:
        """As the values of a decision."""
        return {name: getattr(self, name) for name in _PARTS}

    @classmethod
    def of(cls, decision: Decision) -> Trace:
        """The trace that a decision carries."""
        return cls(decision.source, *(cast("Any", decision.values[name]) for name in _PARTS))


_PARTS = ("document", "versions", "relations", "links", "objects")


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
    cursor.execute(_TRACE, {"document": UUID(document)})
    row = cursor.fetchone()
    if row is None:
        raise ConfigurationError("the archive does not hold that document", where=document)
    return Trace(*row)


def restore_trace(cursor: psycopg.Cursor[TupleRow], decision: Decision) -> None:
    """Make the rows that a ``disposal_execution`` left, where they are missing: its manifests are gone.

    For a database that is made again: after the documents, before the decisions, which may be about this one.
    """
    cursor.execute("SELECT archive.restore_trace(%s::jsonb)", (json_text(Trace.of(decision).values()),))


# An object stays while a row of another document, a record in quarantine, a list or an anchor names it.
_TRACE = """
WITH own AS (
  SELECT original_sha256 AS sha256 FROM archive.document_version WHERE document_id = %(document)s
  UNION SELECT manifest_sha256 FROM archive.document_version WHERE document_id = %(document)s
  UNION SELECT sha256 FROM archive.attachment WHERE document_id = %(document)s
  UNION SELECT wrapped_sha256 FROM archive.attachment
    WHERE document_id = %(document)s AND wrapped_sha256 IS NOT NULL
  UNION SELECT sha256 FROM archive.verification WHERE document_id = %(document)s)
SELECT d.source, to_jsonb(d),
  (SELECT jsonb_agg(archive.trace_of(v) ORDER BY v.version) FROM archive.document_version v
    WHERE v.document_id = d.id),
  coalesce((SELECT jsonb_agg(to_jsonb(r) - 'reason' ORDER BY r.version, r.ordinal) FROM archive.relation r
    WHERE r.document_id = d.id), '[]'),
  coalesce((SELECT jsonb_agg(to_jsonb(s) ORDER BY s.document_a, s.document_b, s.grade) FROM archive.same_as s
    WHERE d.id IN (s.document_a, s.document_b)), '[]'),
  coalesce((SELECT jsonb_agg(jsonb_build_object('sha256', o.sha256, 'size', o.size, 'media_type', o.media_type)
      ORDER BY o.sha256)
    FROM own JOIN archive.object o USING (sha256) WHERE NOT archive.is_needed(o.sha256, d.id)), '[]')
FROM archive.document d WHERE d.id = %(document)s
"""
