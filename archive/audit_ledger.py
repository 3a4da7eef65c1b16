"""Auditing the ledger: is the chain whole, and is it the one that the anchors saw?

One pass over the events. Every anchor that is known from anywhere (the database, the object store, the folders
outside) claims a size, a root and a last hash; the tree that grows with the pass must agree with each when it has that
size. Where one does not agree, its segment in the store still says what the events were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

import sqlalchemy as sa

from archive import ledger
from archive.anchor_record import Anchor
from archive.audit_finding import Findings
from archive.ledger import Chain, Entry, Head
from archive.ledger_segment import read_segment
from archive.merkle import Tree, leaf_hash
from archive.objects import ObjectStore
from schemas.errors import ConfigurationError, LienthongError, RetriableError

_CHAIN = {"missing": "event_missing", "loose": "event_loose", "changed": "event_changed"}


@dataclass(frozen=True, slots=True)
class Claim:
    """What an anchor says, and where it says so."""

    anchor: Anchor
    place: str


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The ledger as the pass found it.

    Attributes:
        events: how many. head: the last one. root: Merkle root over all, hexadecimal.
        anchored: events that the newest agreeing anchor covers.
    """

    events: int
    head: Head
    root: str
    anchored: int


def audit_ledger(
    connection: sa.Connection, objects: ObjectStore, claims: Iterable[Claim], findings: Findings
) -> LedgerState:
    """Follow the chain and compare it with ``claims``.

    Args:
        connection: in the transaction whose snapshot is audited.
        objects: for the segments of anchors that do not agree.
        claims: all anchors that are known; the same anchor may be claimed in many places.
        findings: takes what is wrong.
    """
    by_size: dict[int, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_size[claim.anchor.tree_size].append(claim)
    comparison = _Comparison(by_size)
    chain, tree = Chain(), Tree()
    for entry in ledger.entries(connection):
        for problem in chain.follow(entry):
            findings.add(_CHAIN[problem.kind], f"event {problem.seq}", message=problem.message)
        tree.add(leaf_hash(_hash_bytes(entry)))
        if tree.size in by_size:
            comparison.at(tree, entry.hash)
    comparison.report(tree.size, findings)
    if comparison.first is not None:
        _compare_segment(connection, objects, comparison.first.anchor, findings)
    return LedgerState(tree.size, chain.head, tree.root().hex(), comparison.anchored)


class _Comparison:
    """Which claims the growing tree contradicts."""

    def __init__(self, by_size: Mapping[int, list[Claim]]) -> None:
        self._by_size = by_size
        self._wrong: list[Claim] = []
        self.first: Claim | None = None
        self.anchored = 0

    def at(self, tree: Tree, head: str) -> None:
        """Compare the claims of this size."""
        root = tree.root().hex()
        for claim in self._by_size[tree.size]:
            if (claim.anchor.root, claim.anchor.head) == (root, head):
                self.anchored = tree.size
            else:
                self._wrong.append(claim)

    def report(self, events: int, findings: Findings) -> None:
        """Tell which anchors do not agree: each in the first that saw it, and how many after it."""
        for claim in self._wrong:
            findings.add("root_differs", claim.place, number=claim.anchor.number, size=claim.anchor.tree_size)
        cut = [claim for size, claims in self._by_size.items() if size > events for claim in claims]
        for claim in cut:
            findings.add(
                "ledger_cut_off",
                claim.place,
                number=claim.anchor.number,
                size=claim.anchor.tree_size,
                events=events,
            )
        self.first = min([*self._wrong, *cut], key=lambda claim: claim.anchor.tree_size, default=None)


def _compare_segment(
    connection: sa.Connection, objects: ObjectStore, anchor: Anchor, findings: Findings
) -> None:
    """Tell where the ledger leaves the segment of ``anchor``, the first that does not agree with it."""
    where = f"object {anchor.segment_sha256}"
    try:
        with objects.open(anchor.segment_sha256) as stream:
            _, kept = read_segment(stream)
            now = ledger.entries(connection, anchor.first - 1, anchor.tree_size)
            differing = _first_difference(kept, now)
    except (RetriableError, ConfigurationError):
        raise
    except LienthongError:
        findings.add("segment_unreadable", where, number=anchor.number)
        return
    if differing is not None:
        seq, was, found = differing
        told = f"{was.type} {was.object}" if was else "", f"{found.type} {found.object}" if found else ""
        findings.add(
            "event_not_as_anchored", f"event {seq}", number=anchor.number, was=told[0], found=told[1]
        )


def _first_difference(
    kept: Iterator[Entry], now: Iterator[Entry]
) -> tuple[int, Entry | None, Entry | None] | None:
    """Number of the first event that is another one now, what it was, and what it is."""
    for was, found in zip_longest(kept, now):
        if was != found:
            return (was or found).seq, was, found
    return None


def _hash_bytes(entry: Entry) -> bytes:
    try:
        return bytes.fromhex(entry.hash)
    except ValueError:  # forged, and told by the chain already
        return entry.hash.encode()
