"""A PKI, signers and a PDF for the tests, made anew and dated in the past: nothing here asks the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signatures.trust import TrustStore

DAY0 = datetime(2024, 3, 1, 8, 0, tzinfo=UTC)
"""The day on which everything is signed."""

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def day(number: float) -> datetime:
    """So many days after ``DAY0``."""
    return DAY0 + timedelta(days=number)


@dataclass
class Holder:
    """A key with its certificate and issuer."""

    key: Key
    certificate: x509.Certificate
    issuer: Holder | None = None

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def asn1(self) -> asn1_x509.Certificate:
        return asn1_x509.Certificate.load(self.der)

    @property
    def asn1_key(self) -> asn1_keys.PrivateKeyInfo:
        der = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return asn1_keys.PrivateKeyInfo.load(der)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def issue(
    names: dict[x509.ObjectIdentifier, str],
    issuer: Holder | None,
    start: datetime,
    end: datetime,
    *,
    ca: bool = False,
    tsa: bool = False,
    eku: x509.ObjectIdentifier | None = None,
    ocsp_no_check: bool = False,
    crl_url: str | None = None,
    ocsp_url: str | None = None,
    key: Key | None = None,
) -> Holder:
    """A certificate; self-signed when ``issuer`` is ``None``."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names.items()])
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .add_extension(_usage(ca), critical=True)
    )
    if tsa:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    if eku:
        builder = builder.add_extension(x509.ExtendedKeyUsage([eku]), critical=False)
    if ocsp_no_check:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    if crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    if ocsp_url:
        access = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp_url)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return Holder(key, builder.sign(signer, SHA256()), issuer)


def revocation_list(
    issuer: Holder, issued: datetime, revoked: dict[int, datetime] | None = None, days: float = 7
) -> bytes:
    """A CRL in DER."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(issued)
        .next_update(issued + timedelta(days=days))
        .add_extension(x509.CRLNumber(int(issued.timestamp())), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
    )
    for serial, moment in (revoked or {}).items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, SHA256()).public_bytes(Encoding.DER)


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=not ca,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass
class Pki:
    """Root, issuing CA, a person, an organ's seal and a time-stamping authority under a root of its own."""

    root: Holder
    ca: Holder
    person: Holder
    seal: Holder
    tsa_root: Holder
    tsa: Holder
    stranger_root: Holder
    stranger: Holder
    signed: dict[str, bytes] = field(default_factory=dict)

    def trust(
        self, *, crls: tuple[bytes, ...] | None = None, tsa: bool = True, signer: bool = True
    ) -> TrustStore:
        """Trust with the day's fresh lists, or with ``crls`` beside the roots' own."""
        lists = self.fresh_crls(DAY0) if crls is None else crls
        return TrustStore(
            roots=(self.root.der,) if signer else (),
            tsa_roots=(self.tsa_root.der,) if tsa else (),
            intermediates=(self.ca.der,),
            crls=lists,
        )

    def fresh_crls(self, issued: datetime, revoked: dict[int, datetime] | None = None) -> tuple[bytes, ...]:
        """One list of each CA, issued at ``issued``; ``revoked`` is on the issuing CA's."""
        return (
            revocation_list(self.root, issued),
            revocation_list(self.ca, issued, revoked),
            revocation_list(self.tsa_root, issued),
        )

    def write_folder(self, folder: Path) -> None:
        """The trust folder on disk, PEM and DER mixed as operators do."""
        for name in ("roots", "tsa_roots", "intermediates", "crls"):
            (folder / name).mkdir(parents=True)
        (folder / "roots" / "goc.pem").write_bytes(self.root.certificate.public_bytes(Encoding.PEM))
        (folder / "tsa_roots" / "dau-thoi-gian.crt").write_bytes(self.tsa_root.der)
        (folder / "intermediates" / "trung-gian.cer").write_bytes(
            self.ca.certificate.public_bytes(Encoding.PEM)
        )
        for index, data in enumerate(self.fresh_crls(DAY0)):
            (folder / "crls" / f"{index}.crl").write_bytes(data)

    def signer(self, holder: Holder) -> signers.SimpleSigner:
        """A pyHanko signer that brings its issuing CA along."""
        chain = [holder.issuer.asn1] if holder.issuer and holder.issuer.issuer else []
        store = SimpleCertificateStore.from_certs(chain)  # type: ignore[no-untyped-call]
        return signers.SimpleSigner(holder.asn1, holder.asn1_key, store, prefer_pss=False)

    def stamper(self, moment: datetime, tsa: Holder | None = None) -> DummyTimeStamper:
        """A time-stamping authority that says ``moment``."""
        tsa = tsa or self.tsa
        return DummyTimeStamper(tsa.asn1, tsa.asn1_key, fixed_dt=moment)

    def sign_pdf(
        self,
        data: bytes,
        holder: Holder,
        name: str = "NguoiKy",
        *,
        stamper: DummyTimeStamper | None = None,
        certify: bool = False,
        allowed: fields.MDPPerm = fields.MDPPerm.FILL_FORMS,
        locked: tuple[str, ...] | None = None,
        reason: str | None = None,
    ) -> bytes:
        """``data`` with one more signature, PAdES-B or -T.

        Args:
            data, holder, name, stamper, certify: what and how.
            allowed: what a certification lets others do. locked: form fields that the signature locks, empty for all.
            reason: /Reason.
        """
        metadata = signers.PdfSignatureMetadata(
            field_name=name,
            subfilter=fields.SigSeedSubFilter.PADES,
            md_algorithm="sha256",
            certify=certify,
            docmdp_permissions=allowed,
            reason=reason,
        )
        writer = IncrementalPdfFileWriter(BytesIO(data))
        if locked is not None:
            action = fields.FieldMDPAction.INCLUDE if locked else fields.FieldMDPAction.ALL
            lock = fields.FieldMDPSpec(action, fields=list(locked) or None)
            fields.append_signature_field(writer, fields.SigFieldSpec(name, field_mdp_spec=lock))
        output = signers.sign_pdf(writer, metadata, self.signer(holder), timestamper=stamper)
        return bytes(output.getbuffer())

    def stamp_pdf(self, data: bytes, moment: datetime, tsa: Holder | None = None) -> bytes:
        """``data`` with a document time-stamp in a revision of its own."""
        writer = IncrementalPdfFileWriter(BytesIO(data))
        stamper = signers.PdfTimeStamper(self.stamper(moment, tsa))
        output = stamper.timestamp_pdf(writer, "sha256")
        return bytes(output.getbuffer())


