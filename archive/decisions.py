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

from archive import ledger
from archive.canonical import Json
from archive.cursors import psycopg_cursor
from archive.decision import Decision
from archive.dossier_decisions import decide_dossier, decide_fonds, decide_membership, decide_organ
from archive.failures import database_errors
from archive.ledger import Event, EventType
from archive.same_as import decide_link
from schemas.errors import ConfigurationError

Apply = Callable[[psycopg.Cursor[TupleRow], Decision, datetime], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of decision.

    Attributes:
        event: the type of its event.
        apply: writes it into the tables; raises ``ConfigurationError`` when it cannot be. What it locks follows the
            loader's order (``archive.loader``): rows first, the ledger, where it needs that at all, last.
    """

    event: EventType
    apply: Apply


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "dossier": Kind(EventType.DECISION, decide_dossier),
        "dossier_document": Kind(EventType.DECISION, decide_membership),
        "fonds": Kind(EventType.DECISION, decide_fonds),
        "link": Kind(EventType.DECISION, decide_link),
        "organ": Kind(EventType.DECISION, decide_organ),
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
        KINDS[decision.kind].apply(cursor, decision, moment)
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
