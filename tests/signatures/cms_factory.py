"""CMS structures for the tests: signed by pyHanko, then changed as an attacker with a key of his own would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from tests.signatures.pki_factory import Holder, Pki

CONTENT = "Kính gửi: Văn phòng Tỉnh ủy. Số 160-KL/TU.".encode()


def sign(pki: Pki, holder: Holder, *, detached: bool, stamp: datetime | None = None) -> cms.ContentInfo:
    stamper = pki.stamper(stamp) if stamp else None
    work = pki.signer(holder).async_sign_general_data(
        CONTENT, "sha256", detached=detached, timestamper=stamper
    )
    return cms.ContentInfo.load(asyncio.run(work).dump())


def resigned(
    info: cms.ContentInfo, holder: Holder, change: Callable[[list[cms.CMSAttribute]], None]
) -> bytes:
    """The same signature over changed signed attributes: an attacker with a key of his own."""
    signer = info["content"]["signer_infos"][0]
    attributes = list(signer["signed_attrs"])
    change(attributes)
    signed = cms.CMSAttributes(attributes)
    assert isinstance(holder.key, rsa.RSAPrivateKey)
    value = holder.key.sign(signed.dump(), padding.PKCS1v15(), SHA256())
    signer["signed_attrs"] = signed
    signer["signature"] = value
    return bytes(info.dump(force=True))
