"""Deciding: the change and its event in one transaction; and doing it again when the database is rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import cast

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive import disposal, ledger
from archive.access import decide_access
from archive.canonical import Json
from archive.cursors import psycopg_cursor
from archive.decision import Decision
from archive.dossier_decisions import (
    check_membership,
    decide_dossier,
    decide_fonds,
    decide_membership,
    decide_organ,
)
from archive.failures import database_errors
from archive.known_gaps import check_known_gap, decide_known_gap
from archive.ledger import Event, EventType
from archive.legal_holds import check_hold, check_release, decide_hold, decide_release
from archive.retention import decide_retention, decide_rule
from archive.same_as import decide_link
from schemas.errors import ConfigurationError

Apply = Callable[[psycopg.Cursor[TupleRow], Decision, datetime], None]


def _allowed(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of decision.

    Attributes:
        event: the type of its event.
        apply: writes it into the tables; raises ``ConfigurationError`` when it cannot be. What it locks follows the
            loader's order (``archive.loader``): rows first, the ledger, where it needs that at all, last.
        check: raises ``ConfigurationError`` where the decision is not allowed now; before ``apply``, in the same
            transaction. What was decided once is not asked again when it is repeated from the ledger.
    """

    event: EventType
    apply: Apply
    check: Apply = _allowed


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "access": Kind(EventType.ACCESS, decide_access),
        "disposal_approval": Kind(EventType.DISPOSAL, disposal.decide_approval, disposal.check_approval),
        "disposal_execution": Kind(EventType.DISPOSAL, disposal.decide_execution, disposal.check_execution),
        "disposal_refusal": Kind(EventType.DISPOSAL, disposal.decide_refusal, disposal.check_refusal),
        "disposal_request": Kind(EventType.DISPOSAL, disposal.decide_request, disposal.check_request),
        "dossier": Kind(EventType.DECISION, decide_dossier),
        "dossier_document": Kind(EventType.DECISION, decide_membership, check_membership),
        "fonds": Kind(EventType.DECISION, decide_fonds),
        "hold": Kind(EventType.HOLD, decide_hold, check_hold),
        "known_gap": Kind(EventType.DECISION, decide_known_gap, check_known_gap),
        "link": Kind(EventType.DECISION, decide_link),
        "object_removal": Kind(EventType.DELETION, disposal.decide_removal),
        "organ": Kind(EventType.DECISION, decide_organ),
        "release_hold": Kind(EventType.HOLD, decide_release, check_release),
        "retention": Kind(EventType.DECISION, decide_retention),
        "retention_rule": Kind(EventType.DECISION, decide_rule),
    }
)
"""Every kind of decision by its name in the ledger. Names are never reused: old ledgers hold them."""


def decide(engine: sa.Engine, decision: Decision, at: datetime | None = None) -> None:
    """Apply ``decision`` and append its event, both or neither.

    Raises:
        ConfigurationError: it lacks a person or a reason, or cannot be applied to what the archive holds.
        RetriableError, FatalError: the database is away, or refuses.
    """
    if not decision.by.strip() or not decision.why.strip():
        raise ConfigurationError(
            f"a decision of kind {decision.kind!r} came without a person or a reason",
            where=decision.object,
            expected="who decides, and why, in words",
        )
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    with database_errors(f"deciding {decision.kind}"), engine.begin() as connection:
        cursor = psycopg_cursor(connection)
        kind = KINDS[decision.kind]
        kind.check(cursor, decision, moment)
        kind.apply(cursor, decision, moment)
        ledger.lock(cursor)
        ledger.append(cursor, [decision_event(decision)], moment)


def decision_event(decision: Decision) -> Event:
    """``decision`` as the ledger keeps it."""
    payload: dict[str, Json] = {
        "decision": decision.kind,
        "by": decision.by,
        "account": decision.account,
        "why": decision.why,
        "values": dict(decision.values),
    }
    return Event(KINDS[decision.kind].event, "success", decision.source, decision.object, payload=payload)


def read_decision(source: str, object_: str, payload: Mapping[str, Json]) -> Decision | None:
    """The decision that an event with this ``payload`` keeps; ``None`` when the event is of another kind."""
    if "decision" not in payload:
        return None
    return Decision(
        kind=str(payload["decision"]),
        object=object_,
        by=str(payload["by"]),
        account=str(payload["account"]),
        why=str(payload["why"]),
        values=cast("Mapping[str, Json]", payload["values"]),
        source=source,
    )
