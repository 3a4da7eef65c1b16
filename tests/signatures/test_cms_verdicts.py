from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from asn1crypto import cms
from asn1crypto import pem as asn1_pem

from schemas.record import BytesContent
from signatures import SignedFile, TrustStore, verify
from signatures.verdict import Coverage, Indication, Integrity, SignerRole, Verdict, worst
from tests.signatures.cms_factory import CONTENT, resigned, sign
from tests.signatures.pki_factory import DAY0, Pki, day

NOW = DAY0 + timedelta(hours=1)
PASSED, INDETERMINATE, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED


def judged(
    data: bytes, trust: TrustStore, at: datetime = NOW, *, content: bytes | None = None
) -> list[Verdict]:
    detached = BytesContent(content) if content is not None else None
    return verify(SignedFile("van-ban.p7s", BytesContent(data), detached), trust, at)


def said(verdicts: list[Verdict]) -> tuple[Indication, str]:
    assert len(verdicts) == 1
    return verdicts[0].indication, verdicts[0].sub_indication


@pytest.fixture(scope="module")
def attached(pki: Pki) -> bytes:
    return bytes(sign(pki, pki.person, detached=False).dump())


@pytest.fixture(scope="module")
def detached(pki: Pki) -> bytes:
    return bytes(sign(pki, pki.person, detached=True).dump())


def test_attached_content_passes(pki: Pki, attached: bytes) -> None:
    verdict = judged(attached, pki.trust())[0]
    assert (verdict.indication, verdict.sub_indication) == (PASSED, "")
    assert (verdict.format, verdict.path, verdict.coverage) == ("CMS", "signer[0]", Coverage.WHOLE_FILE)
    assert (verdict.role, verdict.revocation) == (SignerRole.PERSON, "checked")


@pytest.mark.parametrize("form", ["pem", "base64"])
def test_armoured_forms_are_the_same(pki: Pki, attached: bytes, form: str) -> None:
    armoured = asn1_pem.armor("PKCS7", attached)
    data = armoured if form == "pem" else b"".join(armoured.splitlines()[1:-1])
    assert said(judged(data, pki.trust())) == (PASSED, "")


def test_detached_content_passes(pki: Pki, detached: bytes) -> None:
    assert said(judged(detached, pki.trust(), content=CONTENT)) == (PASSED, "")


def test_detached_without_its_content(pki: Pki, detached: bytes) -> None:
    assert said(judged(detached, pki.trust())) == (INDETERMINATE, "SIGNED_DATA_NOT_FOUND")


def test_detached_with_other_content(pki: Pki, detached: bytes) -> None:
    assert said(judged(detached, pki.trust(), content=CONTENT + b" ")) == (FAILED, "HASH_FAILURE")


def test_enclosed_and_detached_content_together(pki: Pki, attached: bytes) -> None:
    assert said(judged(attached, pki.trust(), content=CONTENT)) == (FAILED, "FORMAT_FAILURE")


def test_changed_content(pki: Pki, attached: bytes) -> None:
    assert said(judged(attached.replace(b"160-KL", b"161-KL"), pki.trust())) == (FAILED, "HASH_FAILURE")


def test_bytes_behind_the_structure(pki: Pki, attached: bytes) -> None:
    assert said(judged(attached + b"\x00", pki.trust())) == (FAILED, "FORMAT_FAILURE")


