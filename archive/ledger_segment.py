"""A segment of the ledger: consecutive events as one object of the store, so that the store alone holds the ledger.

Media type ``application/vnd.lienthong.ledger+jsonl``; canonical JSON, one object a line, UTF-8, each line ended by LF.
The first line tells the segments among the store's objects by its first bytes (``MARK``)::

    {"lienthong_ledger":1,"number":3,"previous":{"hash":"…","seq":119}}
    {"at":"2026-03-02T01:30:00.000000+00:00","hash":"…","object":"…","outcome":"success","payload":"{…}",
     "prev_hash":"…","run":"…","seq":120,"source":"…","type":"ingestion"}                              (one line)
    …

``number`` is that of the anchor which covers the segment, ``previous`` the event that the first one follows (``seq`` 0
at the beginning). ``payload`` is the text that was hashed, ``run`` may be null. All segments in the order of their
numbers are the whole ledger up to the newest anchor; ``archive.ledger.Chain`` proves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

import msgspec

from archive.canonical import Json, canonical_bytes
from archive.ledger import Entry, Head
from archive.manifest import refuse_newer
from schemas.errors import FatalError

SEGMENT_TYPE = "application/vnd.lienthong.ledger+jsonl"
"""Media type under which segments stand in the table of objects."""
SEGMENT_VERSION = 1
MARK = b'{"lienthong_ledger":'
"""The first bytes of every segment, and of no other object of the archive's own."""

_LONGEST_LINE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SegmentHead:
    """The first line of a segment.

    Attributes:
        number: of the anchor that covers it.
        previous: the event that its first one follows.
    """

    number: int
    previous: Head


def segment_lines(head: SegmentHead, events: Iterable[Entry]) -> Iterator[bytes]:
    """The lines of a segment; equal events give equal bytes."""
    previous: Json = {"seq": head.previous.seq, "hash": head.previous.hash}
    yield (
        canonical_bytes({"lienthong_ledger": SEGMENT_VERSION, "number": head.number, "previous": previous})
        + b"\n"
    )
    for event in events:
        yield _ENCODE(_line(event)) + b"\n"


def read_segment(stream: BinaryIO) -> tuple[SegmentHead, Iterator[Entry]]:
    """The first line of a segment, and its events as they are read from ``stream``.

    Raises:
        FatalError: it was written by a newer program, or is no segment; also while the events are read.
    """
    try:
        fields = msgspec.json.decode(stream.readline(_LONGEST_LINE))
        refuse_newer("ledger segment", fields["lienthong_ledger"], SEGMENT_VERSION)
        previous = Head(fields["previous"]["seq"], fields["previous"]["hash"])
        return SegmentHead(fields["number"], previous), _events(stream)
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise _unreadable(error) from None


def _events(stream: BinaryIO) -> Iterator[Entry]:
    while line := stream.readline(_LONGEST_LINE):
        try:
            event = _DECODE(line)
            yield Entry(
                event.prev_hash,
                event.seq,
                datetime.fromisoformat(event.at),
                event.type,
                event.outcome,
                event.source,
                event.object,
                event.run,
                event.payload,
                event.hash,
            )
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
            raise _unreadable(error) from None


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """One event, its fields in code point order: that is what makes the line canonical."""

    at: str
    hash: str
    object: str
    outcome: str
    payload: str
    prev_hash: str
    run: str | None
    seq: int
    source: str
    type: str


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(_Line).decode


def _line(event: Entry) -> _Line:
    return _Line(
        event.at.isoformat(timespec="microseconds"),
        event.hash,
        event.object,
        event.outcome,
        event.payload,
        event.prev_hash,
        event.run,
        event.seq,
        event.source,
        event.type,
    )


def _unreadable(error: Exception) -> FatalError:
    return FatalError(
        f"a segment of the ledger cannot be read: {type(error).__name__}",
        expected=f"JSON lines, the first with 'lienthong_ledger': {SEGMENT_VERSION}",
        action="check the object against its SHA-256 and restore it from the backup if they differ",
    )
