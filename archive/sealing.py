"""Sealing what is archived when the secrecy gate withholds its record after all: by another copy, or a later revision.

The gate destroys nothing that is archived: that takes two persons. It hides the document at once from everyone but the
keeper, and says so in the ledger; from there the nightly report asks a person to decide. Who then decides otherwise is
not overruled when the same revision is withheld again.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from archive.identities import document_id, key_sha256
from archive.ledger import Event, EventType
from archive.outcomes import Archived, Outcome, Withheld
from archive.stored_text import key_text
from archive.taking_back import Place
from schemas.access import AccessClass
from schemas.errors import RetriableError


def seals(cursor: psycopg.Cursor[TupleRow], source: str, outcomes: Sequence[Outcome]) -> bool:
    """Whether documents will have to be sealed when ``outcomes`` are loaded: then no other loader may be at any."""
    withheld = [outcome for outcome in outcomes if isinstance(outcome, Withheld)]
    if not withheld:
        return False
    archived = {outcome.key for outcome in outcomes if isinstance(outcome, Archived)}
    return any(one.key in archived for one in withheld) or bool(_found(cursor, source, withheld))


def hold_documents(
    cursor: psycopg.Cursor[TupleRow], source: str, withheld: Sequence[Withheld], written: Sequence[str]
) -> None:
    """Lock what is to be sealed, what follows it, and the documents to be ``written``, all in one order."""
    sealed = [document for document, _ in _found(cursor, source, withheld)]
    if sealed:
        cursor.execute(
            """SELECT FROM archive.document WHERE id = ANY(%s::uuid[])
              OR id IN (SELECT archive.access_followers(%s::uuid[])) ORDER BY id FOR NO KEY UPDATE""",
            (list(written), sealed),
        )


def seal(cursor: psycopg.Cursor[TupleRow], place: Place, withheld: Sequence[Withheld]) -> list[Event]:
    """Seal the documents of records that are ``withheld``, each once for a revision, with what follows them.

    Raises:
        RetriableError: the transaction does not keep other loaders away.
    """
    events = []
    for (document, revision), outcome in _found(cursor, place.source, withheld).items():
        if not place.alone:
            raise RetriableError(
                f"another run of {place.source} archived what this one found to be secret",
                action="load the batch again",
            )
        cursor.execute(
            "SELECT max(version) FROM archive.document_version WHERE document_id = %s", (document,)
        )
        row = cursor.fetchone()
        seen = row[0] if row else 0
        write_seal(cursor, str(document), seen)
        payload = {
            "access": AccessClass.SEALED.value,
            "seen": seen,
            "revision_sha256": revision,
            "level": key_text(outcome.level),
            "rule": key_text(outcome.rule),
        }
        events.append(Event(EventType.ACCESS, "success", place.source, str(document), place.run, payload))
    return events


def write_seal(cursor: psycopg.Cursor[TupleRow], document: str, seen: int) -> None:
    """Seal ``document``, whose newest version is ``seen``; also when the database is made again."""
    cursor.execute(
        "SELECT archive.decide_access(%s::uuid, %s, %s)", (document, AccessClass.SEALED.value, seen)
    )


def _found(
    cursor: psycopg.Cursor[TupleRow], source: str, withheld: Sequence[Withheld]
) -> dict[tuple[UUID, str], Withheld]:
    """Document and hash of the revision of those of ``withheld`` that are archived and were not yet sealed for it."""
    asked = {(document_id(source, one.key), key_sha256(one.revision)): one for one in withheld}
    if not asked:
        return {}
    cursor.execute(
        """SELECT d.id, w.revision FROM unnest(%s::uuid[], %s::text[]) AS w(id, revision)
        JOIN archive.document d USING (id)
        WHERE NOT EXISTS (SELECT FROM archive.event e WHERE e.object = d.id::text AND e.type = 'access change'
          AND position('"revision_sha256":"' || w.revision || '"' in e.payload) > 0)
        ORDER BY d.id, w.revision""",
        tuple(list(column) for column in zip(*asked, strict=True)),
    )
    return {(row[0], row[1]): asked[row[0], row[1]] for row in cursor.fetchall()}
