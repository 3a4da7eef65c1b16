from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from demo.pki import Pki, build_pki, private_files, trust_files

_SEED = 11


@pytest.fixture(scope="module")
def pki() -> Pki:
    return build_pki(_SEED)


def test_every_certificate_is_signed_by_its_issuer(pki):
    trusted = [*pki.authorities.values(), pki.tsa]
    for credential in (*trusted, *pki.signers.values()):
        for certificate, issuer in zip(
            (credential.certificate, *credential.chain), credential.chain, strict=False
        ):
            certificate.verify_directly_issued_by(issuer)
    root = pki.authorities["root"].certificate
    root.verify_directly_issued_by(root)


def test_only_the_foreign_signer_does_not_lead_to_the_trusted_root(pki):
    root = pki.authorities["root"].certificate
    outside = [label for label, credential in pki.signers.items() if credential.chain[-1] != root]
    assert outside == ["person-nhai-foreign"]


def test_names_say_that_nothing_here_is_worth_anything(pki):
    for credential in (*pki.authorities.values(), pki.tsa, *pki.signers.values()):
        units = credential.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        assert [unit.value for unit in units] == ["Demo – không có giá trị pháp lý"]


def test_one_signer_is_revoked_with_its_date_and_nobody_else(pki):
    revoked = pki.signers["person-suong-revoked"].certificate.serial_number
    lists = {label: x509.load_der_x509_crl(der) for label, der in pki.crls.items()}
    assert {label: [entry.serial_number for entry in crl] for label, crl in lists.items()} == {
        "root": [],
        "party-ca": [revoked],
        "tsa-ca": [],
        "root-2018": [],
        "party-ca-2018": [],
    }
    (entry,) = lists["party-ca"]
    assert entry.revocation_date_utc == datetime(2021, 3, 15, 2, 0, tzinfo=UTC)
    for label, crl in lists.items():
        assert crl.is_signature_valid(pki.authorities[label.removesuffix("-2018")].certificate.public_key())
        kept = crl.next_update_utc <= pki.signers["person-thuan-expired"].certificate.not_valid_after_utc
        assert kept == label.endswith("-2018")
        assert kept or crl.next_update_utc > datetime(2036, 1, 1, tzinfo=UTC)


def test_certificates_hold_from_before_2014_to_after_2034_but_for_the_expired_one(pki):
    for label, credential in pki.signers.items():
        certificate = credential.certificate
        assert certificate.not_valid_before_utc < datetime(2014, 1, 1, tzinfo=UTC)
        lasts = certificate.not_valid_after_utc > datetime(2034, 1, 1, tzinfo=UTC)
        assert lasts == (label != "person-thuan-expired")


def test_the_time_stamping_unit_may_do_nothing_else(pki):
    usage = pki.tsa.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert usage.critical
    assert list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]


def test_the_trust_folder_has_no_private_key_and_the_private_one_has_all(pki):
    trusted = dict(trust_files(pki))
    assert not [name for name, data in trusted.items() if b"PRIVATE" in data]
    assert {name.split("/")[0] for name in trusted} == {"roots", "tsa_roots", "intermediates", "crls"}
    keys = [name for name, data in private_files(pki) if b"PRIVATE KEY" in data]
    assert len(keys) == len(pki.authorities) + len(pki.signers) + 1


def test_trust_holds_the_root_and_nothing_of_the_foreign_one(pki):
    certificates = [
        x509.load_pem_x509_certificate(data) for name, data in trust_files(pki) if name.endswith(".pem")
    ]
    foreign = pki.signers["person-nhai-foreign"].chain[0]
    assert foreign not in certificates
    assert len({certificate.serial_number for certificate in certificates}) == 3
