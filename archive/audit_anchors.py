"""Auditing the anchors themselves: rows, records, segments, events, the folders outside, and time-stamps.

An anchor stands in five places: its row, its record in the object store, the event that began it, the name of it in
the next anchor, and a file in each folder outside. They must say the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from archive.anchor_files import OutsideAnchor, outside_anchors
from archive.anchor_record import Anchor, read_anchor
from archive.anchor_tables import anchor as anchor_table
from archive.audit_finding import Findings
from archive.audit_ledger import Claim
from archive.ledger import EventType
from archive.objects import ObjectStore
from schemas.errors import ConfigurationError, LienthongError, RetriableError


@dataclass(frozen=True, slots=True)
class StampedAnchor:
    """An anchor's record with the reply that stamped it, for the judging of time-stamps."""

    number: int
    record: bytes
    reply: bytes


@dataclass(frozen=True, slots=True)
class KnownAnchors:
    """All that is known of anchors.

    Attributes:
        claims: what each place says of the ledger.
        stamped: anchors with a time-stamp, in order of their numbers.
        rows: in the database. outside: files in the folders.
        last: when the newest was made, or ``None``.
    """

    claims: tuple[Claim, ...]
    stamped: tuple[StampedAnchor, ...]
    rows: int
    outside: int
    last: datetime | None


def audit_anchors(
    connection: sa.Connection, objects: ObjectStore, folders: Iterable[Path], findings: Findings
) -> KnownAnchors:
    """Compare the places of every anchor with each other; returns what they say of the ledger.

    Args:
        connection: in the transaction whose snapshot is audited.
        objects: holds records, segments and replies.
        folders: of anchors outside the database.
        findings: takes what is wrong.
    """
    rows = {row.number: row for row in connection.execute(sa.select(anchor_table))}
    records = dict(_records(rows, objects, findings))
    _compare_events(connection, rows, findings)
    claims = [Claim(anchor, f"anchor {number}") for number, (anchor, _) in records.items()]
    stamped = {
        number: StampedAnchor(number, data, reply)
        for number, (_, data) in records.items()
        if (reply := _reply(rows[number], objects, findings)) is not None
    }
    _follow({number: anchor for number, (anchor, _) in records.items()}, rows, findings)
    count = 0
    for folder in folders:
        held = outside_anchors(folder)
        count += len(held)
        _compare_folder(folder, held, rows, findings)
        for item in held:
            if (anchor := _outside(item, findings)) is not None:
                claims.append(Claim(anchor, str(item.place)))
                if item.reply is not None:
                    stamped.setdefault(item.number, StampedAnchor(item.number, item.record, item.reply))
    last = max((row.at for row in rows.values()), default=None)
    return KnownAnchors(
        tuple(claims), tuple(stamped[number] for number in sorted(stamped)), len(rows), count, last
    )


def _records(
    rows: Mapping[int, sa.Row[tuple[object, ...]]], objects: ObjectStore, findings: Findings
) -> Iterator[tuple[int, tuple[Anchor, bytes]]]:
    """The record of each row, where it is the one that the row names."""
    for number, row in sorted(rows.items()):
        where = f"anchor {number}"
        try:
            with objects.open(row.record_sha256) as stream:
                data = stream.read()
            anchor = read_anchor(data)
        except (RetriableError, ConfigurationError):
            raise  # the whole store: nothing is known of this record
        except LienthongError as error:
            findings.add("anchor_record_unreadable", where, error=error.what)
            continue
        if hashlib.sha256(data).hexdigest() != row.record_sha256:
            findings.add("anchor_record_changed", where)
            continue
        previous = anchor.previous.anchor if anchor.previous else None
        said = (anchor.number, anchor.at, anchor.tree_size, anchor.root, anchor.head, anchor.segment_sha256)
        held = (row.number, row.at, row.tree_size, row.root, row.head, row.segment_sha256)
        if (*said, previous) != (*held, row.previous):
            findings.add("anchor_row_differs", where)
        if not objects.exists(anchor.segment_sha256):
            findings.add("segment_missing", where, object=anchor.segment_sha256)
        yield number, (anchor, data)


def _follow(
    records: Mapping[int, Anchor], rows: Mapping[int, sa.Row[tuple[object, ...]]], findings: Findings
) -> None:
    """Each anchor names the one before, and proves that it continues it."""
    for number, anchor in records.items():
        before = records.get(number - 1)
        if number > 1 and (before is None or anchor.previous is None):
            continue  # told as a missing row or an unreadable record
        named = (anchor.previous.anchor, anchor.previous.token) if anchor.previous else (None, None)
        row = rows.get(number - 1)
        held = (row.record_sha256, row.token_sha256) if row is not None else (None, None)
        if named != held or not anchor.continues(before):
            findings.add("anchor_does_not_continue", f"anchor {number}")


def _compare_events(
    connection: sa.Connection, rows: Mapping[int, sa.Row[tuple[object, ...]]], findings: Findings
) -> None:
    """Each anchor began with an event, which is the last that it covers; each such event has its anchor."""
    begun = sa.text("SELECT seq, object FROM archive.event WHERE type = :type ORDER BY seq")
    seqs = {row.object: row.seq for row in connection.execute(begun, {"type": EventType.ANCHOR.value})}
    for number in sorted(rows):
        if seqs.get(f"anchor {number}") != rows[number].tree_size:
            findings.add("row_added", f"anchor {number}", table="anchor", detail="")
    for name in seqs.keys() - {f"anchor {number}" for number in rows}:
        findings.add("row_removed", name, table="anchor", detail=f"event {seqs[name]}")


def _compare_folder(
    folder: Path,
    held: Iterable[OutsideAnchor],
    rows: Mapping[int, sa.Row[tuple[object, ...]]],
    findings: Findings,
) -> None:
    numbers = set()
    for item in held:
        numbers.add(item.number)
        row = rows.get(item.number)
        if row is None:
            findings.add("anchor_unknown", str(item.place), number=item.number)
        elif hashlib.sha256(item.record).hexdigest() != row.record_sha256:
            findings.add("anchor_outside_differs", str(item.place), number=item.number)
    if rows and not folder.is_dir():
        findings.add("anchor_folder_missing", str(folder))
        return
    for number in sorted(rows.keys() - numbers):
        findings.add("anchor_not_outside", str(folder), number=number)


def _outside(item: OutsideAnchor, findings: Findings) -> Anchor | None:
    try:
        return read_anchor(item.record)
    except LienthongError as error:
        findings.add("anchor_record_unreadable", str(item.place), error=error.what)
        return None


def _reply(row: sa.Row[tuple[object, ...]], objects: ObjectStore, findings: Findings) -> bytes | None:
    if row.token_sha256 is None:
        return None
    try:
        with objects.open(row.token_sha256) as stream:
            return stream.read()
    except (RetriableError, ConfigurationError):
        raise
    except LienthongError:
        findings.add("token_missing", f"anchor {row.number}", object=row.token_sha256)
        return None
