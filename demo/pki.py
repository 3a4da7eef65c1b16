"""A test PKI with the shape of the Vietnamese government's one, worth nothing and saying so in every name.

Root, a CA for organs, a CA for time-stamps and their end certificates; beside them a root that nobody trusts.
Authorities, seals and the time-stamping unit have RSA-2048 keys, persons P-256 ones: finding RSA primes is
slow. Keys, serial numbers and dates follow from the seed; PKCS#1 v1.5 has no randomness and ECDSA takes its
nonce from the message (RFC 6979), so every byte repeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from demo.chance import stream, token
from demo.rsa_keys import rsa_key

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
DISCLAIMER = "không có giá trị pháp lý"
CRL_FROM = datetime(2026, 10, 15, tzinfo=UTC)
"""``thisUpdate`` of every CRL: after the last signature, so that a pass is not provisional."""
CRL_UNTIL = datetime(2036, 12, 31, tzinfo=UTC)
REVOKED_ON = datetime(2021, 3, 15, 2, 0, tzinfo=UTC)
EXPIRED_ON = datetime(2018, 12, 31, tzinfo=UTC)
KEPT_FROM = datetime(2018, 6, 15, tzinfo=UTC)
"""``thisUpdate`` of old lists that the archive kept: the last word on a certificate that has expired since."""

_CA_SPAN = (datetime(2012, 1, 1, tzinfo=UTC), datetime(2046, 12, 31, tzinfo=UTC))
_END_SPAN = (datetime(2013, 6, 1, tzinfo=UTC), datetime(2036, 12, 31, tzinfo=UTC))
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2, section 2.4.2
_CRL_URL = "http://crl.demo.invalid/{label}.crl"


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate with its private key and the certificates between it and its root, nearest first."""

    label: str
    certificate: x509.Certificate
    key: PrivateKey
    chain: tuple[x509.Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Pki:
    """The whole test PKI.

    Attributes:
        authorities: the trusted side: ``root``, ``party-ca``, ``tsa-ca``.
        signers: end certificates by label, those of the untrusted root among them.
        tsa: the time-stamping unit.
        crls: DER by the label of the issuing authority, with ``-2018`` behind it for the kept ones.
    """

    authorities: dict[str, Credential]
    signers: dict[str, Credential]
    tsa: Credential
    crls: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class _Holder:
    label: str
    common_name: str
    organization: str
    title: str = ""
    number: str = ""  # as government certificates carry it: CCCD of a person, MNS (budget code) of an organ
    key_label: str = ""  # a renewed certificate keeps its key
    until: datetime = _END_SPAN[1]


_OFFICE = "Văn phòng Tỉnh ủy Thượng Giang"
_PERSONS = (
    _Holder(
        "person-oanh",
        "Lâm Thị Thục Oanh",
        "Tỉnh ủy Thượng Giang",
        "Phó Bí thư Thường trực",
        "CCCD:000000000001",
    ),
    _Holder("person-thuan", "Mạc Văn Thuần", _OFFICE, "Chánh Văn phòng", "CCCD:000000000002"),
    _Holder(
        "person-lan",
        "Nghiêm Thị Diệu Lan",
        "Ban Tuyên giáo Tỉnh ủy Thượng Giang",
        "Trưởng Ban",
        "CCCD:000000000003",
    ),
    _Holder(
        "person-khoat",
        "Phùng Thế Khoát",
        "Ủy ban nhân dân tỉnh Thượng Giang",
        "Chủ tịch",
        "CCCD:000000000004",
    ),
    _Holder("person-lam", "Kiều Xuân Lãm", "Huyện ủy Lâm Giang", "Bí thư", "CCCD:000000000005"),
    _Holder("person-suong-revoked", "Cù Thị Bích Sương", _OFFICE, "Phó Chánh Văn phòng", "CCCD:000000000006"),
    _Holder(
        "person-thuan-expired",
        "Mạc Văn Thuần",
        _OFFICE,
        "Chánh Văn phòng",
        "CCCD:000000000002",
        "person-thuan",
        EXPIRED_ON,
    ),
)
_SEALS = (
    _Holder("seal-tu", "Tỉnh ủy Thượng Giang", "Tỉnh ủy Thượng Giang", number="MNS:0000001"),
    _Holder("seal-vptu", _OFFICE, "Tỉnh ủy Thượng Giang", number="MNS:0000002"),
    _Holder("seal-ubnd", "Ủy ban nhân dân tỉnh Thượng Giang", "Ủy ban nhân dân tỉnh Thượng Giang"),
    _Holder("seal-hulg", "Huyện ủy Lâm Giang", "Huyện ủy Lâm Giang"),
)
_FOREIGN = _Holder(
    "person-nhai-foreign", "Quách Thị Nhài", "Công ty Dịch vụ Thượng Giang", "Giám đốc", "CCCD:000000000007"
)


def build_pki(seed: int) -> Pki:
    """The PKI of ``seed``: the same seed gives the same bytes."""
    root = _authority(seed, "root", f"Demo Root CA – {DISCLAIMER}", None, path_length=1)
    party = _authority(seed, "party-ca", "Demo CA phục vụ cơ quan Đảng, Nhà nước", root, path_length=0)
    tsa_ca = _authority(seed, "tsa-ca", "Demo CA cấp dấu thời gian", root, path_length=0)
    foreign = _authority(seed, "foreign-root", f"Foreign Demo Root – {DISCLAIMER}", None, path_length=0)
    signers = {holder.label: _signer(seed, holder, party) for holder in (*_PERSONS, *_SEALS)}
    signers[_FOREIGN.label] = _signer(seed, _FOREIGN, foreign)
    revoked = [signers["person-suong-revoked"].certificate.serial_number]
    return Pki(
        authorities={"root": root, "party-ca": party, "tsa-ca": tsa_ca},
        signers=signers,
        tsa=_time_stamping_unit(seed, tsa_ca),
        crls={
            "root": _crl(root, []),
            "party-ca": _crl(party, revoked),
            "tsa-ca": _crl(tsa_ca, []),
            "root-2018": _crl(root, [], number=0, issued=KEPT_FROM, until=EXPIRED_ON),
            "party-ca-2018": _crl(party, [], number=0, issued=KEPT_FROM, until=EXPIRED_ON),
        },
    )


def trust_files(pki: Pki) -> Iterator[tuple[str, bytes]]:
    """Name below the trust folder and content of everything a verifier needs; no private key is among it."""
    root = _pem(pki.authorities["root"].certificate)
    yield "roots/demo-root-ca.pem", root
    yield "tsa_roots/demo-root-ca.pem", root
    for label in ("party-ca", "tsa-ca"):
        yield f"intermediates/demo-{label}.pem", _pem(pki.authorities[label].certificate)
    for label, crl in pki.crls.items():
        yield f"crls/demo-{label}.crl", crl


def private_files(pki: Pki) -> Iterator[tuple[str, bytes]]:
    """Name below the private folder and content: key and certificate of every credential."""
    for credential in (*pki.authorities.values(), *pki.signers.values(), pki.tsa):
        yield f"{credential.label}.key.pem", _private_pem(credential.key)
        yield f"{credential.label}.cert.pem", _pem(credential.certificate)


def _authority(
    seed: int, label: str, name: str, parent: Credential | None, *, path_length: int
) -> Credential:
    key = _key(seed, label)
    subject = _name(common_name=name, organization="Cơ quan chứng thực số Demo")
    builder = _builder(seed, label, subject, key, parent, _CA_SPAN)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    signing_key = parent.key if parent else key
    return Credential(label, _sign(builder, signing_key), key, _chain(parent))


def _signer(seed: int, holder: _Holder, parent: Credential) -> Credential:
    key = _key(seed, holder.key_label or holder.label)
    subject = _name(holder.common_name, holder.organization, holder.title, holder.number)
    builder = _builder(seed, holder.label, subject, key, parent, (_END_SPAN[0], holder.until))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION])
    builder = builder.add_extension(purposes, critical=False)
    return Credential(holder.label, _sign(builder, parent.key), key, _chain(parent))


