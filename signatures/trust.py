"""What the archive trusts: anchors, known intermediates and revocation lists from one folder.

Never the system's or certifi's roots, and never the network. The layout::

    roots/*.pem|*.crt|*.cer          anchors of signers
    tsa_roots/*.pem|*.crt|*.cer      anchors of time-stamping authorities; roots/ says nothing about
    time-stamps intermediates/*.pem|*.crt|*.cer  known certificates, no trust of their own crls/*.crl
    revocation lists, DER or PEM; old ones stay: they are the evidence of their time
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from asn1crypto import crl as asn1_crl
from asn1crypto import pem, x509
from pyhanko_certvalidator.registry import SimpleTrustManager

from schemas.errors import ConfigurationError
from signatures.revocation import RevocationList

CERTIFICATE_SUFFIXES = frozenset({".pem", ".crt", ".cer"})
CRL_SUFFIXES = frozenset({".crl"})


@dataclass(frozen=True)
class TrustStore:
    """Trust material as DER bytes, sorted; parsed once per process on first use, and left out when pickled.

    Attributes:
        roots: anchors of signers. tsa_roots: anchors of time-stamping authorities.
        intermediates: known certificates without trust. crls: revocation lists.
    """

    roots: tuple[bytes, ...] = ()
    tsa_roots: tuple[bytes, ...] = ()
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()

    def __getstate__(self) -> tuple[tuple[bytes, ...], ...]:
        return (self.roots, self.tsa_roots, self.intermediates, self.crls)

    def __setstate__(self, state: tuple[tuple[bytes, ...], ...]) -> None:
        names = ("roots", "tsa_roots", "intermediates", "crls")
        self.__dict__.update(zip(names, state, strict=True))

    @cached_property
    def epoch(self) -> str:
        """SHA-256 over the sorted fingerprints, each with its part of the folder. CRLs do not change it."""
        parts = (("root", self.roots), ("tsa_root", self.tsa_roots), ("intermediate", self.intermediates))
        lines = sorted(f"{kind}:{hashlib.sha256(der).hexdigest()}" for kind, ders in parts for der in ders)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @cached_property
    def signer_anchors(self) -> SimpleTrustManager:
        """The anchors of signers, as certvalidator wants them."""
        return SimpleTrustManager.build(trust_roots=[x509.Certificate.load(der) for der in self.roots])

    @cached_property
    def tsa_anchors(self) -> SimpleTrustManager:
        """The anchors of time-stamping authorities, as certvalidator wants them."""
        return SimpleTrustManager.build(trust_roots=[x509.Certificate.load(der) for der in self.tsa_roots])

    @cached_property
    def known_certificates(self) -> tuple[x509.Certificate, ...]:
        """Every certificate of the folder."""
        return tuple(
            x509.Certificate.load(der) for der in (*self.roots, *self.tsa_roots, *self.intermediates)
        )

    @cached_property
    def outcomes(self) -> dict[object, object]:
        """What ``chain`` found out about certificates: a memory of this process, no part of the value."""
        return {}

    @cached_property
    def revocation_lists(self) -> tuple[RevocationList, ...]:
        """The revocation lists, parsed."""
        return tuple(RevocationList.load(der) for der in self.crls)


def load_trust(folder: Path, crl_folder: Path | None = None) -> TrustStore:
    """Read a trust folder; every part is optional, and a missing folder is empty trust.

    Args:
        folder: with the layout above.
        crl_folder: a second folder of revocation lists (``*.crl``), beside ``folder/crls``.

    Raises:
        ConfigurationError: a file is no certificate, no revocation list, or cannot be read; ``where`` names
            it.
    """
    crls = set(_read_folder(folder / "crls", CRL_SUFFIXES, _crls_of))
    if crl_folder is not None:
        crls |= _read_folder(crl_folder, CRL_SUFFIXES, _crls_of)
    return TrustStore(
        roots=tuple(sorted(_read_folder(folder / "roots", CERTIFICATE_SUFFIXES, _certificates_of))),
        tsa_roots=tuple(sorted(_read_folder(folder / "tsa_roots", CERTIFICATE_SUFFIXES, _certificates_of))),
        intermediates=tuple(
            sorted(_read_folder(folder / "intermediates", CERTIFICATE_SUFFIXES, _certificates_of))
        ),
        crls=tuple(sorted(crls)),
    )


def _read_folder(folder: Path, suffixes: frozenset[str], read: _Reader) -> set[bytes]:
    if not folder.is_dir():
        return set()
    found: set[bytes] = set()
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in suffixes or not path.is_file():
            continue
        try:
            found.update(read(path.read_bytes()))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ConfigurationError(
                f"trust material cannot be read: {error}",
                where=str(path),
                expected="X.509 certificates in PEM or DER"
                if suffixes is CERTIFICATE_SUFFIXES
                else "an X.509 CRL",
                action="replace or remove the file",
            ) from error
    return found


class _Reader:
    """Splits a file into DER values of one kind and proves that each parses."""

    def __init__(self, label: str, kind: type[x509.Certificate] | type[asn1_crl.CertificateList]) -> None:
        self.label = label
        self.kind = kind

    def __call__(self, data: bytes) -> list[bytes]:
        if not pem.detect(data):
            return [self._checked(data)]
        ders = []
        for label, _headers, der in pem.unarmor(data, multiple=True):
            if label not in (self.label, f"TRUSTED {self.label}"):
                raise ValueError(f"a PEM block of {label}, where only {self.label} belongs")
            ders.append(self._checked(der))
        return ders

    def _checked(self, der: bytes) -> bytes:
        value = self.kind.load(der, strict=True)
        names = value["tbs_certificate" if self.kind is x509.Certificate else "tbs_cert_list"]
        names["issuer"].native  # noqa: B018  parsing is lazy: touching a field is the check
        value["signature_value" if self.kind is x509.Certificate else "signature"].native  # noqa: B018
        return bytes(value.dump())


_certificates_of = _Reader("CERTIFICATE", x509.Certificate)
_crls_of = _Reader("X509 CRL", asn1_crl.CertificateList)
