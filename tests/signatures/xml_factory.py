"""Signed XML for the tests: enveloped, enveloping or over a part, with and without XAdES and time-stamps."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import datetime

import xmlsec
from lxml import etree

from tests.signatures.pki_factory import DAY0, Holder, Pki

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"

PACKAGE = """<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016"><edXMLEnvelope><edXMLHeader>
<MessageHeader><Subject>V/v báo cáo quý I</Subject><Code><CodeNumber>160</CodeNumber></Code></MessageHeader>
</edXMLHeader></edXMLEnvelope></edXML>"""


def build(
    root: etree._Element,
    holder: Holder,
    *,
    uri: str = "",
    place: etree._Element | None = None,
    certificates: tuple[Holder, ...] = (),
    xades: bool = False,
    named: Holder | None = None,
    time: datetime | None = None,
    identifier: str = "chu-ky",
) -> etree._Element:
    """A signed ds:Signature in ``place`` (the root by default): enveloped for ``uri=""``, exclusive C14N."""
    signature = xmlsec.template.create(
        root, xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformEcdsaSha256, ns="ds"
    )
    signature.set("Id", identifier)
    (root if place is None else place).append(signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha256, uri=uri)
    if uri in ("", "#xpointer(/)"):
        xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
    info = xmlsec.template.ensure_key_info(signature)
    data = etree.SubElement(info, f"{{{DS}}}X509Data")
    for item in certificates or (holder,):
        etree.SubElement(data, f"{{{DS}}}X509Certificate").text = base64.b64encode(item.der).decode()
    if xades:
        _add_xades(signature, named or holder, time)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(holder.key_pem, xmlsec.constants.KeyDataFormatPem, None)
    for element in root.iter(etree.Element):
        if element.get("Id"):
            context.register_id(element, "Id", None)
    context.sign(signature)
    return signature


def _add_xades(signature: etree._Element, named: Holder, time: datetime | None) -> None:
    digest = base64.b64encode(hashlib.sha256(named.der).digest()).decode()
    moment = (time or DAY0).isoformat().replace("+00:00", "Z")
    holder = etree.fromstring(
        f"""<ds:Object xmlns:ds="{DS}"><x:QualifyingProperties xmlns:x="{XADES}" Target="#chu-ky">
<x:SignedProperties Id="thuoc-tinh"><x:SignedSignatureProperties><x:SigningTime>{moment}</x:SigningTime>
<x:SigningCertificate><x:Cert><x:CertDigest><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
<ds:DigestValue>{digest}</ds:DigestValue></x:CertDigest></x:Cert></x:SigningCertificate>
</x:SignedSignatureProperties></x:SignedProperties></x:QualifyingProperties></ds:Object>"""
    )
    signature.append(holder)
    reference = xmlsec.template.add_reference(
        signature,
        xmlsec.constants.TransformSha256,
        uri="#thuoc-tinh",
        type="http://uri.etsi.org/01903#SignedProperties",
    )
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)


def signed(pki: Pki, holder: Holder | None = None, **options: object) -> etree._Element:
    root = etree.fromstring(PACKAGE)
    build(root, holder or pki.seal, **options)  # type: ignore[arg-type]
    return etree.fromstring(etree.tostring(root))


def stamped(root: etree._Element, pki: Pki, moment: datetime, octets: bytes | None = None) -> etree._Element:
    """The same signature with a XAdES signature time-stamp over exclusive C14N."""
    value = root.find(f".//{{{DS}}}SignatureValue")
    octets = octets or etree.tostring(value, method="c14n", exclusive=True, with_tail=False)
    work = pki.stamper(moment).async_timestamp(hashlib.sha256(octets).digest(), "sha256")
    token = base64.b64encode(asyncio.run(work).dump()).decode()
    qualifying = root.find(f".//{{{XADES}}}QualifyingProperties")
    qualifying.append(
        etree.fromstring(
            f"""<x:UnsignedProperties xmlns:x="{XADES}" xmlns:ds="{DS}"><x:UnsignedSignatureProperties>
<x:SignatureTimeStamp><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<x:EncapsulatedTimeStamp>{token}</x:EncapsulatedTimeStamp></x:SignatureTimeStamp>
</x:UnsignedSignatureProperties></x:UnsignedProperties>"""
        )
    )
    return root
