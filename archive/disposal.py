"""Disposal (tiêu hủy hồ sơ, tài liệu hết thời hạn bảo quản): asked for by one person, approved by another.

``requested → approved → carried out``, or ``refused``. Nothing goes before it is due, under a legal hold, or on one
person's word; each is asked again when the document's content is destroyed, and the database's own trigger lets the
rows of an approved disposal alone be emptied. What stays is the trace: identity, number, date, names of the objects,
who and why. First the decision is committed with its event, document by document; bytes go afterwards
(``archive.disposal_removal``), so that a crash leaves a disposal to be gone on with, and never a hole without a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive.canonical import Json
from archive.cursors import psycopg_cursor
from archive.decision import Decision
from archive.disposal_trace import Trace, lock_removal, read_trace
from archive.dossiers import lock_dossiers
from archive.failures import database_errors
from archive.identities import decided_id
from archive.legal_holds import lock_disposal, standing_cases
from archive.persons import person_norm
from archive.retention import Kept, kept_in
from archive.rows import json_text
from archive.stored_text import column_text
from schemas.errors import ConfigurationError

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True)
class DisposalView:
    """A disposal.

    Attributes:
        id: its identity. state: ``requested``, ``approved`` or ``refused``. title: what it is about.
        documents: how many it names. carried_out: how many of them are destroyed.
        requested_by, requested_why, requested_at: who asked, why, when.
        decided_by, decided_why, decided_at: who approved or refused it.
    """

    id: str
    state: str
    title: str
    documents: int
    carried_out: int
    requested_by: str
    requested_why: str
    requested_at: datetime
    decided_by: str | None
    decided_why: str | None
    decided_at: datetime | None


def request_decision(
    engine: sa.Engine, documents: Sequence[str], title: str, *, by: str, account: str, why: str, at: datetime
) -> Decision:
    """The request to destroy ``documents``, with what makes each of them due. Apply it with ``decide(…, at)``."""
    with database_errors("preparing a disposal"), engine.connect() as connection:
        found = kept_in(psycopg_cursor(connection), documents)
    values: dict[str, Json] = {"title": title, "documents": [_of(found[name]) for name in sorted(found)]}
    identity = decided_id("disposal", f"{account}|{title}|{' '.join(sorted(found))}", at)
    return Decision("disposal_request", str(identity), by, account, why, values)


def check_request(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Refuses a request for nothing, for what is not due, held or destroyed, and for what another request names."""
    lock_disposal(cursor)
    documents = _requested(decision)
    if not documents:
        raise ConfigurationError(
            "the request names no document of the archive",
            where=decision.object,
            action="lienthong retention due",
        )
    _check_due(cursor, list(documents), _day(at))
    cursor.execute(
        """SELECT min(d.id::text) FROM archive.document d JOIN archive.disposed_version z
          ON z.document_id = d.id AND z.version = d.current_version WHERE d.id = ANY(%s::uuid[])""",
        (list(documents),),
    )
    if (row := cursor.fetchone()) and row[0]:
        raise ConfigurationError("the document's content was destroyed already", where=str(row[0]))
    cursor.execute(
        """SELECT min(z.document_id::text) FROM archive.disposal_document z
        JOIN archive.disposal p ON p.id = z.disposal_id
        WHERE z.document_id = ANY(%s::uuid[]) AND p.state <> 'refused' AND z.carried_out_at IS NULL""",
        (list(documents),),
    )
    if (row := cursor.fetchone()) and row[0]:
        raise ConfigurationError("another request already names this document", where=str(row[0]))