def _time_stamping_unit(seed: int, parent: Credential) -> Credential:
    key = _key(seed, "tsa")
    subject = _name("Demo TSA – dấu thời gian thử nghiệm", "Cơ quan chứng thực số Demo")
    builder = _builder(seed, "tsa", subject, key, parent, _END_SPAN)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    # RFC 3161 section 2.3: the only purpose, and critical.
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    builder = builder.add_extension(purposes, critical=True)
    return Credential("tsa", _sign(builder, parent.key), key, _chain(parent))


def _key(seed: int, label: str) -> PrivateKey:
    if label.startswith(("person-", "foreign-")):
        scalar = int.from_bytes(token(seed, "key", label), "big") % (_P256_ORDER - 1) + 1
        return ec.derive_private_key(scalar, ec.SECP256R1())
    return rsa_key(stream(seed, "key", label))


def _sign(builder: x509.CertificateBuilder, key: PrivateKey) -> x509.Certificate:
    deterministic = True if isinstance(key, ec.EllipticCurvePrivateKey) else None
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=deterministic)


def _builder(
    seed: int,
    label: str,
    subject: x509.Name,
    key: PrivateKey,
    parent: Credential | None,
    span: tuple[datetime, datetime],
) -> x509.CertificateBuilder:
    issuer_key = parent.key.public_key() if parent else key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(parent.certificate.subject if parent else subject)
        .public_key(key.public_key())
        .serial_number(_serial(seed, label))
        .not_valid_before(span[0])
        .not_valid_after(span[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )
    if parent is None:
        return builder
    url = x509.UniformResourceIdentifier(_CRL_URL.format(label=parent.label))
    point = x509.DistributionPoint(full_name=[url], relative_name=None, reasons=None, crl_issuer=None)
    return builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)


def _crl(
    issuer: Credential,
    revoked_serials: list[int],
    *,
    number: int = 1,
    issued: datetime = CRL_FROM,
    until: datetime = CRL_UNTIL,
) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(issued)
        .next_update(until)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
    )
    for serial in revoked_serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(REVOKED_ON)
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str, organization: str, title: str = "", number: str = "") -> x509.Name:
    parts = [
        (NameOID.COUNTRY_NAME, "VN"),
        (NameOID.ORGANIZATION_NAME, organization),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, f"Demo – {DISCLAIMER}"),
        (NameOID.TITLE, title),
        (NameOID.COMMON_NAME, common_name),
        (NameOID.USER_ID, number),
    ]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])


def _chain(parent: Credential | None) -> tuple[x509.Certificate, ...]:
    return (parent.certificate, *parent.chain) if parent else ()


def _serial(seed: int, label: str) -> int:
    return int.from_bytes(token(seed, "serial", label)[:15], "big") | 1 << 119  # positive, never short


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
