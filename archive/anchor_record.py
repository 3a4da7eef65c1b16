"""An anchor: what the whole ledger was at one moment, small enough to be kept anywhere.

Media type ``application/vnd.lienthong.anchor+json``, canonical JSON, an object of the store; the same bytes are the
file outside of the database and what the time-stamp is over. Version 1::

    {"lienthong_anchor":1,"number":3,"peaks":["…",…],
     "previous":{"anchor":"…","token":"…","tree_size":119} or null,"proof":["…",…],
     "segment":{"first":120,"sha256":"…"},"time":"2026-03-02T01:30:00.000000+00:00",
     "tree":{"head":"…","root":"…","size":180}}

``tree`` is the Merkle tree (RFC 6962, ``archive.merkle``) whose leaf n is the hash of event n as 32 bytes: its size,
its root and the hash of its last event. ``peaks`` are the roots of its complete subtrees, ``proof`` is the consistency
proof from ``previous.tree_size``: whoever holds all anchors can see without the ledger that each continues the one
before. ``previous`` names the record before and the reply that stamped it, by SHA-256: a time-stamp on this anchor
also renews those before it (the idea of RFC 4998). ``segment`` is the object with the events from ``first`` on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from archive.canonical import Json, canonical_bytes
from archive.manifest import refuse_newer
from archive.merkle import EMPTY_ROOT, Tree, verify_consistency
from schemas.errors import FatalError

ANCHOR_TYPE = "application/vnd.lienthong.anchor+json"
"""Media type under which anchors stand in the table of objects."""
TOKEN_TYPE = "application/timestamp-reply"  # noqa: S105 - a media type (RFC 3161 §3.4)
"""Media type under which the replies of time-stamping authorities stand there."""
ANCHOR_VERSION = 1
MARK = b'{"lienthong_anchor":'
"""The first bytes of every anchor, and of no other object of the archive's own."""


@dataclass(frozen=True, slots=True)
class Previous:
    """The anchor before: SHA-256 of its record, of the reply that stamped it (or ``None``), and its tree's size."""

    anchor: str
    token: str | None
    tree_size: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """A state of the ledger.

    Attributes:
        number: of the anchor, from 1.
        at: of the event with which the anchoring began, which is the last one that the tree holds; UTC.
        tree_size, root, head: the tree, its root, and the hash of its last event; hashes in hexadecimal.
        peaks: roots of its complete subtrees. proof: that it continues the anchor before.
        segment_sha256: of the object with the events from number ``first`` on.
        previous: the anchor before, ``None`` for the first.
    """

    number: int
    at: datetime
    tree_size: int
    root: str
    head: str
    peaks: tuple[str, ...]
    proof: tuple[str, ...]
    segment_sha256: str
    first: int
    previous: Previous | None

    def tree(self) -> Tree:
        """The tree, to go on from. Raises ``ValueError`` when the peaks are not those of its size."""
        return Tree(self.tree_size, [bytes.fromhex(peak) for peak in self.peaks])

    def continues(self, before: Anchor | None) -> bool:
        """Whether the proof shows that this tree begins with that of ``before``, which is the anchor before."""
        old_size, old_root = (before.tree_size, bytes.fromhex(before.root)) if before else (0, EMPTY_ROOT)
        proof = [bytes.fromhex(node) for node in self.proof]
        return verify_consistency(old_size, old_root, self.tree_size, bytes.fromhex(self.root), proof)


def anchor_bytes(anchor: Anchor) -> bytes:
    """The record of ``anchor``; equal values give equal bytes."""
    before = anchor.previous
    previous: Json = (
        {"anchor": before.anchor, "token": before.token, "tree_size": before.tree_size} if before else None
    )
    return canonical_bytes(
        {
            "lienthong_anchor": ANCHOR_VERSION,
            "number": anchor.number,
            "peaks": list(anchor.peaks),
            "previous": previous,
            "proof": list(anchor.proof),
            "segment": {"first": anchor.first, "sha256": anchor.segment_sha256},
            "time": anchor.at.isoformat(timespec="microseconds"),
            "tree": {"head": anchor.head, "root": anchor.root, "size": anchor.tree_size},
        }
    )


def read_anchor(data: bytes) -> Anchor:
    """What ``anchor_bytes`` wrote.

    Raises:
        FatalError: it was written by a newer program, or is no such record, or contradicts itself.
    """
    try:
        fields = json.loads(data)
        refuse_newer("anchor", fields["lienthong_anchor"], ANCHOR_VERSION)
        before, tree = fields["previous"], fields["tree"]
        anchor = Anchor(
            number=int(fields["number"]),
            at=datetime.fromisoformat(fields["time"]),
            tree_size=int(tree["size"]),
            root=_hash(tree["root"]),
            head=_hash(tree["head"]),
            peaks=tuple(map(_hash, fields["peaks"])),
            proof=tuple(map(_hash, fields["proof"])),
            segment_sha256=_hash(fields["segment"]["sha256"]),
            first=int(fields["segment"]["first"]),
            previous=Previous(_hash(before["anchor"]), before["token"], int(before["tree_size"]))
            if before
            else None,
        )
        if anchor.tree().root().hex() != anchor.root:
            raise ValueError("the root is not that of the peaks")
    except (ValueError, KeyError, TypeError) as error:
        raise FatalError(
            f"an anchor of the ledger cannot be read: {type(error).__name__}",
            expected=f"JSON with 'lienthong_anchor': {ANCHOR_VERSION}",
            action="compare it with its copies in the object store and in the folders of anchors",
        ) from None
    return anchor


def _hash(text: str) -> str:
    if len(bytes.fromhex(text)) != 32:
        raise ValueError("no SHA-256")
    return text
