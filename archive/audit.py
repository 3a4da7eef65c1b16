"""The audit: is the archive what its ledger says, and is the ledger the one that was anchored?

It reads one snapshot and writes nothing. What it compares:

- the chain of events, and each anchor that is known from anywhere (``audit_ledger``, ``audit_anchors``);
- the time-stamps of anchors with the trust folder (``anchor_tokens``);
- rows with the events that made them, both ways, and references (``audit_facts``);
- the rows of versions with their manifests, all or a share a night (``audit_rows``);
- what fixity checks found of the stored objects (``archive.fixity``), whose newest report the caller may hand over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from archive.anchor_tokens import judge_stamps
from archive.anchors import LOCK
from archive.audit_anchors import KnownAnchors, audit_anchors
from archive.audit_facts import audit_facts
from archive.audit_finding import Finding, Findings
from archive.audit_ledger import LedgerState, audit_ledger
from archive.audit_notices import Notices, audit_notices
from archive.audit_rows import Share, audit_rows, audited_share
from archive.failures import database_errors
from archive.fixity import FixityReport
from archive.objects import ObjectStore
from signatures.trust import TrustStore

ROWS_A_NIGHT = 20_000
"""Versions whose rows are compared with their manifests when not all are asked for."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found.

    Attributes:
        started, finished: aware, UTC.
        events: in the ledger. root: Merkle root over them. head: hash of the last. anchored: how many of them the
            newest agreeing anchor covers.
        anchors: rows. outside: files of anchors in the folders. stamps: time-stamps that a trusted
            authority vouches for.
        last_anchor: when the newest was made, or ``None``.
        versions: in the archive. compared: with their manifests.
        findings: the first of each kind. counts: all of them by kind.
        notices: what is not wrong, and waits for a person; ``clean`` does not depend on it.
    """

    started: datetime
    finished: datetime
    events: int
    root: str
    head: str
    anchored: int
    anchors: int
    outside: int
    stamps: int
    last_anchor: datetime | None
    versions: int
    compared: int
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    notices: Notices

    @property
    def clean(self) -> bool:
        """Nothing was found."""
        return not self.counts


def audit(
    engine: sa.Engine,
    objects: ObjectStore,
    *,
    full: bool = False,
    folders: Sequence[Path] = (),
    trust: TrustStore | None = None,
    fixity: FixityReport | None = None,
    now: datetime | None = None,
) -> AuditReport:
    """Audit the archive.

    Args:
        engine: of the migrated database, under a role that sees all rows.
        objects: the store.
        full: compare the rows of all versions, not only of tonight's share.
        folders: of anchors outside the database.
        trust: for the time-stamps; without it they are judged by their integrity alone and none counts as passed.
        fixity: the report of a check made just before, for its orphans.
        now: aware; the present by default.

    Raises:
        RetriableError, FatalError: database, store or a folder cannot be read: nothing is said of the archive then.
    """
    started = (now or datetime.now(UTC)).astimezone(UTC)
    findings = Findings()
    with database_errors("auditing the archive"), _snapshot(engine) as connection:
        anchors = audit_anchors(connection, objects, folders, findings)
        ledger = audit_ledger(connection, objects, anchors.claims, findings)
        audit_facts(connection, findings)
        share = Share() if full else audited_share(connection, ROWS_A_NIGHT, started.toordinal())
        compared = audit_rows(connection, objects, share, findings)
        versions = connection.scalar(sa.text("SELECT count(*) FROM archive.document_version")) or 0
        _standing(connection, findings)
        notices = audit_notices(connection)
    stamps = _stamps(anchors, trust, started, findings)
    if fixity is not None and fixity.orphan_count:
        findings.take(Finding("orphan", f"object {name}") for name in fixity.orphans)
        findings.counts["orphan"] = fixity.orphan_count  # of which the report names the first ones
    return _report(started, ledger, anchors, stamps, versions, compared, findings, notices)


def _report(
    started: datetime,
    ledger: LedgerState,
    anchors: KnownAnchors,
    stamps: int,
    versions: int,
    compared: int,
    findings: Findings,
    notices: Notices,
) -> AuditReport:
    return AuditReport(
        started=started,
        finished=datetime.now(UTC),
        events=ledger.events,
        root=ledger.root,
        head=ledger.head.hash,
        anchored=ledger.anchored,
        anchors=anchors.rows,
        outside=anchors.outside,
        stamps=stamps,
        last_anchor=anchors.last,
        versions=versions,
        compared=compared,
        findings=tuple(findings.kept),
        counts=dict(findings.counts),
        notices=notices,
    )


@contextmanager
def _snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that sees one moment of the database, at which no anchoring was under way."""
    with ExitStack() as stack:
        with engine.begin() as guard:
            guard.execute(sa.text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": LOCK})
            connection = stack.enter_context(engine.connect())
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            connection.execute(sa.text("SELECT FROM archive.anchor LIMIT 1"))
        yield connection


def _standing(connection: sa.Connection, findings: Findings) -> None:
    """Objects that a fixity check found wrong and no later one found intact."""
    wrong = sa.text(
        """SELECT sha256, outcome FROM archive.fixity WHERE outcome NOT IN ('intact', 'unchecked')
        ORDER BY sha256"""
    )
    for sha256, outcome in connection.execute(wrong):
        findings.add(f"object_{outcome}", f"object {sha256}")


def _stamps(anchors: KnownAnchors, trust: TrustStore | None, now: datetime, findings: Findings) -> int:
    """How many time-stamps pass."""
    passed = 0
    for stamp in judge_stamps(anchors.stamped, trust, now):
        if not stamp.judged.matches:
            findings.add("token_wrong", f"anchor {stamp.number}", error=stamp.judged.message)
        elif stamp.passed and trust is not None:
            passed += 1
        elif trust is not None:
            findings.add("token_untrusted", f"anchor {stamp.number}", error=stamp.judged.message)
    return passed
