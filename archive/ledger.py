"""The ledger: what happened to which object, one event after the other, each vouching for all before it.

An event's ``hash`` is the SHA-256 of its predecessor's hash and its own canonical JSON. A chain alone stops
only the careless: who may rewrite all of it can make it fit again, unless ``head`` is kept outside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive.canonical import Json, canonical_bytes, canonical_text
from archive.copying import copy_rows
from archive.failures import database_errors
from archive.identities import lock_key
from archive.stored_text import column_text
from archive.tables import event as event_table

START = "0" * 64
"""``prev_hash`` of the first event."""

_LOCK = lock_key("ledger")


class EventType(StrEnum):
    """What happened: PREMIS 3 event types (Library of Congress vocabulary) where it has one.

    ``GONE`` and ``BACK``: a complete inventory of the source did not list the document any more, or lists it again.
    ``READING``: a file was shown or copied out. ``EXPORT``: a package was made, ``IMPORT``: one was taken in.
    ``DECISION``: a person's decision that has no type of its own (a link, a dossier, a known gap). ``DISPOSAL``:
    asked for, approved or refused; ``DELETION``: bytes were destroyed. ``ANCHOR``: the ledger's root left the database.
    """

    INGESTION = "ingestion"
    QUARANTINE = "quarantine"
    RELEASE = "unquarantine"
    WITHHOLDING = "withholding"
    RECALL = "recall"
    VALIDATION = "digital signature validation"
    ACCOUNTING = "accounting"
    GONE = "gone from source"
    BACK = "back at source"
    FIXITY = "fixity check"
    ACCESS = "access change"
    READING = "dissemination"
    EXPORT = "information package creation"
    IMPORT = "transfer"
    DECISION = "metadata modification"
    HOLD = "policy assignment"
    DISPOSAL = "deaccession"
    DELETION = "deletion"
    ANCHOR = "anchoring"
    BACKUP = "replication"
    RESTORE = "recovery"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one object.

    Attributes:
        type: what.
        outcome: ``success`` or ``failure`` (PREMIS ``eventOutcome``).
        source: the source system concerned.
        object: identity of the document, the quarantine row, the withheld key's hash, or the run.
        run: the run in which it happened.
        payload: the particulars; no content of a document.
    """

    type: EventType
    outcome: str
    source: str
    object: str
    run: str | None = None
    payload: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a ledger; ``seq`` 0 for an empty one."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A place where the chain does not hold.

    Attributes:
        seq: the event's number.
        message: what is wrong there.
    """

    seq: int
    message: str


def lock(cursor: psycopg.Cursor[TupleRow]) -> None:
    """Be the only writer of ledger and links until the transaction ends. Always the last lock taken."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def append(cursor: psycopg.Cursor[TupleRow], events: Sequence[Event], at: datetime) -> None:
    """Add ``events`` in their order, in the cursor's transaction, which has called ``lock``."""
    if not events:
        return
    cursor.execute("SELECT seq, hash FROM archive.event ORDER BY seq DESC LIMIT 1")
    last = cursor.fetchone()
    seq, previous = last if last else (0, START)
    rows: list[dict[str, object]] = []
    for number, event in enumerate(events, start=seq + 1):
        row: dict[str, object] = {
            "seq": number,
            "at": at.astimezone(UTC),
            "type": event.type.value,
            "outcome": event.outcome,
            "source": column_text(event.source),
            "object": event.object,
            "run_id": event.run,
            "payload": column_text(canonical_text(dict(event.payload))),
            "prev_hash": previous,
        }
        previous = _hash(row)
        rows.append({**row, "hash": previous})
    copy_rows(cursor, "event", rows)


def head(engine: sa.Engine) -> Head:
    """The last event: kept outside of the database, it shows a ledger that was cut off or rewritten."""
    newest = sa.select(event_table.c.seq, event_table.c.hash).order_by(event_table.c.seq.desc()).limit(1)
    with database_errors("reading the ledger"), engine.connect() as connection:
        row = connection.execute(newest).first()
    return Head(row.seq, row.hash) if row else Head(0, START)


def verify_chain(engine: sa.Engine) -> list[Problem]:
    """Every place where an event was changed, removed, added or moved; none for a whole chain.

    Cut off events at the end leave a whole chain: compare ``head`` with the one kept outside.
    """
    problems: list[Problem] = []
    expected, previous = 1, START
    rows = sa.select(event_table).order_by(event_table.c.seq).execution_options(yield_per=5_000)
    with database_errors("verifying the ledger"), engine.connect() as connection:
        for row in connection.execute(rows).mappings():
            if row["seq"] != expected:
                problems.append(Problem(expected, f"events {expected} to {row['seq'] - 1} are missing"))
            if row["prev_hash"] != previous:
                problems.append(Problem(row["seq"], "does not follow the event before it"))
            if row["hash"] != _hash(row):
                problems.append(Problem(row["seq"], "was changed after it was written"))
            expected, previous = row["seq"] + 1, row["hash"]
    return problems


def _hash(row: Mapping[str, object] | sa.RowMapping) -> str:
    at, run = row["at"], row["run_id"]
    assert isinstance(at, datetime)
    fields: list[Json] = [
        str(row["prev_hash"]),
        int(str(row["seq"])),
        at.astimezone(UTC).isoformat(timespec="microseconds"),
        *(str(row[name]) for name in ("type", "outcome", "source", "object")),
        None if run is None else str(run),
        str(row["payload"]),
    ]
    return hashlib.sha256(canonical_bytes(fields)).hexdigest()
