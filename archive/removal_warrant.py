"""The warrant without which the object store removes nothing.

An approved and carried out disposal gives one; so does the secrecy gate, for the words of a failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg.rows import TupleRow

from schemas.errors import FatalError

_SEAL = object()


@dataclass(frozen=True, slots=True)
class Warrant:
    """Leave to remove one object, good for the transaction that it was asked in.

    Attributes:
        sha256: the object. size: its bytes.
    """

    sha256: str
    size: int
    seal: object = field(repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise FatalError(
                "an object may be removed only under a disposal, or by the secrecy gate",
                where=self.sha256,
                expected="a warrant of archive.removal_warrant",
            )


def warrants(cursor: psycopg.Cursor[TupleRow], names: Sequence[str]) -> list[Warrant]:
    """Warrants for those of ``names`` that a disposal gave up and no row needs; the caller holds ``lock_removal``."""
    cursor.execute(
        """SELECT g.sha256, g.size FROM archive.disposed_object g
        JOIN archive.disposal p ON p.id = g.disposal_id AND p.state = 'approved'
        WHERE g.sha256 = ANY(%s::text[]) AND g.removed_at IS NULL
          AND NOT archive.is_needed(g.sha256, NULL) ORDER BY g.sha256""",
        (list(names),),
    )
    return [Warrant(sha256, size, _SEAL) for sha256, size in cursor.fetchall()]


def secret_warrants(cursor: psycopg.Cursor[TupleRow], names: Sequence[str]) -> list[Warrant]:
    """Warrants for the records of failures among ``names``, which turned out to be about a secret; their rows go."""
    cursor.execute("SELECT sha256, size FROM archive.give_up_failures(%s::text[])", (list(names),))
    return [Warrant(sha256, size, _SEAL) for sha256, size in cursor.fetchall()]
