"""Who signed a CMS structure, and with what strength: what signatures and time-stamp tokens share."""

from __future__ import annotations

from datetime import datetime

from asn1crypto import cms, x509
from pyhanko.sign.general import check_ess_certid
from pyhanko.sign.validation.generic_cms import extract_certs_for_validation, get_signing_cert_attr

from signatures.algorithms import ArchivePolicy


def signer_certificate(signed_data: cms.SignedData) -> x509.Certificate:
    """The certificate of the one signer, as its identifier and its signing-certificate attribute name it.

    The plain case, one certificate whose serial number, issuer and digest are all as named, is decided on the
    bytes; every other one is pyHanko's, with its errors.

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
            attribute = get_signing_cert_attr(signer["signed_attrs"])
            if attribute is None or check_ess_certid(fitting[0], attribute["certs"][0]):
                return fitting[0].untag()
    return extract_certs_for_validation(signed_data).signer_cert


def certificates_of(signed_data: cms.SignedData) -> tuple[x509.Certificate, ...]:
    """The X.509 certificates that the structure carries, in order."""
    return tuple(
        choice.chosen
        for choice in signed_data["certificates"] or ()
        if isinstance(choice.chosen, x509.Certificate)
    )


def is_strong(signer: cms.SignerInfo, certificate: x509.Certificate, moment: datetime) -> bool:
    """Whether the algorithms and the key of a signer could carry a signature at ``moment``."""
    policy = ArchivePolicy()
    return bool(
        policy.signature_algorithm_allowed(signer["signature_algorithm"], moment, certificate.public_key)
    ) and bool(policy.digest_algorithm_allowed(signer["digest_algorithm"], moment))
