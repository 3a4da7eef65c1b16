from __future__ import annotations

import base64
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from schemas.record import BytesContent
from signatures import SignedFile, TrustStore, verify
from signatures.verdict import Coverage, Indication, Integrity, SignerRole, Verdict
from tests.signatures.pki_factory import DAY0, Pki, day
from tests.signatures.xml_factory import DS, PACKAGE, XADES, build, signed, stamped

NOW = DAY0 + timedelta(hours=1)
PASSED, INDETERMINATE, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED


def judged(root: etree._Element | bytes, trust: TrustStore, at: datetime = NOW) -> list[Verdict]:
    data = root if isinstance(root, bytes) else etree.tostring(root)
    return verify(SignedFile("goi-tin.edxml", BytesContent(data)), trust, at)


def said(verdicts: list[Verdict]) -> tuple[Indication, str]:
    assert len(verdicts) == 1
    return verdicts[0].indication, verdicts[0].sub_indication


def integrity(root: etree._Element | bytes) -> Verdict:
    data = root if isinstance(root, bytes) else etree.tostring(root)
    return verify(SignedFile("goi-tin.edxml", BytesContent(data)), TrustStore(), NOW, integrity_only=True)[0]


def test_an_enveloped_seal_passes(pki: Pki) -> None:
    verdict = judged(signed(pki), pki.trust())[0]
    # the seal's CA comes from the trust folder: the package carries the leaf alone
    assert (verdict.indication, verdict.sub_indication) == (PASSED, "")
    assert (verdict.format, verdict.path, verdict.role) == ("XML", "#chu-ky", SignerRole.ORGAN)
    assert (verdict.integrity, verdict.coverage) == (Integrity.INTACT, Coverage.WHOLE_FILE)
    assert verdict.revocation == "checked"
    assert verdict.algorithms == ("sha256", "ecdsa-sha256")


def test_xades_gives_the_claimed_time(pki: Pki) -> None:
    verdict = judged(signed(pki, xades=True), pki.trust())[0]
    assert (verdict.indication, verdict.claimed_time) == (PASSED, DAY0)


def test_changed_content_and_changed_value(pki: Pki) -> None:
    data = etree.tostring(signed(pki))
    assert said(judged(data.replace(b">160<", b">161<"), pki.trust())) == (FAILED, "HASH_FAILURE")
    root = signed(pki)
    value = root.find(f".//{{{DS}}}SignatureValue")
    value.text = base64.b64encode(b"\x01" * 64).decode()
    assert said(judged(root, pki.trust())) == (FAILED, "SIG_CRYPTO_FAILURE")


