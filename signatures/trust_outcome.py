"""What trust can say of a certificate, in ETSI's words and in a person's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from asn1crypto import x509
from pyhanko.sign.ades.report import AdESIndeterminate, AdESStatus, AdESSubIndic
from pyhanko_certvalidator.revinfo.archival import OCSPContainer

from signatures.revocation import RevocationList
from signatures.verdict import Indication

IMPROVABLE: frozenset[AdESIndeterminate] = frozenset(
    {
        AdESIndeterminate.REVOKED_NO_POE,
        AdESIndeterminate.REVOKED_CA_NO_POE,
        AdESIndeterminate.OUT_OF_BOUNDS_NO_POE,
        AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED,
        AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
        AdESIndeterminate.REVOCATION_OUT_OF_BOUNDS_NO_POE,
    }
)
"""What an older proof of existence can turn into a pass (EN 319 102-1 §5.6.3.4)."""

INDICATIONS: dict[AdESStatus, Indication] = {
    AdESStatus.PASSED: Indication.TOTAL_PASSED,
    AdESStatus.INDETERMINATE: Indication.INDETERMINATE,
    AdESStatus.FAILED: Indication.TOTAL_FAILED,
}

EXPLANATIONS: dict[str, str] = {
    "NO_CERTIFICATE_CHAIN_FOUND": "no chain leads from the signing certificate to a trusted root",
    "CERTIFICATE_CHAIN_GENERAL_FAILURE": (
        "the chain is not proven: a certificate in it is not proven good, or revocation lists are missing"
    ),
    "TRY_LATER": "the revocation list at hand is older than its next update; a fresh one is needed",
    "REVOKED_NO_POE": "the signing certificate is revoked, and nothing proves that the signature is older",
    "REVOKED_CA_NO_POE": "a CA of the chain is revoked, and nothing proves that the signature is older",
    "OUT_OF_BOUNDS_NO_POE": (
        "the signing certificate is expired or not yet valid, and nothing proves that it was valid at signing"
    ),
    "CHAIN_CONSTRAINTS_FAILURE": "the signing certificate is not meant for this use",
    "CRYPTO_CONSTRAINTS_FAILURE": "an algorithm or key is too weak",
    "CRYPTO_CONSTRAINTS_FAILURE_NO_POE": (
        "an algorithm or key is too weak today, and nothing proves that the signature is older"
    ),
    "NO_SIGNING_CERTIFICATE_FOUND": (
        "the signing certificate is missing or not the one that the signature names"
    ),
}
"""A sentence for a person for the sub-indications that trust brings."""


@dataclass(frozen=True, slots=True)
class FileEvidence:
    """Certificates and revocation information that a signed file brings along; none of it is trusted by
    itself.
    """

    certificates: tuple[x509.Certificate, ...] = ()
    crls: tuple[RevocationList, ...] = ()
    ocsps: tuple[OCSPContainer, ...] = ()


@dataclass(frozen=True, slots=True)
class TrustOutcome:
    """What trust says; the attributes are those of ``Verdict``."""

    indication: Indication
    sub_indication: str = ""
    chain: tuple[str, ...] = ()
    revocation: str = "not_checked"
    revocation_source: str = ""
    revoked_at: datetime | None = None
    revocation_issued: datetime | None = None
    evidence: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    improvable: AdESIndeterminate | None = None
    best_time: datetime | None = None

    @property
    def passed(self) -> bool:
        """Nothing but a proof is a pass."""
        return self.indication is Indication.TOTAL_PASSED


def explain(sub: AdESSubIndic | None) -> tuple[str, ...]:
    """The sentence for a sub-indication; nothing where there is none."""
    sentence = EXPLANATIONS.get(str(sub.standard_name), "") if sub is not None else ""
    return (sentence,) if sentence else ()
