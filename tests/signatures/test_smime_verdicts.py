"""Signed mail: the whole of it, unchanged, from the sender that its certificate names; nothing less passes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.x509.oid import NameOID

from schemas.record import BytesContent
from signatures import SignedFile, TrustStore, verify
from signatures.verdict import Coverage, Identity, Indication, Verdict
from tests.signatures.mail_factory import ADDRESS, HEAD, TEXT, multipart, opaque_part, signed_part
from tests.signatures.pki_factory import DAY0, Holder, Pki, day, issue

NOW = DAY0 + timedelta(hours=1)
PASSED, INDETERMINATE, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED


@pytest.fixture(scope="module")
def clerk(pki: Pki) -> Holder:
    names = {NameOID.COMMON_NAME: "Văn thư", NameOID.EMAIL_ADDRESS: ADDRESS}
    return issue(names, pki.ca, day(-10), day(300))  # type: ignore[arg-type]


def judged(mail: str, trust: TrustStore | None = None) -> list[Verdict]:
    file = SignedFile("message.eml", BytesContent(mail.encode()))
    return verify(file, trust or TrustStore(), NOW, integrity_only=trust is None)


@pytest.mark.parametrize("part", [signed_part, opaque_part])
def test_a_whole_mail_from_its_sender_passes(pki: Pki, clerk: Holder, part: Callable[[Holder], str]) -> None:
    (verdict,) = judged(HEAD + part(clerk), pki.trust())
    assert (verdict.indication, verdict.coverage, verdict.identity) == (
        PASSED,
        Coverage.WHOLE_FILE,
        Identity.MATCH,
    )
    assert (verdict.format, verdict.path) == ("MIME", "0 signer[0]")


def test_line_ends_of_the_store_do_not_matter(pki: Pki, clerk: Holder) -> None:
    assert judged((HEAD + signed_part(clerk)).replace("\r\n", "\n"))[0].indication is PASSED


def test_a_changed_word_fails(clerk: Holder) -> None:
    (verdict,) = judged((HEAD + signed_part(clerk)).replace("gửi: 160", "gửi: 161"))
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "HASH_FAILURE")


EVIL = "Content-Type: text/html\r\n\r\n<p>Chuyển tiền ngay</p>\r\n"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda part: multipart("multipart/mixed", EVIL, part, boundary="ngoai"),
        lambda part: multipart("multipart/alternative", part, EVIL, boundary="ngoai"),
        lambda part: multipart("multipart/related", part, boundary="ngoai"),
        lambda part: multipart(
            "multipart/mixed", EVIL, f"Content-Type: message/rfc822\r\n\r\n{HEAD}{part}", boundary="ngoai"
        ),
    ],
)
def test_a_signed_part_of_a_mail_is_no_signed_mail(
    pki: Pki, clerk: Holder, wrap: Callable[[str], str]
) -> None:
    for trust in (None, pki.trust()):
        (verdict,) = judged(HEAD + wrap(signed_part(clerk)), trust)
        assert (verdict.indication, verdict.coverage) == (INDETERMINATE, Coverage.PARTIAL)


def test_every_signature_of_a_mail_in_a_mail_has_its_verdict(pki: Pki, clerk: Holder) -> None:
    inner = f"Content-Type: message/rfc822\r\n\r\n{HEAD}{signed_part(clerk, boundary='trong')}"
    verdicts = judged(HEAD + signed_part(clerk, inner))
    assert [(item.path, item.indication) for item in verdicts] == [
        ("0 signer[0]", PASSED),
        ("1.1 signer[0]", INDETERMINATE),
    ]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda mail: mail.replace("--ranh-gioi--", ""),
        lambda mail: mail.replace("--ranh-gioi--", f"--ranh-gioi\r\n{EVIL}\r\n--ranh-gioi--"),
        lambda mail: mail.replace("application/pkcs7-signature; name", "text/plain; name"),
        lambda mail: mail.replace("\r\nContent-Type: multi", "\r\nContent-Type: text/plain\r\nContent-Type: multi"),
        lambda mail: mail.replace("multipart/signed; protocol", "multipart/mixed; protocol"),
        lambda mail: mail.replace("base64\r\n\r\nMI", "base64\r\n\r\nAI"),
        lambda mail: mail.replace("Content-Transfer-Encoding: base64\r\n", ""),
        lambda mail: mail.replace("\r\nContent-Type: multi", "\r\nno field\r\nContent-Type: multi"),
        lambda mail: mail.replace("\r\nContent-Type: application", "\r\n?\r\nContent-Type: application"),
    ],
)  # fmt: skip
def test_what_readers_could_take_differently_is_a_format_failure(
    clerk: Holder, spoil: Callable[[str], str]
) -> None:
    mail = HEAD + signed_part(clerk)
    spoilt = spoil(mail)
    assert spoilt != mail
    assert FAILED in {item.indication for item in judged(spoilt)}


@pytest.mark.parametrize(
    ("field", "identity"),
    [
        ("From: Văn thư <VanThu@TinhUy.test>", Identity.MATCH),
        ("From: Bí thư <bithu@tinhuy.test>", Identity.MISMATCH),
        (f'From: "{ADDRESS}" <bithu@tinhuy.test>', Identity.AMBIGUOUS),
        (f"From: <{ADDRESS}>, <bithu@tinhuy.test>", Identity.AMBIGUOUS),
        (f"From: <{ADDRESS}>\r\nFrom: <bithu@tinhuy.test>", Identity.AMBIGUOUS),
        (f"From: <{ADDRESS}>\r\nSender: <bithu@tinhuy.test>", Identity.AMBIGUOUS),
        ("From: =?utf-8?q?bithu=40tinhuy=2Etest?= <vanthu@tinhuy.test>", Identity.AMBIGUOUS),
        ("X-From: nobody", Identity.AMBIGUOUS),
        ("From: vanthu@tinhuy.test\x00.evil.test", Identity.AMBIGUOUS),
        ("From: vɑnthu@tinhuy.test", Identity.AMBIGUOUS),
    ],
)
def test_the_sender_is_compared_with_the_certificate(
    pki: Pki, clerk: Holder, field: str, identity: Identity
) -> None:
    mail = f"{field}\r\nMIME-Version: 1.0\r\n{signed_part(clerk)}"
    (verdict,) = judged(mail, pki.trust())
    assert verdict.identity is identity
    assert verdict.indication is (PASSED if identity is Identity.MATCH else INDETERMINATE)


def test_a_certificate_without_an_address_vouches_for_no_sender(pki: Pki) -> None:
    (verdict,) = judged(HEAD + signed_part(pki.person), pki.trust())
    assert (verdict.indication, verdict.identity) == (INDETERMINATE, Identity.NO_ADDRESS)


PGP_PART = "Content-Type: application/pgp-signature\r\n\r\nx"
PGP_TEXT = "-----BEGIN PGP SIGNED MESSAGE-----\r\nabc\r\n-----BEGIN PGP SIGNATURE-----\r\n"
ENCRYPTED = "application/pkcs7-mime; smime-type=enveloped-data\r\nContent-Transfer-Encoding: base64"


@pytest.mark.parametrize(
    "body",
    [
        multipart('multipart/signed; protocol="application/pgp-signature"', TEXT, PGP_PART),
        f"Content-Type: text/plain\r\n\r\n{PGP_TEXT}",
        f"Content-Type: {ENCRYPTED}\r\n\r\nMIAGCSqGSIb3DQEHA6CAMIAAAAAA\r\n",
    ],
)
def test_other_ways_of_signing_and_encrypting_are_unsupported(body: str) -> None:
    assert {item.indication for item in judged(HEAD + body)} == {Indication.UNSUPPORTED}


def test_a_mail_without_a_signature_says_so() -> None:
    assert [item.indication for item in judged(HEAD + TEXT)] == [Indication.NO_SIGNATURE]
    mixed = multipart("multipart/mixed", TEXT, EVIL)
    assert [item.indication for item in judged(HEAD + mixed)] == [Indication.NO_SIGNATURE]


def test_a_signature_that_the_structure_has_lost_is_not_unsigned(clerk: Holder) -> None:
    lost = signed_part(clerk).replace("multipart/signed;", "text/plain;", 1)
    (verdict,) = judged(HEAD + lost)
    assert (verdict.indication, verdict.sub_indication) == (INDETERMINATE, "SIGNED_DATA_NOT_FOUND")


def test_parts_without_end_are_no_reason_to_hang() -> None:
    deep = TEXT
    for number in range(60):
        deep = multipart("multipart/mixed", deep, boundary=f"b{number}")
    assert [item.indication for item in judged(HEAD + deep)] == [Indication.UNSUPPORTED]