def test_trust_and_revocation_are_judged_as_for_pdf(pki: Pki) -> None:
    root = signed(pki)
    assert said(judged(root, TrustStore())) == (INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND")
    assert said(judged(root, pki.trust(crls=()))) == (INDETERMINATE, "CERTIFICATE_CHAIN_GENERAL_FAILURE")
    assert said(judged(root, pki.trust(), day(10))) == (INDETERMINATE, "TRY_LATER")
    lists = pki.fresh_crls(day(6), {pki.seal.certificate.serial_number: day(5)})
    assert said(judged(root, pki.trust(crls=lists), day(7))) == (INDETERMINATE, "REVOKED_NO_POE")
    later = pki.fresh_crls(day(800))
    assert said(judged(root, pki.trust(crls=later), day(801))) == (INDETERMINATE, "OUT_OF_BOUNDS_NO_POE")


def test_expired_with_a_time_stamp(pki: Pki) -> None:
    root = stamped(signed(pki, xades=True), pki, day(0.1))
    verdict = judged(root, pki.trust())[0]
    assert (verdict.indication, verdict.best_time, verdict.best_time_source) == (
        PASSED,
        day(0.1),
        "timestamp",
    )
    lists = pki.fresh_crls(day(0.2)) + pki.fresh_crls(day(800))
    assert said(judged(root, pki.trust(crls=lists), day(801))) == (PASSED, "")
    untrusted = pki.trust(crls=lists, tsa=False)
    assert said(judged(root, untrusted, day(801))) == (INDETERMINATE, "OUT_OF_BOUNDS_NO_POE")


def test_a_time_stamp_over_something_else(pki: Pki) -> None:
    verdict = integrity(stamped(signed(pki, xades=True), pki, day(0.1), b"khac"))
    assert (verdict.indication, verdict.sub_indication) == (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE")
    assert (verdict.integrity, verdict.timestamps[0].sub_indication) == (Integrity.INTACT, "HASH_FAILURE")


def test_every_signature_has_a_verdict_of_its_own(pki: Pki) -> None:
    root = signed(pki)
    first = root.find(f".//{{{DS}}}Signature")
    first.set("Id", "chu-ky-1")
    build(root, pki.stranger)
    verdicts = judged(root, pki.trust())
    assert [item.path for item in verdicts] == ["#chu-ky-1", "#chu-ky"]
    assert verdicts[1].sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"
    assert verdicts[0].indication is FAILED  # the second signature changed what the first had signed whole


def test_an_unsigned_package(pki: Pki) -> None:
    verdict = judged(PACKAGE.encode(), pki.trust())[0]
    assert (verdict.indication, verdict.path, verdict.format) == (Indication.NO_SIGNATURE, "", "XML")


def test_an_enveloping_signature_is_whole(pki: Pki) -> None:
    root = etree.fromstring(f'<ds:Signature xmlns:ds="{DS}"/>')
    holder = etree.fromstring(
        f'<ds:Object xmlns:ds="{DS}" Id="noi-dung"><van-ban>160-KL/TU</van-ban></ds:Object>'
    )
    wrapper = etree.Element("tam")
    wrapper.append(holder)
    signature = build(wrapper, pki.seal, uri="#noi-dung")
    signature.append(holder)
    alone = etree.fromstring(etree.tostring(signature))
    assert root.tag == alone.tag
    verdict = judged(alone, pki.trust())[0]
    assert (verdict.indication, verdict.coverage) == (PASSED, Coverage.WHOLE_FILE)
    alone.append(etree.fromstring(f'<ds:Object xmlns:ds="{DS}"><them/></ds:Object>'))
    verdict = judged(alone, pki.trust())[0]
    assert (verdict.indication, verdict.coverage) == (INDETERMINATE, Coverage.PARTIAL)


def test_a_signature_over_a_part_is_no_pass(pki: Pki) -> None:
    root = etree.fromstring(PACKAGE)
    root[0].set("Id", "phong-bi")
    build(root, pki.seal, uri="#phong-bi")
    verdict = integrity(root)
    assert (verdict.indication, verdict.coverage) == (INDETERMINATE, Coverage.PARTIAL)
    assert verdict.integrity is Integrity.INTACT


def test_wrapping_the_signed_part_away(pki: Pki) -> None:
    root = etree.fromstring(PACKAGE)
    root[0].set("Id", "phong-bi")
    build(root, pki.seal, uri="#phong-bi")
    moved = root[0]
    root.remove(moved)
    box = etree.SubElement(root, "Extensions")
    box.append(moved)
    fake = etree.fromstring(etree.tostring(moved).replace(b">160<", b">999<"))
    fake.attrib.pop("Id")
    root.insert(0, fake)
    assert integrity(root).indication is INDETERMINATE


@pytest.mark.parametrize(
    ("first", "second"),
    [("Id", "Id"), ("Id", "ID"), ("Id", "{{{}}}id".format("http://www.w3.org/XML/1998/namespace"))],
)
def test_two_elements_with_one_identifier(pki: Pki, first: str, second: str) -> None:
    root = etree.fromstring(PACKAGE)
    root[0].set(first, "phong-bi")
    build(root, pki.seal, uri="#phong-bi")
    etree.SubElement(root, "gia").set(second, "phong-bi")
    verdict = integrity(root)
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")


def _with_reference(root: etree._Element, uri: str) -> bytes:
    root.find(f".//{{{DS}}}Reference").set("URI", uri)
    return bytes(etree.tostring(root))


def test_a_reference_to_a_file_is_not_read(pki: Pki, tmp_path: Path) -> None:
    outside = tmp_path / "ngoai.xml"
    outside.write_text("<a/>")
    for uri in (outside.as_uri(), "http://example.invalid/a.xml", "ngoai.xml"):
        verdict = integrity(_with_reference(signed(pki), uri))
        assert (verdict.indication, verdict.sub_indication) == (INDETERMINATE, "SIGNED_DATA_NOT_FOUND")


@pytest.mark.parametrize(
    ("algorithm", "body"),
    [
        ("http://www.w3.org/TR/1999/REC-xslt-19991116", '<a xmlns="urn:a"/>'),
        ("http://www.w3.org/TR/1999/REC-xpath-19991116", f'<XPath xmlns="{DS}">1=1</XPath>'),
        ("http://www.w3.org/2002/06/xmldsig-filter2", ""),
        ("urn:mot-phep-bien-doi", ""),
    ],
)
def test_transforms_that_choose_or_rewrite_are_refused(pki: Pki, algorithm: str, body: str) -> None:
    root = signed(pki)
    transforms = root.find(f".//{{{DS}}}Transforms")
    transform = etree.SubElement(transforms, f"{{{DS}}}Transform", Algorithm=algorithm)
    if body:
        transform.append(etree.fromstring(body))
    verdict = integrity(root)
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")


def test_a_mac_proves_no_signer(pki: Pki) -> None:
    root = signed(pki)
    method = root.find(f".//{{{DS}}}SignatureMethod")
    method.set("Algorithm", f"{DS}hmac-sha1")
    verdict = integrity(root)
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")
    assert "MAC" in verdict.messages[0]


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE edXML [<!ENTITY a "b">]>',
        '<?xml version="1.0"?><!-- ghi chú --> <!DOCTYPE edXML SYSTEM "file:///etc/hostname">',
        '<!DOCTYPE edXML [<!ATTLIST edXML Id ID "chu-ky">]>',
    ],
)
def test_a_dtd_is_refused_before_it_is_read(pki: Pki, prolog: str) -> None:
    verdict = integrity(prolog.encode() + etree.tostring(signed(pki)))
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")


