"""The entries of the registers of documents: which documents, in which order, and what each column says.

What no record tells stays empty. A recalled document keeps its entry and says that it was recalled; for normal use
its subject is not shown (docs/decisions/0012). Withheld records are not in the archive, so in no register.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from archive.failures import database_errors
from archive.handover.register_forms import HANDLING, INCOMING, OUTGOING, Form
from archive.manifest import read_manifest
from archive.objects import ObjectStore
from schemas.document import Direction, OfficialDocument, Organ
from schemas.vocabulary import status_codes

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a register, both inclusive."""

    first: date
    last: date

    @classmethod
    def of_year(cls, year: int) -> Period:
        """The calendar year ``year``."""
        return cls(date(year, 1, 1), date(year, 12, 31))

    def __str__(self) -> str:
        if self == Period.of_year(self.first.year):
            return f"Năm {self.first.year}"
        return f"Từ ngày {day_text(self.first)} đến ngày {day_text(self.last)}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries a register holds.

    Attributes:
        form: ``INCOMING``, ``OUTGOING`` or ``HANDLING``.
        source: name of the source whose register it is.
        period: its days: of arrival (of issue where none is told) or of issue.
        type_code: only this type: Party organs number each type by itself; ``None`` for all.
        readable: classes of access that may be printed; ``None`` for all.
        whole: also the subjects of recalled documents, for a clerk.
    """

    form: Form
    source: str
    period: Period
    type_code: str | None = None
    readable: tuple[str, ...] | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered document with what other records say of it.

    Attributes:
        document: what its current version says.
        recalled_by: symbol and day of what recalled it; ``""`` where that may not be printed, ``None`` for none.
        answers: symbols and days of what replies to it, as far as that may be printed.
        status: code of the newest status message about it; ``status_at``: its moment.
    """

    document: OfficialDocument
    recalled_by: str | None = None
    answers: tuple[str, ...] = ()
    status: str | None = None
    status_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What a register was made from; ``selected`` is what is printed plus what is left out.

    Attributes:
        selected: documents of the source in the period, or without any day, of the direction or of none known.
        undated: of them, without a day: in no year's register.
        closed: of them, with a day, but of a class of access that may not be printed.
        undirected: of them, those of which nobody knows whether they came in or went out.
    """

    selected: int
    undated: int
    closed: int
    undirected: int

    @property
    def printed(self) -> int:
        """Entries of the register."""
        return self.selected - self.undated - self.closed - self.undirected


@contextlib.contextmanager
def register_entries(
    engine: sa.Engine, objects: ObjectStore, wanted: Wanted
) -> Iterator[tuple[Counts, Iterator[Entry]]]:
    """The counts, and the entries by year and number, of one state of the archive, in flat memory."""
    asked = {
        "source": wanted.source,
        "direction": _DIRECTIONS[wanted.form.name].value,
        "type_code": wanted.type_code,
        "readable": None if wanted.readable is None else list(wanted.readable),
        "first": wanted.period.first,
        "last": wanted.period.last,
    }
    with database_errors("reading a register"), engine.connect() as connection:
        snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
        counts = Counts(**snapshot.execute(_COUNTS, asked).mappings().one())
        rows = snapshot.execution_options(yield_per=_AT_ONCE).execute(_ENTRIES, asked).mappings()
        yield counts, (_entry(objects, row) for row in rows)


def entry_row(wanted: Wanted, entry: Entry) -> tuple[str, ...]:
    """The columns of ``entry`` in the register's form."""
    return _ROWS[wanted.form.name](entry, wanted.whole)


def day_text(day: date | None) -> str:
    """``day`` as registers print it, ``dd/mm/yyyy``; nothing for none."""
    return "" if day is None else f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


def title_and_subject(type_name: str | None, subject: str | None) -> str:
    """Tên loại và trích yếu; the type is not said twice."""
    name, text = type_name or "", subject or ""
    if not name or text.casefold().startswith(name.casefold()):
        return text or name
    return f"{name}: {text}" if text else name


def printed_symbol(symbol: str | None, number: str | None, notation: str | None) -> str:
    """Số, ký hiệu as printed."""
    return symbol or "/".join(filter(None, (number, notation)))


def symbol(document: OfficialDocument) -> str:
    """Số, ký hiệu of ``document`` as printed."""
    return printed_symbol(document.symbol, document.number, document.notation)


def organ_name(organ: Organ | None) -> str:
    """The organ's name, or its code where it has no name."""
    return "" if organ is None else organ.name or organ.organ_id or ""


def _incoming(entry: Entry, whole: bool) -> tuple[str, ...]:
    document = entry.document
    return (
        day_text(document.arrival_date),
        document.arrival_number or "",
        organ_name(document.issuer),
        symbol(document),
        day_text(document.issued_date),
        _shown_subject(entry, whole),
        "; ".join(document.to_places),
        "",
        "",
        _note(entry),
    )


def _outgoing(entry: Entry, whole: bool) -> tuple[str, ...]:
    document = entry.document
    places = (*(organ_name(organ) for organ in document.recipients), *document.to_places)
    return (
        symbol(document),
        day_text(document.issued_date),
        _shown_subject(entry, whole),
        "; ".join(signer.full_name for signer in document.signers if signer.full_name),
        "; ".join(filter(None, places)),
        "",
        "" if document.copy_count is None else str(document.copy_count),
        "",
        "",
        _note(entry),
    )


