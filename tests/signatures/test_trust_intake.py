"""Taking in revocation lists and OCSP answers: what is accepted, what is set aside, what is kept for ever."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from schemas.record import BytesContent
from signatures import SignedFile, verify
from signatures.chain import Judge
from signatures.evidence_store import list_at, shelved
from signatures.revocation import RevocationList
from signatures.trust import load_trust
from signatures.trust_intake import take
from signatures.trust_outcome import FileEvidence
from signatures.verdict import Indication, Verdict
from tests.signatures.pki_factory import DAY0, Holder, Pki, day, issue, minimal_pdf, revocation_list


@pytest.fixture
def folder(pki: Pki, tmp_path: Path) -> Path:
    """A trust folder with anchors and an empty drop folder."""
    pki.write_folder(tmp_path)
    for path in (tmp_path / "crls").iterdir():
        path.unlink()
    (tmp_path / "incoming").mkdir()
    return tmp_path


def drop(folder: Path, name: str, data: bytes) -> Path:
    path = folder / "incoming" / name
    path.write_bytes(data)
    return path


def answer(
    subject: Holder,
    issuer: Holder,
    issued: datetime,
    *,
    revoked_at: datetime | None = None,
    responder: Holder | None = None,
) -> bytes:
    """An OCSP response in DER, by the issuer or a responder of its own."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=subject.certificate,
        issuer=issuer.certificate,
        algorithm=SHA1(),
        cert_status=ocsp.OCSPCertStatus.REVOKED if revoked_at else ocsp.OCSPCertStatus.GOOD,
        this_update=issued,
        next_update=issued + timedelta(days=7),
        revocation_time=revoked_at,
        revocation_reason=x509.ReasonFlags.key_compromise if revoked_at else None,
    )
    signer = responder or issuer
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
    if responder:
        builder = builder.certificates([responder.certificate])
    return builder.sign(signer.key, SHA256()).public_bytes(Encoding.DER)


def test_an_accepted_list_is_kept_with_its_receipt_and_leaves_the_drop_folder(pki: Pki, folder: Path) -> None:
    dropped = drop(folder, "thu-hoi.crl", revocation_list(pki.ca, DAY0, {7: day(-3)}))
    data = dropped.read_bytes()
    [taken] = take(folder, day(1))
    assert (taken.outcome, dropped.exists()) == ("new", False)
    [item] = shelved(folder, "crl")
    assert item.path.read_bytes() == data
    assert item.path.name.startswith(f"20240301T080000Z-{int(DAY0.timestamp())}-")
    receipt = item.receipt
    assert (receipt.received_at, receipt.this_update, receipt.next_update) == (day(1), DAY0, day(7))
    assert (receipt.issuer, receipt.entries, receipt.file) == (
        pki.ca.certificate.subject.rfc4514_string(),
        1,
        "thu-hoi.crl",
    )


def test_the_same_list_again_keeps_the_first_receipt(pki: Pki, folder: Path) -> None:
    data = revocation_list(pki.ca, DAY0)
    drop(folder, "a.crl", data)
    take(folder, day(1))
    pem = x509.load_der_x509_crl(data).public_bytes(Encoding.PEM)
    drop(folder, "b.crl", pem)
    assert [taken.outcome for taken in take(folder, day(5))] == ["known"]
    [item] = shelved(folder, "crl")
    assert item.receipt.received_at == day(1)
    assert list((folder / "incoming").iterdir()) == []


def test_a_take_that_was_killed_before_the_receipt_is_mended_by_the_next(pki: Pki, folder: Path) -> None:
    data = revocation_list(pki.ca, DAY0)
    drop(folder, "a.crl", data)
    take(folder, day(1))
    [item] = shelved(folder, "crl")
    item.path.with_suffix(".json").unlink()
    drop(folder, "a.crl", data)
    assert [taken.outcome for taken in take(folder, day(2))] == ["new"]
    assert item.receipt.received_at == day(2)


def test_what_lies_in_the_folder_of_lists_is_taken_too(pki: Pki, folder: Path) -> None:
    (folder / "crls" / "0.crl").write_bytes(revocation_list(pki.root, DAY0))
    assert len(load_trust(folder).crls) == 1
    assert [taken.outcome for taken in take(folder, day(1))] == ["new"]
    store = load_trust(folder)
    assert (len(store.crls), len(store.stored_crls)) == (0, 1)


