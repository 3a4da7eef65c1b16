from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from schemas.record import BytesContent
from signatures import SignedFile, TrustStore, verify
from signatures.verdict import Coverage, Indication, Integrity, Modification, SignerRole, Verdict, worst
from tests.signatures.pki_factory import DAY0, Pki, day, issue, minimal_pdf, revocation_list

PASSED, INDETERMINATE, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED


def judged(data: bytes, trust: TrustStore, at: datetime = DAY0 + timedelta(hours=1)) -> list[Verdict]:
    return verify(SignedFile("van-ban.pdf", BytesContent(data)), trust, at)


def intact(data: bytes) -> list[Verdict]:
    return verify(SignedFile("van-ban.pdf", BytesContent(data)), TrustStore(), DAY0, integrity_only=True)


def one(verdicts: list[Verdict]) -> Verdict:
    assert len(verdicts) == 1
    return verdicts[0]


def said(verdict: Verdict) -> tuple[Indication, str]:
    return verdict.indication, verdict.sub_indication


def test_a_persons_signature_passes(pki: Pki, signed_pdf: bytes) -> None:
    verdict = one(judged(signed_pdf, pki.trust()))
    assert said(verdict) == (PASSED, "")
    assert (verdict.format, verdict.path, verdict.revision) == ("PDF", "NguoiKy", 2)
    assert (verdict.integrity, verdict.coverage, verdict.modification) == (
        Integrity.INTACT,
        Coverage.WHOLE_FILE,
        Modification.NONE,
    )
    assert verdict.role is SignerRole.PERSON
    assert verdict.signer is not None
    assert verdict.signer.common_name == "Trần Văn Thử"
    assert verdict.signer.organization == "Văn phòng Tỉnh ủy Thử Nghiệm"
    assert verdict.revocation == "checked"
    assert verdict.revocation_source == f"crl CA thử nghiệm {DAY0.isoformat()}"
    assert verdict.chain == tuple(item.asn1.sha256.hex() for item in (pki.person, pki.ca, pki.root))
    assert len(verdict.evidence) == 2
    assert verdict.best_time_source == "validation_time"
    assert verdict.trust_epoch == pki.trust().epoch
    assert verdict.verified_at == DAY0 + timedelta(hours=1)
    assert verdict.algorithms == ("sha256", "sha256_rsa")


def test_person_then_seal_the_first_covers_an_earlier_revision(pki: Pki, signed_pdf: bytes) -> None:
    both = pki.sign_pdf(signed_pdf, pki.seal, "ConDau")
    person, seal = judged(both, pki.trust())
    assert said(person) == said(seal) == (PASSED, "")
    assert (person.coverage, person.modification) == (Coverage.WHOLE_REVISION, Modification.SIGNATURE_ADDED)
    assert (seal.coverage, seal.modification) == (Coverage.WHOLE_FILE, Modification.NONE)
    assert (person.role, seal.role) == (SignerRole.PERSON, SignerRole.ORGAN)


def test_a_changed_byte_breaks_the_digest(pki: Pki, signed_pdf: bytes) -> None:
    verdict = one(judged(signed_pdf.replace(b"160-KL/TU", b"161-KL/TU"), pki.trust()))
    assert said(verdict) == (FAILED, "HASH_FAILURE")
    assert verdict.integrity is Integrity.BROKEN


def test_a_changed_signature_value_breaks_the_signature(pki: Pki, signed_pdf: bytes) -> None:
    start = signed_pdf.index(b"/Contents <") + 11
    end = signed_pdf.index(b">", start)
    cms = bytearray.fromhex(signed_pdf[start:end].decode())
    length = len(bytes(cms).rstrip(b"\x00"))
    cms[length - 1] ^= 1
    tampered = signed_pdf[:start] + cms.hex().encode() + signed_pdf[end:]
    assert said(one(judged(tampered, pki.trust()))) == (FAILED, "SIG_CRYPTO_FAILURE")


@pytest.mark.parametrize("tail", [b"% ghi chu\n", b"4 0 obj\n<< >>\nendobj\n", b"\x00\x01"])
def test_bytes_behind_the_last_revision_are_no_pass(pki: Pki, signed_pdf: bytes, tail: bytes) -> None:
    verdict = one(judged(signed_pdf + tail, pki.trust()))
    assert said(verdict)[0] is not PASSED
    assert said(one(intact(signed_pdf + tail)))[0] is not PASSED


