from __future__ import annotations

import pickle
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from schemas.errors import ConfigurationError
from schemas.record import BytesContent
from signatures import SignedFile, verify
from signatures.revocation import RevocationList
from signatures.trust import TrustStore, load_trust
from signatures.verdict import Indication
from tests.signatures.pki_factory import DAY0, Pki, day, issue, revocation_list


def test_a_folder_is_read_whole_pem_and_der_alike(pki: Pki, tmp_path: Path) -> None:
    pki.write_folder(tmp_path)
    store = load_trust(tmp_path)
    assert store.roots == (pki.root.der,)
    assert store.tsa_roots == (pki.tsa_root.der,)
    assert store.intermediates == (pki.ca.der,)
    assert len(store.crls) == 3
    assert store.epoch == pki.trust().epoch


def test_a_missing_folder_is_empty_trust(tmp_path: Path) -> None:
    assert load_trust(tmp_path / "khong-co") == TrustStore()


def test_other_files_are_left_alone(pki: Pki, tmp_path: Path) -> None:
    pki.write_folder(tmp_path)
    (tmp_path / "roots" / "DOC-TOI.txt").write_text("Chỉ thêm chứng thư số đã đối chiếu vân tay.")
    assert load_trust(tmp_path).epoch == pki.trust().epoch


def test_a_second_folder_of_lists_is_added(pki: Pki, tmp_path: Path) -> None:
    pki.write_folder(tmp_path / "tin-cay")
    drop = tmp_path / "crl-moi"
    drop.mkdir()
    (drop / "moi.crl").write_bytes(revocation_list(pki.ca, day(1)))
    assert len(load_trust(tmp_path / "tin-cay", drop).crls) == 4


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("roots/hong.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("roots/rong.cer", b""),
        ("tsa_roots/khac.crt", b"khong phai chung thu so"),
        ("crls/hong.crl", b"\x30\x03\x02\x01"),
    ],
)
def test_a_broken_file_is_named(pki: Pki, tmp_path: Path, name: str, data: bytes) -> None:
    pki.write_folder(tmp_path)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ConfigurationError) as caught:
        load_trust(tmp_path)
    assert caught.value.where == str(tmp_path / name)


def test_a_private_key_among_the_roots_is_refused(pki: Pki, tmp_path: Path) -> None:
    pki.write_folder(tmp_path)
    (tmp_path / "roots" / "khoa.pem").write_bytes(pki.root.key_pem)
    with pytest.raises(ConfigurationError, match="PRIVATE KEY"):
        load_trust(tmp_path)


def test_the_epoch_follows_anchors_and_their_part_but_not_lists(pki: Pki) -> None:
    epoch = pki.trust().epoch
    assert pki.trust(crls=()).epoch == epoch
    assert pki.trust(tsa=False).epoch != epoch
    swapped = TrustStore(roots=(pki.tsa_root.der,), tsa_roots=(pki.root.der,), intermediates=(pki.ca.der,))
    assert swapped.epoch != epoch


def test_a_store_travels_between_processes_without_its_parsed_parts(pki: Pki) -> None:
    store = pki.trust()
    assert len(store.known_certificates) == 3
    copy = pickle.loads(pickle.dumps(store))
    assert copy == store
    assert "known_certificates" not in copy.__dict__
    assert copy.epoch == store.epoch


def test_a_pem_revocation_list_is_read(pki: Pki, tmp_path: Path) -> None:
    from cryptography import x509

    (tmp_path / "crls").mkdir()
    parsed = x509.load_der_x509_crl(revocation_list(pki.ca, DAY0))
    (tmp_path / "crls" / "a.crl").write_bytes(parsed.public_bytes(Encoding.PEM))
    assert load_trust(tmp_path).crls == (parsed.public_bytes(Encoding.DER),)


@pytest.mark.parametrize(
    ("issued", "revoked", "cleared"),
    [
        (DAY0, {}, True),
        (DAY0, {12345: DAY0}, True),
        (day(-8), {}, False),  # past its next update
        (day(1), {}, False),  # not yet issued at the time asked for
    ],
)
def test_a_list_clears_a_certificate_only_while_it_is_current(
    pki: Pki, issued: datetime, revoked: dict[int, datetime], cleared: bool
) -> None:
    found = RevocationList.load(revocation_list(pki.ca, issued, revoked))
    assert found.clears(pki.person.asn1, pki.ca.asn1, DAY0 + timedelta(hours=1)) is cleared


def test_a_list_clears_nothing_that_it_names_or_that_another_authority_issued(pki: Pki) -> None:
    later = DAY0 + timedelta(hours=1)
    naming = RevocationList.load(revocation_list(pki.ca, DAY0, {pki.person.asn1.serial_number: DAY0}))
    assert not naming.clears(pki.person.asn1, pki.ca.asn1, later)
    assert naming.clears(pki.seal.asn1, pki.ca.asn1, later)
    of_root = RevocationList.load(revocation_list(pki.root, DAY0))
    assert not of_root.clears(pki.person.asn1, pki.ca.asn1, later)


def test_a_list_signed_by_another_key_under_the_same_name_clears_nothing(pki: Pki) -> None:
    false = issue({NameOID.COMMON_NAME: "CA giả"}, None, day(-1), day(30), ca=True)
    forged = x509.CertificateRevocationListBuilder().issuer_name(pki.ca.certificate.subject)
    forged = forged.last_update(DAY0).next_update(day(7))
    der = forged.sign(false.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    assert not RevocationList.load(der).clears(pki.person.asn1, pki.ca.asn1, DAY0 + timedelta(hours=1))


def test_a_list_that_speaks_of_a_part_only_is_left_to_the_engine(pki: Pki) -> None:
    part = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=True,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    builder = x509.CertificateRevocationListBuilder().issuer_name(pki.ca.certificate.subject)
    builder = builder.last_update(DAY0).next_update(day(7)).add_extension(part, critical=True)
    der = builder.sign(pki.ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    assert not RevocationList.load(der).clears(pki.person.asn1, pki.ca.asn1, DAY0 + timedelta(hours=1))


def test_the_index_and_the_engine_agree_on_who_is_revoked(pki: Pki, signed_pdf: bytes) -> None:
    file = SignedFile("a.pdf", BytesContent(signed_pdf))
    revoked = pki.fresh_crls(DAY0, {pki.person.asn1.serial_number: day(-1)})
    (verdict,) = verify(file, pki.trust(crls=revoked), DAY0 + timedelta(hours=1))
    assert (verdict.indication, verdict.revocation, verdict.revoked_at) == (
        Indication.INDETERMINATE,
        "revoked",
        day(-1),
    )