def _handling(entry: Entry, _whole: bool) -> tuple[str, ...]:
    document = entry.document
    which = (
        document.type_name,
        symbol(document),
        day_text(document.issued_date),
        organ_name(document.issuer),
    )
    return (
        document.arrival_number or "",
        ", ".join(filter(None, which)),
        "; ".join(document.to_places),
        day_text(document.due_date),
        _progress(entry),
        "; ".join(entry.answers),
        _note(entry),
    )


def _shown_subject(entry: Entry, whole: bool) -> str:
    if entry.recalled_by is not None and not whole:
        return entry.document.type_name or ""
    return title_and_subject(entry.document.type_name, entry.document.subject)


def _note(entry: Entry) -> str:
    recalled = (
        ": ".join(filter(None, ("Đã thu hồi", entry.recalled_by))) if entry.recalled_by is not None else ""
    )
    return "; ".join(filter(None, (recalled, entry.document.note)))


def _progress(entry: Entry) -> str:
    if entry.status is None:
        return ""
    name = next((term.name for term in status_codes() if term.code == entry.status), entry.status)
    moment = "" if entry.status_at is None else f" ({day_text(entry.status_at.astimezone(_ZONE).date())})"
    return name + moment


_ROWS: Mapping[str, Callable[[Entry, bool], tuple[str, ...]]] = MappingProxyType(
    {INCOMING.name: _incoming, OUTGOING.name: _outgoing, HANDLING.name: _handling}
)
_DIRECTIONS = MappingProxyType(
    {
        INCOMING.name: Direction.INCOMING,
        OUTGOING.name: Direction.OUTGOING,
        HANDLING.name: Direction.INCOMING,
    }
)


def _entry(objects: ObjectStore, row: sa.RowMapping) -> Entry:
    with objects.open(row["manifest_sha256"]) as stream:
        document = read_manifest(stream.read()).document
    return Entry(document, row["recalled_by"], tuple(row["answers"] or ()), row["status"], row["status_at"])


_FROM = """FROM archive.document d
  JOIN archive.document_version v ON v.document_id = d.id AND v.version = d.current_version
  CROSS JOIN LATERAL (SELECT
    CASE WHEN :direction = 'incoming' THEN coalesce(v.arrival_date, v.issued_date) ELSE v.issued_date END AS day,
    CASE WHEN :direction = 'incoming' THEN v.arrival_number ELSE coalesce(v.number, v.symbol) END AS number) AS r"""
_WHERE = """d.source = :source AND d.kind = 'document'
  AND (CAST(:type_code AS text) IS NULL OR v.type_code = :type_code)"""
_OPEN = "(CAST(:readable AS text[]) IS NULL OR d.access = ANY(CAST(:readable AS text[])))"
_NAMEABLE = _OPEN.replace("d.access", "o.access")
_COUNTS = sa.text(
    f"""SELECT count(*) AS selected,
      count(*) FILTER (WHERE known AND day IS NULL) AS undated,
      count(*) FILTER (WHERE known AND day IS NOT NULL AND NOT open) AS closed,
      count(*) FILTER (WHERE NOT known) AS undirected
    FROM (SELECT v.direction <> 'unknown' AS known, r.day, {_OPEN} AS open {_FROM}
      WHERE {_WHERE} AND v.direction IN (:direction, 'unknown')
        AND (r.day IS NULL OR r.day BETWEEN :first AND :last)) AS s"""  # noqa: S608 - constants of this module
)
_NAMED = """nullif(concat_ws(' ngày ', nullif(concat_ws(' ', w.type_name, coalesce(w.symbol, w.uid)), ''),
  to_char(coalesce(w.issued_date, (w.changed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date), 'DD/MM/YYYY')), '')"""
_ABOUT = """FROM archive.relation_in_force f
  JOIN archive.document o ON o.id = f.document_id
  JOIN archive.document_version w ON w.document_id = f.document_id AND w.version = f.version
  WHERE f.target_document = d.id"""
_NEWEST_STATUS = """SELECT h.status_code, h.moment FROM archive.relation_in_force g
  JOIN archive.handling_step h ON h.document_id = g.document_id AND h.version = g.version
  WHERE g.target_document = d.id AND g.kind = 'status_of' AND h.status_code IS NOT NULL
  ORDER BY h.moment DESC NULLS LAST, g.document_id, h.ordinal LIMIT 1"""
_ENTRIES = sa.text(
    f"""SELECT v.manifest_sha256,
      (SELECT CASE WHEN {_NAMEABLE} THEN coalesce({_NAMED}, '') ELSE '' END {_ABOUT}
          AND f.kind = 'recalls' AND f.by_issuer
        ORDER BY w.issued_date NULLS LAST, w.document_id LIMIT 1) AS recalled_by,
      (SELECT array_agg({_NAMED} ORDER BY w.issued_date NULLS LAST, w.document_id)
        FILTER (WHERE {_NAMED} IS NOT NULL) {_ABOUT} AND f.kind = 'replies_to' AND {_NAMEABLE}) AS answers,
      s.status_code AS status, s.moment AS status_at
    {_FROM} LEFT JOIN LATERAL ({_NEWEST_STATUS}) s ON true
    WHERE {_WHERE} AND v.direction = :direction AND r.day BETWEEN :first AND :last AND {_OPEN}
    ORDER BY extract(year FROM r.day), substring(r.number from '\\d{{1,18}}')::bigint NULLS LAST, r.number,
      r.day, v.symbol_norm, d.id"""  # noqa: S608 - constants of this module
)
