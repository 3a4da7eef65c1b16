"""The contract of every source system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from schemas.record import (
    Content,
    Listing,
    SourceRecord,
    StoredContents,
    Unreadable,
    Window,
    nothing_stored,
)


@runtime_checkable
class Source(Protocol):
    """A system that holds official documents. Reading only: no method writes, acknowledges or marks anything there.

    ``inventory`` raises ``RetriableError`` or ``FatalError`` when the system as a whole cannot be read. A
    part of it that cannot be read (a truncated export, say) is listed all the same, under a key of its own, and
    ``fetch`` answers that listing with ``Unreadable``: what exists is counted.
    """

    name: str

    @property
    def lists_everything(self) -> bool:
        """True when the inventory that was just read to its end, over a window open at both ends, named everything
        that the account may see. Only then does a record's absence mean that it is gone from the source.

        Always false for a drop folder: exports that are archived may be moved away.
        """
        ...

    def inventory(self, window: Window) -> Iterator[Listing]:
        """What the system says exists and changed in ``window``, in a stable order. May repeat a listing."""
        ...

    def fetch(self, listings: Sequence[Listing]) -> Iterator[SourceRecord | Unreadable]:
        """Exactly one answer for each of ``listings``, in their order."""
        ...

    def parse(
        self,
        listing: Listing,
        original: Content,
        context: Mapping[str, str],
        stored: StoredContents = nothing_stored,
    ) -> SourceRecord | Unreadable:
        """Read a record again from its stored original bytes and the context that ``fetch`` gave with it.

        Gives the same result as ``fetch`` did, and reaches no system: a quarantined record is tried again from
        the archive. Files that are no part of the original's bytes (a live server sends them apart) are looked up
        in ``stored``, by the SHA-256 that the context names.
        """
        ...