def test_white_space_behind_the_last_revision_changes_nothing(pki: Pki, signed_pdf: bytes) -> None:
    assert said(one(judged(signed_pdf + b"\r\n \n", pki.trust()))) == (PASSED, "")


def test_content_replaced_in_a_later_revision(pki: Pki, signed_pdf: bytes) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(signed_pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"BT /F1 12 Tf (999-KL/TU) Tj ET"))
    writer.update_container(page)
    output = BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call]
    verdict = one(judged(output.getvalue(), pki.trust()))
    assert said(verdict) == (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE")
    assert (verdict.integrity, verdict.modification) == (Integrity.INTACT, Modification.OTHER)
    assert one(intact(output.getvalue())).indication is INDETERMINATE


def test_a_form_field_filled_after_signing_is_said_and_not_passed(pki: Pki) -> None:
    text_field = (
        "<< /Type /Annot /Subtype /Widget /FT /Tx /T (GhiChu) /F 4 /Rect [72 600 200 620] /P 3 0 R /V () >>"
    )
    signed = pki.sign_pdf(minimal_pdf(fields_dict=text_field), pki.person)
    assert one(intact(signed)).indication is PASSED
    writer = IncrementalPdfFileWriter(BytesIO(signed))
    text = writer.root["/AcroForm"]["/Fields"][0]
    text[pdf_name("/V")] = generic.pdf_string("da sua")
    writer.update_container(text)
    output = BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call]
    verdict = one(intact(output.getvalue()))
    assert said(verdict) == (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE")
    assert verdict.modification is Modification.FORM_FILLED


def test_a_signature_cut_off_from_the_form_is_not_unsigned(signed_pdf: bytes) -> None:
    """Universal signature forgery: an update without AcroForm must not turn the file into an unsigned one."""
    writer = IncrementalPdfFileWriter(BytesIO(signed_pdf))
    del writer.root["/AcroForm"]
    writer.update_root()  # type: ignore[no-untyped-call]
    output = BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call]
    verdict = one(intact(output.getvalue()))
    assert said(verdict) == (FAILED, "FORMAT_FAILURE")
    assert verdict.path.startswith("byte ")


def test_an_unknown_subfilter_is_unsupported_and_hides_nothing(pki: Pki, signed_pdf: bytes) -> None:
    both = pki.sign_pdf(signed_pdf, pki.seal, "ConDau")
    mangled = both.replace(b"/ETSI.CAdES.detached", b"/ETSI.CAdES.mangledd", 1)
    verdicts = judged(mangled, pki.trust())
    assert [verdict.path for verdict in verdicts] == ["NguoiKy", "ConDau"]
    assert verdicts[0].indication is Indication.UNSUPPORTED
    assert worst(verdicts) is not PASSED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/ByteRange [0 ", b"/ByteRange [1 "),
        (b"/ByteRange [0 ", b"/ByteRangx [0 "),
        (b"/Contents <", b"/Contentz <"),
    ],
)
def test_a_damaged_signature_dictionary_is_a_failure(signed_pdf: bytes, old: bytes, new: bytes) -> None:
    assert old in signed_pdf
    assert worst(intact(signed_pdf.replace(old, new))) is FAILED


def test_room_that_was_never_filled_is_no_signature(pki: Pki, signed_pdf: bytes) -> None:
    start = signed_pdf.index(b"/Contents <") + 11
    end = signed_pdf.index(b">", start)
    emptied = signed_pdf[:start] + b"0" * (end - start) + signed_pdf[end:]
    assert one(judged(emptied, pki.trust())).indication is Indication.NO_SIGNATURE


def test_an_unsigned_pdf(pki: Pki) -> None:
    verdict = one(judged(minimal_pdf(), pki.trust()))
    assert (verdict.indication, verdict.path, verdict.format) == (Indication.NO_SIGNATURE, "", "PDF")


def test_a_truncated_pdf_is_an_error_and_names_engine_and_exception(signed_pdf: bytes, pki: Pki) -> None:
    verdict = one(judged(signed_pdf[:400], pki.trust()))
    assert verdict.indication is Indication.ERROR
    assert verdict.messages[0].startswith("PDF engine raised Pdf")
    assert "pyhanko" in verdict.engine


