"""Plan: what the source lists, minus what the archive already has, cut into batches."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

from archive.loader import Archive
from connectors.source import Source
from pipeline.batch_lines import PlannedLine, write_lines
from pipeline.workspace import Workspace
from schemas.record import Listing, Window

_LOOKUP = 5_000
MAX_BATCHES = 200
"""More mapped tasks than this cost Airflow more than they gain; batches grow instead."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What an inventory came to.

    Attributes:
        listed: lines of the inventory, repeats included.
        unchanged: already archived in that revision, or listed before in this inventory.
        pending: to be fetched.
    """

    listed: int
    unchanged: int

    @property
    def pending(self) -> int:
        """Records to be fetched."""
        return self.listed - self.unchanged


@dataclass(slots=True)
class _Tally:
    listed: int = 0
    pending: int = 0


def count_only(source: Source, archive: Archive, window: Window) -> Counts:
    """The counts of an inventory, writing nothing anywhere: the dry run."""
    tally = _Tally()
    for _ in _pending(source.name, source.inventory(window), archive, tally, lambda _: None):
        pass
    return Counts(tally.listed, tally.listed - tally.pending)


def write_plan(
    source: Source,
    archive: Archive,
    window: Window,
    workspace: Workspace,
    batch_size: int,
    on_progress: Callable[[int], None] = lambda _: None,
) -> tuple[Counts, int]:
    """Write the batches of a run; returns the counts and the number of batches.

    Where the inventory is of all that the source holds, its keys are kept too: what is archived and not among them
    is gone from the source. ``on_progress`` is told the number of listings read so far.
    """
    workspace.create()
    whole = workspace.folder / "plan.jsonl"
    tally = _Tally()
    with _Present(workspace, window == Window()) as present:
        listed = present.passing(source.inventory(window))
        pending = write_lines(
            whole,
            (_line(listing) for listing in _pending(source.name, listed, archive, tally, on_progress)),
        )
        # Only now: whether the inventory held still is known at its end.
        present.settle(source.lists_everything)
    size = max(1, batch_size, math.ceil(pending / MAX_BATCHES))
    batches = _split(whole, workspace, size)
    whole.unlink()
    return Counts(tally.listed, tally.listed - tally.pending), batches


class _Present:
    """Keeps the keys of an inventory of everything, and drops them where it turns out to be of a part."""

    def __init__(self, workspace: Workspace, wanted: bool) -> None:
        self._place = workspace.present
        self._unfinished = workspace.folder / ".present.tmp"
        self._wanted = wanted

    def __enter__(self) -> Self:
        self._stream = self._unfinished.open("w", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._unfinished.unlink(missing_ok=True)

    def passing(self, listings: Iterable[Listing]) -> Iterator[Listing]:
        for listing in listings:
            if self._wanted:
                self._stream.write(f"{json.dumps({'key': listing.key})}\n")
            yield listing

    def settle(self, complete: bool) -> None:
        if self._wanted and complete:
            self._stream.close()
            self._unfinished.replace(self._place)


def _pending(
    source: str,
    listings: Iterable[Listing],
    archive: Archive,
    tally: _Tally,
    on_progress: Callable[[int], None],
) -> Iterator[Listing]:
    # 16 bytes a listing: a million listings are remembered in some 100 MB, their keys would take several times that.
    seen: set[bytes] = set()
    for chunk in _chunks(listings, _LOOKUP):
        tally.listed += len(chunk)
        on_progress(tally.listed)
        fresh = [listing for listing in chunk if _first_time(listing, seen)]
        known = archive.known(source, [(listing.key, listing.revision) for listing in fresh])
        for listing in fresh:
            if (listing.key, listing.revision) not in known:
                tally.pending += 1
                yield listing


def _first_time(listing: Listing, seen: set[bytes]) -> bool:
    mark = hashlib.blake2b(
        f"{listing.key}\0{listing.revision}".encode("utf-8", "surrogatepass"), digest_size=16
    ).digest()
    if mark in seen:
        return False
    seen.add(mark)
    return True


def _chunks(listings: Iterable[Listing], size: int) -> Iterator[list[Listing]]:
    iterator = iter(listings)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _line(listing: Listing) -> PlannedLine:
    return PlannedLine(
        key=listing.key,
        revision=listing.revision,
        locator=listing.locator,
        changed_at=listing.changed_at,
    )


def _split(whole: Path, workspace: Workspace, size: int) -> int:
    number = 0
    with whole.open("rb") as stream:
        while lines := list(islice(stream, size)):
            number += 1
            temporary = workspace.folder / f".batch.{secrets.token_hex(8)}.tmp"
            temporary.write_bytes(b"".join(lines))
            temporary.replace(workspace.file(number, "planned"))
    return number
