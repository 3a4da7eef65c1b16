"""What people decide about fonds, dossiers and organs: made, described, filled and emptied by hand.

Each decision carries the identity and all that is needed to make the row anew, so that a replay does not depend on
what the records said at the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from archive.canonical import Json
from archive.decision import Decision
from archive.dossiers import lock_dossiers
from archive.identities import fonds_id, organ_id
from archive.legal_holds import cases_of, lock_disposal
from archive.stored_text import column_text
from schemas.errors import ConfigurationError


def _text(value: Json) -> object:
    return column_text(str(value)) if value is not None else None


def _day(value: Json) -> object:
    return date.fromisoformat(str(value)) if value is not None else None


def _whole(value: Json) -> object:
    return int(str(value)) if value is not None else None


def _flag(value: Json) -> object:
    return bool(value) if value is not None else None


def _list(value: Json) -> object:
    return [column_text(str(member)) for member in value] if isinstance(value, list | tuple) else []


def _identity(value: Json) -> object:
    return UUID(str(value)) if value is not None else None


DOSSIER_FIELDS: Mapping[str, Callable[[Json], object]] = MappingProxyType(
    {
        "fonds_id": _identity,
        "catalogue": _text,
        "code": _text,
        "archive_code": _text,
        "title": _text,
        "retention": _text,
        "term": _text,
        "mode": _text,
        "language": _text,
        "start_date": _day,
        "end_date": _day,
        "keywords": _list,
        "condition": _text,
        "confidence": _text,
        "information_sign": _text,
        "paper_code": _text,
        "paper_count": _whole,
        "page_count": _whole,
        "risk_recovery": _flag,
        "risk_recovery_status": _text,
        "creator": _text,
        "note": _text,
    }
)
"""The columns of a dossier that a person may fill, and how each is read from a decision."""


def decide_fonds(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Make the fonds of the code ``values["code"]``, or change it; fields that are left out become empty."""
    lock_dossiers(cursor)
    values = decision.values
    code = str(values["code"])
    cursor.execute(
        """INSERT INTO archive.fonds (id, code, name, organ_code, valid_from, valid_to, sources, note, decided_by,
          decided_why, decided_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, organ_code = excluded.organ_code,
          valid_from = excluded.valid_from, valid_to = excluded.valid_to, sources = excluded.sources,
          note = excluded.note, decided_by = excluded.decided_by, decided_why = excluded.decided_why,
          decided_at = excluded.decided_at""",
        (
            fonds_id(code),
            _text(code),
            _text(values["name"]),
            _text(values.get("organ_code")),
            _day(values.get("valid_from")),
            _day(values.get("valid_to")),
            _list(values.get("sources")),
            _text(values.get("note")),
            decision.by,
            decision.why,
            at,
        ),
    )


def decide_dossier(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Make the dossier ``decision.object`` where there is none, and set the fields that ``values["set"]`` names."""
    del at
    lock_dossiers(cursor)
    chosen = decision.values["set"]
    if not isinstance(chosen, Mapping) or not chosen or chosen.keys() - DOSSIER_FIELDS.keys():
        raise ConfigurationError(
            "the decision sets no field of a dossier, or one that there is not",
            where=decision.object,
            expected=", ".join(DOSSIER_FIELDS),
        )
    fields = {name: DOSSIER_FIELDS[name](value) for name, value in chosen.items()}
    _make_dossier(cursor, decision)
    assignments = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in fields
    )
    cursor.execute(
        sql.SQL(
            """UPDATE archive.dossier SET {}, decided = ARRAY(SELECT DISTINCT c
              FROM unnest(decided || %(names)s::text[]) AS c ORDER BY c) WHERE id = %(id)s"""
        ).format(assignments),
        {**fields, "names": list(fields), "id": UUID(decision.object)},
    )


def decide_membership(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Put a document into a dossier (``values["state"]`` ``in``), give it a place there, or take it out (``out``)."""
    lock_dossiers(cursor)
    values = decision.values
    if values["state"] not in ("in", "out"):
        raise ConfigurationError(
            "a document comes into a dossier or leaves it", where=decision.object, expected="in or out"
        )
    _make_dossier(cursor, decision)
    cursor.execute("SELECT count(*) FROM archive.document WHERE id = %s", (UUID(str(values["document"])),))
    if cursor.fetchone() != (1,):
        raise ConfigurationError(
            "the archive does not hold that document",
            where=str(values["document"]),
            action="look it up: lienthong show",
        )
    cursor.execute(
        """INSERT INTO archive.dossier_document (dossier_id, document_id, origin, taken_out, position, decided_by,
          decided_why, decided_at)
        VALUES (%(dossier)s, %(document)s, 'person', %(out)s, %(position)s, %(by)s, %(why)s, %(at)s)
        ON CONFLICT (dossier_id, document_id) DO UPDATE SET origin = 'person', taken_out = excluded.taken_out,
          position = excluded.position, decided_by = excluded.decided_by, decided_why = excluded.decided_why,
          decided_at = excluded.decided_at""",
        {
            "dossier": UUID(decision.object),
            "document": UUID(str(values["document"])),
            "out": values["state"] == "out",
            "position": _whole(values.get("position")),
            "by": decision.by,
            "why": decision.why,
            "at": at,
        },
    )


def check_membership(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Refuses to take a document out of a dossier that is held: it would be held no more."""
    del at
    if decision.values["state"] != "out":
        return
    lock_disposal(cursor)
    if cases := cases_of(cursor, UUID(decision.object)):
        raise ConfigurationError(
            f"a legal hold stands on the dossier: {', '.join(cases)}",
            where=decision.object,
            action="wait until the case releases it: lienthong retention release",
        )


def decide_organ(cursor: psycopg.Cursor[TupleRow], decision: Decision, at: datetime) -> None:
    """Enter an organ in a span of time, or correct it; a vocabulary's entry of the same span gives way."""
    del at
    values = decision.values
    valid_from = _day(values.get("valid_from"))
    assert valid_from is None or isinstance(valid_from, date)
    code, system = str(values["code"]), str(values["system"])
    cursor.execute(
        """INSERT INTO archive.organ (id, origin, code, name, system, valid_from, valid_to, successor, former_codes,
          letters, basis)
        VALUES (%s, 'person', %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (id) DO UPDATE SET origin = 'person', name = excluded.name, valid_to = excluded.valid_to,
          successor = excluded.successor, former_codes = excluded.former_codes, letters = excluded.letters,
          basis = excluded.basis""",
        (
            organ_id(system, code, valid_from),
            _text(code),
            _text(values["name"]),
            system,
            valid_from,
            _day(values.get("valid_to")),
            _text(values.get("successor")),
            _list(values.get("former_codes")),
            _list(values.get("letters")),
            f"{decision.by}: {decision.why}",
        ),
    )


def _make_dossier(cursor: psycopg.Cursor[TupleRow], decision: Decision) -> None:
    origin = decision.values["origin"]
    cursor.execute(
        """INSERT INTO archive.dossier (id, origin, source, keywords, decided)
        VALUES (%s, %s, %s, '{}', '{}') ON CONFLICT DO NOTHING""",
        (UUID(decision.object), origin, decision.source),
    )
