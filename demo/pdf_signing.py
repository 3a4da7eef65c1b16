"""Signs made-up PDFs as offices sign real ones and damages them as they get damaged; every byte repeats."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.signers.pdf_signer import PdfSigningSession
from pyhanko_certvalidator.registry import SimpleCertificateStore

from demo.pki import Credential, Pki
from demo.time_stamps import HouseTimeStamper
from demo.typefaces import Typeface

PADES_SINCE = 2018
"""Year from which the made-up offices sign ``ETSI.CAdES.detached``; ``adbe.pkcs7.detached`` before."""

_RESERVED = 16_384


@dataclass(frozen=True, slots=True)
class Signing:
    """One signature to be made.

    Attributes:
        credential: label of the certificate in the PKI.
        moment: when, aware.
        reason: lý do ký as the field shows it.
        time_stamp: True to add a time-stamp of that moment.
    """

    credential: str
    moment: datetime
    reason: str
    time_stamp: bool = True


def sign_pdf(data: bytes, signings: tuple[Signing, ...], pki: Pki) -> bytes:
    """``data`` with one incremental update a signature, in order: fields ``ChuKy1``, ``ChuKy2`` …"""
    for position, signing in enumerate(signings, start=1):
        data = _signed_once(data, f"ChuKy{position}", signing, pki)
    return data


def append_line(data: bytes, text: str, face: Typeface) -> bytes:
    """``data`` with a line of text put on its first page by one more incremental update."""
    writer = _Writer(io.BytesIO(data))
    drawing = f"q BT 0 0 0 rg /F1 12 Tf 1 0 0 1 85 90 Tm <{face.encode(text)}> Tj ET Q\n".encode()
    stream = writer.add_object(generic.StreamObject(stream_data=drawing))
    writer.add_stream_to_page(0, stream)  # type: ignore[no-untyped-call]
    out = io.BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return out.getvalue()


def alter_text(data: bytes, old: str, new: str, face: Typeface) -> bytes:
    """``data`` with drawn ``old`` overwritten in place by the equally long ``new``; nothing else moves.

    Raises:
        ValueError: the lengths differ or ``old`` is not drawn in an uncompressed page.
    """
    before, after = face.encode(old).encode(), face.encode(new).encode()
    if len(before) != len(after) or before not in data:
        raise ValueError(f"{old!r} cannot be overwritten by {new!r}")
    return data.replace(before, after, 1)


class _Writer(IncrementalPdfFileWriter):
    """An incremental writer whose file identifier follows from the file and that notes no time of its own."""

    @classmethod
    def _handle_id(cls, prev: PdfFileReader) -> generic.ArrayObject:
        prev.stream.seek(0)
        digest = hashlib.sha256(prev.stream.read()).digest()[:16]
        first, _ = prev.trailer["/ID"]
        return generic.ArrayObject([first, generic.ByteStringObject(digest)])

    def _update_meta(self) -> None:
        return


class _Signer(SimpleSigner):
    """Signs without randomness, with a key that was loaded once."""

    def __init__(self, credential: Credential) -> None:
        self._private_key = credential.key
        store = SimpleCertificateStore()
        store.register_multiple(_asn1(certificate) for certificate in credential.chain)
        super().__init__(
            signing_cert=_asn1(credential.certificate),
            signing_key=keys.PrivateKeyInfo.load(_pkcs8(credential)),
            cert_registry=store,
        )

    def sign_raw(self, data: bytes, digest_algorithm: str) -> bytes:
        """The signature value over ``data``; always SHA-256."""
        if digest_algorithm != "sha256":
            raise ValueError(f"the made-up offices sign with sha256 only, not {digest_algorithm}")
        if isinstance(self._private_key, rsa.RSAPrivateKey):
            return self._private_key.sign(data, PKCS1v15(), hashes.SHA256())
        return self._private_key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


class _PdfSigner(PdfSigner):
    """A signer whose clock stands where it is told."""

    def __init__(
        self, moment: datetime, metadata: PdfSignatureMetadata, signer: _Signer, tsa: HouseTimeStamper | None
    ) -> None:
        super().__init__(metadata, signer=signer, timestamper=tsa)
        self._moment = moment

    def init_signing_session(
        self, pdf_out: BasePdfFileWriter, existing_fields_only: bool = False
    ) -> PdfSigningSession:
        """The session, at the told moment."""
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self._moment
        return session


def _signed_once(data: bytes, field: str, signing: Signing, pki: Pki) -> bytes:
    pades = signing.moment.year >= PADES_SINCE
    metadata = PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        reason=signing.reason,
        location="Giang An",
        subfilter=SigSeedSubFilter.PADES if pades else SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
    )
    tsa = HouseTimeStamper(pki.tsa, signing.moment) if signing.time_stamp else None
    signer = _PdfSigner(signing.moment, metadata, _Signer(pki.signers[signing.credential]), tsa)
    out = io.BytesIO()
    signer.sign_pdf(_Writer(io.BytesIO(data)), bytes_reserved=_RESERVED, output=out)
    return out.getvalue()


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def _pkcs8(credential: Credential) -> bytes:
    return credential.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
