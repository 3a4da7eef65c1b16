"""The ledger: what happened to which object, one event after the other, each vouching for all before it.

An event's ``hash`` is the SHA-256 of the canonical JSON of ``[prev_hash, seq, at, type, outcome, source, object, run,
payload]``: ``at`` in UTC as ISO 8601 with microseconds, ``run`` null where there is none, ``payload`` the stored text.
A chain alone stops only the careless: who may rewrite all of it can make it fit again, unless the root over it is
kept outside (``archive.anchors``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.rows import TupleRow

from archive.canonical import Json, canonical_text
from archive.copying import MadeRows, copy_made, lines
from archive.failures import database_errors
from archive.identities import lock_key
from archive.stored_text import column_text
from archive.tables import event as event_table

START = "0" * 64
"""``prev_hash`` of the first event."""

_LOCK = lock_key("ledger")
_ENCODE = msgspec.json.Encoder().encode
_LAST = 2**63 - 1
_COLUMNS = ("prev_hash", "seq", "at", "type", "outcome", "source", "object", "run_id", "payload", "hash")
_SEQ = _COLUMNS.index("seq")
_PAGE_SIZE = 5_000
_PAGE = sql.SQL("SELECT {} FROM archive.event WHERE seq > %s AND seq <= %s ORDER BY seq LIMIT %s").format(
    sql.SQL(", ").join(
        sql.SQL("run_id::text") if name == "run_id" else sql.Identifier(name) for name in _COLUMNS
    )
)


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


class Entry(NamedTuple):
    """An event as it stands in the ledger: the columns of the table, in the order in which they are hashed.

    Attributes:
        prev_hash: ``hash`` of the event before it. seq: its number, from 1 without gaps.
        at: when it was appended, UTC. payload: canonical JSON text. hash: over all of these.
    """

    prev_hash: str
    seq: int
    at: datetime
    type: str
    outcome: str
    source: str
    object: str
    run: str | None
    payload: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a ledger; ``seq`` 0 for an empty one."""

    seq: int = 0
    hash: str = START


@dataclass(frozen=True, slots=True)
class Problem:
    """A place where the chain does not hold.

    Attributes:
        seq: the event's number.
        message: what is wrong there.
        kind: ``missing``, ``loose`` (does not follow the event before it) or ``changed``.
    """

    seq: int
    message: str
    kind: str


def lock(cursor: psycopg.Cursor[TupleRow]) -> None:
    """Be the only writer of ledger and links until the transaction ends. Always the last lock taken."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def append(cursor: psycopg.Cursor[TupleRow], events: Iterable[Event], at: datetime) -> Head:
    """Add ``events`` in their order, in the cursor's transaction, which has called ``lock``; returns the new head."""
    growth = Growth(cursor, at)
    growth.add(events)
    return growth.write()


class Growth:
    """Events on their way into the ledger: each is hashed as it is added, all are written at the end.

    Args:
        cursor: in a transaction that has called ``lock``.
        at: their time.
    """

    def __init__(self, cursor: psycopg.Cursor[TupleRow], at: datetime) -> None:
        cursor.execute("SELECT seq, hash FROM archive.event ORDER BY seq DESC LIMIT 1")
        self._cursor, self._moment = cursor, at.astimezone(UTC)
        self._shown = _moment_text(self._moment)
        last = cursor.fetchone()
        self._head = Head(*last) if last else Head()
        self._blocks: list[bytes] = []

    def add(self, events: Iterable[Event]) -> None:
        """Let ``events`` follow, in their order."""
        seq, previous = self._head.seq, self._head.hash
        rows: list[tuple[object, ...]] = []
        for event in events:
            seq += 1
            texts = (
                event.type.value,
                event.outcome,
                column_text(event.source),
                event.object,
                event.run,
                column_text(canonical_text(dict(event.payload))),
            )
            before, previous = previous, _hash(previous, seq, self._shown, texts)
            rows.append((before, seq, self._moment, *texts, previous))
        if rows:
            self._blocks.append(lines(rows))
            self._head = Head(seq, previous)

    def write(self) -> Head:
        """Write what was added; returns the new head."""
        copy_made(self._cursor, MadeRows("event", _COLUMNS, self._blocks))
        self._blocks = []
        return self._head


def entry_hash(entry: Entry) -> str:
    """The hash that ``entry`` should have."""
    prev_hash, seq, at, *texts, _ = entry
    return _hash(prev_hash, seq, _moment_text(at), texts)


def _hash(prev_hash: str, seq: int, moment: str, texts: Iterable[str | None]) -> str:
    return hashlib.sha256(_ENCODE((prev_hash, seq, moment, *texts))).hexdigest()


def _moment_text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def entries(connection: sa.Connection, after: int = 0, through: int = _LAST) -> Iterator[Entry]:
    """The events after number ``after``, up to number ``through``, in order; few of them are held at a time."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    cursor = raw.cursor(binary=True)
    cursor.execute("SET LOCAL TimeZone = 'UTC'")
    while rows := cursor.execute(_PAGE, (after, through, _PAGE_SIZE)).fetchall():
        yield from map(Entry._make, rows)
        after = rows[-1][_SEQ]


def head(engine: sa.Engine) -> Head:
    """The last event: kept outside of the database, it shows a ledger that was cut off or rewritten."""
    newest = sa.select(event_table.c.seq, event_table.c.hash).order_by(event_table.c.seq.desc()).limit(1)
    with database_errors("reading the ledger"), engine.connect() as connection:
        row = connection.execute(newest).first()
    return Head(row.seq, row.hash) if row else Head()


class Chain:
    """Follows events one by one, and says where one does not continue what came before.

    Args:
        start: the event that the first one has to follow.
    """

    def __init__(self, start: Head = Head()) -> None:
        self._seq, self._hash = start.seq, start.hash

    @property
    def head(self) -> Head:
        """The last event."""
        return Head(self._seq, self._hash)

    def follow(self, entry: Entry) -> Sequence[Problem]:
        """What is wrong with ``entry`` as the next event; it is the new head in any case."""
        expected, previous = self._seq + 1, self._hash
        self._seq, self._hash = entry.seq, entry.hash
        if entry.seq == expected and entry.prev_hash == previous and entry.hash == entry_hash(entry):
            return ()
        problems: list[Problem] = []
        if entry.seq != expected:
            gap = f"events {expected} to {entry.seq - 1} are missing"
            problems.append(Problem(expected, gap, "missing"))
        if entry.prev_hash != previous:
            problems.append(Problem(entry.seq, "does not follow the event before it", "loose"))
        if entry.hash != entry_hash(entry):
            problems.append(Problem(entry.seq, "was changed after it was written", "changed"))
        return problems


def chain_problems(events: Iterable[Entry], start: Head = Head()) -> Iterator[Problem]:
    """Every place where ``events`` do not continue ``start``, as they pass by."""
    chain = Chain(start)
    for entry in events:
        yield from chain.follow(entry)


def verify_chain(engine: sa.Engine) -> list[Problem]:
    """Every place where an event was changed, removed, added or moved; none for a whole chain.

    Cut off events at the end leave a whole chain, and so does a chain that was made anew: ``archive.audit`` compares
    it with what is kept outside.
    """
    with database_errors("verifying the ledger"), engine.connect() as connection:
        return list(chain_problems(entries(connection)))
