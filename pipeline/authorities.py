"""The certificate authorities of a trust folder as a tree: who stands below whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from asn1crypto import x509

from signatures.certificate import rfc4514
from signatures.trust import TrustStore


class Tree:
    """Subjects are RFC 4514 strings, as verdicts and receipts spell them."""

    def __init__(self, trust: TrustStore) -> None:
        certificates = trust.known_certificates
        self._made = [
            (rfc4514(item.issuer), rfc4514(item.subject), f"{item.serial_number:x}") for item in certificates
        ]
        self.roots = tuple(x509.Certificate.load(der).sha256.hex() for der in trust.roots)
        anchors = (rfc4514(x509.Certificate.load(der).subject) for der in trust.tsa_roots)
        self.tsa_issuers = tuple(sorted({name for anchor in anchors for name in self.below(anchor)}))

    def below(self, issuer: str) -> tuple[str, ...]:
        """``issuer`` and the authorities whose certificates come from it, directly or not; sorted."""
        found = {issuer}
        while True:
            more = {subject for maker, subject, _ in self._made if maker in found} - found
            if not more:
                return tuple(sorted(found))
            found |= more

    def revoked(self, issuer: str, named: Mapping[str, datetime]) -> dict[str, datetime]:
        """The authorities that ``issuer`` revoked, and all below them: subject and moment.

        ``named`` are the serial numbers, hexadecimal, that it names.
        """
        return {
            name: named[serial]
            for maker, subject, serial in self._made
            if maker == issuer and serial in named
            for name in self.below(subject)
        }