def test_every_signer_has_a_verdict_of_its_own(pki: Pki) -> None:
    one = sign(pki, pki.person, detached=False)
    two = sign(pki, pki.stranger, detached=False)
    both = one["content"]
    both["signer_infos"] = cms.SignerInfos([*both["signer_infos"], *two["content"]["signer_infos"]])
    both["certificates"] = cms.CertificateSet([*both["certificates"], *two["content"]["certificates"]])
    verdicts = judged(one.dump(force=True), pki.trust())
    assert [item.path for item in verdicts] == ["signer[0]", "signer[1]"]
    assert {
        item.signer.common_name: (item.indication, item.sub_indication) for item in verdicts if item.signer
    } == {
        "Trần Văn Thử": (PASSED, ""),
        "Người lạ": (INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND"),
    }
    assert worst(verdicts) is INDETERMINATE


def test_no_signer_is_no_signature(pki: Pki) -> None:
    info = sign(pki, pki.person, detached=False)
    info["content"]["signer_infos"] = cms.SignerInfos([])
    assert said(judged(info.dump(force=True), pki.trust())) == (Indication.NO_SIGNATURE, "")


def test_without_the_signers_certificate(pki: Pki) -> None:
    info = sign(pki, pki.person, detached=False)
    info["content"]["certificates"] = cms.CertificateSet([])
    assert said(judged(info.dump(force=True), pki.trust())) == (INDETERMINATE, "NO_SIGNING_CERTIFICATE_FOUND")


def _twice(attributes: list[cms.CMSAttribute]) -> None:
    attributes.append(next(item for item in attributes if item["type"].native == "message_digest").copy())


def _two_values(attributes: list[cms.CMSAttribute]) -> None:
    digest = next(item for item in attributes if item["type"].native == "message_digest")
    digest["values"] = [digest["values"][0].native, b"\x00" * 32]


def _no_digest(attributes: list[cms.CMSAttribute]) -> None:
    attributes[:] = [item for item in attributes if item["type"].native != "message_digest"]


def _signing_time() -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": DAY0})]})


def _two_times(attributes: list[cms.CMSAttribute]) -> None:
    attributes.extend([_signing_time(), _signing_time()])


@pytest.mark.parametrize("change", [_twice, _two_values, _no_digest, _two_times])
def test_attributes_that_break_the_rules(pki: Pki, change: Callable[[list[cms.CMSAttribute]], None]) -> None:
    data = resigned(sign(pki, pki.person, detached=False), pki.person, change)
    assert said(judged(data, pki.trust())) == (FAILED, "FORMAT_FAILURE")


def test_attributes_signed_again_by_the_rules_pass(pki: Pki) -> None:
    info = sign(pki, pki.person, detached=False)
    data = resigned(info, pki.person, lambda attributes: attributes.append(_signing_time()))
    verdict = judged(data, pki.trust())[0]
    assert (verdict.indication, verdict.claimed_time) == (PASSED, DAY0)
    malformed = data.replace(b"240301080000Z", b"2403010800+07")
    assert said(judged(malformed, pki.trust())) == (FAILED, "FORMAT_FAILURE")


def test_a_signing_time_among_the_unsigned_attributes(pki: Pki) -> None:
    info = sign(pki, pki.person, detached=False)
    info["content"]["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes([_signing_time()])
    assert said(judged(info.dump(force=True), pki.trust())) == (FAILED, "FORMAT_FAILURE")


def test_expired_with_and_without_time_stamp(pki: Pki, attached: bytes) -> None:
    lists = pki.fresh_crls(day(0.2)) + pki.fresh_crls(day(365))
    trust = pki.trust(crls=lists)
    assert said(judged(attached, trust, day(366))) == (INDETERMINATE, "OUT_OF_BOUNDS_NO_POE")
    stamped = bytes(sign(pki, pki.person, detached=False, stamp=day(0.1)).dump())
    verdict = judged(stamped, trust, day(366))[0]
    assert (verdict.indication, verdict.best_time, verdict.best_time_source) == (
        PASSED,
        day(0.1),
        "timestamp",
    )


def test_a_time_stamp_moved_from_another_signature(pki: Pki) -> None:
    stamped = sign(pki, pki.person, detached=False, stamp=day(0.1))
    other = sign(pki, pki.seal, detached=False)
    tokens = stamped["content"]["signer_infos"][0]["unsigned_attrs"].copy()
    other["content"]["signer_infos"][0]["unsigned_attrs"] = tokens
    verdict = judged(other.dump(force=True), pki.trust())[0]
    assert (verdict.indication, verdict.sub_indication) == (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE")
    assert verdict.integrity is Integrity.INTACT
    assert verdict.timestamps[0].sub_indication == "HASH_FAILURE"
    assert verdict.best_time_source == "validation_time"


@pytest.mark.parametrize(
    "data", [b"0\x0b\x06\x09*\x86H\x86\xf7\r\x01\x07\x02", b"-----BEGIN PKCS7-----\nrac\n"]
)
def test_damaged_structures_are_never_a_pass_nor_unsigned(pki: Pki, data: bytes) -> None:
    indication = judged(data, pki.trust())[0].indication
    assert indication in (FAILED, Indication.ERROR)
