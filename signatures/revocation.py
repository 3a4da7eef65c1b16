"""Revocation lists: parsed once, looked into by serial number without walking them in Python."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import crl as asn1_crl
from asn1crypto import x509
from cryptography import x509 as pyca_x509
from pyhanko_certvalidator.revinfo.archival import CRLContainer

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A CRL (RFC 5280 §5).

    Attributes:
        container: as the engine wants it.
        parsed: for look-ups by serial number; ``None`` when only the engine could parse it.
        sha256: of the DER.
    """

    container: CRLContainer
    parsed: pyca_x509.CertificateRevocationList | None
    sha256: bytes

    @classmethod
    def load(cls, der: bytes) -> RevocationList:
        """Parse a CRL in DER.

        Raises:
            ValueError: it is no CRL.
        """
        container = CRLContainer(asn1_crl.CertificateList.load(der))
        try:
            parsed = pyca_x509.load_der_x509_crl(der)
        except ValueError:
            parsed = None
        return cls(container, parsed, hashlib.sha256(der).digest())

    @property
    def issuer(self) -> x509.Name:
        """Who issued it."""
        return self.container.crl_data.issuer

    @property
    def issued(self) -> datetime:
        """``thisUpdate``; the far future when it has none, so that it never counts as known."""
        return self.container.issuance_date or _NEVER

    def revoked_at(self, serial: int) -> datetime | None:
        """When the certificate with this serial number was revoked, ``None`` when it is not named."""
        if self.parsed is None:
            return None
        entry = self.parsed.get_revoked_certificate_by_serial_number(serial)
        return entry.revocation_date_utc if entry is not None else None


def first_revocation(
    chain: Sequence[x509.Certificate], lists: Sequence[RevocationList], until: datetime
) -> datetime | None:
    """When a certificate of ``chain`` was revoked by ``until``, in any list of its issuer, however old."""
    moments = [
        moment
        for certificate in chain
        for item in lists
        if item.issuer == certificate.issuer and (moment := item.revoked_at(certificate.serial_number))
    ]
    return min((moment for moment in moments if moment <= until), default=None)


def newest_source(certificate: x509.Certificate | None, lists: Sequence[RevocationList]) -> str:
    """``crl <issuer> <thisUpdate>`` of the newest list of the certificate's issuer, ``""`` without one."""
    own = [item for item in lists if certificate is not None and item.issuer == certificate.issuer]
    if not own:
        return ""
    newest = max(own, key=lambda item: item.issued)
    name = newest.issuer.native.get("common_name", newest.issuer.human_friendly)
    return f"crl {name} {newest.issued.isoformat()}"


def fingerprints(lists: Sequence[RevocationList]) -> tuple[str, ...]:
    """SHA-256 of the lists, sorted, without repeats."""
    return tuple(sorted({item.sha256.hex() for item in lists}))
