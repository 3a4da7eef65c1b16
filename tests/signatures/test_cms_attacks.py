"""Attacks on CMS structures, mail and time-stamp tokens of their own, and certificates that must carry nothing."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable

import pytest
from asn1crypto import cms, core, tsp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from signatures.verdict import Indication, SignerRole, worst
from tests.signatures.cms_factory import CONTENT, resigned, sign
from tests.signatures.mail_factory import ADDRESS, HEAD, TEXT, cms_of, multipart, signed_part
from tests.signatures.pki_factory import DAY0, Holder, Pki, day, issue, minimal_pdf, revocation_list
from tests.signatures.test_cms_verdicts import judged, said
from tests.signatures.test_pdf_verdicts import judged as judged_pdf
from tests.signatures.test_smime_verdicts import judged as judged_mail

PASSED, INDETERMINATE, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED
UNSUPPORTED = Indication.UNSUPPORTED

Change = Callable[[cms.ContentInfo], None]


def _signer(info: cms.ContentInfo) -> cms.SignerInfo:
    return info["content"]["signer_infos"][0]


def _no_content_type(attributes: list[cms.CMSAttribute]) -> None:
    attributes[:] = [item for item in attributes if item["type"].native != "content_type"]


def _other_content_type(attributes: list[cms.CMSAttribute]) -> None:
    _no_content_type(attributes)
    attributes.append(cms.CMSAttribute({"type": "content_type", "values": ["enveloped_data"]}))


def _counter(attributes: list[cms.CMSAttribute]) -> None:
    attributes.append(cms.CMSAttribute({"type": "counter_signature", "values": []}))


def _other_certificate(attributes: list[cms.CMSAttribute]) -> None:
    attribute = next(item for item in attributes if item["type"].native == "signing_certificate_v2")
    attribute["values"][0]["certs"][0]["cert_hash"] = b"\x01" * 32


ATTRIBUTES: dict[str, tuple[Callable[[list[cms.CMSAttribute]], None], tuple[Indication, str]]] = {
    "content type missing": (_no_content_type, (FAILED, "FORMAT_FAILURE")),
    "content type of something else": (_other_content_type, (FAILED, "FORMAT_FAILURE")),
    "a counter-signature that is signed": (_counter, (FAILED, "FORMAT_FAILURE")),
    "the digest of another certificate": (
        _other_certificate, (INDETERMINATE, "NO_SIGNING_CERTIFICATE_FOUND"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_signed_attributes_that_do_not_fit(pki: Pki, name: str) -> None:
    change, expected = ATTRIBUTES[name]
    data = resigned(sign(pki, pki.person, detached=False), pki.person, change)
    assert said(judged(data, pki.trust())) == expected


def _digest_algorithm(name: str) -> Change:
    return lambda info: _signer(info).__setitem__("digest_algorithm", {"algorithm": name})


def _signature_algorithm(name: str) -> Change:
    return lambda info: _signer(info).__setitem__("signature_algorithm", {"algorithm": name})


STRUCTURES: dict[str, tuple[Change, Indication]] = {
    "another digest algorithm": (_digest_algorithm("sha512"), FAILED),
    "MD5": (_digest_algorithm("md5"), FAILED),
    "an algorithm of another key": (_signature_algorithm("sha256_ecdsa"), FAILED),
    "a signature algorithm of another digest": (_signature_algorithm("sha512_rsa"), FAILED),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_algorithms_that_do_not_fit(pki: Pki, name: str) -> None:
    change, expected = STRUCTURES[name]
    info = sign(pki, pki.person, detached=False)
    change(info)
    assert worst(judged(info.dump(force=True), pki.trust())) is expected


def test_md4_is_not_evaluated(pki: Pki) -> None:
    info = sign(pki, pki.person, detached=False)
    _signer(info)["digest_algorithm"] = {"algorithm": "1.2.840.113549.2.4"}
    assert worst(judged(info.dump(force=True), pki.trust())) is UNSUPPORTED


def test_a_signature_over_attributes_shown_as_content(pki: Pki) -> None:
    """The bytes that were signed are those of attributes; taken as content they say something else."""
    info = sign(pki, pki.person, detached=False)
    signer = _signer(info)
    octets = b"\x31" + signer["signed_attrs"].dump()[1:]
    bare = cms.SignerInfo(
        {
            name: signer[name]
            for name in ("version", "sid", "digest_algorithm", "signature_algorithm", "signature")
        }
    )
    info["content"]["signer_infos"] = cms.SignerInfos([bare])
    info["content"]["encap_content_info"] = cms.ContentInfo(
        {"content_type": "data", "content": core.OctetString(octets)}
    )
    assert said(judged(info.dump(force=True), pki.trust())) == (FAILED, "FORMAT_FAILURE")


def _cut(position: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:position]


def _length(place: int, value: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + value + data[place + len(value) :]


@pytest.mark.parametrize(
    "spoil",
    [
        _cut(40),
        _cut(900),
        _length(1, b"\x84\xff"),
        _length(2, b"\xff\xff"),
        _length(1, b"\x80"),
        lambda data: data + data,
        lambda data: b"\x30\x80" + data[4:],
    ],
)
def test_malformed_structures(pki: Pki, spoil: Callable[[bytes], bytes]) -> None:
    data = sign(pki, pki.person, detached=False).dump()
    found = judged(spoil(data), pki.trust())
    assert worst(found) in (FAILED, Indication.ERROR)


def _changed_imprint(info: cms.ContentInfo) -> None:
    """The token's own content changed: what it stamps is another digest, and its signature no longer holds."""
    token = _signer(info)["unsigned_attrs"][0]["values"][0]
    content = token["content"]["encap_content_info"]["content"]
    octets = bytearray(bytes(content))
    place = bytes(octets).index(bytes(content.parsed["message_imprint"]["hashed_message"]))
    octets[place] ^= 1
    token["content"]["encap_content_info"]["content"] = core.ParsableOctetString(bytes(octets))


