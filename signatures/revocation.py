"""Revocation lists: parsed once, indexed by serial number once, and looked into without walking them again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from itertools import pairwise

from asn1crypto import crl as asn1_crl
from asn1crypto import x509
from cryptography import x509 as pyca_x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from signatures.algorithms import digest_cut_off

_NEVER = datetime.max.replace(tzinfo=UTC)
_KNOWN_EXTENSIONS = frozenset({"authority_key_identifier", "crl_number", "issuer_alt_name"})
"""Extensions of a list that is complete and direct (RFC 5280 §5.2). Any other one may narrow what it says."""


@dataclass(frozen=True)
class RevocationList:
    """A CRL (RFC 5280 §5).

    Attributes:
        container: as the engine wants it.
        parsed: for look-ups by serial number; ``None`` when only the engine could parse it.
        sha256: of the DER.
    """

    container: CRLContainer = field(compare=False)
    parsed: pyca_x509.CertificateRevocationList | None = field(compare=False)
    sha256: bytes

    @classmethod
    def load(cls, der: bytes) -> RevocationList:
        """Parse a CRL in DER; the same bytes are parsed once.

        Raises:
            ValueError: it is no CRL.
        """
        return _loaded(der)

    @cached_property
    def issuer(self) -> x509.Name:
        """Who issued it."""
        return self.container.crl_data.issuer

    @cached_property
    def issued(self) -> datetime:
        """``thisUpdate``; the far future when it has none, so that it never counts as known."""
        return self.container.issuance_date or _NEVER

    @cached_property
    def serials(self) -> Mapping[int, datetime]:
        """When each certificate on the list was revoked, by serial number."""
        return {entry.serial_number: entry.revocation_date_utc for entry in self.parsed or ()}

    def revoked_at(self, serial: int) -> datetime | None:
        """When the certificate with this serial number was revoked, ``None`` when it is not named."""
        return self.serials.get(serial)

    def clears(self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> bool:
        """True when this list alone proves that ``issuer`` had not revoked ``certificate`` at ``at``.

        Only the plain case is decided: a complete, direct, current list, signed by the very key that issued the
        certificate, with an algorithm that was strong. In every other case the engine decides.
        """
        if self.parsed is None or self.issuer.dump() != certificate.issuer.dump():
            return False
        following = self.parsed.next_update_utc
        if following is None or not self.issued <= at <= following or not self._is_plain:
            return False
        if not self._may_sign(issuer) or certificate.serial_number in self.serials:
            return False
        name = self.parsed.signature_hash_algorithm
        cut_off = digest_cut_off(name.name) if name is not None else None
        if cut_off is not None and (cut_off.not_after is None or at > cut_off.not_after):
            return False
        return self._signed_by(issuer.public_key.dump())

    @cached_property
    def _is_plain(self) -> bool:
        listed = self.container.crl_data["tbs_cert_list"]["crl_extensions"]
        return all(item["extn_id"].native in _KNOWN_EXTENSIONS for item in listed or ())

    def _may_sign(self, issuer: x509.Certificate) -> bool:
        usage = issuer.key_usage_value
        if usage is not None and "crl_sign" not in usage.native:
            return False
        named = self.container.crl_data.authority_key_identifier_value
        key = None if named is None else named["key_identifier"].native
        return key is None or issuer.key_identifier is None or key == issuer.key_identifier

    def _signed_by(self, spki: bytes) -> bool:
        known = self._signers
        if spki not in known:
            known[spki] = self._check(spki)
        return known[spki]

    @cached_property
    def _signers(self) -> dict[bytes, bool]:
        return {}

    def _check(self, spki: bytes) -> bool:
        try:
            return self.parsed is not None and self.parsed.is_signature_valid(load_der_public_key(spki))  # type: ignore[arg-type]
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False


@lru_cache(maxsize=64)
def _loaded(der: bytes) -> RevocationList:
    container = CRLContainer(asn1_crl.CertificateList.load(der))
    try:
        parsed = pyca_x509.load_der_x509_crl(der)
    except ValueError:
        parsed = None
    return RevocationList(container, parsed, hashlib.sha256(der).digest())


def none_revoked(chain: Sequence[x509.Certificate], lists: Sequence[RevocationList], at: datetime) -> bool:
    """True when lists clear every certificate of ``chain`` (signer first, anchor last) but the anchor."""
    return all(
        any(item.clears(certificate, issuer, at) for item in lists) for certificate, issuer in pairwise(chain)
    )


def first_revocation(
    chain: Sequence[x509.Certificate],
    lists: Sequence[RevocationList],
    answers: Sequence[OCSPContainer],
    until: datetime,
) -> datetime | None:
    """When a certificate of ``chain`` was revoked by ``until``, in any list of its issuer or answer on it, however
    old.
    """
    moments = [
        moment
        for certificate in chain
        for item in lists
        if (moment := item.revoked_at(certificate.serial_number)) and item.issuer == certificate.issuer
    ]
    serials = {certificate.serial_number for certificate in chain}
    for answer in answers:
        single = answer.extract_single_response()
        if single is None or single["cert_id"]["serial_number"].native not in serials:
            continue
        if single["cert_status"].name == "revoked":
            moments.append(single["cert_status"].chosen["revocation_time"].native)
    return min((moment for moment in moments if moment <= until), default=None)


def newest_source(
    certificate: x509.Certificate | None, lists: Sequence[RevocationList], answers: Sequence[OCSPContainer]
) -> tuple[str, datetime | None]:
    """The newest list of the certificate's issuer, or answer on it, and when that was issued.

    Returns:
        ``crl <issuer> <thisUpdate>`` or ``ocsp <thisUpdate>``, ``""`` and ``None`` without any.
    """
    if certificate is None:
        return "", None
    found: list[tuple[datetime, str]] = []
    for item in lists:
        if item.issuer == certificate.issuer:
            name = item.issuer.native.get("common_name", item.issuer.human_friendly)
            found.append((item.issued, f"crl {name} {item.issued.isoformat()}"))
    for answer in answers:
        single, issued = answer.extract_single_response(), answer.issuance_date
        if single and issued and single["cert_id"]["serial_number"].native == certificate.serial_number:
            found.append((issued, f"ocsp {issued.isoformat()}"))
    if not found:
        return "", None
    issued, source = max(found)
    return source, issued


def fingerprints(lists: Sequence[RevocationList]) -> tuple[str, ...]:
    """SHA-256 of the lists, sorted, without repeats."""
    return tuple(sorted({item.sha256.hex() for item in lists}))
