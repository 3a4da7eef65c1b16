"""Who signed a CMS structure, and with what strength: what signatures and time-stamp tokens share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from asn1crypto import algos, cms, keys, tsp, x509
from pyhanko.sign.general import check_ess_certid
from pyhanko.sign.validation.generic_cms import extract_certs_for_validation

from signatures.algorithms import ArchivePolicy
from signatures.certificate import interned


def signer_certificate(
    signed_data: cms.SignedData, attributes: Mapping[str, cms.CMSAttribute]
) -> x509.Certificate:
    """The certificate of the one signer, as its identifier and its signing-certificate attribute name it.

    The plain case, one certificate whose serial number, issuer and digest are all as named, is decided on the
    bytes; every other one is pyHanko's, with its errors.

    Args:
        signed_data: with one signer.
        attributes: its signed attributes by name (``cms_integrity.attributes_of``).

    Raises:
        SignatureValidationError: there is none, or it is not the one that was signed (EN 319 102-1 §5.2.3.4).
    """
    signer = signed_data["signer_infos"][0]
    named = signer["sid"]
    if named.name == "issuer_and_serial_number":
        serial = named.chosen["serial_number"].native
        issuer = named.chosen["issuer"].dump()
        fitting = [
            choice.chosen
            for choice in signed_data["certificates"]
            if choice.name == "certificate" and choice.chosen.serial_number == serial
        ]
        if len(fitting) == 1 and fitting[0].issuer.dump() == issuer:
            attribute = _signing_certificate(attributes)
            has_none = attribute is None and (bool(attributes) or not signer["signed_attrs"])
            if has_none or (attribute is not None and _is_named(fitting[0], attribute["certs"][0])):
                return interned(fitting[0].dump())
    return extract_certs_for_validation(signed_data).signer_cert


def _signing_certificate(
    attributes: Mapping[str, cms.CMSAttribute],
) -> tsp.SigningCertificate | tsp.SigningCertificateV2 | None:
    for name, kind in (
        ("signing_certificate_v2", tsp.SigningCertificateV2),
        ("signing_certificate", tsp.SigningCertificate),
    ):
        if name in attributes:
            return kind.load(attributes[name]["values"][0].dump())
    return None


def _is_named(certificate: x509.Certificate, named: tsp.ESSCertID | tsp.ESSCertIDv2) -> bool:
    """Whether an ESSCertID names the certificate: on the bytes where they are equal, else as pyHanko compares names."""
    issuer_serial = named["issuer_serial"]
    if issuer_serial and len(issuer_serial["issuer"]) == 1:
        issuer = issuer_serial["issuer"][0]
        if (
            issuer.name == "directory_name"
            and issuer.chosen.chosen.contents == certificate.issuer.chosen.contents
            and issuer_serial["serial_number"].native == certificate.serial_number
        ):
            digest = (
                "sha1" if isinstance(named, tsp.ESSCertID) else named["hash_algorithm"]["algorithm"].native
            )
            if digest in _ESS_DIGESTS:
                found = hashlib.new(digest, certificate.dump(), usedforsecurity=False).digest()
                return bool(found == named["cert_hash"].native)
    return bool(check_ess_certid(certificate, named))


_ESS_DIGESTS = frozenset({"sha1", "sha256", "sha384", "sha512"})


def certificates_of(signed_data: cms.SignedData) -> tuple[x509.Certificate, ...]:
    """The X.509 certificates that the structure carries, in order."""
    return tuple(
        choice.chosen
        for choice in signed_data["certificates"] or ()
        if isinstance(choice.chosen, x509.Certificate)
    )


def is_strong(signer: cms.SignerInfo, certificate: x509.Certificate, moment: datetime) -> bool:
    """Whether the algorithms and the key of a signer could carry a signature at ``moment``."""
    return _is_strong(
        signer["signature_algorithm"].dump(),
        signer["digest_algorithm"].dump(),
        certificate.public_key.dump(),
        moment,
    )


@lru_cache(maxsize=4096)
def _is_strong(signature: bytes, digest: bytes, key: bytes, moment: datetime) -> bool:
    policy = ArchivePolicy()
    algorithm = algos.SignedDigestAlgorithm.load(signature)
    allowed = policy.signature_algorithm_allowed(algorithm, moment, keys.PublicKeyInfo.load(key))
    return bool(allowed) and bool(policy.digest_algorithm_allowed(algos.DigestAlgorithm.load(digest), moment))
