"""Anchoring: the ledger's root leaves the database.

An anchoring begins with an event, which is the last one that it covers; then the events since the anchor before go
into the object store as one segment, then the record, then, where there is an authority, its time-stamp, and last the
row. All of it follows from the ledger, so an anchoring that was killed is finished by the next one with the same
bytes. Only events that continue the anchored ones are anchored: a broken chain stops the anchoring.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from archive import ledger
from archive.anchor_record import ANCHOR_TYPE, TOKEN_TYPE, Anchor, Previous, anchor_bytes, read_anchor
from archive.anchor_tables import anchor as anchor_table
from archive.copying import copy_rows
from archive.cursors import psycopg_cursor
from archive.failures import database_errors
from archive.identities import lock_key
from archive.ledger import Chain, Entry, Event, EventType, Head
from archive.ledger_segment import SEGMENT_TYPE, SegmentHead, segment_lines
from archive.merkle import Tree, consistency_ranges, leaf_hash
from archive.objects import ObjectStore
from archive.versions import StoredFile, write_objects
from schemas.errors import FatalError, LienthongError
from schemas.record import FileContent

Stamp = Callable[[bytes], bytes]
"""Asks an authority for a time-stamp over the given bytes; gives its reply (RFC 3161 ``TimeStampResp``) in DER, which
has been checked against the bytes. Raises ``LienthongError`` when there is none."""

LOCK = lock_key("anchor")
"""Held while an anchoring is under way; shared by whoever wants to see finished ones only."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """An anchor as the database holds it.

    Attributes:
        anchor: what its record says.
        record_sha256: of the record. token_sha256: of the reply that stamped it, ``None`` without one.
        made: False where nothing had happened since.
        stamp_failure: why the authority gave no time-stamp, or ``""``.
    """

    anchor: Anchor
    record_sha256: str
    token_sha256: str | None
    made: bool = True
    stamp_failure: str = ""


def make_anchor(
    engine: sa.Engine,
    objects: ObjectStore,
    *,
    stamp: Stamp | None = None,
    renew: bool = False,
    now: datetime | None = None,
) -> Anchored | None:
    """Anchor the events since the last anchor; ``None`` where the ledger is empty.

    Args:
        engine: of the migrated database.
        objects: takes segment, record and reply.
        stamp: asks the time-stamping authority; without an answer the anchor stands without a time-stamp.
        renew: make a new anchor even where nothing has happened: for its time-stamp.
        now: the clock of the event that begins it, aware; the present by default.

    Raises:
        FatalError: the ledger does not continue the last anchor, or that one's record is missing or another one.
        RetriableError: the database is away or busy.
    """
    with database_errors("anchoring the ledger"), engine.begin() as guard:
        guard.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        last = latest_anchor(engine, objects)
        while (seq := _begun(engine, last)) is not None:
            last = _finish(engine, objects, last, seq, stamp)
        if last is not None and last.made:
            return last
        seq = _begin(engine, last, renew=renew, at=now or datetime.now(UTC))
        return last if seq is None else _finish(engine, objects, last, seq, stamp)


def latest_anchor(engine: sa.Engine, objects: ObjectStore) -> Anchored | None:
    """The newest anchor, from its row and its record.

    Raises:
        FatalError: the record is missing, or says something else than the row.
    """
    newest = sa.select(anchor_table).order_by(anchor_table.c.number.desc()).limit(1)
    with database_errors("reading the anchors"), engine.connect() as connection:
        row = connection.execute(newest).first()
    if row is None:
        return None
    with objects.open(row.record_sha256) as stream:
        anchor = read_anchor(stream.read())
    if (anchor.number, anchor.tree_size, anchor.root, anchor.head) != (
        row.number, row.tree_size, row.root, row.head,
    ):  # fmt: skip
        raise FatalError(
            f"the row of anchor {row.number} says something else than its record",
            where=f"object {row.record_sha256}",
            action="find out who changed the database: lienthong audit",
        )
    return Anchored(anchor, row.record_sha256, row.token_sha256, made=False)


def _begun(engine: sa.Engine, last: Anchored | None) -> int | None:
    """The event of an anchoring that was begun after ``last`` and never finished."""
    first = sa.text("SELECT min(seq) FROM archive.event WHERE type = :type AND seq > :after")
    with engine.connect() as connection:
        seq: int | None = connection.scalar(first, {"type": EventType.ANCHOR.value, "after": _size(last)})
    return seq


def _begin(engine: sa.Engine, last: Anchored | None, *, renew: bool, at: datetime) -> int | None:
    """Append the event of a new anchoring, unless nothing has happened; its number."""
    number = last.anchor.number + 1 if last else 1
    payload = {"number": number, "previous": last.record_sha256 if last else None}
    with engine.begin() as connection:
        cursor = psycopg_cursor(connection)
        ledger.lock(cursor)
        cursor.execute("SELECT coalesce(max(seq), 0) FROM archive.event")
        row = cursor.fetchone()
        assert row is not None
        if row[0] < _size(last):
            raise FatalError(
                f"the ledger has {row[0]} events",
                expected=f"the {_size(last)} that anchor {number - 1} covers, or more",
                action="find out who cut it off: lienthong audit",
            )
        if row[0] == 0 or (row[0] == _size(last) and not renew):
            return None
        begun = Event(EventType.ANCHOR, "success", "", f"anchor {number}", payload=payload)
        return ledger.append(cursor, [begun], at).seq


def _finish(
    engine: sa.Engine, objects: ObjectStore, last: Anchored | None, seq: int, stamp: Stamp | None
) -> Anchored:
    anchor = _segment(engine, objects, last, seq)
    record = objects.put_bytes(anchor_bytes(anchor))
    files = [StoredFile(record.sha256, record.size, ANCHOR_TYPE)]
    files.append(StoredFile(anchor.segment_sha256, objects.size(anchor.segment_sha256), SEGMENT_TYPE))
    token, failure = _stamped(objects, anchor_bytes(anchor), stamp)
    if token is not None:
        files.append(token)
    done = Anchored(anchor, record.sha256, token.sha256 if token else None, stamp_failure=failure)
    with engine.begin() as connection:
        cursor = psycopg_cursor(connection)
        write_objects(cursor, sorted(files, key=lambda file: file.sha256), anchor.at)
        copy_rows(cursor, "anchor", [_row(done)])
    return done


def _segment(engine: sa.Engine, objects: ObjectStore, last: Anchored | None, seq: int) -> Anchor:
    """Put the events after ``last`` up to number ``seq`` into the store; the anchor over all up to there."""
    number = last.anchor.number + 1 if last else 1
    start = Head(last.anchor.tree_size, last.anchor.head) if last else Head()
    passing = _Passing(start, last.anchor.tree() if last else Tree(), seq)
    with tempfile.TemporaryDirectory(prefix="lienthong-anchor-") as folder:
        path = Path(folder) / "segment"
        with path.open("xb") as stream, engine.connect() as connection:
            events = passing(ledger.entries(connection, start.seq, seq))
            stream.writelines(segment_lines(SegmentHead(number, start), events))
        passing.complete()
        stored = objects.put(FileContent(path))
    return Anchor(
        number=number,
        at=passing.at,
        tree_size=passing.tree.size,
        root=passing.tree.root().hex(),
        head=passing.chain.head.hash,
        peaks=tuple(peak.hex() for peak in passing.tree.peaks),
        proof=tuple(node.hex() for node in passing.proof()),
        segment_sha256=stored.sha256,
        first=start.seq + 1,
        previous=Previous(last.record_sha256, last.token_sha256, last.anchor.tree_size) if last else None,
    )


class _Passing:
    """Follows the events of a segment, and grows the tree and the subtrees of the consistency proof by them."""

    def __init__(self, start: Head, tree: Tree, seq: int) -> None:
        self.chain = Chain(start)
        self.tree = tree
        self.at = datetime.min.replace(tzinfo=UTC)
        self._seq = seq
        self._before = dict(zip(_peak_ranges(tree.size), tree.peaks, strict=True))
        self._ranges = consistency_ranges(tree.size, seq) if tree.size else []
        self._new = {span: Tree() for span in self._ranges if span not in self._before}

    def __call__(self, events: Iterable[Entry]) -> Iterator[Entry]:
        """``events``, unchanged. Raises ``FatalError`` at the first that does not continue those before."""
        growing = deque(sorted(self._new.items(), key=lambda part: part[0]))
        for event in events:
            if problems := self.chain.follow(event):
                raise FatalError(
                    f"the ledger is not what was written: {problems[0].message}",
                    where=f"event {problems[0].seq}",
                    action="find out who changed the database: lienthong audit",
                )
            leaf = leaf_hash(bytes.fromhex(event.hash))
            if growing and growing[0][0][1] == self.tree.size:
                growing.popleft()
            if growing:
                growing[0][1].add(leaf)
            self.tree.add(leaf)
            self.at = event.at
            yield event

    def complete(self) -> None:
        """See that all events up to the last one have passed."""
        if self.tree.size != self._seq:
            raise FatalError(
                f"the ledger ends at event {self.tree.size}",
                expected=f"event {self._seq}",
                action="find out who cut it off: lienthong audit",
            )

    def proof(self) -> list[bytes]:
        """The consistency proof from the tree before."""
        return [
            self._before[span] if span in self._before else self._new[span].root() for span in self._ranges
        ]


def _peak_ranges(size: int) -> list[tuple[int, int]]:
    """The leaves of each complete subtree of a tree of ``size``, largest first."""
    spans, start = [], 0
    for bit in range(size.bit_length() - 1, -1, -1):
        if size >> bit & 1:
            spans.append((start, start + (1 << bit)))
            start += 1 << bit
    return spans


def _stamped(objects: ObjectStore, record: bytes, stamp: Stamp | None) -> tuple[StoredFile | None, str]:
    if stamp is None:
        return None, ""
    try:
        reply = stamp(record)
    except LienthongError as error:
        return None, str(error)
    stored = objects.put_bytes(reply)
    return StoredFile(stored.sha256, stored.size, TOKEN_TYPE), ""


def _row(done: Anchored) -> dict[str, object]:
    anchor = done.anchor
    return {
        "number": anchor.number,
        "at": anchor.at,
        "tree_size": anchor.tree_size,
        "root": anchor.root,
        "head": anchor.head,
        "segment_sha256": anchor.segment_sha256,
        "record_sha256": done.record_sha256,
        "token_sha256": done.token_sha256,
        "previous": anchor.previous.anchor if anchor.previous else None,
    }


def _size(last: Anchored | None) -> int:
    return last.anchor.tree_size if last else 0
