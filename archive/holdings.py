"""What the archive holds in order: fonds, dossiers with their documents, organs at a date. Reading only.

Documents of a dossier stand in the order that a person gave, then by date and symbol. A destroyed document keeps its
place with what its trace says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa

from archive.failures import database_errors
from schemas.errors import ConfigurationError

MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class FondsView:
    """A fonds (phông lưu trữ).

    Attributes:
        id: its identity. code: mã phông. name: tên phông. organ_code: cơ quan hình thành phông.
        valid_from, valid_to: first and last day; ``None`` is open. sources: whose dossiers belong to it by default.
        note: ghi chú. dossiers: how many are in it.
    """

    id: str
    code: str
    name: str
    organ_code: str | None
    valid_from: date | None
    valid_to: date | None
    sources: tuple[str, ...]
    note: str | None
    dossiers: int


@dataclass(frozen=True, slots=True)
class DossierDocument:
    """A document in its place in a dossier (văn bản trong hồ sơ).

    Attributes:
        ordinal: số thứ tự, from 1. document: its identity in the archive. version: its current version.
        origin: ``records`` or ``person``: who says that it belongs here.
        disposed: its content was destroyed; only the trace is left.
        The rest is that of the current version.
    """

    ordinal: int
    document: str
    version: int
    origin: str
    source: str
    symbol: str | None
    number: str | None
    notation: str | None
    issued_date: date | None
    issuer_name: str | None
    type_name: str | None
    subject: str | None
    page_count: int | None
    retention: str | None
    disposed: bool


@dataclass(frozen=True, slots=True)
class DossierView:
    """A dossier (hồ sơ); see ``archive.holdings_tables`` for what each field is called in Vietnamese.

    Attributes:
        id: its identity. origin: ``records`` or ``person``. source: whose records name it.
        decided: fields that a person has filled. document_count: tổng số văn bản.
        documents: in order; empty in lists.
    """

    id: str
    origin: str
    source: str
    fonds_code: str | None
    fonds_name: str | None
    organ_code: str | None
    catalogue: str | None
    code: str | None
    archive_code: str | None
    title: str | None
    retention: str | None
    term: str | None
    mode: str | None
    language: str | None
    start_date: date | None
    end_date: date | None
    keywords: tuple[str, ...]
    condition: str | None
    confidence: str | None
    information_sign: str | None
    paper_code: str | None
    paper_count: int | None
    page_count: int | None
    risk_recovery: bool | None
    risk_recovery_status: str | None
    creator: str | None
    note: str | None
    decided: tuple[str, ...]
    document_count: int
    documents: tuple[DossierDocument, ...] = ()


@dataclass(frozen=True, slots=True)
class OrganView:
    """An organ in a span of time (cơ quan, tổ chức).

    Attributes:
        code: mã định danh. name: tên cơ quan. system: ``party`` or ``state``.
        valid_from, valid_to: first and last day; ``None`` is open. successor: code of who carries on.
        former_codes: other codes of the very same organ. letters: as notations print it.
        basis: the text or the person that says so.
    """

    code: str
    name: str
    system: str
    valid_from: date | None
    valid_to: date | None
    successor: str | None
    former_codes: tuple[str, ...]
    letters: tuple[str, ...]
    basis: str


def fonds_list(engine: sa.Engine) -> list[FondsView]:
    """Every fonds, by code."""
    with database_errors("listing the fonds"), engine.connect() as connection:
        return [
            FondsView(**{**row, "id": str(row["id"]), "sources": tuple(row["sources"])})
            for row in connection.execute(_FONDS).mappings()
        ]


def dossier_list(
    engine: sa.Engine,
    *,
    fonds: str | None = None,
    source: str | None = None,
    limit: int = 1000,
    start: int = 0,
) -> list[DossierView]:
    """Dossiers without their documents, by fonds, catalogue, code and title."""
    asked = {"fonds": fonds, "source": source, "limit": limit, "start": start}
    with database_errors("listing the dossiers"), engine.connect() as connection:
        return [_view(row) for row in connection.execute(_LIST, asked).mappings()]


def dossier(engine: sa.Engine, what: str) -> DossierView:
    """The dossier that ``what`` names, with its documents in order.

    Args:
        what: its identity, code, archive code or title, letter case aside.

    Raises:
        ConfigurationError: it names none, or several; their identities are told.
    """
    with database_errors("reading a dossier"), engine.connect() as connection:
        found = list(connection.execute(_FIND, {"what": what.strip(), "most": MOST_FOUND}).mappings())
        if len(found) != 1:
            named = "; ".join(
                f"{row['id']} ({row['title'] or row['code']}, {row['term'] or '-'})" for row in found[:5]
            )
            raise ConfigurationError(
                f"{what!r} names {len(found)} dossiers" + (f": {named}" if found else ""),
                expected="exactly one",
                action="use its identity, as `lienthong dossier --json` gives it",
            )
        rows = connection.execute(_DOCUMENTS, {"id": found[0]["id"]}).mappings()
        documents = tuple(
            DossierDocument(ordinal=ordinal, **{**row, "document": str(row["document"])})
            for ordinal, row in enumerate(rows, start=1)
        )
        return _view(found[0], documents)


def has_dossier(engine: sa.Engine, identity: str) -> bool:
    """Whether there is a dossier of this identity."""
    asked = sa.text("SELECT EXISTS (SELECT FROM archive.dossier WHERE id = :id)")
    with database_errors("looking for a dossier"), engine.connect() as connection:
        return bool(connection.scalar(asked, {"id": UUID(identity)}))


def dossiers_of(engine: sa.Engine, document: str) -> list[DossierView]:
    """The dossiers that a document is in, without their documents."""
    with database_errors("reading a document's dossiers"), engine.connect() as connection:
        return [
            _view(row) for row in connection.execute(_OF_DOCUMENT, {"document": UUID(document)}).mappings()
        ]


def organ_on(engine: sa.Engine, code: str, day: date) -> OrganView | None:
    """The organ that has, or had, ``code`` and exists on ``day``; ``None`` when nobody knows one."""
    asked = {"code": code.strip(), "day": day}
    with database_errors("reading an organ"), engine.connect() as connection:
        row = connection.execute(_ORGAN, asked).mappings().first()
    return _organ(row) if row is not None else None


def organ_list(engine: sa.Engine) -> list[OrganView]:
    """Every organ in every span of time, by system, code and first day."""
    with database_errors("listing the organs"), engine.connect() as connection:
        return [_organ(row) for row in connection.execute(_ORGANS).mappings()]


def _organ(row: sa.RowMapping) -> OrganView:
    return OrganView(**{**row, **{name: tuple(row[name]) for name in ("former_codes", "letters")}})


def _view(row: sa.RowMapping, documents: Sequence[DossierDocument] = ()) -> DossierView:
    fields = {name: row[name] for name in DossierView.__slots__ if name != "documents"}
    lists = {name: tuple(row[name]) for name in ("keywords", "decided")}
    return DossierView(**{**fields, **lists, "id": str(row["id"]), "documents": tuple(documents)})


_FONDS = sa.text(
    """SELECT f.id, f.code, f.name, f.organ_code, f.valid_from, f.valid_to, f.sources, f.note,
      (SELECT count(*) FROM archive.dossier s WHERE s.fonds_id = f.id) AS dossiers
    FROM archive.fonds f ORDER BY f.code"""
)
_DOSSIER = """SELECT s.*, f.code AS fonds_code, f.name AS fonds_name, f.organ_code,
  (SELECT count(*) FROM archive.dossier_document x JOIN archive.document d ON d.id = x.document_id
    WHERE x.dossier_id = s.id AND NOT x.taken_out) AS document_count
