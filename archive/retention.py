"""How long a document is kept, and what has come due: read from records, dossiers, people's decisions and rules.

Every statement counts, and the longest wins: that of any version of the document (a later one that says less shortens
nothing), or instead of these a person's word on it, and that of each dossier it is in. Only where all of them are
silent does the office's rule for its type and source count. Time runs from the end of the dossier, or from the date of
a document in none; without a statement or a date nothing comes due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive.cursors import psycopg_cursor
from archive.decision import Decision
from archive.failures import database_errors
from archive.identities import decided_id
from archive.retention_periods import UNDETERMINED, Period, read_period
from archive.stored_text import column_text
from schemas.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Kept:
    """How long one document is kept.

    Attributes:
        document: its identity.
        retention: thời hạn bảo quản; ``Chưa xác định`` when nobody says.
        said_by: who says so: ``record``, ``person``, ``dossier``, ``rule``, or ``""``.
        basis: the text behind it: the vocabulary's source, or the rule's.
        ended: from when time runs. ended_by: ``dossier``, ``issued`` or ``""``.
        due_on: first day on which it may be destroyed; ``None``: never, or not known.
    """

    document: str
    retention: str
    said_by: str
    basis: str
    ended: date | None
    ended_by: str
    due_on: date | None


@dataclass(frozen=True, slots=True)
class DueItem:
    """A dossier all of whose documents are due, or a due document that is in no dossier.

    Attributes:
        kind: ``dossier`` or ``document``. id: its identity. reference: mã hồ sơ, or số và ký hiệu.
        title: tiêu đề, trích yếu. documents: how many would go. retention, basis, ended: of the last to come due.
        due_on: when the last of them came due. cases: legal holds that stand on any of them.
        disposal: state of a request that is under way, or ``""``.
    """

    kind: str
    id: str
    reference: str | None
    title: str | None
    documents: int
    retention: str
    basis: str
    ended: date
    due_on: date
    cases: tuple[str, ...]
    disposal: str


def kept(engine: sa.Engine, documents: Sequence[str]) -> list[Kept]:
    """How long each of ``documents`` is kept, in their order; those that the archive does not hold are left out."""
    with database_errors("reading retention periods"), engine.connect() as connection:
        found = kept_in(psycopg_cursor(connection), documents)
    return [found[document] for document in documents if document in found]


def kept_in(cursor: psycopg.Cursor[TupleRow], documents: Sequence[str]) -> Mapping[str, Kept]:
    """As ``kept``, in the cursor's transaction, by identity."""
    cursor.execute(_KEPT_OF, {**_periods(cursor), "documents": [UUID(document) for document in documents]})
    return {str(row[0]): _kept(row) for row in cursor.fetchall()}


def due_list(engine: sa.Engine, on: date, classes: Sequence[str] | None = None) -> list[DueItem]:
    """What is due on the day ``on``, the longest due first; whole dossiers, then single documents.

    Args:
        engine: connected as who may read all documents: a dossier is due with the last of them.
        on: the day. classes: only what has no documents but of these classes of access; ``None``: everything.
    """
    with database_errors("listing what is due"), engine.connect() as connection:
        cursor = psycopg_cursor(connection)
        shown = None if classes is None else list(classes)
        cursor.execute(_DUE, {**_periods(cursor), "on": on, "classes": shown})
        return [_item(row) for row in cursor.fetchall()]


