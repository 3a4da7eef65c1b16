"""Whether a header's ``Signature`` has the shape of one, or is what a system writes to fill the place.

Says nothing of whether a signature holds: that is for the signature engine, which judges the package's bytes.
W3C XML Signature Syntax and Processing 1.1 §4.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator

from lxml import etree

from connectors.operations.defects import defect
from connectors.operations.qualified_names import local_name, namespace_of
from schemas.record import Defect

XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"

_DIGEST_SIZES = frozenset({20, 28, 32, 48, 64})
_SHORTEST_VALUE = 40
"""Bytes: DSA with SHA-1; every RSA and ECDSA value is longer."""


def signature_defects(signature: etree._Element, where: str) -> Iterator[Defect]:
    """What is wrong with the shape of ``signature``, an element of that name in a header."""
    namespace = namespace_of(signature.tag)
    if namespace != XMLDSIG:
        yield defect("signature_wrong_namespace", where, namespace=namespace)
    if why := "; ".join(_missing(signature)):
        yield defect("signature_placeholder", where, why=why)
    if any(not (name.text or "").strip() for name in _named(signature, "X509SubjectName")):
        yield defect("signature_subject_empty", where)


def _missing(signature: etree._Element) -> Iterator[str]:
    references = list(_named(signature, "Reference"))
    values = [_decoded(value) for value in _named(signature, "SignatureValue")]
    digests = [_decoded(value) for value in _named(signature, "DigestValue")]
    if not references:
        yield "it refers to nothing"
    elif not digests or any(digest is None or len(digest) not in _DIGEST_SIZES for digest in digests):
        yield "DigestValue is no digest"
    if not values or any(value is None or len(value) < _SHORTEST_VALUE for value in values):
        yield "SignatureValue is no signature"
    certificates = [_decoded(value) for value in _named(signature, "X509Certificate")]
    if any(not _is_der(certificate) for certificate in certificates):
        yield "X509Certificate is no certificate"
    elif not certificates and not list(_named(signature, "KeyValue", "X509SKI", "KeyName")):
        yield "it has neither certificate nor key"


def _named(signature: etree._Element, *names: str) -> Iterator[etree._Element]:
    return (element for element in signature.iter() if local_name(element.tag) in names)


def _decoded(element: etree._Element) -> bytes | None:
    try:
        return binascii.a2b_base64("".join((element.text or "").split()), strict_mode=True)
    except (binascii.Error, ValueError):
        return None


def _is_der(data: bytes | None) -> bool:
    """True for exactly one DER SEQUENCE with its length in two octets, as every certificate is."""
    return data is not None and data[:2] == b"\x30\x82" and len(data) == 4 + int.from_bytes(data[2:4], "big")
