"""XAdES properties of a signature (ETSI EN 319 132-1): which certificate, when, and which time-stamps. Levels
B and T.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import tsp
from lxml import etree

from signatures.levels import level_of_xades
from signatures.xml_guard import DIGESTS, DS, Prepared, RefusedError

NAMESPACES = (
    "http://uri.etsi.org/01903/v1.3.2#",
    "http://uri.etsi.org/01903/v1.2.2#",
    "http://uri.etsi.org/01903/v1.1.1#",
)
SIGNED_PROPERTIES_TYPES = frozenset(
    {
        "http://uri.etsi.org/01903#SignedProperties",
        *(f"{namespace}SignedProperties" for namespace in NAMESPACES),
    }
)
"""``Type`` of the reference to SignedProperties (EN 319 132-1 §4.4.2), and what earlier versions wrote."""

DEFAULT_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
MAX_TOKENS = 10


@dataclass(frozen=True, slots=True)
class Properties:
    """What XAdES says of one signature.

    Attributes:
        present: the signature has QualifyingProperties.
        signed: its SignedProperties element; ``None`` without.
        named: digest name and digest of the certificates that SigningCertificate names, in order.
        issuer_serials: the serial numbers that SigningCertificate (V1) names, in order.
        claimed_time: SigningTime.
        tokens: the signature time-stamps. level: baseline level that the signature shows.
    """

    present: bool = False
    signed: etree._Element | None = None
    named: tuple[tuple[str, bytes], ...] = ()
    serials: tuple[int, ...] = ()
    claimed_time: datetime | None = None
    tokens: tuple[tuple[str, bytes], ...] = ()
    level: str = ""


def read_properties(prepared: Prepared) -> Properties:
    """The XAdES properties of a signature; an empty value for plain XMLDSig.

    Raises:
        RefusedError: the properties are another signature's, are not signed, or occur twice.
    """
    own = _qualifying(prepared.element)
    claimed = [item for item in prepared.references if item.type in SIGNED_PROPERTIES_TYPES]
    if not own:
        if claimed:
            raise RefusedError("a reference to SignedProperties that are not in this signature")
        return Properties()
    if len(own) > 1:
        raise RefusedError("more than one QualifyingProperties in a signature")
    qualifying = own[0]
    identifier = prepared.element.get("Id")
    if qualifying.get("Target", "") not in ("", f"#{identifier}"):
        raise RefusedError("QualifyingProperties that point to another signature")
    namespace = etree.QName(qualifying).namespace
    known = {f"{{{namespace}}}SignedProperties", f"{{{namespace}}}UnsignedProperties"}
    if any(child.tag not in known for child in qualifying.iterchildren(etree.Element)):
        raise RefusedError("QualifyingProperties with something else in them than properties")
    signed = qualifying.findall(f"{{{namespace}}}SignedProperties")
    if len(signed) > 1 or any(item.target not in signed for item in claimed):
        raise RefusedError("a reference to SignedProperties that are not this signature's own")
    if signed and not _covers(prepared, signed[0]):
        raise RefusedError("SignedProperties that the signature does not sign")
    element = signed[0] if signed else None
    named = tuple(_certificate_digests(element)) if element is not None else ()
    tokens = tuple(_tokens(qualifying))
    return Properties(
        present=True,
        signed=element,
        named=named,
        serials=tuple(_serials(element)) if element is not None else (),
        claimed_time=_signing_time(element) if element is not None else None,
        tokens=tokens,
        level=level_of_xades(qualifying, named=bool(named), stamped=bool(tokens)),
    )


def is_counter_signature(signature: etree._Element) -> etree._Element | None:
    """The signature that ``signature`` counter-signs by its place (CounterSignature), else ``None``."""
    parent = signature.getparent()
    if parent is None or etree.QName(parent).localname != "CounterSignature":
        return None
    return next(parent.iterancestors(f"{{{DS}}}Signature"), None)


def _covers(prepared: Prepared, signed: etree._Element) -> bool:
    """A reference covers the properties or their ds:Object; one to the document leaves the signature out."""
    for item in prepared.references:
        if item.target is None:
            continue
        inside = prepared.element in item.target.iterancestors()
        if inside and not item.text_only and (item.target is signed or item.target in signed.iterancestors()):
            return True
    return False


def _qualifying(signature: etree._Element) -> list[etree._Element]:
    return [
        child
        for holder in signature.findall(f"{{{DS}}}Object")
        for child in holder.iterchildren(etree.Element)
        if etree.QName(child).localname == "QualifyingProperties"
        and etree.QName(child).namespace in NAMESPACES
    ]


def _certificate_digests(signed: etree._Element) -> list[tuple[str, bytes]]:
    found = []
    for element in _certs(signed):
        namespace = etree.QName(element).namespace
        method = element.find(f"{{{namespace}}}CertDigest/{{{DS}}}DigestMethod")
        value = element.find(f"{{{namespace}}}CertDigest/{{{DS}}}DigestValue")
        if method is None or value is None or method.get("Algorithm") not in DIGESTS:
            raise RefusedError("SigningCertificate without a digest that can be computed")
        try:
            digest = base64.b64decode("".join((value.text or "").split()), validate=True)
        except binascii.Error as error:
            raise RefusedError("CertDigest is not base64") from error
        found.append((DIGESTS[method.get("Algorithm", "")], digest))
    return found


def _serials(signed: etree._Element) -> list[int]:
    found = []
    for element in _certs(signed):
        serial = element.find(f".//{{{DS}}}X509SerialNumber")
        if serial is not None and (serial.text or "").strip().isdigit():
            found.append(int((serial.text or "").strip()))
        second = element.find(f"{{{etree.QName(element).namespace}}}IssuerSerialV2")
        if second is not None:
            found.append(_serial_v2(second))
    return found


def _serial_v2(element: etree._Element) -> int:
    """Serial number of an IssuerSerialV2: base64 of the DER of RFC 5035 IssuerSerial (EN 319 132-1
    §5.2.2).
    """
    try:
        value = tsp.IssuerSerial.load(
            base64.b64decode("".join((element.text or "").split()), validate=True), strict=True
        )
        return int(value["serial_number"].native)
    except (ValueError, TypeError) as error:
        raise RefusedError("IssuerSerialV2 cannot be read") from error


def _certs(signed: etree._Element) -> list[etree._Element]:
    found = []
    for name in ("SigningCertificate", "SigningCertificateV2"):
        for namespace in NAMESPACES:
            path = f"{{{namespace}}}SignedSignatureProperties/{{{namespace}}}{name}/{{{namespace}}}Cert"
            found += signed.findall(path)
    return found


def _signing_time(signed: etree._Element) -> datetime | None:
    for namespace in NAMESPACES:
        element = signed.find(f"{{{namespace}}}SignedSignatureProperties/{{{namespace}}}SigningTime")
        if element is not None and element.text:
            try:
                moment = datetime.fromisoformat(element.text.strip())
            except ValueError:
                return None
            return moment if moment.tzinfo else None
    return None


def _tokens(qualifying: etree._Element) -> list[tuple[str, bytes]]:
    """Canonicalization and DER of each own SignatureTimeStamp; those of counter signatures lie deeper."""
    found: list[tuple[str, bytes]] = []
    for namespace in NAMESPACES:
        path = "/".join(
            f"{{{namespace}}}{name}"
            for name in ("UnsignedProperties", "UnsignedSignatureProperties", "SignatureTimeStamp")
        )
        for stamp in qualifying.findall(path):
            method = stamp.find(f"{{{DS}}}CanonicalizationMethod")
            c14n = method.get("Algorithm", DEFAULT_C14N) if method is not None else DEFAULT_C14N
            for token in stamp.findall(f"{{{namespace}}}EncapsulatedTimeStamp"):
                found.append((c14n or DEFAULT_C14N, base64.b64decode("".join((token.text or "").split()))))
    if len(found) > MAX_TOKENS:
        raise RefusedError(f"{len(found)} time-stamps; at most {MAX_TOKENS} are read")
    return found
