"""The verdict on one signature: what was found, and on which evidence.

Indications and sub-indications are those of ETSI EN 319 102-1 V1.3.1 clause 5.1.3. Beside them stand
integrity, coverage and modifications, which that standard leaves to the format, and three outcomes for files
that hold no verdict at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Indication(StrEnum):
    """Outcome, from best to worst in ``SEVERITY``."""

    TOTAL_PASSED = "TOTAL_PASSED"
    NO_SIGNATURE = "NO_SIGNATURE"
    UNSUPPORTED = "UNSUPPORTED"
    ERROR = "ERROR"
    INDETERMINATE = "INDETERMINATE"
    TOTAL_FAILED = "TOTAL_FAILED"


SEVERITY: tuple[Indication, ...] = (
    Indication.TOTAL_PASSED,
    Indication.NO_SIGNATURE,
    Indication.INDETERMINATE,
    Indication.UNSUPPORTED,
    Indication.ERROR,
    Indication.TOTAL_FAILED,
)
"""Order in which the verdict of a file with several signatures is decided: the last one met wins."""


class Integrity(StrEnum):
    """Whether digest and signature value hold, whoever signed."""

    INTACT = "INTACT"
    BROKEN = "BROKEN"
    UNKNOWN = "UNKNOWN"


class Coverage(StrEnum):
    """How much of the file the signature covers."""

    WHOLE_FILE = "WHOLE_FILE"
    WHOLE_REVISION = "WHOLE_REVISION"  # an earlier revision; later ones only add what is allowed
    PARTIAL = "PARTIAL"
    UNKNOWN = "UNKNOWN"


class Modification(StrEnum):
    """What was added after the signature was made (PDF incremental updates)."""

    NONE = "NONE"
    LTA = "LTA"
    SIGNATURE_ADDED = "SIGNATURE_ADDED"
    FORM_FILLED = "FORM_FILLED"
    ANNOTATED = "ANNOTATED"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


class SignerRole(StrEnum):
    """Who the certificate speaks for."""

    PERSON = "PERSON"  # cá nhân
    ORGAN = "ORGAN"  # con dấu cơ quan
    TIME_STAMP = "TIME_STAMP"  # a document time-stamp
    UNKNOWN = "UNKNOWN"


class Identity(StrEnum):
    """Whether the signer is who the file says it is from (S/MIME: From against the certificate's addresses)."""

    NOT_COMPARED = ""
    MATCH = "MATCH"
    MISMATCH = "MISMATCH"
    NO_ADDRESS = "NO_ADDRESS"
    AMBIGUOUS = "AMBIGUOUS"


@dataclass(frozen=True, slots=True)
class SignerCertificate:
    """The signing certificate as it names itself.

    Attributes:
        subject: RFC 4514 string.
        common_name: CN.
        organization: O.
        issuer: RFC 4514 string.
        serial: hexadecimal, no prefix.
        sha256: of the DER.
        not_before, not_after: validity, aware.
        emails: mail addresses: rfc822Name of the alternative names, else emailAddress of the subject.
    """

    subject: str
    common_name: str
    organization: str
    issuer: str
    serial: str
    sha256: str
    not_before: datetime
    not_after: datetime
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """A time-stamp token (RFC 3161) that belongs to a signature.

    Attributes:
        kind: ``signature``, ``content``, ``document`` or ``archive``.
        moment: genTime, aware; ``None`` if unreadable.
        tsa: subject of the TSA certificate.
        indication: its own verdict.
        sub_indication: ETSI name, or ``""``.
        tsa_issuer: issuer of the TSA certificate, RFC 4514 string.
        tsa_not_after: when the TSA certificate expires, aware.
    """

    kind: str
    moment: datetime | None
    tsa: str
    indication: Indication
    sub_indication: str = ""
    tsa_issuer: str = ""
    tsa_not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one signature, or of a file that has none (``path == ""``).

    Attributes:
        format: ``PDF``, ``XML``, ``CMS`` …: the engine that judged.
        path: where the signature is: a PDF field, an XPath or Id, a signer's index.
        indication, sub_indication: ETSI main and sub-indication; ``sub_indication`` is ``""`` when passed.
        integrity, coverage, modification: on their own axes.
        revision: number of the covered revision, from 1; ``None`` where the format has none.
        role: person or organ seal.
        identity: whether the file says that it is from the signer; only mail says so.
        signer: certificate; ``None`` if none could be found.
        claimed_time: signing time as the signer claims it.
        best_time: earliest moment at which the signature is proven to exist.
        best_time_source: ``timestamp``, ``archive_receipt`` or ``validation_time``.
        timestamps: the tokens found.
        revocation: ``checked``, ``revoked``, ``unknown`` or ``not_checked``.
        revocation_source: ``crl`` or ``ocsp`` with its issuer and date, or ``""``.
        revoked_at: when the signer's certificate was revoked.
        revocation_issued: ``thisUpdate`` of the newest list or answer on the signer's certificate.
        provisional: a pass that rests on a list from before the best time: a revocation just before that time
            may still be on its way. A list that was issued later settles it.
        level: baseline level that the signature shows (``B-B``, ``B-T``, ``B-LT``, ``B-LTA``), ``""`` for none.
        level_evaluated: the level up to which it was judged.
        algorithms: digest and signature algorithm names.
        chain: SHA-256 of the certificates from signer to anchor.
        evidence: SHA-256 of CRLs, OCSP answers and tokens that were used.
        messages: plain sentences for a person, worst first.
        engine: name and version of the library that judged.
        trust_epoch: hash of the anchors that were trusted.
        verified_at: validation time, aware.
    """

    format: str
    path: str
    indication: Indication
    sub_indication: str = ""
    integrity: Integrity = Integrity.UNKNOWN
    coverage: Coverage = Coverage.UNKNOWN
    modification: Modification = Modification.UNKNOWN
    revision: int | None = None
    role: SignerRole = SignerRole.UNKNOWN
    identity: Identity = Identity.NOT_COMPARED
    signer: SignerCertificate | None = None
    claimed_time: datetime | None = None
    best_time: datetime | None = None
    best_time_source: str = ""
    timestamps: tuple[TimeStamp, ...] = ()
    revocation: str = "not_checked"
    revocation_source: str = ""
    revoked_at: datetime | None = None
    revocation_issued: datetime | None = None
    provisional: bool = False
    level: str = ""
    level_evaluated: str = ""
    algorithms: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    engine: str = ""
    trust_epoch: str = ""
    verified_at: datetime | None = None


def worst(verdicts: list[Verdict]) -> Indication:
    """The verdict of a file: the worst of its signatures; ``NO_SIGNATURE`` for none."""
    if not verdicts:
        return Indication.NO_SIGNATURE
    return max((verdict.indication for verdict in verdicts), key=SEVERITY.index)
