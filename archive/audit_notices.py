"""What an audit has to tell a person though nothing is wrong: what waits for their decision."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from archive.audit_finding import Finding
from archive.ledger import EventType

_NAMED = 100


@dataclass(frozen=True, slots=True)
class Notices:
    """What waits for a person.

    Attributes:
        kept: the first 100. count: how many there are.
    """

    kept: tuple[Finding, ...]
    count: int


def audit_notices(connection: sa.Connection) -> Notices:
    """Documents that the secrecy gate sealed after they were archived, until a person has decided who may read them.

    Named by identity alone: what they are about leaves the archive in no message.
    """
    found = connection.execute(_SEALED, {"access": EventType.ACCESS.value, "most": _NAMED}).all()
    kept = tuple(
        Finding("sealed_by_gate", row.object, {"source": row.source, "since": row.at}) for row in found
    )
    return Notices(kept, found[0].total if found else 0)


_SEALED = sa.text(
    """SELECT object, source, to_char(at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'DD/MM/YYYY') AS at,
      count(*) OVER () AS total
    FROM (SELECT DISTINCT ON (object) object, source, at, payload FROM archive.event
      WHERE type = :access ORDER BY object, seq DESC) newest
    WHERE position('"decision":' in payload) = 0 ORDER BY newest.at, object LIMIT :most"""
)