def decide_request(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Enter the request."""
    cursor.execute(
        "SELECT archive.request_disposal(%s, %s, %s, %s, %s, %s, %s, %s::jsonb)",
        (
            UUID(decision.object),
            column_text(str(decision.values["title"])),
            decision.by,
            person_norm(decision.by),
            decision.account,
            decision.why,
            at,
            json_text(decision.values["documents"]),
        ),
    )


def check_approval(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Refuses the requester's own approval, under whatever spelling or account, and what is held or not due now."""
    lock_disposal(cursor)
    cursor.execute(
        "SELECT state, requested_norm, requested_account FROM archive.disposal WHERE id = %s",
        (UUID(decision.object),),
    )
    row = cursor.fetchone()
    if row is None or row[0] != "requested":
        raise _not_open(decision, row[0] if row else None)
    if person_norm(decision.by) == row[1]:
        raise ConfigurationError(
            "who asked for a disposal cannot approve it",
            where=decision.object,
            expected="another person",
            action="let a second person decide, under their own account",
        )
    if decision.account == row[2]:
        raise ConfigurationError(
            f"the approval comes from the account {decision.account!r}, as the request did",
            where=decision.object,
            expected="the second person's own account",
            action="log in as that person; a name alone proves no second person",
        )
    _check_due(cursor, _open_documents(cursor, decision.object), _day(at))


def decide_approval(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Enter the approval."""
    _close(cursor, decision, at, "approved")


def check_refusal(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Refuses to refuse what is decided; an approval may be taken back until something was destroyed."""
    del at
    lock_disposal(cursor)
    cursor.execute(
        """SELECT p.state, EXISTS (SELECT FROM archive.disposal_document z
          WHERE z.disposal_id = p.id AND z.carried_out_at IS NOT NULL)
        FROM archive.disposal p WHERE p.id = %s""",
        (UUID(decision.object),),
    )
    row = cursor.fetchone()
    if row is None or row[0] == "refused" or row[1]:
        raise _not_open(decision, row[0] if row else None)


def decide_refusal(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Enter the refusal; the requester may also take the request back."""
    _close(cursor, decision, at, "refused")


def execution_decision(
    engine: sa.Engine, disposal: str, document: str, *, by: str, account: str, why: str
) -> Decision:
    """That ``document`` is destroyed now under ``disposal``, with the trace that stays of it."""
    with database_errors("preparing a disposal"), engine.connect() as connection:
        trace = read_trace(psycopg_cursor(connection), document)
    return Decision(
        "disposal_execution",
        document,
        by,
        account,
        why,
        {"disposal": disposal, **trace.values()},
        trace.source,
    )


def check_execution(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Refuses what is not approved, is held, is not due, or changed since it was looked at."""
    lock_disposal(cursor)
    lock_dossiers(cursor)
    lock_removal(cursor)
    cursor.execute(
        """SELECT p.state FROM archive.disposal p JOIN archive.disposal_document z ON z.disposal_id = p.id
        WHERE p.id = %s AND z.document_id = %s AND z.carried_out_at IS NULL""",
        (UUID(str(decision.values["disposal"])), UUID(decision.object)),
    )
    row = cursor.fetchone()
    if row is None or row[0] != "approved":
        raise _not_open(decision, row[0] if row else None)
    _check_due(cursor, [decision.object], _day(at))
    if read_trace(cursor, decision.object) != Trace.of(decision):
        raise ConfigurationError(
            "the document changed while it was being destroyed",
            where=decision.object,
            action="carry it out again",
        )


def decide_execution(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Empty the document's rows, leave the trace, and give up the objects that nothing else needs."""
    cursor.execute(
        "SELECT archive.dispose(%s, %s, %s, %s::jsonb)",
        (
            UUID(str(decision.values["disposal"])),
            UUID(decision.object),
            at,
            json_text(Trace.of(decision).values()),
        ),
    )


def decide_removal(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Note that the bytes are gone."""
    names = decision.values["objects"]
    assert isinstance(names, Sequence)
    cursor.execute("SELECT archive.note_removal(%s::text[], %s)", ([str(name) for name in names], at))


def open_documents(engine: sa.Engine, disposal: str) -> list[str]:
    """The documents of an approved disposal that are still to be destroyed.

    Raises:
        ConfigurationError: there is no such disposal, or nobody has approved it.
    """
    with database_errors("reading a disposal"), engine.connect() as connection:
        cursor = psycopg_cursor(connection)
        cursor.execute("SELECT state FROM archive.disposal WHERE id = %s", (UUID(disposal),))
        row = cursor.fetchone()
        if row is None or row[0] != "approved":
            raise ConfigurationError(
                f"the disposal is {row[0] if row else 'not known'}",
                where=disposal,
                expected="one that a second person has approved",
                action="list them: lienthong retention list",
            )
        return _open_documents(cursor, disposal)


def disposals(engine: sa.Engine) -> list[DisposalView]:
    """Every disposal, the newest first."""
    with database_errors("listing the disposals"), engine.connect() as connection:
        return [
            DisposalView(**{**row, "id": str(row["id"])}) for row in connection.execute(_DISPOSALS).mappings()
        ]


def _check_due(cursor: psycopg.Cursor[TupleRow], documents: Sequence[str], today: date) -> None:
    found = kept_in(cursor, documents)
    for document in documents:
        kept = found.get(document)
        if kept is None or kept.due_on is None or kept.due_on > today:
            raise ConfigurationError(
                "the document is not due"
                + (f": {kept.retention}, ended {kept.ended}, due {kept.due_on}" if kept else ""),
                where=document,
                expected=f"a retention period that ended by {today}",
                action="see why: lienthong retention of",
            )
        if cases := standing_cases(cursor, UUID(document)):
            raise ConfigurationError(
                f"a legal hold stands on the document: {', '.join(cases)}",
                where=document,
                action="wait until the case releases it: lienthong retention release",
            )


def _open_documents(cursor: psycopg.Cursor[TupleRow], disposal: str) -> list[str]:
    cursor.execute(
        """SELECT document_id::text FROM archive.disposal_document
        WHERE disposal_id = %s AND carried_out_at IS NULL ORDER BY document_id""",
        (UUID(disposal),),
    )
    return [str(row[0]) for row in cursor.fetchall()]


def _close(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime, state: str) -> None:
    cursor.execute(
        "SELECT archive.close_disposal(%s, %s, %s, %s, %s, %s, %s)",
        (
            UUID(decision.object),
            state,
            decision.by,
            person_norm(decision.by),
            decision.account,
            decision.why,
            at,
        ),
    )


def _not_open(decision: Decision, state: str | None) -> ConfigurationError:
    return ConfigurationError(
        f"the disposal is {state}" if state else "there is no such disposal, or nothing of it is left to do",
        where=decision.object,
        action="list them: lienthong retention list",
    )


def _of(kept: Kept) -> Mapping[str, Json]:
    return {
        "document": kept.document,
        "retention": kept.retention,
        "basis": kept.basis,
        "due_on": kept.due_on.isoformat() if kept.due_on else None,
    }


def _requested(decision: Decision) -> dict[str, Mapping[str, str | None]]:
    items = cast("Sequence[Mapping[str, str | None]]", decision.values["documents"])
    return {str(item["document"]): item for item in items}


def _day(at: datetime) -> date:
    """The office's day: periods end at its midnight."""
    return at.astimezone(UTC).astimezone(_ZONE).date()


_DISPOSALS = sa.text(
    """SELECT p.id, p.state, p.title, count(z.document_id) AS documents, count(z.carried_out_at) AS carried_out,
      p.requested_by, p.requested_why, p.requested_at, p.decided_by, p.decided_why, p.decided_at
    FROM archive.disposal p LEFT JOIN archive.disposal_document z ON z.disposal_id = p.id
    GROUP BY p.id ORDER BY p.requested_at DESC, p.id"""
)
