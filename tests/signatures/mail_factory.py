"""Signed mail for the tests, written line by line."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

from tests.signatures.pki_factory import Holder

ADDRESS = "vanthu@tinhuy.test"
TEXT = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nKính gửi: 160-KL/TU\r\n"
HEAD = f"From: Văn thư <{ADDRESS}>\r\nTo: a@b.test\r\nSubject: 160-KL/TU\r\nMIME-Version: 1.0\r\n"


def cms_of(content: str, holder: Holder, *options: PKCS7Options) -> str:
    builder = (
        PKCS7SignatureBuilder()
        .set_data(content.encode())
        .add_signer(holder.certificate, holder.key, SHA256())
    )
    data = base64.encodebytes(builder.sign(Encoding.DER, [PKCS7Options.Binary, *options]))
    return data.decode().replace("\n", "\r\n")


def multipart(kind: str, *parts: str, boundary: str = "ranh-gioi") -> str:
    lines = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: {kind}; boundary="{boundary}"\r\n\r\n{lines}--{boundary}--\r\n'


def signed_part(holder: Holder, content: str = TEXT, boundary: str = "ranh-gioi") -> str:
    signature = (
        "Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + cms_of(content, holder, PKCS7Options.DetachedSignature)
    )
    kind = 'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256'
    return multipart(kind, content, signature, boundary=boundary)


def opaque_part(holder: Holder, content: str = TEXT, kind: str = "signed-data") -> str:
    return (
        f"Content-Type: application/pkcs7-mime; smime-type={kind}; name=smime.p7m\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{cms_of(content, holder)}"
    )
