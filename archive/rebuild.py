"""Making the archive's database again from its object store alone.

The store holds every manifest, every later check, the record of every failure, and by its segments the ledger. What the
living archive did is repeated transaction by transaction in the ledger's order, by the functions that did it, and the
events are written as they were: their chain and the anchors hold in the new database as in the old one. Nothing else
is asked; what the store does not tell is reported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive.anchor_record import ANCHOR_TYPE, TOKEN_TYPE, Anchor
from archive.copying import copy_rows
from archive.cursors import psycopg_cursor
from archive.decision import Decision
from archive.decisions import KINDS, read_decision
from archive.dossiers import refresh
from archive.failures import database_errors
from archive.ledger import Entry, EventType, Head
from archive.ledger_segment import SEGMENT_TYPE
from archive.migrate import migrate
from archive.objects import ObjectStore
from archive.rebuild_scan import Contents, StoredLedger, Trouble, scan, unknown_object
from archive.rebuild_steps import Steps, Told, groups, payload_of
from archive.versions import StoredFile, write_objects
from schemas.errors import ConfigurationError, LienthongError

_COMMIT_AFTER = 20_000  # events
_LARGEST_TOKEN = 65_536
_DIGESTS = (hashlib.sha256, hashlib.sha384, hashlib.sha512)
_OF_DOSSIERS = frozenset({"dossier", "dossier_document", "hold", "release_hold", "disposal_execution"})
"""Kinds of decisions that may be about a dossier which the records make."""


@dataclass(slots=True)
class Rebuilt:
    """What was made again.

    Attributes:
        objects: in the store. events, documents: events of the ledger; versions of documents.
        anchors: states of the ledger that its anchors prove.
        head: the last event.
        troubles: what could not be made again, and what the store holds besides; none for a whole store.
    """

    objects: int = 0
    events: int = 0
    documents: int = 0
    anchors: int = 0
    head: Head = field(default_factory=Head)
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Everything that the ledger tells was made again. Objects that it does not tell of are no loss."""
        return all(trouble.kind == "unknown" for trouble in self.troubles)


