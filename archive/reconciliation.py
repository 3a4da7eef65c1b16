"""Reconciliation (đối chiếu): what came in against what was listed, numbered, cited and asked for, as tables.

Everything that does not fit is a question for a person and no verdict: gaps in numbering are asked about only where a
source's configuration says that it registers whole series (``archive.numbering``). The tables are computed from all
documents, so that one that the reader may not see makes no gap; the lists leave it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from archive import reconciliation_queries as queries
from archive.failures import database_errors
from archive.known_gaps import known_gaps
from archive.numbering import Duplicate, Gap, Numbered, Register, gaps, read_register
from mappings.office_settings import Numbering

Cell: TypeAlias = "str | int | bool | date | datetime | None"

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the reconciliation.

    Attributes:
        name: a stable key, such as ``gaps``. columns: stable keys of its columns. rows: cells in their order.
        asks: every row is a question for a person; the other tables only tell.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All tables, as of one moment."""

    made_at: datetime
    tables: tuple[Table, ...]

    @property
    def in_order(self) -> bool:
        """Whether every listed record is in one counted state; everything else is a question, and no failure."""
        runs = self.table("runs")
        state, difference = (runs.columns.index(name) for name in ("state", "difference"))
        return not self.table("missing").rows and not any(
            row[state] == "finished" and row[difference] for row in runs.rows
        )

    @property
    def questions(self) -> int:
        """How many rows ask something of a person."""
        return sum(len(table.rows) for table in self.tables if table.asks)

    def table(self, name: str) -> Table:
        """The table of that name; ``KeyError`` for none."""
        return {table.name: table for table in self.tables}[name]


def reconcile(
    engine: sa.Engine,
    policies: Mapping[str, Numbering],
    *,
    at: datetime | None = None,
    classes: Sequence[str] | None = None,
) -> Reconciliation:
    """Compare what the archive holds with everything that says what it should hold.

    Args:
        engine: connected as who may read all documents.
        policies: how each configured source numbers, by its name. at: now by default.
        classes: classes of access whose documents are listed; ``None``: all.
    """
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    known = known_gaps(engine)
    asked = {
        "classes": None if classes is None else list(classes),
        "today": moment.astimezone(_ZONE).date(),
        "arrivals": [name for name, policy in policies.items() if policy.arrivals],
    }
    with database_errors("reconciling"), engine.connect() as connection:
        register = _register(connection, asked, policies)
        told = tuple(_table(connection, asked, *spec) for spec in queries.TABLES)
        shown = _shown(connection, asked, register.duplicates)
    numbering = _numbering(register, gaps(register.series, known), shown)
    return Reconciliation(moment, (*told[:4], *numbering, *told[4:]))


def _numbering(
    register: Register, found: Sequence[Gap], shown: Mapping[str, str | None]
) -> tuple[Table, ...]:
    """What the series say. The gaps that nobody has explained ask; the explained ones tell."""
    return (
        _gaps("gaps", [gap for gap in found if gap.state != "known"], asks=True),
        _gaps("known_gaps", [gap for gap in found if gap.state == "known"]),
        Table(
            "duplicates",
            ("series", "number", "document", "symbol", "issued_date", "subject"),
            tuple(row for duplicate in register.duplicates for row in _rows(duplicate, shown)),
            asks=True,
        ),
        Table(
            "unjudged",
            ("source", "unjudged_reason", "count"),
            tuple((source, reason, count) for (source, reason), count in register.unjudged.items()),
        ),
    )


def _gaps(name: str, found: Sequence[Gap], *, asks: bool = False) -> Table:
    columns = ("series", "first", "last", "count", "gap_state", "may_be_secret", "gap_reason", "by", "why")
    rows = tuple(
        (g.series, g.first, g.last, g.last - g.first + 1, g.state, g.may_be_secret, g.reason, g.by, g.why)
        for g in found
    )
    return Table(name, columns, rows, asks)


def _register(
    connection: sa.Connection, asked: Mapping[str, object], policies: Mapping[str, Numbering]
) -> Register:
    rows = connection.execution_options(yield_per=5_000).execute(queries.NUMBERED, asked)
    once: dict[str, str] = {}

    def shared(text: str | None) -> str | None:
        return once.setdefault(text, text) if text is not None else None

    # What many documents have is kept once: the register holds every numbered document.
    documents = (
        Numbered(
            document, once.setdefault(source, source), outgoing, number, shared(notation), symbol,
            shared(type_code), issued, shared(term), shared(issuer), *arrival,
        )
        for document, source, outgoing, number, notation, symbol, type_code, issued, term, issuer, *arrival in rows
    )  # fmt: skip
    return read_register(documents, policies)


def _table(
    connection: sa.Connection, asked: Mapping[str, object], name: str, statement: sa.TextClause, asks: bool
) -> Table:
    found = connection.execute(statement, asked)
    return Table(name, tuple(found.keys()), tuple(tuple(row) for row in found), asks)


def _shown(
    connection: sa.Connection, asked: Mapping[str, object], duplicates: Sequence[Duplicate]
) -> Mapping[str, str | None]:
    """The subject of each of these documents that may be shown."""
    ids = [document.document for duplicate in duplicates for document in duplicate.documents]
    rows = connection.execute(queries.SUBJECTS, {**asked, "ids": ids})
    return {row.document: row.subject for row in rows}


def _rows(duplicate: Duplicate, shown: Mapping[str, str | None]) -> list[tuple[Cell, ...]]:
    name = (duplicate.series, duplicate.number)
    return [
        (*name, one.document, one.symbol, one.issued, shown[one.document])
        if one.document in shown
        else (*name, None, None, None, None)
        for one in duplicate.documents
    ]