def decide_retention(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """A person says how long one document is kept: instead of what its records say, whatever is longer."""
    cursor.execute(
        """INSERT INTO archive.retention_decision (document_id, retention, decided_by, decided_why, decided_at)
        VALUES (%s, %s, %s, %s, %s) ON CONFLICT (document_id) DO UPDATE SET retention = excluded.retention,
          decided_by = excluded.decided_by, decided_why = excluded.decided_why, decided_at = excluded.decided_at""",
        (UUID(decision.object), _stated(decision), decision.by, decision.why, at),
    )


def decide_rule(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """The office's rule for a type of document (and a source): what counts where records say nothing."""
    values = decision.values
    type_code = column_text(str(values["type_code"]))
    cursor.execute(
        """INSERT INTO archive.retention_rule (id, type_code, source, retention, basis, decided_by, decided_why,
          decided_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (type_code, source) DO UPDATE SET retention = excluded.retention, basis = excluded.basis,
          decided_by = excluded.decided_by, decided_why = excluded.decided_why, decided_at = excluded.decided_at""",
        (
            decided_id("retention rule", f"{type_code}|{decision.source}", at),
            type_code,
            decision.source,
            _stated(decision),
            column_text(str(values["basis"])),
            decision.by,
            decision.why,
            at,
        ),
    )


def _stated(decision: Decision) -> str:
    period = read_period(str(decision.values["retention"]))
    if period.rank == 0 or (period.years is None and period.code == "07"):
        raise ConfigurationError(
            f"{decision.values['retention']!r} does not say how long",
            where=decision.object,
            expected="Vĩnh viễn, or a number of years such as 20 năm",
        )
    return period.name


def _periods(cursor: psycopg.Cursor[TupleRow]) -> dict[str, object]:
    """Every period that is written anywhere, with its rank: the vocabulary is the program's, not the database's."""
    cursor.execute(_WRITTEN)
    printed = [str(row[0]) for row in cursor.fetchall()]
    return {"printed": printed, "ranks": [read_period(text).rank for text in printed]}


def _kept(row: TupleRow) -> Kept:
    document, printed, said_by, basis, ended, ended_by = row
    period = read_period(printed)
    return Kept(
        document=str(document),
        retention=period.name,
        said_by=said_by or "",
        basis=basis or _basis(period),
        ended=ended,
        ended_by=ended_by or "",
        due_on=period.due_on(ended),
    )


def _item(row: TupleRow) -> DueItem:
    kind, identity, reference, title, documents, printed, basis, ended, due_on, cases, disposal = row
    period = read_period(printed)
    return DueItem(
        kind, str(identity), reference, title, documents, period.name, basis or _basis(period), ended, due_on,
        tuple(cases), disposal or "",
    )  # fmt: skip


def _basis(period: Period) -> str:
    return "" if period.name == UNDETERMINED else period.basis


_WRITTEN = """
SELECT retention FROM archive.document_version WHERE retention IS NOT NULL
UNION SELECT retention FROM archive.dossier WHERE retention IS NOT NULL
UNION SELECT retention FROM archive.retention_decision UNION SELECT retention FROM archive.retention_rule
"""

# What each document is said to be kept for, the longest first; one row a document.
_KEPT = """
WITH period AS (SELECT * FROM unnest(%(printed)s::text[], %(ranks)s::int[]) AS p(printed, rank)),
asked AS MATERIALIZED (
  SELECT d.id, d.source, d.access, v.issued_date, v.type_code
  FROM archive.document d JOIN archive.document_version v ON v.document_id = d.id AND v.version = d.current_version
  WHERE {which}),
place AS MATERIALIZED (
  SELECT x.document_id AS id, s.retention, s.end_date
  FROM archive.dossier_document x JOIN archive.dossier s ON s.id = x.dossier_id JOIN asked a ON a.id = x.document_id
  WHERE NOT x.taken_out),
statement AS (
  SELECT a.id, 3 AS place, 'record' AS said_by, v.retention AS printed, NULL AS basis
  FROM asked a JOIN archive.document_version v ON v.document_id = a.id
  WHERE v.retention IS NOT NULL AND NOT EXISTS (SELECT FROM archive.retention_decision t WHERE t.document_id = a.id)
  UNION ALL
  SELECT a.id, 1, 'person', t.retention, t.decided_by || ': ' || t.decided_why
  FROM asked a JOIN archive.retention_decision t ON t.document_id = a.id
  UNION ALL
  SELECT id, 2, 'dossier', retention, NULL FROM place WHERE retention IS NOT NULL
  UNION ALL
  SELECT a.id, 4, 'rule', r.retention, r.basis
  FROM asked a JOIN archive.retention_rule r ON r.type_code = a.type_code AND r.source IN ('', a.source)),
longest AS (
  SELECT DISTINCT ON (s.id) s.id, s.printed, s.said_by, s.basis, p.rank
  FROM statement s JOIN period p USING (printed)
  -- A rule speaks only where nobody else says anything.
  ORDER BY s.id, p.rank = 0, s.said_by = 'rule', p.rank DESC, s.place, s.basis),
ended AS (SELECT id, max(end_date) AS day FROM place GROUP BY id),
kept AS (
  SELECT a.id, l.printed, CASE WHEN l.rank > 0 THEN l.said_by END AS said_by, l.basis, l.rank,
    greatest(e.day, a.issued_date) AS ended,
    a.access,
    CASE WHEN e.day >= a.issued_date OR (e.day IS NOT NULL AND a.issued_date IS NULL) THEN 'dossier'
      WHEN a.issued_date IS NOT NULL THEN 'issued' END AS ended_by
  FROM asked a LEFT JOIN longest l USING (id) LEFT JOIN ended e USING (id))
"""
_SHOWN = "(%(classes)s::text[] IS NULL OR d.access = ANY(%(classes)s::text[]))"
_ASKED = _KEPT.format(which="d.id = ANY(%(documents)s)")
_LEFT = _KEPT.format(
    which="""NOT EXISTS (SELECT FROM archive.disposed_version z
    WHERE z.document_id = d.id AND z.version = d.current_version)"""
)
_KEPT_OF = f"""{_ASKED}
SELECT id, printed, said_by, basis, ended, ended_by FROM kept
"""  # noqa: S608 - constants of this module
_DUE = f"""{_LEFT}, due AS MATERIALIZED (
  SELECT kept.*, CASE WHEN rank BETWEEN 1 AND 9999
    THEN make_date(extract(year FROM ended)::int + rank + 1, 1, 1) END AS due_on FROM kept),
item AS (
  SELECT 'dossier' AS kind, x.dossier_id AS id, array_agg(d.id ORDER BY d.due_on DESC, d.id) AS members,
    max(d.due_on) AS due_on
  FROM archive.dossier_document x JOIN due d ON d.id = x.document_id WHERE NOT x.taken_out
  GROUP BY x.dossier_id HAVING bool_and(coalesce(d.due_on <= %(on)s, false) AND {_SHOWN})
  UNION ALL
  SELECT 'document', d.id, ARRAY[d.id], d.due_on FROM due d
  WHERE d.due_on <= %(on)s AND {_SHOWN} AND NOT EXISTS (SELECT FROM place p WHERE p.id = d.id))
SELECT i.kind, i.id, coalesce(s.code, v.symbol), coalesce(s.title, v.subject), cardinality(i.members), l.printed,
  l.basis, l.ended, i.due_on,
  ARRAY(SELECT DISTINCT h.case_reference FROM archive.legal_hold h
    WHERE h.released_at IS NULL AND (h.object_id = ANY(i.members)
      OR h.object_id IN (SELECT x.dossier_id FROM archive.dossier_document x
        WHERE x.document_id = ANY(i.members) AND NOT x.taken_out)) ORDER BY 1),
  (SELECT min(q.state) FROM archive.disposal_document z JOIN archive.disposal q ON q.id = z.disposal_id
    WHERE z.document_id = ANY(i.members) AND q.state <> 'refused')
FROM item i JOIN due l ON l.id = i.members[1]
LEFT JOIN archive.dossier s ON i.kind = 'dossier' AND s.id = i.id
LEFT JOIN archive.document o ON i.kind = 'document' AND o.id = i.id
LEFT JOIN archive.document_version v ON v.document_id = o.id AND v.version = o.current_version
ORDER BY i.due_on, i.kind DESC, 3, i.id
"""  # noqa: S608 - constants of this module
