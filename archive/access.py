"""Access to documents: which class is in force, who decides it, and the one question that exports ask.

The class in force (chế độ sử dụng) is what the record states, or what a person decided; what later versions state can
only make it stricter. What only speaks about another record, its status messages and the responses to it in Notes, is
at least as strict as that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive.copying import word_array
from archive.decision import Decision
from archive.failures import database_errors
from archive.rows import Version, stated_access
from schemas.access import AccessClass
from schemas.document import RelationKind
from schemas.errors import ConfigurationError

FOLLOWING = frozenset({RelationKind.STATUS_OF, RelationKind.RESPONSE_IN_SOURCE})
"""Relations whose record is at least as strict as its target; so have the functions of the migration."""


def readable(engine: sa.Engine, documents: Iterable[str], *, recalled: bool = False) -> set[str]:
    """Which of ``documents`` the engine's role may read: every list, export and package takes only these.

    Args:
        engine: works under the role of who asks (``pipeline.stages.open_stores``).
        documents: identities in the archive; unknown ones are not readable.
        recalled: also recalled ones, for a clerk.

    Raises:
        RetriableError, FatalError: the database is away, or refuses.
    """
    asked = {"ids": [UUID(document) for document in documents]}
    with database_errors("asking what may be read"), engine.connect() as connection:
        found = set(connection.scalars(_READABLE, asked))
        return found if recalled else found - set(connection.scalars(_RECALLED, asked))


@dataclass(frozen=True, slots=True)
class Access:
    """The class of a document: in force, and as a person decided it, if one did."""

    access: AccessClass
    decided: AccessClass | None


def access_of(engine: sa.Engine, document: str) -> Access | None:
    """The class of ``document``; ``None`` when the role may not read it, or there is none.

    Raises:
        RetriableError, FatalError: the database is away, or refuses.
    """
    with database_errors("asking for access"), engine.connect() as connection:
        row = connection.execute(_ACCESS, {"id": UUID(document)}).first()
    if row is None:
        return None
    return Access(AccessClass(row.access), AccessClass(row.access_decided) if row.access_decided else None)


def access_decision(
    document: str, access: AccessClass, seen: int, *, source: str, by: str, account: str, why: str
) -> Decision:
    """The decision on the class of ``document``, whose newest version is ``seen``."""
    return Decision("access", document, by, account, why, {"access": access.value, "seen": seen}, source)


def decide_access(cursor: psycopg.Cursor[TupleRow], decision: Decision, _at: object) -> None:
    """Set the class, of what follows the document too."""
    try:
        access, seen = AccessClass(str(decision.values["access"])), int(str(decision.values["seen"]))
    except (ValueError, KeyError) as error:
        raise ConfigurationError(
            "no class of access", where=decision.object, expected=f"one of {', '.join(AccessClass)}"
        ) from error
    cursor.execute("SELECT archive.decide_access(%s::uuid, %s, %s)", (decision.object, access.value, seen))
    if cursor.fetchone() == (None,):
        raise ConfigurationError(
            "the archive holds no such document, or this role may not read it",
            where=decision.object,
            action="look it up: lienthong show",
        )


def settle_following(cursor: psycopg.Cursor[TupleRow], versions: Sequence[Version]) -> None:
    """Bring what follows another record up to that one's class, of the versions that just came in and were linked.

    Their own rows are locked already. Of records that came before what they follow, one that another transaction holds
    is left to that one: it settles what it writes.
    """
    following = [
        version.document_id
        for version in versions
        if any(relation.kind in FOLLOWING for relation in version.processed.document.relations)
    ]
    if following:
        cursor.execute(_SETTLE_FOLLOWING, (word_array(following),))
    # A document that is new, open and follows nothing is followed by nothing stricter than it was.
    changed = [
        version.document_id
        for version in versions
        if version.number > 1 or stated_access(version.processed.document) is not AccessClass.OPEN
    ]
    if not following and not changed:
        return
    cursor.execute(_RESTRICTED, (word_array({*following, *changed}),))
    if (row := cursor.fetchone()) is not None and row[0]:
        cursor.execute(_SETTLE_WAITING, (row[0],))


_ACCESS = sa.text("SELECT access, access_decided FROM archive.document WHERE id = :id")
_READABLE = sa.text("SELECT id::text FROM archive.document WHERE id = ANY(:ids)")
_RECALLED = sa.text("SELECT archive.recalled(CAST(:ids AS uuid[]))::text")
_SETTLE_FOLLOWING = """
SELECT archive.settle_access(array_agg(DISTINCT r.document_id)) FROM archive.relation r
JOIN archive.document d ON d.id = r.document_id AND d.current_version = r.version
JOIN archive.document t ON t.id = r.target_document
WHERE r.document_id = ANY(%s::uuid[]) AND r.kind IN ('status_of', 'response_in_source') AND t.access <> 'open'
"""
_RESTRICTED = "SELECT array_agg(id) FROM archive.document WHERE id = ANY(%s::uuid[]) AND access <> 'open'"
_SETTLE_WAITING = """
SELECT archive.settle_access(array_agg(locked.id)) FROM (
  SELECT id FROM archive.document WHERE id IN (SELECT archive.access_followers(%s::uuid[]))
  ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) locked
"""
