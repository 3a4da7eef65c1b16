"""What an object store holds of the archive's own making, told by content alone.

Manifests, checks, records of failures, segments of the ledger and anchors are canonical JSON: their keys are in order,
so that the first bytes tell which of them an object may be. Whether it is one, its reader says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from archive.anchor_record import MARK as ANCHOR_MARK
from archive.anchor_record import Anchor, read_anchor
from archive.ledger import Chain, Entry, Head
from archive.ledger_segment import MARK as SEGMENT_MARK
from archive.ledger_segment import read_segment
from archive.manifest import read_manifest
from archive.objects import ObjectStore
from archive.quarantine_record import read_quarantine
from archive.verification import read_verification
from schemas.errors import FatalError, LienthongError

_FIRST = 32
_SEQUENCE = b"\x30"  # ITU-T X.690, 8.9
_DOCUMENTS: Mapping[bytes, tuple[str, bytes, Callable[[bytes], object]]] = MappingProxyType(
    {
        b'{"changed_at":': ("manifest", b'"lienthong_manifest":', read_manifest),
        b'{"check":': ("verification", b'"lienthong_verification":', read_verification),
        b'{"context":': ("quarantine", b'"lienthong_quarantine":', read_quarantine),
    }
)
"""First bytes; the kind, the key that only this kind has, and its reader."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that could not be made again, or not read.

    Attributes:
        kind: ``unreadable``, ``missing``, ``unknown``, ``untold`` or ``refused``.
        where: the object, the event or the row.
        message: what is wrong.
    """

    kind: str
    where: str
    message: str


@dataclass(slots=True)
class Contents:
    """What a scan found.

    Attributes:
        objects: how many there are.
        segments: (SHA-256, number of the anchor, event that it follows), of every segment.
        anchors: records of anchors by SHA-256.
        sequences: objects that begin as DER sequences do: one may be the time-stamp of the last anchor.
        candidates: how many may be a manifest, a check or the record of a failure.
        troubles: objects that look like the archive's own and cannot be read.
    """

    objects: int = 0
    segments: list[tuple[str, int, Head]] = field(default_factory=list)
    anchors: dict[str, Anchor] = field(default_factory=dict)
    sequences: list[str] = field(default_factory=list)
    candidates: int = 0
    troubles: list[Trouble] = field(default_factory=list)


def scan(objects: ObjectStore, candidate: Callable[[str], None]) -> Contents:
    """Look at the first bytes of every object; ``candidate`` is given each that may be a manifest or the like."""
    found = Contents()
    for sha256 in objects:
        found.objects += 1
        try:
            with objects.open(sha256) as stream:
                first = stream.read(_FIRST)
                if first.startswith(SEGMENT_MARK):
                    stream.seek(0)
                    head, _ = read_segment(stream)
                    found.segments.append((sha256, head.number, head.previous))
                elif first.startswith(ANCHOR_MARK):
                    found.anchors[sha256] = read_anchor(first + stream.read())
                elif any(first.startswith(mark) for mark in _DOCUMENTS):
                    candidate(sha256)
                    found.candidates += 1
                elif first.startswith(_SEQUENCE):
                    found.sequences.append(sha256)
        except LienthongError as error:
            found.troubles.append(Trouble("unreadable", f"object {sha256}", str(error)))
    return found


def unknown_object(objects: ObjectStore, sha256: str) -> Trouble | None:
    """What to say of a candidate that nothing names; ``None`` when it only looks like one of ours."""
    try:
        with objects.open(sha256) as stream:
            data = stream.read()
        kind, key, read = next(value for mark, value in _DOCUMENTS.items() if data.startswith(mark))
        if key not in data:
            return None
        read(data)
    except LienthongError as error:
        return Trouble("unreadable", f"object {sha256}", str(error))
    return Trouble("unknown", f"object {sha256}", f"a {kind} that the ledger does not tell of")


class StoredLedger:
    """The ledger as the segments of a store tell it.

    Args:
        objects: the store. contents: what a scan found in it.
        head: hash of an event that the ledger must have, from an anchor kept outside of the store; needed only where
            the store holds more than one ledger.

    Raises:
        FatalError: the segments are not one ledger: a piece is missing, or there are two that part.
    """

    def __init__(self, objects: ObjectStore, contents: Contents, head: str = "") -> None:
        self._objects = objects
        self.segments = _in_order(objects, contents, head)

    def __iter__(self) -> Iterator[Entry]:
        """Every event, proven to continue those before. Raises ``FatalError`` where one does not."""
        chain = Chain()
        for sha256 in self.segments:
            with self._objects.open(sha256) as stream:
                _, events = read_segment(stream)
                for entry in events:
                    if problems := chain.follow(entry):
                        raise FatalError(
                            f"the ledger in the store is not what was written: event {problems[0].seq}"
                            f" {problems[0].message}",
                            where=f"object {sha256}",
                            action="restore the object from the backup",
                        )
                    yield entry


def _in_order(objects: ObjectStore, contents: Contents, head: str) -> list[str]:
    following: dict[Head, list[str]] = {}
    for sha256, _, previous in contents.segments:
        following.setdefault(previous, []).append(sha256)
    ledgers = list(_paths(objects, following))
    if head:
        ledgers = [path for path in ledgers if any(_has(objects, sha256, head) for sha256 in path)]
    if len(ledgers) > 1:
        raise FatalError(
            f"the object store holds {len(ledgers)} ledgers that part from each other",
            where=", ".join(path[-1] for path in ledgers),
            expected="one, or the hash of an event of the true one",
            action="name the head of an anchor that was kept outside: --head",
        )
    used = set(ledgers[0]) if ledgers else set()
    loose = [sha256 for sha256, _, _ in contents.segments if sha256 not in used]
    if (loose and not head) or (head and not ledgers):
        raise FatalError(
            "the segments of the ledger in the object store do not join",
            where=", ".join(loose) or head,
            action="restore the missing segments from the backup",
        )
    return ledgers[0] if ledgers else []


def _paths(objects: ObjectStore, following: Mapping[Head, list[str]]) -> Iterator[list[str]]:
    """Every way through the segments from the beginning of the ledger to an end."""
    waiting: list[tuple[Head, list[str]]] = [(Head(), [])]
    while waiting:
        at, path = waiting.pop()
        ends = [(_end(objects, sha256, at), sha256) for sha256 in following.get(at, ())]
        longer = [(end, [*path, sha256]) for end, sha256 in ends if end.seq > at.seq]
        waiting += reversed(longer)
        if path and not longer:
            yield path


def _end(objects: ObjectStore, sha256: str, before: Head) -> Head:
    """The last event of a segment that follows ``before``."""
    last = before
    with objects.open(sha256) as stream:
        for entry in read_segment(stream)[1]:
            last = Head(entry.seq, entry.hash)
    return last


def _has(objects: ObjectStore, sha256: str, head: str) -> bool:
    with objects.open(sha256) as stream:
        return any(entry.hash == head for entry in read_segment(stream)[1])
