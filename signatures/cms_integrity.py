"""Digest and signature value of one CMS signer (RFC 5652 §5.4, §5.6).

The common case is computed here in a few steps over bytes: a structure that ``signer.check_structure`` accepted,
and an RSA or ECDSA key that was loaded before. Whatever else a structure asks for is pyHanko's, with its errors.
Both give the same answer.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import lru_cache

from asn1crypto import cms, core, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA224, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pyhanko.sign.validation.generic_cms import validate_sig_integrity

_HASHES: dict[str, type[HashAlgorithm]] = {
    "sha1": SHA1,
    "sha224": SHA224,
    "sha256": SHA256,
    "sha384": SHA384,
    "sha512": SHA512,
}
_PLAIN = frozenset({"content_type", "message_digest"})
_IMPLICIT_SET, _SET = 0xA0, b"\x31"


def attributes_of(signer: cms.SignerInfo) -> dict[str, cms.CMSAttribute]:
    """The signed attributes by name; none where one is repeated or has not one value: then nothing is plain."""
    attributes = signer["signed_attrs"]
    if isinstance(attributes, core.Void) or attributes is None:
        return {}
    found = {str(attribute["type"].native): attribute for attribute in attributes}
    plain = len(found) == len(attributes) and all(len(item["values"]) == 1 for item in found.values())
    return found if plain else {}


def integrity(
    signer: cms.SignerInfo,
    certificate: x509.Certificate,
    content_type: str,
    digest: bytes,
    attributes: Mapping[str, cms.CMSAttribute],
) -> tuple[bool, bool]:
    """Whether the content is what was signed, and whether the signature value holds.

    Args:
        signer: whose structure was checked.
        certificate: that ``cms_signer.signer_certificate`` chose.
        content_type: of the enclosed content.
        digest: of the content, with the signer's digest algorithm.
        attributes: of ``attributes_of``.

    Raises:
        SignatureValidationError: what is signed about the algorithms or the content type does not fit.
    """
    der = signer["signed_attrs"].dump() if attributes else b""
    name = _hash_name(signer)
    if (
        not attributes.keys() >= _PLAIN
        or "cms_algorithm_protection" in attributes
        or der[0] != _IMPLICIT_SET
        or name is None
        or attributes["content_type"]["values"][0].native != content_type
    ):
        return validate_sig_integrity(signer, certificate, content_type, digest)
    key = _key(certificate.public_key.dump())
    octets, value = _SET + der[1:], signer["signature"].native
    try:
        if isinstance(key, rsa.RSAPublicKey) and _scheme(signer) == "rsassa_pkcs1v15":
            key.verify(value, octets, padding.PKCS1v15(), _HASHES[name]())
        elif isinstance(key, ec.EllipticCurvePublicKey) and _scheme(signer) == "ecdsa":
            key.verify(value, octets, ec.ECDSA(_HASHES[name]()))
        else:
            return validate_sig_integrity(signer, certificate, content_type, digest)
        valid = True
    except InvalidSignature:
        valid = False
    return hmac.compare_digest(attributes["message_digest"]["values"][0].native, digest), valid


def _hash_name(signer: cms.SignerInfo) -> str | None:
    """The digest of the signature algorithm, else the signer's; ``None`` for one that is not of ``_HASHES``."""
    algorithm = signer["signature_algorithm"]
    try:
        name = str(algorithm.hash_algo)
    except ValueError:
        name = str(signer["digest_algorithm"]["algorithm"].native)
    return name if name in _HASHES else None


def _scheme(signer: cms.SignerInfo) -> str:
    try:
        return str(signer["signature_algorithm"].signature_algo)
    except ValueError:
        return ""


@lru_cache(maxsize=4096)
def _key(spki: bytes) -> object:
    try:
        return load_der_public_key(spki)
    except (ValueError, TypeError):
        return None