def make_pki() -> Pki:
    """All certificates. The person's is valid for 60 days from ``DAY0``, the others for years."""
    cn, o, ou = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME
    office = "Văn phòng Tỉnh ủy Thử Nghiệm"
    root = issue({cn: "Gốc thử nghiệm"}, None, day(-1500), day(5000), ca=True)
    ca = issue({cn: "CA thử nghiệm", o: "Ban Thử nghiệm"}, root, day(-700), day(3000), ca=True)
    person = issue(
        {cn: "Trần Văn Thử", o: office, NameOID.SERIAL_NUMBER: "CCCD:000000000000"},
        ca,
        day(-1),
        day(60),
        key=rsa.generate_private_key(65537, 2048),
    )
    seal = issue({cn: office, o: office, ou: "Văn thư"}, ca, day(-1), day(700))
    tsa_root = issue({cn: "Gốc dấu thời gian"}, None, day(-1500), day(5000), ca=True)
    tsa = issue(
        {cn: "Dấu thời gian thử nghiệm"},
        tsa_root,
        day(-300),
        day(2000),
        tsa=True,
        key=rsa.generate_private_key(65537, 2048),
    )
    stranger_root = issue({cn: "Gốc lạ"}, None, day(-1500), day(5000), ca=True)
    stranger = issue({cn: "Người lạ", o: "Nơi lạ"}, stranger_root, day(-1), day(700))
    return Pki(root, ca, person, seal, tsa_root, tsa, stranger_root, stranger)


def minimal_pdf(text: str = "Cong van so 160-KL/TU", *, fields_dict: str = "") -> bytes:
    """A one-page PDF written by hand. ``fields_dict`` is the body of an AcroForm's text field, if any."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
    form = " /AcroForm << /Fields [6 0 R] /DA (/F1 12 Tf) >>" if fields_dict else ""
    annots = " /Annots [6 0 R]" if fields_dict else ""
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R{form} >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        f" /Resources << /Font << /F1 5 0 R >> >>{annots} >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    if fields_dict:
        objects.append(fields_dict)
    body = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, item in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{item}\nendobj\n".encode("latin-1")
    start = len(body)
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return body + f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode()