def test_a_time_stamp_whose_imprint_was_changed(pki: Pki) -> None:
    info = sign(pki, pki.person, detached=False, stamp=day(0.01))
    _changed_imprint(info)
    (verdict,) = judged(info.dump(force=True), pki.trust())
    assert verdict.indication is INDETERMINATE
    assert verdict.timestamps[0].indication is FAILED
    assert verdict.best_time_source == "validation_time"


def _token(pki: Pki, content: bytes, tsa: Holder | None = None) -> cms.ContentInfo:
    work = pki.stamper(day(0.01), tsa).async_timestamp(hashlib.sha256(content).digest(), "sha256")
    return asyncio.run(work)


def _response(pki: Pki, content: bytes) -> bytes:
    token = _token(pki, content)
    return bytes(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump())


def test_a_token_over_the_file_beside_it(pki: Pki) -> None:
    for data in (_token(pki, CONTENT).dump(), _response(pki, CONTENT)):
        (verdict,) = judged(data, pki.trust(), content=CONTENT)
        assert (verdict.indication, verdict.role) == (PASSED, SignerRole.TIME_STAMP)
        assert (verdict.best_time, verdict.best_time_source) == (day(0.01), "timestamp")
        assert said(judged(data, pki.trust(), content=CONTENT + b" ")) == (FAILED, "HASH_FAILURE")
        assert said(judged(data, pki.trust())) == (INDETERMINATE, "SIGNED_DATA_NOT_FOUND")
        untrusted = judged(data, pki.trust(tsa=False), content=CONTENT)
        assert said(untrusted) == (INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND")


def test_a_response_that_grants_nothing(pki: Pki) -> None:
    """Status ``rejection`` and no token: nothing that could be judged."""
    refused = bytes.fromhex("30053003020102")
    assert worst(judged(refused, pki.trust(), content=CONTENT)) is UNSUPPORTED


def _names(text: str) -> dict[x509.ObjectIdentifier, str]:
    return {NameOID.COMMON_NAME: text, NameOID.ORGANIZATION_NAME: "Tỉnh ủy Thử"}


def _holder(pki: Pki, case: str) -> Holder:
    names = _names(case)
    if case == "expired":
        return issue(names, pki.ca, day(-90), day(-1))
    if case == "not yet valid":
        return issue(names, pki.ca, day(20), day(90))
    if case == "certificate of a CA":
        return issue(names, pki.ca, day(-1), day(90), ca=True)
    if case == "short key":
        return issue(names, pki.ca, day(-1), day(90), key=rsa.generate_private_key(65537, 1024))
    if case == "self-signed":
        return issue(names, None, day(-1), day(90))
    return issue(names, pki.seal, day(-1), day(90))


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("expired", "OUT_OF_BOUNDS_NO_POE"),
        ("not yet valid", "CERTIFICATE_CHAIN_GENERAL_FAILURE"),
        ("certificate of a CA", "CHAIN_CONSTRAINTS_FAILURE"),
        ("short key", "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"),
        ("self-signed", "CHAIN_CONSTRAINTS_FAILURE"),
        ("issued by an end entity", "CERTIFICATE_CHAIN_GENERAL_FAILURE"),
    ],
)
def test_certificates_that_carry_no_signature(pki: Pki, case: str, expected: str) -> None:
    holder = _holder(pki, case)
    lists = (*pki.fresh_crls(DAY0), revocation_list(pki.seal, DAY0))
    data = sign(pki, holder, detached=False).dump()
    assert said(judged(data, pki.trust(crls=lists))) == (INDETERMINATE, expected)