FROM archive.dossier s LEFT JOIN archive.fonds f ON f.id = s.fonds_id
"""
_ORDER = "ORDER BY f.code NULLS LAST, s.catalogue NULLS FIRST, s.code NULLS LAST, s.title, s.id"
_LIST = sa.text(
    f"""{_DOSSIER} WHERE (CAST(:fonds AS text) IS NULL OR f.code = :fonds)
      AND (CAST(:source AS text) IS NULL OR s.source = :source) {_ORDER} LIMIT :limit OFFSET :start"""
)
_FIND = sa.text(
    f"""{_DOSSIER} WHERE s.id::text = lower(:what)
      OR lower(:what) IN (lower(s.code), lower(s.archive_code), lower(s.title))
    {_ORDER} LIMIT :most"""
)
_OF_DOCUMENT = sa.text(
    f"""{_DOSSIER} WHERE EXISTS (SELECT FROM archive.dossier_document x
      WHERE x.dossier_id = s.id AND x.document_id = :document AND NOT x.taken_out) {_ORDER}"""
)
_DOCUMENTS = sa.text(
    """SELECT d.id AS document, d.current_version AS version, x.origin, d.source, v.symbol, v.number, v.notation,
      v.issued_date, v.issuer_name, v.type_name, v.subject, v.page_count, v.retention,
      EXISTS (SELECT FROM archive.disposed_version z
        WHERE z.document_id = d.id AND z.version = d.current_version) AS disposed
    FROM archive.dossier_document x
    JOIN archive.document d ON d.id = x.document_id
    JOIN archive.document_version v ON v.document_id = d.id AND v.version = d.current_version
    WHERE x.dossier_id = :id AND NOT x.taken_out
    ORDER BY x.position NULLS LAST, v.issued_date NULLS LAST, v.symbol_norm NULLS LAST, d.id"""
)
_ORGAN_COLUMNS = "code, name, system, valid_from, valid_to, successor, former_codes, letters, basis"
_ORGANS = sa.text(
    f"SELECT {_ORGAN_COLUMNS} FROM archive.organ ORDER BY system, code, valid_from NULLS FIRST"  # noqa: S608
)
_ORGAN = sa.text(
    f"""SELECT {_ORGAN_COLUMNS} FROM archive.organ
    WHERE (lower(code) = lower(:code) OR EXISTS (SELECT FROM unnest(former_codes) c WHERE lower(c) = lower(:code)))
      AND (valid_from IS NULL OR valid_from <= :day) AND (valid_to IS NULL OR valid_to >= :day)
    ORDER BY lower(code) = lower(:code) DESC, valid_from DESC NULLS LAST LIMIT 1"""  # noqa: S608 - constants of this module
)
