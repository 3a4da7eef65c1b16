"""A person confirms, takes back or makes the statement that two records are the same document (cùng một văn bản)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from archive import ledger
from archive.decision import Decision
from schemas.errors import ConfigurationError

STATES = ("confirmed", "refused")


def link_decision(documents: tuple[str, str], state: str, *, by: str, account: str, why: str) -> Decision:
    """The decision that two documents are, or are not, the same.

    Args:
        documents: their identities in the archive. state: ``confirmed`` or ``refused``.
    """
    first, second = sorted(UUID(document) for document in documents)
    values = {"documents": [str(first), str(second)], "state": state}
    return Decision("link", f"{first} {second}", by, account, why, values)


def decide_link(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Set the state of every statement about the pair; make one of grade C where nobody had found any."""
    # The loader links under the ledger's lock: whoever touches its rows first would wait in a circle.
    ledger.lock(cursor)
    state = decision.values["state"]
    documents = decision.values["documents"]
    if state not in STATES or not isinstance(documents, list) or len(set(map(str, documents))) != 2:
        raise ConfigurationError(
            "a link joins two different documents", where=decision.object, expected=" or ".join(STATES)
        )
    pair = [UUID(str(document)) for document in documents]
    cursor.execute("SELECT count(*) FROM archive.document WHERE id = ANY(%s)", (pair,))
    if cursor.fetchone() != (2,):
        raise ConfigurationError(
            "the archive does not hold both documents",
            where=decision.object,
            action="look them up: lienthong show",
        )
    decided = {"state": state, "by": decision.by, "why": decision.why, "at": at, "a": pair[0], "b": pair[1]}
    cursor.execute(
        """UPDATE archive.same_as SET state = %(state)s, decided_by = %(by)s, decided_why = %(why)s,
          decided_at = %(at)s WHERE document_a = %(a)s AND document_b = %(b)s""",
        decided,
    )
    if cursor.rowcount == 0:
        cursor.execute(
            """INSERT INTO archive.same_as (document_a, document_b, grade, evidence, found_at, state,
              decided_by, decided_why, decided_at)
            VALUES (%(a)s, %(b)s, 'C', 'person', %(at)s, %(state)s, %(by)s, %(why)s, %(at)s)""",
            decided,
        )