@pytest.mark.parametrize(
    ("reason", "make"),
    [
        ("unknown_issuer", lambda pki: revocation_list(pki.stranger_root, DAY0)),
        ("bad_signature", lambda pki: bytes([*revocation_list(pki.ca, DAY0)[:-1], 0x00])),
        ("bad_signature", lambda pki: revocation_list(Holder(pki.stranger.key, pki.ca.certificate), DAY0)),
        ("future", lambda pki: revocation_list(pki.ca, day(1.1))),
        ("malformed", lambda _: b"khong phai danh sach"),
        ("malformed", lambda _: b""),
        ("malformed", lambda _: b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"),
        ("unknown_issuer", lambda pki: answer(pki.stranger, pki.stranger_root, DAY0)),
        ("unknown_issuer", lambda pki: answer(pki.person, pki.ca, DAY0, responder=pki.seal)),
        ("future", lambda pki: answer(pki.person, pki.ca, day(1.1))),
    ],
)
def test_what_no_known_ca_said_is_set_aside_with_its_reason_and_never_deleted(
    pki: Pki, folder: Path, reason: str, make
) -> None:
    data = make(pki)
    drop(folder, "x.bin", data)
    [taken] = take(folder, day(1))
    assert (taken.outcome, taken.reason.partition(":")[0]) == ("rejected", reason)
    kept = {path.suffix: path for path in (folder / "rejected").iterdir()}
    assert kept[""].read_bytes() == data
    assert json.loads(kept[".json"].read_text())["reason"] == taken.reason
    assert shelved(folder, "crl") == shelved(folder, "ocsp") == ()


def test_two_processes_at_once_keep_each_list_once(pki: Pki, folder: Path) -> None:
    for number in range(8):
        drop(folder, f"{number}.crl", revocation_list(pki.ca, day(number / 10)))
    with ThreadPoolExecutor(4) as pool:
        done = [taken for part in pool.map(lambda _: take(folder, day(1)), range(4)) for taken in part]
    assert sum(taken.outcome == "new" for taken in done) == 8
    assert all(taken.outcome in ("new", "known") for taken in done)
    assert len(shelved(folder, "crl")) == 8
    assert {item.receipt.received_at for item in shelved(folder, "crl")} == {day(1)}
    assert not list(folder.rglob("*.partial"))


def judged(pki: Pki, pdf: bytes, folder: Path, at: float, received: float | None = None) -> Verdict:
    when = None if received is None else day(received)
    [verdict] = verify(SignedFile("a.pdf", BytesContent(pdf)), load_trust(folder), day(at), received_at=when)
    return verdict


def keep(pki: Pki, folder: Path, issued: float, revoked: dict[int, datetime] | None = None) -> None:
    """Take in a fresh list of every CA."""
    for number, data in enumerate(pki.fresh_crls(day(issued), revoked)):
        drop(folder, f"{issued}-{number}.crl", data)
    assert {taken.outcome for taken in take(folder, day(issued))} <= {"new", "known"}


def test_of_many_years_of_lists_only_those_of_the_moment_are_parsed(
    pki: Pki, folder: Path, signed_pdf: bytes
) -> None:
    keep(pki, folder, 0)
    for number in range(1, 90):
        drop(folder, f"{number}.crl", revocation_list(pki.ca, day(-number * 7)))
    take(folder, DAY0)
    assert len(shelved(folder, "crl")) == 92
    list_at.cache_clear()
    assert judged(pki, signed_pdf, folder, 1).indication is Indication.TOTAL_PASSED
    assert list_at.cache_info().currsize <= 6


@pytest.fixture(scope="module")
def answered(pki: Pki) -> tuple[Holder, bytes]:
    """A signer whose certificate names a responder, and a PDF of his."""
    signer = issue(
        {NameOID.COMMON_NAME: "Lê Thị Mẫu", NameOID.ORGANIZATION_NAME: "Nơi thử"},
        pki.ca,
        day(-1),
        day(700),
        ocsp_url="http://ocsp.invalid/",
    )
    return signer, pki.sign_pdf(minimal_pdf(), signer)


def test_an_answer_about_the_signer_does_where_the_list_is_stale(pki: Pki, folder: Path, answered) -> None:
    signer, pdf = answered
    keep(pki, folder, 0)
    drop(folder, "goc.crl", revocation_list(pki.root, day(20)))
    take(folder, day(20))
    assert judged(pki, pdf, folder, 20).sub_indication == "TRY_LATER"

    names = {NameOID.COMMON_NAME: "Trả lời OCSP"}
    eku = ExtendedKeyUsageOID.OCSP_SIGNING
    responder = issue(names, pki.ca, day(-10), day(400), eku=eku, ocsp_no_check=True)
    drop(folder, "tra-loi.der", answer(signer, pki.ca, day(20), responder=responder))
    [taken] = take(folder, day(20))
    assert (taken.outcome, taken.receipt.kind) == ("new", "ocsp")
    verdict = judged(pki, pdf, folder, 20)
    assert verdict.indication is Indication.TOTAL_PASSED
    assert verdict.revocation_source == f"ocsp {day(20).isoformat()}"
    assert taken.receipt.sha256 in verdict.evidence


def test_an_answer_that_revokes_is_believed(pki: Pki, folder: Path, answered, signed_pdf: bytes) -> None:
    signer, pdf = answered
    keep(pki, folder, 0)
    drop(folder, "1.ocsp", answer(signer, pki.ca, day(2), revoked_at=day(1)))
    # The engine asks no answer about a certificate that names no responder; it is believed all the same.
    drop(folder, "2.ocsp", answer(pki.person, pki.ca, day(2), revoked_at=day(1)))
    take(folder, day(2))
    for data in (pdf, signed_pdf):
        verdict = judged(pki, data, folder, 3)
        assert (verdict.sub_indication, verdict.revoked_at) == ("REVOKED_NO_POE", day(1))


def test_a_pass_is_provisional_until_a_list_from_after_the_receipt(
    pki: Pki, folder: Path, signed_pdf: bytes
) -> None:
    keep(pki, folder, 0)
    first = judged(pki, signed_pdf, folder, 1)
    assert (first.indication, first.provisional) == (Indication.TOTAL_PASSED, True)
    keep(pki, folder, 2)
    later = judged(pki, signed_pdf, folder, 3, received=1)
    assert (later.indication, later.provisional) == (Indication.TOTAL_PASSED, False)
    assert (later.best_time, later.best_time_source) == (day(1), "archive_receipt")


def test_a_list_inside_the_file_does_not_end_the_provision(pki: Pki, folder: Path, signed_pdf: bytes) -> None:
    keep(pki, folder, 0)
    forged = RevocationList.load(revocation_list(Holder(pki.stranger.key, pki.ca.certificate), day(0.9)))
    judge = Judge(load_trust(folder), day(1), FileEvidence(crls=(forged,)))
    assert judge.certificate(pki.person.asn1).revocation_issued == DAY0


@pytest.mark.parametrize(
    ("at", "received", "lists", "revoked", "expected"),
    [
        # Expired since: the receipt, with the lists of its time, carries it; without a receipt nothing does.
        (365, 1, (0, 30, 360), None, ("TOTAL_PASSED", "", "archive_receipt")),
        (365, None, (0, 30, 360), None, ("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE", "validation_time")),
        # Received only after it had expired.
        (365, 300, (0, 300, 360), None, ("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE", "validation_time")),
        # Revoked after the receipt, and before it.
        (10, 1, (0, 7), 5, ("TOTAL_PASSED", "", "archive_receipt")),
        (10, 6, (0, 7), 5, ("INDETERMINATE", "REVOKED_NO_POE", "archive_receipt")),
        # Revoked before the receipt, as a list says that came between receipt and expiry; no longer on later lists.
        (365, 6, (4, 20, 360), 5, ("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE", "validation_time")),
        # No fresh list at the receipt: nothing was proven then.
        (365, 30, (0, 360), None, ("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE", "validation_time")),
    ],
)
def test_the_receipt_proves_existence_where_no_time_stamp_does(
    pki: Pki, folder: Path, signed_pdf: bytes, at, received, lists, revoked, expected
) -> None:
    serial = pki.person.certificate.serial_number
    for issued in lists:
        named = {serial: day(revoked)} if revoked and revoked <= issued <= 60 else None
        keep(pki, folder, issued, named)
    verdict = judged(pki, signed_pdf, folder, at, received)
    assert (verdict.indication, verdict.sub_indication, verdict.best_time_source) == expected


def test_a_stamped_signature_keeps_its_own_proof(pki: Pki, folder: Path) -> None:
    pdf = pki.sign_pdf(minimal_pdf(), pki.person, stamper=pki.stamper(day(0.5)))
    keep(pki, folder, 1)
    keep(pki, folder, 360)
    verdict = judged(pki, pdf, folder, 362, received=2)
    assert (verdict.indication, verdict.best_time_source) == (Indication.TOTAL_PASSED, "timestamp")
    assert verdict.best_time == day(0.5)
    assert not verdict.provisional, "the list of day 1 is later than the time-stamp"


def test_past_validation_finds_the_list_from_before_the_revocation_in_the_store(
    pki: Pki, folder: Path
) -> None:
    pdf = pki.sign_pdf(minimal_pdf(), pki.person, stamper=pki.stamper(day(0)))
    keep(pki, folder, 0)
    for issued in (3, 5, 7):
        keep(pki, folder, issued, {pki.person.certificate.serial_number: day(2)})
    verdict = judged(pki, pdf, folder, 8)
    assert (verdict.indication, verdict.revoked_at) == (Indication.TOTAL_PASSED, day(2))
