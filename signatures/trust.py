"""What the archive trusts: anchors, known intermediates and revocation lists from one folder.

Never the system's or certifi's roots, and never the network. The layout::

    roots/*.pem|*.crt|*.cer          anchors of signers
    tsa_roots/*.pem|*.crt|*.cer      anchors of time-stamping authorities; roots/ does not count for them
    intermediates/*.pem|*.crt|*.cer  known certificates, no trust of their own
    incoming/                        drop folder for revocation lists and OCSP answers (``trust_intake``)
    crls/*.crl, ocsp/*.ocsp|*.der    drop folders too; what lies there is used even before it is taken in
    store/                           what was taken in, for ever (``evidence_store``)
    rejected/                        what was not, with the reason
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import pem, x509
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import OCSPContainer

from schemas.errors import ConfigurationError
from signatures.evidence_store import Shelved, answers_at, answers_of, chosen, list_at, shelved
from signatures.revocation import RevocationList

CERTIFICATE_SUFFIXES = frozenset({".pem", ".crt", ".cer"})
CRL_SUFFIXES = frozenset({".crl"})
OCSP_SUFFIXES = frozenset({".ocsp", ".ors", ".der"})


@dataclass(frozen=True)
class TrustStore:
    """Trust material as DER bytes, sorted; parsed once per process on first use, and left out when pickled.

    Attributes:
        roots: anchors of signers. tsa_roots: anchors of time-stamping authorities.
        intermediates: known certificates without trust.
        crls: revocation lists, ocsps: OCSP answers, all of them looked into for every file.
        stored_crls, stored_ocsps: those of the store, oldest first; read when a file's moment asks for them.
    """

    roots: tuple[bytes, ...] = ()
    tsa_roots: tuple[bytes, ...] = ()
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    stored_crls: tuple[Shelved, ...] = ()
    stored_ocsps: tuple[Shelved, ...] = ()

    def __getstate__(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)

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
    def seen(self) -> dict[str, bytes]:
        """DER by SHA-256 of what this process relied on: chains, lists, answers. No part of the value."""
        return {}

    def lists(self, moments: Collection[datetime]) -> tuple[RevocationList, ...]:
        """The revocation lists that speak of ``moments``.

        Of the store the newest by each moment is enough: a list names every certificate that was revoked and
        had not expired before it (RFC 5280 §3.3), so that one older than it says nothing more of that moment.
        """
        return (*self._lists, *(list_at(item.path) for item in chosen(self.stored_crls, moments)))

    def answers(self, serials: Iterable[int], moments: Collection[datetime]) -> tuple[OCSPContainer, ...]:
        """The OCSP answers on certificates with these serial numbers that speak of ``moments``."""
        if not self.stored_ocsps:
            return self._answers
        wanted = {f"{serial:x}" for serial in serials}
        items = [item for item in self.stored_ocsps if item.group.partition("-")[0] in wanted]
        stored = (answer for item in chosen(items, moments) for answer in answers_at(item.path))
        return (*self._answers, *stored)

    @cached_property
    def _lists(self) -> tuple[RevocationList, ...]:
        return tuple(RevocationList.load(der) for der in self.crls)

    @cached_property
    def _answers(self) -> tuple[OCSPContainer, ...]:
        return tuple(answer for der in self.ocsps for answer in answers_of(der))


def load_trust(folder: Path, crl_folder: Path | None = None, *, stored_only: bool = False) -> TrustStore:
    """Read a trust folder; every part is optional, and a missing folder is empty trust.

    Args:
        folder: with the layout above.
        crl_folder: a second folder of revocation lists (``*.crl``, ``*.pem``, ``*.der``), beside ``folder/crls``.
        stored_only: leave out what still lies in the drop folders.

    Raises:
        ConfigurationError: a file is no certificate, no revocation list, or cannot be read; ``where`` names
            it.
    """
    crls: set[bytes] = set()
    ocsps: set[bytes] = set()
    if not stored_only:
        crls = _read_folder(folder / "crls", CRL_SUFFIXES, _crls_of)
        ocsps = _read_folder(folder / "ocsp", OCSP_SUFFIXES, _ocsps_of)
    if crl_folder is not None:
        crls |= _read_folder(crl_folder, CRL_SUFFIXES | {".pem", ".der"}, _crls_of)
    return TrustStore(
        roots=_certificates_in(folder / "roots"),
        tsa_roots=_certificates_in(folder / "tsa_roots"),
        intermediates=_certificates_in(folder / "intermediates"),
        crls=tuple(sorted(crls)),
        ocsps=tuple(sorted(ocsps)),
        stored_crls=shelved(folder, "crl"),
        stored_ocsps=shelved(folder, "ocsp"),
    )


def certificates_of(data: bytes) -> list[bytes]:
    """The certificates in a file, PEM or DER, as DER.

    Raises:
        ValueError: one of them is none; a private key among them is refused so.
    """
    try:
        return _certificates_of(data)
    except (TypeError, KeyError) as error:
        raise ValueError(str(error)) from error


def _certificates_in(folder: Path) -> tuple[bytes, ...]:
    return tuple(sorted(_read_folder(folder, CERTIFICATE_SUFFIXES, _certificates_of)))


def _read_folder(folder: Path, suffixes: frozenset[str], read: _Reader) -> set[bytes]:
    if not folder.is_dir():
        return set()
    found: set[bytes] = set()
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in suffixes or not path.is_file():
            continue
        try:
            found.update(read(path.read_bytes()))
        except FileNotFoundError:  # taken into the store meanwhile, which is read after this
            continue
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ConfigurationError(
                f"trust material cannot be read: {error}",
                where=str(path),
                expected=read.expected,
                action="replace or remove the file",
            ) from error
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    """Splits a file into DER values of one kind and proves that each parses.

    Attributes:
        label: of a PEM block. kind: to parse with. fields: touched as a check, because parsing is lazy.
        expected: for a person.
    """

    label: str
    kind: type[x509.Certificate] | type[asn1_crl.CertificateList] | type[asn1_ocsp.OCSPResponse]
    fields: tuple[tuple[str, ...], ...]
    expected: str

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
        for path in self.fields:
            field = value
            for name in path:
                field = field[name]
            field.native  # noqa: B018
        return bytes(value.dump())


_certificates_of = _Reader(
    "CERTIFICATE",
    x509.Certificate,
    (("tbs_certificate", "issuer"), ("signature_value",)),
    "X.509 certificates in PEM or DER",
)
_crls_of = _Reader(
    "X509 CRL", asn1_crl.CertificateList, (("tbs_cert_list", "issuer"), ("signature",)), "an X.509 CRL"
)
_ocsps_of = _Reader(
    "OCSP RESPONSE",
    asn1_ocsp.OCSPResponse,
    (("response_status",), ("response_bytes", "response")),
    "an OCSP response in DER",
)