def rebuild(
    engine: sa.Engine,
    objects: ObjectStore,
    *,
    head: str = "",
    go_on: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Rebuilt:
    """Make the database again.

    Args:
        engine: of an empty database, as its owner.
        objects: the store.
        head: hash of an event of the true ledger, where the store holds more than one.
        go_on: a database that holds the beginning of this very ledger, from a rebuild that was killed, is gone on with.
        on_progress: told how many events are repeated.

    Raises:
        ConfigurationError: the database holds an archive already, or the beginning of another one.
        FatalError: the store's ledger has a hole or was changed, or the database refuses.
    """
    migrate(engine)
    with database_errors("making the database again"), engine.connect() as connection:
        before = _held(connection)
        if before.seq and not go_on:
            raise _full()
        cursor = psycopg_cursor(connection)
        # Of the session: it outlives the commits on the way.
        cursor.execute('CREATE TEMPORARY TABLE IF NOT EXISTS found (sha256 text COLLATE "C")')
        cursor.execute("TRUNCATE found")
        contents = _scan(cursor, objects)
        made = Rebuilt(objects=contents.objects, troubles=contents.troubles, head=before)
        ledger = StoredLedger(objects, contents, head)
        _Replay(engine, cursor, objects, ledger, made).run(before, on_progress)
        _anchors(cursor, objects, contents, ledger, made)
        cursor.connection.commit()
        refresh(engine)
        made.troubles += _unknown(cursor, objects)
    return made


def _held(connection: sa.Connection) -> Head:
    """The last event that the database has."""
    row = connection.execute(sa.text("SELECT seq, hash FROM archive.event ORDER BY seq DESC LIMIT 1")).first()
    return Head(row.seq, row.hash) if row else Head()


def _full() -> ConfigurationError:
    return ConfigurationError(
        "the database holds an archive already", expected="an empty database", action="name another one"
    )


def _scan(cursor: psycopg.Cursor[TupleRow], objects: ObjectStore) -> Contents:
    waiting: list[str] = []

    def keep(sha256: str) -> None:
        waiting.append(sha256)
        if len(waiting) >= 10_000:
            flush()

    def flush() -> None:
        with cursor.copy("COPY found FROM STDIN") as copy:
            for sha256 in waiting:
                copy.write_row((sha256,))
        waiting.clear()

    contents = scan(objects, keep)
    flush()
    return contents


class _Replay:
    """The passage through the ledger."""

    def __init__(
        self,
        engine: sa.Engine,
        cursor: psycopg.Cursor[TupleRow],
        objects: ObjectStore,
        ledger: StoredLedger,
        made: Rebuilt,
    ) -> None:
        self._engine = engine
        self._cursor = cursor
        self._connection = cursor.connection
        self._ledger = ledger
        self._made = made
        disposed, removed = _destroyed(ledger)
        self._steps = Steps(self._cursor, objects, disposed, removed, made.troubles)
        self._unrefreshed = True  # a rebuild that was killed may have ended before this

    def run(self, before: Head, on_progress: Callable[[int], None]) -> None:
        """Repeat what comes after ``before``, which the database has already."""
        waiting = 0
        for group in groups((entry, payload_of(entry)) for entry in self._ledger):
            last = group[-1][0]
            if last.seq <= before.seq:
                if last.seq == before.seq and last.hash != before.hash:
                    raise _full()
                continue
            self._repeat(group)
            waiting += len(group)
            if waiting >= _COMMIT_AFTER:
                self._connection.commit()
                waiting = 0
                on_progress(self._made.events)
        self._made.documents = self._steps.documents
        if self._made.head.seq < before.seq:
            raise _full()

    def _repeat(self, group: Sequence[Told]) -> None:
        (first, payload), last = group[0], group[-1][0]
        decision = read_decision(first.source, first.object, payload)
        if decision is not None:
            self._decide(decision, first)
        else:
            self._steps.repeat(group)
            self._unrefreshed = True
        copy_rows(self._cursor, "event", map(_event_row, (entry for entry, _ in group)))
        self._made.events += len(group)
        self._made.head = Head(last.seq, last.hash)

    def _decide(self, decision: Decision, entry: Entry) -> None:
        if decision.kind in _OF_DOSSIERS and self._unrefreshed:
            self._connection.commit()
            refresh(self._engine)
            self._unrefreshed = False
        try:
            with self._connection.transaction(), database_errors(f"repeating event {entry.seq}"):
                KINDS[decision.kind].apply(self._cursor, decision, entry.at)
        except (LienthongError, KeyError) as error:
            self._made.troubles.append(Trouble("refused", f"event {entry.seq} ({decision.kind})", str(error)))


def _destroyed(ledger: Iterable[Entry]) -> tuple[dict[str, Decision], set[str]]:
    """The disposals that were carried out, by document; and the objects that were removed, by whatever right."""
    disposed: dict[str, Decision] = {}
    removed: set[str] = set()
    for entry in ledger:
        if entry.type not in (EventType.DISPOSAL, EventType.DELETION):
            continue
        payload = payload_of(entry)
        decision = read_decision(entry.source, entry.object, payload)
        if decision is None:
            removed.update(payload.get("objects", ()))
        elif decision.kind == "disposal_execution":
            disposed[decision.object] = decision
            removed.update(str(item["sha256"]) for item in _objects_of(decision))
    return disposed, removed


def _objects_of(decision: Decision) -> Iterator[Mapping[str, object]]:
    listed = decision.values["objects"]
    if isinstance(listed, Sequence):
        yield from (item for item in listed if isinstance(item, Mapping))


def _event_row(entry: Entry) -> Mapping[str, object]:
    fields = entry._asdict()
    return {("run_id" if name == "run" else name): value for name, value in fields.items()}


def _anchors(
    cursor: psycopg.Cursor[TupleRow],
    objects: ObjectStore,
    contents: Contents,
    ledger: StoredLedger,
    made: Rebuilt,
) -> None:
    """The rows of the anchors that belong to this ledger."""
    segments = set(ledger.segments)
    own = {name: one for name, one in contents.anchors.items() if one.segment_sha256 in segments}
    tokens = {one.previous.anchor: one.previous.token for one in own.values() if one.previous}
    for name, anchor in sorted(own.items(), key=lambda item: item[1].number):
        cursor.execute("SELECT hash FROM archive.event WHERE seq = %s", (anchor.tree_size,))
        row = cursor.fetchone()
        if row is None or row[0] != anchor.head:
            made.troubles.append(
                Trouble("refused", f"anchor {anchor.number}", "its last event is not that of the ledger")
            )
            continue
        token = tokens[name] if name in tokens else _token(objects, name, contents.sequences)
        _write_anchor(cursor, objects, name, anchor, token)
        made.anchors += 1


def _write_anchor(
    cursor: psycopg.Cursor[TupleRow], objects: ObjectStore, name: str, anchor: Anchor, token: str | None
) -> None:
    types = {name: ANCHOR_TYPE, anchor.segment_sha256: SEGMENT_TYPE}
    if token is not None:
        types[token] = TOKEN_TYPE
    files = [StoredFile(one, objects.size(one), types[one]) for one in sorted(types) if objects.exists(one)]
    write_objects(cursor, files, anchor.at)
    cursor.execute(
        """INSERT INTO archive.anchor (number, at, tree_size, root, head, segment_sha256, record_sha256,
          token_sha256, previous) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
        (
            anchor.number, anchor.at, anchor.tree_size, anchor.root, anchor.head, anchor.segment_sha256, name,
            token, anchor.previous.anchor if anchor.previous else None,
        ),
    )  # fmt: skip


def _token(objects: ObjectStore, record: str, sequences: Iterable[str]) -> str | None:
    """The reply that stamped the last anchor, which no later one names: one of ``sequences`` with the record's hash."""
    with objects.open(record) as stream:
        data = stream.read()
    prints = [make(data).digest() for make in _DIGESTS]
    for sha256 in sequences:
        if objects.size(sha256) > _LARGEST_TOKEN:
            continue
        with objects.open(sha256) as stream:
            reply = stream.read()
        if any(imprint in reply for imprint in prints):
            return sha256
    return None


def _unknown(cursor: psycopg.Cursor[TupleRow], objects: ObjectStore) -> Iterator[Trouble]:
    cursor.execute(
        """SELECT f.sha256 FROM found f WHERE NOT EXISTS (SELECT FROM archive.object o WHERE o.sha256 = f.sha256)
        AND NOT EXISTS (SELECT FROM archive.disposed_object g WHERE g.sha256 = f.sha256) ORDER BY 1"""
    )
    for (sha256,) in cursor.fetchall():
        trouble = unknown_object(objects, sha256)
        if trouble is not None:
            yield trouble
