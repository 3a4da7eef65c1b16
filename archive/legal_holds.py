"""Legal hold (tạm dừng tiêu hủy theo vụ việc): what stands under a case is not destroyed, whatever has come due.

A hold is of one case on one document or dossier. Several cases may hold the same; each is released by itself. A hold on
a dossier is on all that is in it, and nothing leaves it meanwhile; a held document holds back its dossiers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive.decision import Decision
from archive.failures import database_errors
from archive.identities import decided_id, lock_key
from archive.stored_text import column_text, key_text
from schemas.errors import ConfigurationError

_LOCK = lock_key("disposal")


@dataclass(frozen=True, slots=True)
class HoldView:
    """A hold.

    Attributes:
        id: its identity. case: the case as it is called. kind: ``document`` or ``dossier``. object: whose identity.
        reference: its symbol or code. held_from: from when.
        placed_by, placed_why, placed_at: who, why, when. released_by, released_why, released_at: of its end, or
            ``None`` while it stands.
    """

    id: str
    case: str
    kind: str
    object: str
    reference: str | None
    held_from: date | None
    placed_by: str
    placed_why: str
    placed_at: datetime
    released_by: str | None
    released_why: str | None
    released_at: datetime | None


def lock_disposal(cursor: psycopg.Cursor[TupleRow]) -> None:
    """Be the only one who holds, releases or destroys until the transaction ends; taken before any row."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def decide_hold(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Place a hold of ``values["case"]`` on the document or dossier ``decision.object``; once, however often asked."""
    lock_disposal(cursor)
    values = decision.values
    case = str(values["case"])
    from_ = values.get("from")
    cursor.execute(
        """INSERT INTO archive.legal_hold (id, case_reference, case_norm, kind, object_id, held_from, placed_by,
          placed_account, placed_why, placed_at)
        SELECT %(id)s, %(case)s, %(norm)s, %(kind)s, %(object)s, %(from)s, %(by)s, %(account)s, %(why)s, %(at)s
        WHERE NOT EXISTS (SELECT FROM archive.legal_hold
          WHERE case_norm = %(norm)s AND object_id = %(object)s AND released_at IS NULL)""",
        {
            "id": decided_id("hold", f"{case_norm(case)}|{decision.object}", at),
            "case": column_text(case),
            "norm": case_norm(case),
            "kind": values["kind"],
            "object": UUID(decision.object),
            "from": date.fromisoformat(str(from_)) if from_ else at.date(),
            "by": decision.by,
            "account": decision.account,
            "why": decision.why,
            "at": at,
        },
    )


def check_hold(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Refuses a hold on what is not there, or not there any more."""
    del at
    lock_disposal(cursor)
    if not case_norm(str(decision.values.get("case", ""))):
        raise ConfigurationError("a hold needs the case that it is for", where=decision.object)
    cursor.execute(
        """SELECT CASE %(kind)s WHEN 'document' THEN EXISTS (SELECT FROM archive.document d WHERE d.id = %(id)s
            AND NOT EXISTS (SELECT FROM archive.disposed_version z
              WHERE z.document_id = d.id AND z.version = d.current_version))
          WHEN 'dossier' THEN EXISTS (SELECT FROM archive.dossier WHERE id = %(id)s) END""",
        {"kind": decision.values["kind"], "id": UUID(decision.object)},
    )
    if cursor.fetchone() != (True,):
        raise ConfigurationError(
            "there is nothing to hold: the archive does not have it, or it was destroyed",
            where=decision.object,
            action="look it up: lienthong show, lienthong dossier",
        )


def decide_release(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """End the standing holds of the case ``values["case"]``, on ``values["on"]`` only where that is given."""
    lock_disposal(cursor)
    cursor.execute(
        _RELEASE,
        {
            **_standing(decision),
            "by": decision.by,
            "account": decision.account,
            "why": decision.why,
            "at": at,
        },
    )


def check_release(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Refuses to release what no hold of that case stands on."""
    del at
    lock_disposal(cursor)
    cursor.execute(_COUNT, _standing(decision))
    if cursor.fetchone() == (0,):
        raise ConfigurationError(
            f"no hold of the case {decision.values['case']!r} stands there",
            where=str(decision.values.get("on") or ""),
            action="list them: lienthong retention holds",
        )


def standing_cases(cursor: psycopg.Cursor[TupleRow], document: UUID) -> list[str]:
    """The cases under which a document is held, itself or by a dossier that it is in."""
    cursor.execute(
        """SELECT DISTINCT case_reference FROM archive.legal_hold h WHERE h.released_at IS NULL
        AND (h.object_id = %(document)s OR h.object_id IN (SELECT dossier_id FROM archive.dossier_document
          WHERE document_id = %(document)s AND NOT taken_out)) ORDER BY 1""",
        {"document": document},
    )
    return [str(row[0]) for row in cursor.fetchall()]


def cases_of(cursor: psycopg.Cursor[TupleRow], held: UUID) -> list[str]:
    """The cases whose holds stand on the document or dossier ``held`` itself."""
    cursor.execute(
        """SELECT DISTINCT case_reference FROM archive.legal_hold
        WHERE released_at IS NULL AND object_id = %s ORDER BY 1""",
        (held,),
    )
    return [str(row[0]) for row in cursor.fetchall()]


def holds(engine: sa.Engine, released: bool = False) -> Sequence[HoldView]:
    """The standing holds by case; ``released``: the others too."""
    with database_errors("listing the legal holds"), engine.connect() as connection:
        return [
            HoldView(**{**row, "id": str(row["id"]), "object": str(row["object"])})
            for row in connection.execute(_HOLDS, {"released": released}).mappings()
        ]


def case_norm(case: str) -> str:
    """One spelling for a case's reference: letter case and spaces do not count."""
    return key_text(" ".join(case.casefold().split()))


def _standing(decision: Decision) -> dict[str, object]:
    on = decision.values.get("on")
    return {"case": case_norm(str(decision.values["case"])), "on": UUID(str(on)) if on else None}


_STANDING = "case_norm = %(case)s AND released_at IS NULL AND (%(on)s::uuid IS NULL OR object_id = %(on)s)"
_COUNT = f"SELECT count(*) FROM archive.legal_hold WHERE {_STANDING}"  # noqa: S608 - constant of this module
_RELEASE = f"""
UPDATE archive.legal_hold SET released_by = %(by)s, released_account = %(account)s, released_why = %(why)s,
  released_at = %(at)s WHERE {_STANDING}
"""  # noqa: S608 - constant of this module
_HOLDS = sa.text(
    """SELECT h.id, h.case_reference AS case, h.kind, h.object_id AS object, coalesce(s.code, s.title, v.symbol,
      d.source_key) AS reference, h.held_from, h.placed_by, h.placed_why, h.placed_at, h.released_by,
      h.released_why, h.released_at
    FROM archive.legal_hold h
    LEFT JOIN archive.dossier s ON h.kind = 'dossier' AND s.id = h.object_id
    LEFT JOIN archive.document d ON h.kind = 'document' AND d.id = h.object_id
    LEFT JOIN archive.document_version v ON v.document_id = d.id AND v.version = d.current_version
    WHERE h.released_at IS NULL OR :released ORDER BY h.case_norm, h.placed_at, h.id"""
)
