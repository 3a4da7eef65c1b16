"""The register of known gaps: why numbers of a series have no document here, as a person explains it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive.canonical import Json
from archive.decision import Decision
from archive.failures import database_errors
from archive.identities import decided_id
from archive.numbering import KnownGap
from archive.stored_text import key_text
from schemas.errors import ConfigurationError

REASONS = ("reserved", "cancelled", "secret", "paper")
"""Kept back (số giữ chỗ), cancelled (hủy), a secret document (văn bản mật), on paper only (bản giấy)."""


def decide_known_gap(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Explain the numbers ``values["first"]`` to ``values["last"]`` of the series ``decision.object``, or take back
    (``values["withdraw"]``) what was explained of exactly these."""
    values = decision.values
    first, last = int(str(values["first"])), int(str(values["last"]))
    if values.get("withdraw"):
        cursor.execute(
            """UPDATE archive.known_gap SET withdrawn_by = %s, withdrawn_why = %s, withdrawn_at = %s
            WHERE series = %s AND first = %s AND last = %s AND withdrawn_at IS NULL""",
            (decision.by, decision.why, at, key_text(decision.object), first, last),
        )
        if cursor.rowcount == 0:
            raise ConfigurationError(
                f"nobody has explained the numbers {first} to {last}",
                where=decision.object,
                action="list them: lienthong gap",
            )
        return
    cursor.execute(
        """INSERT INTO archive.known_gap (id, series, first, last, reason, decided_by, decided_why, decided_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            decided_id("known gap", f"{decision.object}|{first}|{last}", at),
            key_text(decision.object),
            first,
            last,
            values["reason"],
            decision.by,
            decision.why,
            at,
        ),
    )


def check_known_gap(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Refuses numbers that are none, an unknown reason, and what is explained already."""
    del at
    values = decision.values
    first, last = int(str(values["first"])), int(str(values["last"]))
    if not 0 < first <= last:
        raise ConfigurationError(
            f"{first} to {last} are no numbers of a series", where=decision.object, expected="such as 12-15"
        )
    if values.get("withdraw"):
        return
    if values.get("reason") not in REASONS:
        raise ConfigurationError(
            f"{values.get('reason')!r} is no reason for a gap", expected=" or ".join(REASONS)
        )
    cursor.execute(
        """SELECT first, last, decided_by FROM archive.known_gap
        WHERE series = %s AND withdrawn_at IS NULL AND first <= %s AND last >= %s""",
        (key_text(decision.object), last, first),
    )
    if row := cursor.fetchone():
        raise ConfigurationError(
            f"{row[2]} has explained the numbers {row[0]} to {row[1]} already",
            where=decision.object,
            action="take that back first: lienthong gap remove",
        )


def known_gaps(engine: sa.Engine) -> Sequence[KnownGap]:
    """What is explained now, by series and number."""
    asked = sa.text(
        """SELECT id::text, series, first, last, reason, decided_by AS by, decided_why AS why
        FROM archive.known_gap WHERE withdrawn_at IS NULL ORDER BY series, first, last, id"""
    )
    with database_errors("listing the known gaps"), engine.connect() as connection:
        return [KnownGap(**row) for row in connection.execute(asked).mappings()]


def gap_decision(
    series: str, first: int, last: int, *, reason: str, by: str, account: str, why: str
) -> Decision:
    """That ``first`` to ``last`` of ``series`` have no document here, because of ``reason``."""
    values: dict[str, Json] = {"first": first, "last": last, "reason": reason}
    return Decision("known_gap", series, by, account, why, values)


def withdrawal(series: str, first: int, last: int, *, by: str, account: str, why: str) -> Decision:
    """That what was explained of ``first`` to ``last`` of ``series`` does not hold."""
    values: dict[str, Json] = {"first": first, "last": last, "withdraw": True}
    return Decision("known_gap", series, by, account, why, values)
