"""What a person is shown of the archive: frozen values, read from its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from schemas.document import Flag


@dataclass(frozen=True, slots=True)
class FileView:
    """A file of a version; ``sha256`` finds its bytes in the object store."""

    ordinal: int
    name: str
    sha256: str
    size: int
    media_type: str
    defects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A verdict on one signature of one file, from one of the version's checks.

    Attributes:
        attachment: ordinal of the file; ``None``: the original record itself.
        check_no: 1 at ingest; the highest is the newest.
        in_force: False once a later check replaced it, and for one that came too late to replace a better one.
        provisional: a pass that waits for a revocation list from after the signature's best time.
        verdict: every axis as JSON values, as ``signatures.verdict.Verdict`` names them.
    """

    attachment: int | None
    file_name: str
    sha256: str
    check_no: int
    position: int
    format: str
    indication: str
    sub_indication: str
    integrity: str
    coverage: str
    modification: str
    role: str
    signer_name: str | None
    signer_organization: str | None
    claimed_time: datetime | None
    best_time: datetime | None
    revocation: str
    verified_at: datetime | None
    provisional: bool
    in_force: bool
    verdict: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CheckView:
    """A later check of a version: when and why; its verdicts bear its number."""

    check_no: int
    reasons: tuple[str, ...]
    why: str
    verified_at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class RelationView:
    """A relation of the shown document, or of another one to it.

    Attributes:
        kind: see ``schemas.document.RelationKind``.
        inverse: True when the other document names this one.
        other: identity of the other document; ``None`` while it is not in the archive, or not certain.
        other_source, other_symbol, other_issuer, other_date: what the archive knows of it; ``None`` without
            ``other``. The date is that of issue, of a message the day on which it was sent.
        named: the other document as it was named: uid, or number, notation and date.
        reason, effective: as stated.
        by_issuer: whether both have the same issuer; only then is a recall, a replacement or an update applied.
    """

    kind: str
    inverse: bool
    other: str | None
    other_source: str | None
    other_symbol: str | None
    other_issuer: str | None
    other_date: date | None
    named: str
    reason: str | None
    effective: date | None
    by_issuer: bool


@dataclass(frozen=True, slots=True)
class HandlingStep:
    """A step in the handling of a document: its own trace, or a status message that answers it.

    Attributes:
        organ_id, organ_name: where, as printed.
        moment: when; ``None`` when nobody says.
        staff: who. status_code: 01 to 16 of a status message. text: what was said.
        by: identity of the status message; ``None`` for the document's own trace.
    """

    organ_id: str | None
    organ_name: str | None
    moment: datetime | None
    staff: str | None
    status_code: str | None
    text: str | None
    by: str | None


@dataclass(frozen=True, slots=True)
class SameAsView:
    """The same document as another source holds it.

    Attributes:
        grade: ``A`` same first file, ``B`` same symbol, issuer and date, ``C`` a suggestion.
        evidence: the file's SHA-256, or the symbol.
        state: ``found``, ``confirmed`` or ``refused``.
        recalled: whether it was recalled there.
    """

    document: str
    source: str
    source_key: str
    grade: str
    evidence: str
    state: str
    recalled: bool


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version of a document, with its files and verdicts."""

    version: int
    revision: str
    changed_at: datetime | None
    received_at: datetime
    manifest_sha256: str
    original_sha256: str
    original_type: str
    original_size: int
    uid: str | None
    number: str | None
    notation: str | None
    symbol: str | None
    issued_date: date | None
    issuer_name: str | None
    issuer_id: str | None
    type_name: str | None
    type_code: str | None
    subject: str | None
    retention: str | None
    direction: str
    urgency: str | None
    status_code: str | None
    arrival_number: str | None
    arrival_date: date | None
    signers: tuple[str, ...]
    recipients: tuple[str, ...]
    flags: tuple[Flag, ...]
    files: tuple[FileView, ...]
    verdicts: tuple[VerdictView, ...]
    checks: tuple[CheckView, ...]


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as one source holds it.

    Attributes:
        document: identity in the archive.
        kind: ``document``, ``status`` or ``other``.
        current: the version in force. versions: all of them, oldest first.
        relations: both ways, of the current version and of the others' current versions.
        history: how it was handled, oldest first, steps without a moment last.
        same_as: the same document in other sources.
        recalled: its issuer recalled it: hidden from normal use, kept with all its process.
        repeats_recalled: it recalls a document and carries that one's data or files again: hidden with it.
        replaced: its issuer replaced it by another one.
        gone_from_source_at: since when its source does not list it any more; ``None`` while it does.
        access: the class of access in force (``schemas.access.AccessClass``).
    """

    document: str
    source: str
    source_key: str
    kind: str
    current: VersionView
    versions: tuple[VersionView, ...]
    relations: tuple[RelationView, ...]
    history: tuple[HandlingStep, ...]
    same_as: tuple[SameAsView, ...]
    recalled: bool
    repeats_recalled: bool
    replaced: bool
    gone_from_source_at: datetime | None
    access: str


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What normal use sees of a recalled document, and of the recall that repeats it: which it was, and the
    process; nothing of its content.

    Attributes: as those of ``DocumentView`` and its current version.
    """

    document: str
    source: str
    source_key: str
    kind: str
    symbol: str | None
    issued_date: date | None
    issuer_name: str | None
    relations: tuple[RelationView, ...]
    history: tuple[HandlingStep, ...]
    recalled: bool

    @classmethod
    def of(cls, view: DocumentView) -> Tombstone:
        """The tombstone of a document."""
        current = view.current
        return cls(
            view.document,
            view.source,
            view.source_key,
            view.kind,
            current.symbol,
            current.issued_date,
            current.issuer_name,
            view.relations,
            view.history,
            view.recalled,
        )


@dataclass(frozen=True, slots=True)
class QuarantineView:
    """A record in quarantine; see ``archive.outcomes.Quarantined``."""

    id: str
    source: str
    source_key: str
    revision: str
    stage: str
    reason: str
    message: str
    location: str
    original_sha256: str | None
    context: Mapping[str, str]
    attempts: int
    first_run: str
    last_run: str
    state: str
    resolved_by: str | None
    resolved_why: str | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class WithheldCount:
    """How many records of a source were withheld by a rule."""

    source: str
    level: str
    rule: str
    records: int


@dataclass(frozen=True, slots=True)
class VerdictCount:
    """How many verdicts that are in force, of the current versions, are alike."""

    source: str
    indication: str
    sub_indication: str
    verdicts: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What the archive holds in all, as far as the role may read it; ``None``: it may not even count that."""

    documents: int
    statuses: int
    others: int
    versions: int
    recalled: int
    files: int
    objects: int
    object_bytes: int
    relations: int
    relations_resolved: int
    same_as: int
    quarantined_open: int | None
    withheld: int | None
    events: int | None
