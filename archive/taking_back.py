"""Taking back what was stored of records that the secrecy gate withholds: their words and bytes leave the object store.

A record may have failed, and been kept in quarantine, before a better program or a whole copy of it showed its mark; or
one listing of it passed and another was withheld. Nothing that only it needs stays: neither its row's words, nor the
record of its failure, nor its own bytes and its attachments. The ledger keeps their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from archive.canonical import Json
from archive.identities import key_sha256, quarantine_id
from archive.ledger import Event, EventType
from archive.objects import ObjectStore
from archive.outcomes import Archived, Outcome, Quarantined, Unchanged, Withheld
from archive.removal_warrant import Leaving, secret_warrants
from schemas.errors import RetriableError


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when records are set aside.

    Attributes:
        source, run: of the batch. at: the moment for resolutions.
        alone: whether the transaction holds ``lock_removal``: only then may bytes leave the store.
    """

    source: str
    run: str
    at: datetime
    alone: bool = False


def takes_back(cursor: psycopg.Cursor[TupleRow], source: str, outcomes: Sequence[Outcome]) -> bool:
    """Whether bytes will have to leave the store when ``outcomes`` are loaded: then nobody else may be at it."""
    withheld = {(one.key, one.revision) for one in outcomes if isinstance(one, Withheld)}
    if withheld and any(files_of(one) for one in outcomes if (one.key, one.revision) in withheld):
        return True
    hashes = {quarantine_id(source, key, revision): key_sha256(key) for key, revision in withheld}
    if hashes:
        cursor.execute(
            """SELECT id, source_key FROM archive.quarantine
            WHERE id = ANY(%s::uuid[]) AND (resolved_by IS DISTINCT FROM 'gate' OR source_key <> ALL(%s::text[]))""",
            (list(hashes), list(hashes.values())),
        )
        if cursor.fetchone() is not None:
            return True
    return bool(withheld_before(cursor, source, [one for one in outcomes if isinstance(one, Quarantined)]))


def withheld_before(
    cursor: psycopg.Cursor[TupleRow], source: str, records: Iterable[Quarantined]
) -> set[UUID]:
    """Identities in quarantine of those of ``records`` that the gate withheld in an earlier batch."""
    rows = {(key_sha256(one.key), key_sha256(one.revision)): one for one in records}
    if not rows:
        return set()
    cursor.execute(
        """SELECT f.key, f.revision FROM unnest(%s::text[], %s::text[]) AS f(key, revision)
        WHERE EXISTS (SELECT FROM archive.withheld w
          WHERE w.source = %s AND w.key_sha256 = f.key AND w.revision_sha256 = f.revision)""",
        (*(list(column) for column in zip(*rows, strict=True)), source),
    )
    found = [rows[key, revision] for key, revision in cursor.fetchall()]
    return {quarantine_id(source, one.key, one.revision) for one in found}


def files_of(outcome: Outcome) -> list[str]:
    """The objects that were stored of a record. What verdicts rest on is not its own."""
    match outcome:
        case Archived(sha256, processed):
            attachments = processed.document.attachments
            wrapped = [file.wrapped_sha256 for file in attachments if file.wrapped_sha256]
            return [sha256, processed.original_sha256, *(file.sha256 for file in attachments), *wrapped]
        case Quarantined():
            return [*([outcome.original_sha256] if outcome.original_sha256 else []), *outcome.files]
        case Unchanged() | Withheld():
            return []


def take_back(
    cursor: psycopg.Cursor[TupleRow], objects: ObjectStore, place: Place, leaving: Sequence[Leaving]
) -> list[Event]:
    """Remove what nothing else needs; their lines in ``withheld`` are written already, which are the warrant.

    Raises:
        RetriableError: the transaction does not keep others away from the objects.
    """
    events = []
    for record in leaving:
        warrants = secret_warrants(cursor, place.source, record) if record.names else []
        if warrants and not place.alone:
            raise RetriableError(
                f"another run of {place.source} brought in what this one found to be secret",
                action="load the batch again",
            )
        for warrant in warrants:
            # Before the commit: a row without its bytes is a smaller evil than a secret that a crash leaves.
            objects.remove(warrant)
        if warrants or record.rule is not None:
            events.append(_event(cursor, place, record, [warrant.sha256 for warrant in warrants]))
    return events


def _event(cursor: psycopg.Cursor[TupleRow], place: Place, record: Leaving, removed: Sequence[str]) -> Event:
    payload: dict[str, Json] = {"revision_sha256": record.revision_sha256, "objects": list(removed)}
    object_ = record.key_sha256
    if record.rule is not None:
        object_ = str(record.row)
        payload |= {"rule": record.rule, "key_sha256": record.key_sha256}
    return Event(EventType.DELETION, "success", place.source, object_, place.run, payload)
