"""Signed files for the speed benchmark: PDFs of the kinds that an archive holds, an enveloped XML, detached CMS."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO

import xmlsec
from asn1crypto import crl as asn1_crl
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509.oid import NameOID
from lxml import etree
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator import ValidationContext

from tests.signatures.pki_factory import DAY0, Holder, Pki, day, issue, make_pki, minimal_pdf, revocation_list

PAGE = 180_000
"""Characters of page content: a file then weighs about what an official document does."""
MIX = (("B-B", 80), ("B-T", 60), ("B-LTA", 30), ("two", 30))
"""Kinds of PDF and how many in 200: signed; with a time-stamp; with DSS and document time-stamp; person and seal."""
DS = "http://www.w3.org/2000/09/xmldsig#"


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed file.

    Attributes:
        kind: of ``MIX``, ``xml`` or ``cms``. data: the file. content: what a detached signature signs.
    """

    kind: str
    data: bytes
    content: bytes = b""


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def rsa_pki() -> Pki:
    """The tests' PKI with signers of RSA-2048 keys under an RSA chain of three."""
    pki = make_pki()
    start, end = day(-100), day(3650)
    root = issue({NameOID.COMMON_NAME: "Gốc đo tốc độ"}, None, start, end, ca=True, key=_key())
    ca = issue({NameOID.COMMON_NAME: "CA đo tốc độ"}, root, start, end, ca=True, key=_key())
    names = {NameOID.COMMON_NAME: "Người Ký", NameOID.ORGANIZATION_NAME: "Tỉnh ủy Thử"}
    seal = {NameOID.COMMON_NAME: "Tỉnh ủy Thử", NameOID.ORGANIZATION_NAME: "Tỉnh ủy Thử"}
    tsa_root = issue({NameOID.COMMON_NAME: "Gốc TSA"}, None, start, end, ca=True, key=_key())
    tsa = issue({NameOID.COMMON_NAME: "TSA"}, tsa_root, start, end, tsa=True, key=_key())
    pki.root, pki.ca, pki.tsa_root, pki.tsa = root, ca, tsa_root, tsa
    pki.person = issue(names, ca, start, end, key=_key())
    pki.seal = issue(seal, ca, start, end, key=_key())
    return pki


def pdfs(pki: Pki, count: int) -> list[Signed]:
    """``count`` PDFs in the proportions of ``MIX``, mixed."""
    total = sum(share for _, share in MIX)
    kinds = [kind for kind, share in MIX for _ in range(max(1, round(count * share / total)))]
    random.Random(7).shuffle(kinds)
    return [Signed(kind, _pdf(pki, kind, number)) for number, kind in enumerate(kinds)]


def _pdf(pki: Pki, kind: str, number: int) -> bytes:
    plain = minimal_pdf(f"So {number}-KL/TU " + "x" * PAGE)
    if kind == "B-B":
        return pki.sign_pdf(plain, pki.person)
    if kind == "B-T":
        return pki.sign_pdf(plain, pki.person, stamper=pki.stamper(day(0.1)))
    if kind == "B-LTA":
        return lta_pdf(pki, plain)
    once = pki.sign_pdf(plain, pki.person, stamper=pki.stamper(day(0.1)))
    return pki.sign_pdf(once, pki.seal, "ConDau", stamper=pki.stamper(day(0.11)))


def lta_pdf(pki: Pki, plain: bytes) -> bytes:
    lists = [asn1_crl.CertificateList.load(item) for item in pki.fresh_crls(DAY0)]
    context = ValidationContext(
        trust_roots=[pki.root.asn1, pki.tsa_root.asn1],
        other_certs=[pki.ca.asn1],
        crls=lists,
        moment=DAY0 + timedelta(hours=1),
    )
    metadata = signers.PdfSignatureMetadata(
        field_name="NguoiKy",
        subfilter=fields.SigSeedSubFilter.PADES,
        md_algorithm="sha256",
        embed_validation_info=True,
        use_pades_lta=True,
        validation_context=context,
        timestamp_field_name="DauThoiGian",
    )
    writer = IncrementalPdfFileWriter(BytesIO(plain))
    output = signers.sign_pdf(
        writer, metadata, pki.signer(pki.person), timestamper=pki.stamper(DAY0 + timedelta(hours=1))
    )
    return bytes(output.getbuffer())


def xml(pki: Pki, count: int) -> Iterator[Signed]:
    """Enveloped signatures (exclusive C14N) over about 200 kB."""
    for number in range(count):
        root = etree.fromstring(f'<vb so="{number}" xmlns="urn:vb"/>')
        for line in range(2_400):
            etree.SubElement(root, "{urn:vb}dong", so=str(line)).text = "Nội dung văn bản " * 3
        template = xmlsec.template.create(
            root, xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformRsaSha256, ns="ds"
        )
        root.append(template)
        reference = xmlsec.template.add_reference(template, xmlsec.constants.TransformSha256, uri="")
        xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
        xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
        info = xmlsec.template.ensure_key_info(template)
        data = etree.SubElement(info, f"{{{DS}}}X509Data")
        for holder in (pki.person, pki.ca):
            element = etree.SubElement(data, f"{{{DS}}}X509Certificate")
            element.text = base64.b64encode(holder.der).decode()
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(pki.person.key_pem, xmlsec.constants.KeyDataFormatPem, None)
        context.sign(template)
        yield Signed("xml", etree.tostring(root))


def cms(pki: Pki, count: int) -> Iterator[Signed]:
    """Detached signatures over 200 kB."""
    chance = random.Random(8)
    for _ in range(count):
        content = chance.randbytes(200_000)
        builder = PKCS7SignatureBuilder().set_data(content)
        builder = builder.add_signer(pki.person.certificate, pki.person.key, SHA256())
        builder = builder.add_certificate(pki.ca.certificate)
        options = [PKCS7Options.DetachedSignature, PKCS7Options.Binary]
        yield Signed("cms", builder.sign(Encoding.DER, options), content)


def long_list(issuer: Holder, entries: int) -> bytes:
    """A revocation list of the day with so many serial numbers on it."""
    return revocation_list(issuer, DAY0, {x509.random_serial_number(): DAY0 for _ in range(entries)})
