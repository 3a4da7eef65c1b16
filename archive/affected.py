"""Which archived signatures an event concerns: a new list, other anchors, an algorithm's end, a certificate's end.

Found by index, never by verifying everything again. A version that the running verification has checked already
is left out, so that a killed run goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from archive.cursors import psycopg_cursor
from archive.failures import database_errors
from signatures.receipt import LATE
from signatures.succession import UNPROVEN

BEFORE_EXPIRY = timedelta(days=90)
"""So long before a signer's or a time-stamping authority's certificate expires its signatures are checked once more."""


@dataclass(frozen=True, slots=True)
class NewList:
    """A revocation list, or an OCSP answer, whose consequences are not drawn yet.

    Attributes:
        sha256, kind, issuer, this_update, next_update, received_at: as in its receipt.
        below: subjects of the CAs whose certificates its issuer made, directly or not, and the issuer itself.
        revoked: gives what it names: serial number in hexadecimal and moment. Asked for once and not kept, so that
            the lists of many years do not have to be in memory together.
        authorities: what it names of CAs: subjects of them and of all below them, and moment.
        serial: of the only certificate that it is about; ``None`` for a list.
    """

    sha256: str
    kind: str
    issuer: str
    this_update: datetime
    next_update: datetime | None
    received_at: datetime
    below: tuple[str, ...]
    revoked: Callable[[], Mapping[str, datetime]] = dict
    authorities: Mapping[str, datetime] = field(default_factory=dict)
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Trusted:
    """The anchors of today.

    Attributes:
        epoch: hash of them. roots: SHA-256 of the signers' anchors.
        tsa_issuers: subjects of the CAs of the trust folder that may stand behind a time-stamp.
    """

    epoch: str
    roots: tuple[str, ...]
    tsa_issuers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """Algorithms that may be relied on no longer.

    Attributes:
        pattern: of their names, as SQL ``LIKE`` reads it.
        since: checks from before it are to be made again.
    """

    pattern: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Affected:
    """Files of one version that are to be verified again.

    Attributes:
        document: identity. version: number.
        attachments: ordinals; ``None`` is the original record itself.
        reasons: why, sorted.
    """

    document: UUID
    version: int
    attachments: tuple[int | None, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Events:
    """What has happened since the last verification."""

    lists: Sequence[NewList]
    trusted: Trusted
    ended: Sequence[Ended]
    now: datetime
    everything: bool = False


def affected(engine: sa.Engine, events: Events, run: UUID | None = None) -> list[Affected]:
    """The files that ``events`` concern, by document and version, without what ``run`` has checked already."""
    found: dict[tuple[UUID, int], tuple[set[int | None], set[str]]] = {}
    with database_errors("finding the signatures concerned"), engine.connect() as connection:
        cursor = psycopg_cursor(connection)
        for reason, query, values in _questions(cursor, events):
            cursor.execute(query, values)
            for document, version, attachment in cursor:
                files, reasons = found.setdefault((document, version), (set(), set()))
                files.add(attachment)
                reasons.add(reason)
        cursor.execute("SELECT document_id, version FROM archive.verification WHERE run_id = %s", (run,))
        for document, version in cursor:
            found.pop((document, version), None)
    return [
        Affected(
            document, version, tuple(sorted(files, key=lambda ordinal: ordinal or 0)), tuple(sorted(reasons))
        )
        for (document, version), (files, reasons) in sorted(found.items())
    ]


_Question = tuple[str, str, dict[str, object]]


def _questions(cursor: psycopg.Cursor[TupleRow], events: Events) -> Iterator[_Question]:
    if events.everything:
        yield "manual", _IN_FORCE + "true", {}
    for item in events.lists:
        yield from _of_list(item)
    named: dict[tuple[str, str, datetime], None] = {}
    for item in events.lists:
        named |= dict.fromkeys((item.issuer, serial, moment) for serial, moment in item.revoked().items())
    if named:
        yield "crl", _hold_named(cursor, named), {}
    authorities = [pair for item in events.lists for pair in item.authorities.items()]
    if authorities:
        subjects, moments = zip(*authorities, strict=True)
        yield "crl", _AUTHORITY_REVOKED, {"subjects": list(subjects), "moments": list(moments)}
    trusted = events.trusted
    trust: dict[str, object] = {
        "epoch": trusted.epoch,
        "roots": list(trusted.roots),
        "tsa_issuers": list(trusted.tsa_issuers),
    }
    yield "trust", _GAINED, trust
    yield "trust", _LOST, trust
    for ended in events.ended:
        yield "policy", _ENDED, {"pattern": ended.pattern, "since": ended.since}
    soon = {"now": events.now, "soon": events.now + BEFORE_EXPIRY, "before": BEFORE_EXPIRY}
    for column in ("signer_not_after", "tsa_not_after"):
        yield "expiry", _EXPIRES.format(column=column), soon


def _of_list(item: NewList) -> Iterator[_Question]:
    values: dict[str, object] = {
        "issuer": item.issuer,
        "below": list(item.below),
        "unproven": sorted(UNPROVEN),
        "late": sorted(LATE),
        "this_update": item.this_update,
        "serial": item.serial,
    }
    yield "crl", _WAITING, values
    yield "crl", _WAITING_FOR_TSA, values
    yield "crl", _PROVISIONAL, values


def _hold_named(cursor: psycopg.Cursor[TupleRow], named: Iterable[tuple[str, str, datetime]]) -> str:
    """Put what the lists name into a table of the session, 100,000 rows in a blink, and give the join with it."""
    cursor.execute(
        'CREATE TEMPORARY TABLE named (issuer text, serial text COLLATE "C", revoked_at timestamptz) ON COMMIT DROP'
    )
    with cursor.copy("COPY named FROM STDIN") as copy:
        for row in named:
            copy.write_row(row)
    cursor.execute("ANALYZE named")
    return _NAMED


_PLACE = "s.document_id, s.version, s.attachment"
_IN_FORCE = f"SELECT {_PLACE} FROM archive.verdict_in_force s WHERE "  # noqa: S608 - constants of this module
_LAST = """(SELECT {column} FROM archive.verification v
  WHERE v.document_id = s.document_id AND v.version = s.version ORDER BY v.check_no DESC LIMIT 1)"""
_LAST_EPOCH = f"coalesce({_LAST.format(column='v.trust_epoch')}, s.trust_epoch)"
_LAST_CHECK = f"coalesce({_LAST.format(column='v.verified_at')}, s.verified_at)"
_ONLY = " AND (%(serial)s::text IS NULL OR s.signer_serial = %(serial)s)"

_WAITING = (
    _IN_FORCE
    + """s.indication = 'INDETERMINATE' AND s.sub_indication = ANY(%(unproven)s)
    AND s.signer_issuer = ANY(%(below)s)"""
    + _ONLY
)
_WAITING_FOR_TSA = (
    _IN_FORCE
    + """%(serial)s::text IS NULL AND s.indication = 'INDETERMINATE' AND s.sub_indication = ANY(%(late)s)
    AND EXISTS (SELECT FROM jsonb_array_elements(s.verdict->'timestamps') t
      WHERE t->>'sub_indication' = ANY(%(unproven)s) AND t->>'tsa_issuer' = ANY(%(below)s))"""
)
# Lists from after the certificate's end no longer name it: they settle nothing.
_PROVISIONAL = (
    _IN_FORCE
    + """s.provisional AND s.indication = 'TOTAL_PASSED' AND s.signer_issuer = %(issuer)s
    AND s.best_time < %(this_update)s AND s.signer_not_after >= %(this_update)s"""
    + _ONLY
)
_NOT_NOTED = """NOT EXISTS (SELECT FROM archive.signature_verdict o
  WHERE o.document_id = s.document_id AND o.version = s.version
    AND o.signer_serial = s.signer_serial AND o.revoked_at = n.revoked_at)"""
_NAMED = f"""SELECT {_PLACE} FROM named n
  JOIN archive.verdict_in_force s ON s.signer_serial = n.serial AND s.signer_issuer = n.issuer
  WHERE s.indication <> 'TOTAL_FAILED' AND {_NOT_NOTED}"""  # noqa: S608 - constants of this module
_AUTHORITY_REVOKED = f"""SELECT {_PLACE}
  FROM unnest(%(subjects)s::text[], %(moments)s::timestamptz[]) AS n(subject, revoked_at)
  JOIN archive.verdict_in_force s ON s.signer_issuer = n.subject
  WHERE s.indication = 'TOTAL_PASSED' AND {_NOT_NOTED}"""  # noqa: S608 - constants of this module
_GAINED = (
    _IN_FORCE
    + f"""s.indication = 'INDETERMINATE' AND {_LAST_EPOCH} <> %(epoch)s AND s.trust_epoch <> ''
    AND (s.sub_indication = 'NO_CERTIFICATE_CHAIN_FOUND'
      OR s.verdict @> '{{"timestamps": [{{"sub_indication": "NO_CERTIFICATE_CHAIN_FOUND"}}]}}')"""
)
_LOST = (
    _IN_FORCE
    + f"""s.indication = 'TOTAL_PASSED' AND s.trust_epoch <> %(epoch)s AND {_LAST_EPOCH} <> %(epoch)s
    AND (NOT coalesce(s.verdict->'chain'->>-1 = ANY(%(roots)s), false)
      OR EXISTS (SELECT FROM jsonb_array_elements(s.verdict->'timestamps') t
        WHERE t->>'indication' = 'TOTAL_PASSED' AND t->>'tsa_issuer' <> ALL(%(tsa_issuers)s)))"""
)
_ENDED = (
    _IN_FORCE
    + f"""s.indication = 'TOTAL_PASSED' AND {_LAST_CHECK} < %(since)s
    AND EXISTS (SELECT FROM jsonb_array_elements_text(s.verdict->'algorithms') a WHERE a LIKE %(pattern)s)"""
)
_EXPIRES = (
    _IN_FORCE
    + f"""s.indication = 'TOTAL_PASSED' AND s.{{column}} BETWEEN %(now)s AND %(soon)s
    AND {_LAST_CHECK} < s.{{column}} - %(before)s::interval"""
)