def test_without_trust_there_is_no_chain(signed_pdf: bytes) -> None:
    assert said(one(judged(signed_pdf, TrustStore()))) == (INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND")


def test_an_unknown_root(pki: Pki) -> None:
    data = pki.sign_pdf(minimal_pdf(), pki.stranger)
    assert said(one(judged(data, pki.trust()))) == (INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND")


def test_no_revocation_list_is_no_pass(pki: Pki, signed_pdf: bytes) -> None:
    verdict = one(judged(signed_pdf, pki.trust(crls=())))
    assert said(verdict) == (INDETERMINATE, "CERTIFICATE_CHAIN_GENERAL_FAILURE")
    assert verdict.revocation == "unknown"


def test_a_stale_revocation_list_says_try_later(pki: Pki, signed_pdf: bytes) -> None:
    assert said(one(judged(signed_pdf, pki.trust(), day(10)))) == (INDETERMINATE, "TRY_LATER")


@pytest.mark.parametrize("url", [None, "http://crl.invalid/ca.crl"])
def test_revoked_with_and_without_distribution_point(pki: Pki, url: str | None) -> None:
    names = {attribute.oid: str(attribute.value) for attribute in pki.person.certificate.subject}
    holder = issue(names, pki.ca, day(-1), day(60), crl_url=url)
    data = pki.sign_pdf(minimal_pdf(), holder)
    lists = pki.fresh_crls(day(6), {holder.certificate.serial_number: day(5)})
    verdict = one(judged(data, pki.trust(crls=lists), day(7)))
    assert said(verdict) == (INDETERMINATE, "REVOKED_NO_POE")
    assert (verdict.revocation, verdict.revoked_at) == ("revoked", day(5))


def test_a_newer_list_counts_however_many_old_ones_are_kept(pki: Pki, signed_pdf: bytes) -> None:
    serial = pki.person.certificate.serial_number
    lists = pki.fresh_crls(day(0)) + pki.fresh_crls(day(2), {serial: day(1)}) + pki.fresh_crls(day(1))
    verdict = one(judged(signed_pdf, pki.trust(crls=lists), day(3)))
    assert said(verdict) == (INDETERMINATE, "REVOKED_NO_POE")


def test_a_list_from_the_wrong_ca_proves_nothing(pki: Pki, signed_pdf: bytes) -> None:
    names = {item.oid: str(item.value) for item in pki.ca.certificate.subject}
    forged = issue(names, None, day(-9), day(99), ca=True)
    lists = (revocation_list(pki.root, DAY0), revocation_list(forged, DAY0))
    assert one(judged(signed_pdf, pki.trust(crls=lists))).indication is INDETERMINATE


def test_expired_without_time_stamp(pki: Pki, signed_pdf: bytes) -> None:
    lists = pki.fresh_crls(day(0)) + pki.fresh_crls(day(365))
    verdict = one(judged(signed_pdf, pki.trust(crls=lists), day(366)))
    assert said(verdict) == (INDETERMINATE, "OUT_OF_BOUNDS_NO_POE")


@pytest.fixture(scope="module")
def stamped_pdf(pki: Pki) -> bytes:
    return pki.sign_pdf(minimal_pdf(), pki.person, stamper=pki.stamper(day(0.1)))


def test_a_time_stamp_gives_the_best_time(pki: Pki, stamped_pdf: bytes) -> None:
    verdict = one(judged(stamped_pdf, pki.trust()))
    assert said(verdict) == (PASSED, "")
    assert (verdict.best_time, verdict.best_time_source) == (day(0.1), "timestamp")
    stamp = verdict.timestamps[0]
    assert (stamp.kind, stamp.moment, stamp.indication) == ("signature", day(0.1), PASSED)
    assert stamp.tsa == "CN=Dấu thời gian thử nghiệm"


def test_expired_with_time_stamp_and_the_lists_of_its_time(pki: Pki, stamped_pdf: bytes) -> None:
    lists = pki.fresh_crls(day(0.2)) + pki.fresh_crls(day(365))
    verdict = one(judged(stamped_pdf, pki.trust(crls=lists), day(366)))
    assert said(verdict) == (PASSED, "")
    assert verdict.best_time == day(0.1)


def test_expired_with_a_time_stamp_that_nobody_trusts(pki: Pki, stamped_pdf: bytes) -> None:
    lists = pki.fresh_crls(day(0.2)) + pki.fresh_crls(day(365))
    verdict = one(judged(stamped_pdf, pki.trust(crls=lists, tsa=False), day(366)))
    assert said(verdict) == (INDETERMINATE, "OUT_OF_BOUNDS_NO_POE")
    assert verdict.timestamps[0].sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"


def test_revoked_before_signing_and_dropped_from_the_list_after_expiry(pki: Pki) -> None:
    data = pki.sign_pdf(minimal_pdf(), pki.person, stamper=pki.stamper(day(10)))
    serial = pki.person.certificate.serial_number
    lists = pki.fresh_crls(day(6), {serial: day(5)}) + pki.fresh_crls(day(365))
    assert one(judged(data, pki.trust(crls=lists), day(366))).indication is not PASSED


def test_lists_from_before_the_time_stamp_do_not_carry_an_expired_certificate(pki: Pki) -> None:
    """The list of day 0 says nothing of day 10, though the engine alone would pass it."""
    data = pki.sign_pdf(minimal_pdf(), pki.person, stamper=pki.stamper(day(10)))
    lists = pki.fresh_crls(day(0.2)) + pki.fresh_crls(day(365))
    verdict = one(judged(data, pki.trust(crls=lists), day(366)))
    assert said(verdict) == (INDETERMINATE, "OUT_OF_BOUNDS_NO_POE")


def test_signed_and_stamped_before_the_revocation(pki: Pki, stamped_pdf: bytes) -> None:
    lists = pki.fresh_crls(day(0.2)) + pki.fresh_crls(day(6), {pki.person.certificate.serial_number: day(5)})
    verdict = one(judged(stamped_pdf, pki.trust(crls=lists), day(7)))
    assert said(verdict) == (PASSED, "")
    assert (verdict.revocation, verdict.revoked_at) == ("revoked", day(5))


def test_a_revoked_ca(pki: Pki, signed_pdf: bytes) -> None:
    lists = (
        revocation_list(pki.root, day(0.1), {pki.ca.certificate.serial_number: day(0)}),
        revocation_list(pki.ca, day(0.1)),
    )
    verdict = one(judged(signed_pdf, pki.trust(crls=lists), day(0.2)))
    assert said(verdict) == (INDETERMINATE, "REVOKED_CA_NO_POE")


def test_a_certificate_authority_is_no_time_stamping_authority(pki: Pki) -> None:
    names = {item.oid: "Không phải TSA" for item in pki.tsa.certificate.subject}
    fake = issue(names, pki.tsa_root, day(-9), day(99), key=pki.tsa.key)
    data = pki.sign_pdf(minimal_pdf(), pki.person, stamper=pki.stamper(day(0.1), fake))
    verdict = one(judged(data, pki.trust()))
    assert verdict.timestamps[0].indication is INDETERMINATE
    assert verdict.best_time_source == "validation_time"


def test_an_end_entity_cannot_issue(pki: Pki) -> None:
    child = issue({item.oid: "Con giả" for item in pki.tsa.certificate.subject}, pki.seal, day(-1), day(60))
    lists = (*pki.fresh_crls(DAY0), revocation_list(pki.seal, DAY0))
    data = pki.sign_pdf(minimal_pdf(), child)
    assert one(judged(data, pki.trust(crls=lists))).indication is INDETERMINATE


def test_a_certification_that_allows_filling_lets_a_signature_follow(pki: Pki) -> None:
    certified = pki.sign_pdf(minimal_pdf(), pki.seal, "ConDau", certify=True)
    assert one(judged(certified, pki.trust())).indication is PASSED
    later = pki.sign_pdf(certified, pki.person)
    assert [item.indication for item in judged(later, pki.trust())] == [PASSED, PASSED]


def test_the_verdict_does_not_depend_on_the_files_name(pki: Pki, signed_pdf: bytes) -> None:
    named = verify(SignedFile("anh.docx", BytesContent(signed_pdf)), pki.trust(), DAY0)
    assert one(named).format == "PDF"