@pytest.mark.parametrize("case", ["no purpose", "another purpose", "expired", "of the signers' CA"])
def test_time_stamps_of_who_may_not_stamp(pki: Pki, case: str) -> None:
    """A time-stamping certificate says so, critically and alone (RFC 3161 §2.3), under a root trusted for it."""
    issuer = pki.ca if case == "of the signers' CA" else pki.tsa_root
    end = day(-1) if case == "expired" else day(99)
    tsa = issue(
        _names("TSA"), issuer, day(-99), end, tsa=case in ("expired", "of the signers' CA"), key=pki.tsa.key
    )
    data = pki.sign_pdf(minimal_pdf(), pki.person, stamper=pki.stamper(day(0.01), tsa))
    lists = pki.fresh_crls(day(0.2)) + pki.fresh_crls(day(364))
    now, later = judged_pdf(data, pki.trust()), judged_pdf(data, pki.trust(crls=lists), day(365))
    assert now[0].timestamps[0].indication is INDETERMINATE
    assert (later[0].indication, later[0].sub_indication) == (INDETERMINATE, "OUT_OF_BOUNDS_NO_POE")


@pytest.fixture(scope="module")
def clerk(pki: Pki) -> Holder:
    return issue({NameOID.COMMON_NAME: "Văn thư", NameOID.EMAIL_ADDRESS: ADDRESS}, pki.ca, day(-10), day(300))


def test_mail_whose_signature_encloses_something_else(clerk: Holder) -> None:
    """Two answers to what was signed: some programs show the one, some verify the other."""
    head = "Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    kind = 'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256'
    (verdict,) = judged_mail(HEAD + multipart(kind, TEXT, head + cms_of(TEXT, clerk)))
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")


def _with_signers(clerk: Holder, change: Callable[[cms.ContentInfo], None]) -> str:
    info = cms.ContentInfo.load(base64.b64decode(cms_of(TEXT, clerk)))
    change(info)
    text = base64.encodebytes(info.dump(force=True)).decode().replace("\n", "\r\n")
    head = "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: base64"
    return f"{HEAD}{head}\r\n\r\n{text}"


def _second_who_did_not(info: cms.ContentInfo) -> None:
    signer = _signer(info)
    other = signer.copy()
    other["signature"] = bytes(signer["signature"])[:-1] + b"\x00"
    info["content"]["signer_infos"] = cms.SignerInfos([signer, other])


def _nobody(info: cms.ContentInfo) -> None:
    info["content"]["signer_infos"] = cms.SignerInfos([])


def test_mail_with_several_or_no_signers(pki: Pki, clerk: Holder) -> None:
    assert [item.indication for item in judged_mail(_with_signers(clerk, _nobody))] == [
        Indication.NO_SIGNATURE
    ]
    both = judged_mail(_with_signers(clerk, _second_who_did_not), pki.trust())
    assert [item.path for item in both] == ["0 signer[0]", "0 signer[1]"]
    assert {item.indication for item in both} == {PASSED, FAILED}


def test_mail_wrapped_in_mail_from_somebody_else(pki: Pki, clerk: Holder) -> None:
    inner = f"Content-Type: message/rfc822\r\n\r\n{HEAD}{signed_part(clerk)}"
    outer = HEAD.replace(ADDRESS, "bithu@tinhuy.test")
    for mail in (outer + inner, outer + multipart("multipart/mixed", inner, boundary="ngoai")):
        assert worst(judged_mail(mail, pki.trust())) is INDETERMINATE
