"""What the object store should hold: the names that it lists beside those that the database speaks of."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import sqlalchemy as sa

from archive.objects import ObjectStore


def listed_and_kept(connection: sa.Connection, objects: ObjectStore) -> Iterator[tuple[str, bool]]:
    """Each name that the store lists or the database keeps, in order, with whether the store lists it.

    Neither list is ever held whole. What the store does not list may have been given up since: ask ``is_kept``.
    """
    kept = connection.execute(_KEPT.execution_options(yield_per=5_000)).scalars()
    both = heapq.merge(((name, True) for name in objects), ((name, False) for name in kept))
    for name, found in groupby(both, itemgetter(0)):
        yield name, any(listed for _, listed in found)


def is_kept(connection: sa.Connection, sha256: str) -> bool:
    """Whether the database keeps the object now. In a transaction that sees what others commit meanwhile."""
    return bool(connection.scalar(_IS_KEPT, {"name": sha256}))


_KEPT = sa.text(
    """SELECT sha256 FROM archive.object
    UNION SELECT original_sha256 FROM archive.quarantine WHERE original_sha256 IS NOT NULL
    UNION SELECT unnest(files) FROM archive.quarantine ORDER BY 1"""
)
_IS_KEPT = sa.text(
    """SELECT EXISTS (SELECT FROM archive.object WHERE sha256 = :name)
    OR EXISTS (SELECT FROM archive.quarantine WHERE original_sha256 = :name OR :name = ANY(files))"""
)
