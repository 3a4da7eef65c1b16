"""Attacks on XML signatures, and what is legal and looks like one: scope, counter-signatures, detached content."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta

import pytest
import xmlsec
from lxml import etree

from schemas.record import BytesContent
from signatures import SignedFile, TrustStore, verify
from signatures.verdict import Coverage, Indication, Integrity, SignerRole, Verdict, worst
from tests.signatures.pki_factory import DAY0, Holder, Pki, day
from tests.signatures.xml_factory import DS, PACKAGE, XADES, build, signed, stamped

NOW = DAY0 + timedelta(hours=1)
PASSED, INDETERMINATE, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED
UNSUPPORTED = Indication.UNSUPPORTED
NAMESPACE = "http://www.mic.gov.vn/TBT/QCVN_102_2016"

Attack = Callable[[etree._Element], None]


def judged(data: bytes, trust: TrustStore | None = None, content: bytes | None = None) -> list[Verdict]:
    beside = BytesContent(content) if content is not None else None
    file = SignedFile("goi-tin.edxml", BytesContent(data), beside)
    return verify(file, trust or TrustStore(), NOW, integrity_only=trust is None)


def _signature(root: etree._Element) -> etree._Element:
    return next(root.iter(f"{{{DS}}}Signature"))


def _evil(part: etree._Element, *, keep_id: bool = False) -> etree._Element:
    copy = etree.fromstring(etree.tostring(part, with_tail=False).replace(b">160<", b">999<"))
    if not keep_id:
        copy.attrib.pop("Id", None)
    return copy


def _part(root: etree._Element) -> etree._Element:
    return root.find(".//*[@Id='phong-bi']")


def _evil_root(root: etree._Element) -> None:
    part = _part(root)
    root.replace(part, _evil(part))
    etree.SubElement(root, "box").append(part)


def _in_object(root: etree._Element) -> None:
    part = _part(root)
    root.replace(part, _evil(part))
    etree.SubElement(_signature(root), f"{{{DS}}}Object").append(part)


def _in_signature_sibling(root: etree._Element) -> None:
    part = _part(root)
    signature = _signature(root)
    root.replace(part, _evil(part))
    signature.addnext(part)


def _same_id(root: etree._Element) -> None:
    root.insert(0, _evil(_part(root), keep_id=True))


def _signature_inside_evil(root: etree._Element) -> None:
    part, signature = _part(root), _signature(root)
    evil = _evil(part)
    root.replace(part, evil)
    evil.append(signature)
    signature.append(part)


def _evil_beside(root: etree._Element) -> None:
    root.append(_evil(_part(root)))


WRAPPINGS: dict[str, tuple[Attack, Indication]] = {
    "evil in its place, signed part in a box": (_evil_root, INDETERMINATE),
    "evil in its place, signed part in an Object": (_in_object, INDETERMINATE),
    "evil in its place, signed part behind the signature": (_in_signature_sibling, INDETERMINATE),
    "evil before it under the same Id": (_same_id, FAILED),
    "signature inside the evil part": (_signature_inside_evil, FAILED),
    "evil beside it": (_evil_beside, INDETERMINATE),
}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_wrapping_a_signed_part(pki: Pki, name: str) -> None:
    root = etree.fromstring(PACKAGE)
    root[0].set("Id", "phong-bi")
    build(root, pki.seal, uri="#phong-bi")
    attack, expected = WRAPPINGS[name]
    attack(root)
    assert b">999<" in etree.tostring(root)
    assert worst(judged(etree.tostring(root))) is expected


def _objects(tag: str) -> Attack:
    def attack(root: etree._Element) -> None:
        holder = etree.SubElement(_signature(root), f"{{{DS}}}Object")
        etree.SubElement(holder, tag).text = "999"

    return attack


def _inside_key_info(root: etree._Element) -> None:
    info = _signature(root).find(f"{{{DS}}}KeyInfo")
    etree.SubElement(info, f"{{{NAMESPACE}}}Subject").text = "999"


@pytest.mark.parametrize(
    "attack", [_objects(f"{{{NAMESPACE}}}Subject"), _objects("urn-khac"), _inside_key_info]
)
def test_content_hidden_in_an_enveloped_signature_is_not_signed(pki: Pki, attack: Attack) -> None:
    """An enveloped signature leaves itself out: what is put into it nobody signed, and a reader may find it."""
    root = signed(pki, xades=True)
    attack(root)
    (verdict,) = judged(etree.tostring(root), pki.trust())
    assert (verdict.indication, verdict.coverage) == (INDETERMINATE, Coverage.PARTIAL)


def _set(path: str, name: str, value: str) -> Attack:
    return lambda root: root.find(f".//{{{DS}}}{path}").set(name, value)


def _text(path: str, value: str) -> Attack:
    def attack(root: etree._Element) -> None:
        root.find(f".//{{{DS}}}{path}").text = value

    return attack


def _certificate(holder: Callable[[Pki], Holder]) -> Callable[[Pki], Attack]:
    return lambda pki: _text("X509Certificate", base64.b64encode(holder(pki).der).decode())


def _second_value(root: etree._Element) -> None:
    value = root.find(f".//{{{DS}}}SignatureValue")
    value.addnext(deepcopy(value))


def _key_value(pki: Pki) -> Attack:
    numbers = pki.person.key.public_key().public_numbers()  # type: ignore[union-attr]
    modulus = base64.b64encode(numbers.n.to_bytes(256, "big")).decode()  # type: ignore[union-attr]

    def attack(root: etree._Element) -> None:
        info = root.find(f".//{{{DS}}}KeyInfo")
        info.insert(
            0,
            etree.fromstring(
                f'<ds:KeyValue xmlns:ds="{DS}"><ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus>'
                "<ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
            ),
        )

    return attack


def _manifest(root: etree._Element) -> None:
    holder = etree.SubElement(_signature(root), f"{{{DS}}}Object")
    etree.SubElement(holder, f"{{{DS}}}Manifest", Id="ban-ke")


MORE = "http://www.w3.org/2001/04/xmldsig-more#"
TAMPERED: dict[str, tuple[Callable[[Pki], Attack], Indication]] = {
    "another certificate": (_certificate(lambda pki: pki.stranger), FAILED),
    "a certificate of another kind of key": (_certificate(lambda pki: pki.person), FAILED),
    "a certificate that is none": (lambda pki: _text("X509Certificate", "AAAA"), FAILED),
    "no certificate": (lambda pki: _text("X509Certificate", ""), FAILED),
    "a key beside the certificate": (_key_value, FAILED),
    "a MAC of the public key": (lambda pki: _set("SignatureMethod", "Algorithm", f"{MORE}hmac-sha256"), FAILED),
    "an unknown signature algorithm": (lambda pki: _set("SignatureMethod", "Algorithm", "urn:x"), UNSUPPORTED),
    "an unknown digest": (lambda pki: _set("DigestMethod", "Algorithm", f"{MORE}md5"), UNSUPPORTED),
    "an unknown canonicalization": (
        lambda pki: _set("CanonicalizationMethod", "Algorithm", "urn:x"), UNSUPPORTED,
    ),
    "a value that is not base64": (lambda pki: _text("SignatureValue", "@@@"), FAILED),
    "an empty value": (lambda pki: _text("SignatureValue", ""), FAILED),
    "two values": (lambda pki: _second_value, FAILED),
    "a digest that is not base64": (lambda pki: _text("DigestValue", "@@@"), FAILED),
    "a manifest put in": (lambda pki: _manifest, UNSUPPORTED),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_a_signature_that_was_tampered_with(pki: Pki, name: str) -> None:
    make, expected = TAMPERED[name]
    root = signed(pki)
    make(pki)(root)
    assert worst(judged(etree.tostring(root))) is expected
    assert worst(judged(etree.tostring(root), pki.trust())) is expected


@pytest.mark.parametrize(
    "prolog",
    [
        "<!DOCTYPE a [<!ENTITY a 'aa'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/hostname'> %p;]>",
        "<!DOCTYPE a PUBLIC '-//X' 'http://example.invalid/a.dtd'>",
    ],
)
def test_entities_are_never_expanded(pki: Pki, prolog: str) -> None:
    (verdict,) = judged(prolog.encode() + etree.tostring(signed(pki)))
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")


@pytest.mark.parametrize("name", ["new", f"{{{DS}}}Object"])
def test_a_signature_under_another_name_is_not_unsigned(pki: Pki, name: str) -> None:
    root = signed(pki)
    _signature(root).tag = name
    (verdict,) = judged(etree.tostring(root))
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")


@pytest.mark.parametrize(
    ("uri", "expected"), [("#xpointer(/)", PASSED), ("#xpointer(id('phong-bi'))", INDETERMINATE)]
)
def test_the_pointers_that_xmldsig_knows_are_as_the_short_forms(
    pki: Pki, uri: str, expected: Indication
) -> None:
    root = etree.fromstring(PACKAGE)
    root[0].set("Id", "phong-bi")
    build(root, pki.seal, uri=uri)
    (verdict,) = judged(etree.tostring(root), pki.trust())
    assert (verdict.indication, verdict.integrity) == (expected, Integrity.INTACT)
    (verdict,) = judged(etree.tostring(root).replace(b">160<", b">161<"), pki.trust())
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "HASH_FAILURE")


@pytest.mark.parametrize(
    "pointer", ["xpointer(//*)", "xpointer(id('phong-bi')/*)", "xpointer(/*[1])", "element(/1)"]
)
def test_other_pointers_are_not_evaluated(pki: Pki, pointer: str) -> None:
    root = signed(pki)
    root.find(f".//{{{DS}}}Reference").set("URI", f"#{pointer}")
    assert worst(judged(etree.tostring(root))) is UNSUPPORTED


FILTER = "http://www.w3.org/2002/06/xmldsig-filter2"


def _filtered(holder: Holder) -> etree._Element:
    """Signed with a filter that subtracts what is printed as ``ds:Signature``, whatever that is."""
    root = etree.fromstring("<a><b>160</b></a>")
    signature = xmlsec.template.create(
        root, xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformEcdsaSha256, ns="ds"
    )
    root.append(signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha256, uri="")
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
    xmlsec.template.ensure_key_info(signature)
    root = etree.fromstring(etree.tostring(root))  # names that xmlsec made are unknown to lxml's searches
    signature = _signature(root)
    next(root.iter(f"{{{DS}}}Transforms")).insert(
        0,
        etree.fromstring(
            f'<ds:Transform xmlns:ds="{DS}" Algorithm="{FILTER}"><f:XPath xmlns:f="{FILTER}" Filter="subtract">'
            "/descendant::*[name()='ds:Signature']</f:XPath></ds:Transform>"
        ),
    )
    data = etree.SubElement(signature.find(f"{{{DS}}}KeyInfo"), f"{{{DS}}}X509Data")
    etree.SubElement(data, f"{{{DS}}}X509Certificate").text = base64.b64encode(holder.der).decode()
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(holder.key_pem, xmlsec.constants.KeyDataFormatPem, None)
    context.sign(signature)
    return root


def test_a_filter_by_name_must_not_subtract_content(pki: Pki) -> None:
    plain = etree.tostring(_filtered(pki.seal))
    assert worst(judged(plain, pki.trust())) is PASSED
    assert worst(judged(plain.replace(b">160<", b">161<"), pki.trust())) is FAILED
    hidden = plain.replace(b"<b>", b'<ds:Signature xmlns:ds="urn:khac">999</ds:Signature><b>')
    (verdict,) = judged(hidden, pki.trust())
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")


def test_a_time_stamp_copied_from_another_signature(pki: Pki) -> None:
    other = stamped(signed(pki, xades=True), pki, day(0.01))
    token = other.find(f".//{{{XADES}}}UnsignedProperties")
    root = etree.fromstring(PACKAGE.replace("160", "161"))
    build(root, pki.seal, xades=True)
    root.find(f".//{{{XADES}}}QualifyingProperties").append(token)
    (verdict,) = judged(etree.tostring(root), pki.trust())
    assert (verdict.indication, verdict.timestamps[0].sub_indication) == (INDETERMINATE, "HASH_FAILURE")


def _counter(root: etree._Element, holder: Holder, target: str) -> None:
    """A counter-signature (EN 319 132-1 §5.2.7) over the element named ``target``."""
    signature = _signature(root)
    qualifying = signature.find(f".//{{{XADES}}}QualifyingProperties")
    unsigned = etree.SubElement(qualifying, f"{{{XADES}}}UnsignedProperties")
    place = etree.SubElement(
        etree.SubElement(unsigned, f"{{{XADES}}}UnsignedSignatureProperties"), f"{{{XADES}}}CounterSignature"
    )
    signature.find(f"{{{DS}}}SignatureValue").set("Id", "gia-tri")
    build(root, holder, uri=f"#{target}", place=place, identifier="chung-thuc")


def test_a_counter_signature_over_its_parents_value(pki: Pki) -> None:
    root = signed(pki, xades=True)
    _counter(root, pki.stranger, "gia-tri")
    verdicts = judged(etree.tostring(root))
    assert [item.indication for item in verdicts] == [PASSED, PASSED]
    assert [item.coverage for item in verdicts] == [Coverage.WHOLE_FILE, Coverage.WHOLE_FILE]
    assert worst(judged(etree.tostring(root), pki.trust())) is INDETERMINATE  # the stranger's chain


def test_a_counter_signature_of_something_else(pki: Pki) -> None:
    root = etree.fromstring(PACKAGE.replace("<edXMLHeader>", '<edXMLHeader Id="dau-goi">'))
    build(root, pki.seal, xades=True)
    _counter(root, pki.stranger, "dau-goi")
    verdicts = judged(etree.tostring(root))
    assert [item.indication for item in verdicts] == [PASSED, INDETERMINATE]


def test_a_counter_signature_moved_to_another_signature(pki: Pki) -> None:
    source = signed(pki, xades=True)
    _counter(source, pki.stranger, "gia-tri")
    root = etree.fromstring(PACKAGE.replace("160", "161"))
    build(root, pki.seal, xades=True)
    _signature(root).find(f"{{{DS}}}SignatureValue").set("Id", "gia-tri")
    root.find(f".//{{{XADES}}}QualifyingProperties").append(source.find(f".//{{{XADES}}}UnsignedProperties"))
    verdicts = judged(etree.tostring(root))
    assert [item.indication for item in verdicts] == [PASSED, FAILED]


CONTENT = "Kính gửi: Văn phòng Tỉnh ủy. Số 160-KL/TU.".encode()


def _detached(holder: Holder, content: bytes, uri: str, *transforms: str) -> bytes:
    """A signature in a file of its own over ``content``, its digest computed here."""
    octets = content
    if transforms:
        octets = etree.tostring(etree.fromstring(content), method="c14n", exclusive=True)
    signature = xmlsec.template.create(
        etree.Element("tam"),
        xmlsec.constants.TransformExclC14N,
        xmlsec.constants.TransformEcdsaSha256,
        ns="ds",
    )
    reference = etree.SubElement(signature.find(f"{{{DS}}}SignedInfo"), f"{{{DS}}}Reference", URI=uri)
    if transforms:
        listed = etree.SubElement(reference, f"{{{DS}}}Transforms")
        for name in transforms:
            etree.SubElement(listed, f"{{{DS}}}Transform", Algorithm=name)
    etree.SubElement(reference, f"{{{DS}}}DigestMethod", Algorithm="http://www.w3.org/2001/04/xmlenc#sha256")
    digest = base64.b64encode(hashlib.sha256(octets).digest()).decode()
    etree.SubElement(reference, f"{{{DS}}}DigestValue").text = digest
    data = etree.SubElement(xmlsec.template.ensure_key_info(signature), f"{{{DS}}}X509Data")
    etree.SubElement(data, f"{{{DS}}}X509Certificate").text = base64.b64encode(holder.der).decode()
    info = etree.tostring(
        signature.find(f"{{{DS}}}SignedInfo"), method="c14n", exclusive=True, with_tail=False
    )
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(holder.key_pem, xmlsec.constants.KeyDataFormatPem, None)
    value = context.sign_binary(info, xmlsec.constants.TransformEcdsaSha256)
    signature.find(f"{{{DS}}}SignatureValue").text = base64.b64encode(value).decode()
    return bytes(etree.tostring(signature))


EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"


@pytest.mark.parametrize(
    "uri", ["van-ban.docx", "V%C4%83n%20b%E1%BA%A3n.docx", "http://example.invalid/a.docx"]
)
def test_a_detached_signature_over_the_file_beside_it(pki: Pki, uri: str) -> None:
    data = _detached(pki.seal, CONTENT, uri)
    (verdict,) = judged(data, pki.trust(), CONTENT)
    assert (verdict.indication, verdict.coverage, verdict.role) == (
        PASSED,
        Coverage.WHOLE_FILE,
        SignerRole.ORGAN,
    )
    (other,) = judged(data, pki.trust(), CONTENT + b" ")
    assert (other.indication, other.sub_indication) == (FAILED, "HASH_FAILURE")
    (alone,) = judged(data, pki.trust())
    assert (alone.indication, alone.sub_indication) == (INDETERMINATE, "SIGNED_DATA_NOT_FOUND")


def test_detached_xml_is_signed_in_its_canonical_form(pki: Pki) -> None:
    content = b"<a  b='c'>160</a>"
    data = _detached(pki.seal, content, "a.xml", EXCLUSIVE)
    assert worst(judged(data, pki.trust(), b'<a b="c">160</a>')) is PASSED
    assert worst(judged(data, pki.trust(), b'<a b="c">161</a>')) is FAILED
    for spoilt in (b"<a b=", b"<!DOCTYPE a [<!ENTITY e '1'>]><a b='c'>160</a>", b""):
        (verdict,) = judged(data, pki.trust(), spoilt)
        assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")


@pytest.mark.parametrize(
    "algorithm", [f"{DS}base64", f"{DS}enveloped-signature", "http://www.w3.org/TR/1999/REC-xslt-19991116"]
)
def test_detached_content_is_signed_whole(pki: Pki, algorithm: str) -> None:
    data = _detached(pki.seal, b"<a/>", "a.xml", EXCLUSIVE).replace(EXCLUSIVE.encode(), algorithm.encode())
    assert worst(judged(data, None, b"<a/>")) in (FAILED, UNSUPPORTED)


def test_a_signature_that_speaks_of_itself_does_not_sign_the_file_beside_it(pki: Pki) -> None:
    (verdict,) = judged(etree.tostring(signed(pki)), pki.trust(), CONTENT)
    assert (verdict.indication, verdict.sub_indication) == (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE")
