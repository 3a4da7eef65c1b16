"""The key that verifies an XML signature: from X.509 certificates, or a bare key value."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from asn1crypto import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from lxml import etree

from signatures.xml_guard import DS, RefusedError

DSIG11 = "http://www.w3.org/2009/xmldsig11#"
MAX_CERTIFICATES = 30

CURVES: dict[str, type[ec.EllipticCurve]] = {
    "urn:oid:1.2.840.10045.3.1.7": ec.SECP256R1,
    "urn:oid:1.3.132.0.34": ec.SECP384R1,
    "urn:oid:1.3.132.0.35": ec.SECP521R1,
}
"""Named curves of XMLDSig 1.1 §4.5.2.3.1 by their URI."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What a signature says of its key.

    Attributes:
        certificates: X.509 certificates in order.
        bare: SubjectPublicKeyInfo (DER) of a KeyValue or DEREncodedKeyValue; ``None`` without one.
    """

    certificates: tuple[x509.Certificate, ...]
    bare: bytes | None


def read_key_info(signature: etree._Element) -> KeyInfo:
    """Certificates and bare key of a signature's own KeyInfo.

    Raises:
        RefusedError: a certificate or key value does not decode, or there are too many.
    """
    info = signature.find(f"{{{DS}}}KeyInfo")
    if info is None:
        return KeyInfo((), None)
    elements = info.findall(f"{{{DS}}}X509Data/{{{DS}}}X509Certificate")
    if len(elements) > MAX_CERTIFICATES:
        raise RefusedError(f"{len(elements)} certificates; at most {MAX_CERTIFICATES} are read")
    certificates = tuple(_certificate(element) for element in elements)
    encoded = info.find(f"{{{DSIG11}}}DEREncodedKeyValue")
    value = info.find(f"{{{DS}}}KeyValue")
    if encoded is not None:
        return KeyInfo(certificates, _bytes(encoded))
    return KeyInfo(certificates, _key_value(value) if value is not None else None)


def choose_signer(info: KeyInfo, named: list[tuple[str, bytes]]) -> x509.Certificate | None:
    """The signing certificate.

    The one that XAdES names by digest; without XAdES the only one that issued none of the others. ``None``
    when no certificate or more than one fits.

    Args:
        info: the signature's certificates.
        named: hashlib digest name and digest of the certificate that XAdES names first; empty without XAdES.
    """
    unique = {certificate.sha256: certificate for certificate in info.certificates}
    candidates = list(unique.values())
    if named:
        name, digest = named[0]
        matching = [
            item
            for item in candidates
            if hashlib.new(name, item.dump(), usedforsecurity=False).digest() == digest
        ]
        return matching[0] if len(matching) == 1 else None
    leaves = [item for item in candidates if not _issued_another(item, candidates)]
    return leaves[0] if len(leaves) == 1 else None


def unrelated(signer: x509.Certificate, others: Iterable[x509.Certificate]) -> bool:
    """True when one of ``others`` is neither the signer nor, by its names, in the line of its issuers."""
    left = [item for item in others if item.sha256 != signer.sha256]
    issuer = signer.issuer
    while above := [item for item in left if item.subject == issuer]:
        left = [item for item in left if item.subject != issuer]
        issuer = above[0].issuer
    return bool(left)


def public_key_of(certificate: x509.Certificate) -> bytes:
    """SubjectPublicKeyInfo (DER) of a certificate."""
    return bytes(certificate.public_key.dump())


def as_pem(spki: bytes) -> bytes:
    """A SubjectPublicKeyInfo as PEM.

    Raises:
        RefusedError: it is no key that can be loaded.
    """
    try:
        return load_der_public_key(spki).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError) as error:
        raise RefusedError(f"the key cannot be read: {error}") from error


def family_and_bits(spki: bytes) -> tuple[str, int]:
    """Key family (``rsa``, ``dsa``, ``ec`` or the class's name) and size in bits (0 when it has none)."""
    key = load_der_public_key(spki)
    families = ((rsa.RSAPublicKey, "rsa"), (dsa.DSAPublicKey, "dsa"), (ec.EllipticCurvePublicKey, "ec"))
    for kind, name in families:
        if isinstance(key, kind):
            return name, int(getattr(key, "key_size", 0))
    return type(key).__name__, 0


def _issued_another(item: x509.Certificate, others: list[x509.Certificate]) -> bool:
    return any(other is not item and other.issuer == item.subject for other in others)


def _certificate(element: etree._Element) -> x509.Certificate:
    try:
        return _readable(_bytes(element))
    except (ValueError, TypeError, KeyError) as error:
        raise RefusedError(f"X509Certificate cannot be read: {error}") from error


@lru_cache(maxsize=4096)
def _readable(der: bytes) -> x509.Certificate:
    """The certificate, its fields read once: parsing is lazy, and touching a field is the check."""
    certificate = x509.Certificate.load(der, strict=True)
    _ = (certificate.subject.native, certificate.public_key.algorithm, certificate.serial_number)
    return certificate


def _key_value(value: etree._Element) -> bytes | None:
    try:
        if (element := value.find(f"{{{DS}}}RSAKeyValue")) is not None:
            numbers = [_integer(element, name) for name in ("Exponent", "Modulus")]
            return _spki(rsa.RSAPublicNumbers(*numbers).public_key())
        if (element := value.find(f"{{{DS}}}DSAKeyValue")) is not None:
            p, q, g, y = (_integer(element, name) for name in ("P", "Q", "G", "Y"))
            return _spki(dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g)).public_key())
        if (element := value.find(f"{{{DSIG11}}}ECKeyValue")) is not None:
            return _ec_key(element)
    except (ValueError, TypeError) as error:
        raise RefusedError(f"KeyValue cannot be read: {error}") from error
    return None


def _ec_key(element: etree._Element) -> bytes | None:
    curve = element.find(f"{{{DSIG11}}}NamedCurve")
    point = element.find(f"{{{DSIG11}}}PublicKey")
    kind = CURVES.get(curve.get("URI", "")) if curve is not None else None
    if kind is None or point is None:
        return None
    return _spki(ec.EllipticCurvePublicKey.from_encoded_point(kind(), _bytes(point)))


def _spki(key: rsa.RSAPublicKey | dsa.DSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _integer(parent: etree._Element, name: str) -> int:
    element = parent.find(f"{{{DS}}}{name}")
    if element is None:
        raise ValueError(f"{name} is missing")
    return int.from_bytes(_bytes(element), "big")


def _bytes(element: etree._Element) -> bytes:
    try:
        return base64.b64decode("".join("".join(element.itertext()).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedError(f"{etree.QName(element).localname} is not base64") from error