def test_a_dtd_in_utf16_is_refused_too(pki: Pki) -> None:
    text = (
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "c">]>'
        + etree.tostring(signed(pki)).decode()
    )
    assert integrity(text.encode("utf-16")).sub_indication == "FORMAT_FAILURE"


def test_xades_that_names_another_certificate(pki: Pki) -> None:
    root = signed(pki, xades=True, named=pki.person, certificates=(pki.seal, pki.person))
    assert said(judged(root, pki.trust()))[0] is not PASSED
    root = signed(pki, xades=True, named=pki.person)
    assert said(judged(root, pki.trust())) == (INDETERMINATE, "NO_SIGNING_CERTIFICATE_FOUND")


def test_signed_properties_that_are_not_signed(pki: Pki) -> None:
    root = signed(pki)
    signature = root.find(f".//{{{DS}}}Signature")
    signature.append(
        etree.fromstring(
            f"""<ds:Object xmlns:ds="{DS}"><x:QualifyingProperties xmlns:x="{XADES}" Target="#chu-ky">
<x:SignedProperties Id="gia"/></x:QualifyingProperties></ds:Object>"""
        )
    )
    verdict = integrity(root)
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")


def test_two_certificates_that_could_both_be_the_signers(pki: Pki) -> None:
    root = signed(pki, certificates=(pki.seal, pki.person))
    assert said(judged(root, pki.trust())) == (INDETERMINATE, "NO_SIGNING_CERTIFICATE_FOUND")


def test_a_chain_beside_the_leaf_is_no_ambiguity(pki: Pki) -> None:
    root = signed(pki, certificates=(pki.root, pki.seal, pki.ca))
    assert said(judged(root, pki.trust())) == (PASSED, "")


PLACEHOLDER = f"""<edXML><Signature xmlns="{DS}"><SignedInfo>
<CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>
<SignatureMethod Algorithm="{DS}rsa-sha1"/><Reference URI=""><Transforms>
<Transform Algorithm="{DS}enveloped-signature"/></Transforms><DigestMethod Algorithm="{DS}sha1"/>
<DigestValue>{{digest}}</DigestValue></Reference></SignedInfo><SignatureValue>{{value}}</SignatureValue>
<KeyInfo><X509Data><X509SubjectName/><X509Certificate>{{certificate}}</X509Certificate></X509Data></KeyInfo>
</Signature></edXML>"""


@pytest.mark.parametrize(
    ("value", "certificate", "expected"),
    [
        ("", "", (FAILED, "FORMAT_FAILURE")),
        ("SignatureValue", "X509Certificate", (FAILED, "FORMAT_FAILURE")),
        ("AAAA", None, (FAILED, "SIG_CRYPTO_FAILURE")),
    ],
)
def test_placeholders_that_senders_leave_are_failures(
    pki: Pki, value: str, certificate: str | None, expected: tuple[Indication, str]
) -> None:
    """Senders of edXML leave a dummy signature where none was made: it is not valid, and it is not absent."""
    real = base64.b64encode(pki.person.der).decode()
    text = PLACEHOLDER.format(
        digest="AAAA", value=value, certificate=real if certificate is None else certificate
    )
    assert said(judged(text.encode(), pki.trust())) == expected


def test_an_element_like_a_signature_in_another_namespace(pki: Pki) -> None:
    text = PLACEHOLDER.replace(DS, "urn:khac").format(digest="", value="", certificate="")
    assert said(judged(text.encode(), pki.trust())) == (FAILED, "FORMAT_FAILURE")


def test_signed_xml_that_is_not_well_formed(pki: Pki) -> None:
    data = etree.tostring(signed(pki))[:-3]
    assert said(judged(data, pki.trust())) == (FAILED, "FORMAT_FAILURE")


def test_broken_xml_without_a_trace_of_a_signature_is_an_error(pki: Pki) -> None:
    verdict = judged(b"<edXML><a></edXML>", pki.trust())[0]
    assert verdict.indication is Indication.ERROR
    assert verdict.messages[0].startswith("XML engine raised XMLSyntaxError")
