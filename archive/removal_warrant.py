"""The warrant without which the object store removes nothing.

An approved and carried out disposal gives one; so does the secrecy gate, for what was stored of a record before it was
withheld.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from schemas.errors import FatalError

_SEAL = object()


@dataclass(frozen=True, slots=True)
class Warrant:
    """Leave to remove one object, good for the transaction that it was asked in.

    Attributes:
        sha256: the object. size: its bytes, where the archive has a row of it.
    """

    sha256: str
    size: int | None
    seal: object = field(repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise FatalError(
                "an object may be removed only under a disposal, or by the secrecy gate",
                where=self.sha256,
                expected="a warrant of archive.removal_warrant",
            )


@dataclass(frozen=True, slots=True)
class Leaving:
    """What leaves of one record.

    Attributes:
        row: identity of its state in quarantine, whether or not it stands there.
        key_sha256, revision_sha256: the record, as its line in ``withheld`` names it.
        names: objects that may go, as far as nothing else needs them.
        rule: of the gate, where its row in quarantine has just been emptied.
    """

    row: UUID
    key_sha256: str
    revision_sha256: str
    names: Sequence[str]
    rule: str | None = None


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


def secret_warrants(cursor: psycopg.Cursor[TupleRow], source: str, record: Leaving) -> list[Warrant]:
    """Warrants for the objects of ``record`` that nothing else needs; their rows go.

    The caller holds ``lock_removal``, and the record's line stands in ``withheld``.
    """
    cursor.execute(
        "SELECT * FROM archive.give_up_secret(%s::uuid, %s, %s, %s, %s::text[])",
        (record.row, source, record.key_sha256, record.revision_sha256, list(record.names)),
    )
    return [Warrant(sha256, None, _SEAL) for (sha256,) in cursor.fetchall()]
