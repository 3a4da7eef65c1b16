"""A time-stamping authority in the house: RFC 3161 tokens at a moment that the document's story asks for."""

from __future__ import annotations

import hashlib
from datetime import datetime

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pyhanko.sign.timestamps import TimeStamper

from demo.pki import Credential

_POLICY = "1.3.6.1.4.1.55555.1.1"  # an enterprise number that is nobody's here


class HouseTimeStamper(TimeStamper):
    """Answers every request at once with the moment it was told; the same request gets the same token."""

    def __init__(self, unit: Credential, moment: datetime) -> None:
        super().__init__(include_nonce=False)  # type: ignore[no-untyped-call]
        self._unit = unit
        self._moment = moment
        self._certificate = asn1_x509.Certificate.load(
            unit.certificate.public_bytes(serialization.Encoding.DER)
        )

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """The answer to ``req``: granted."""
        info = self._info(req["message_imprint"], req["nonce"].native).dump()
        token = cms.ContentInfo({"content_type": "signed_data", "content": self._signed(info)})
        token = cms.ContentInfo.load(token.dump())
        return tsp.TimeStampResp(
            {"status": tsp.PKIStatusInfo({"status": "granted"}), "time_stamp_token": token}
        )

    def _info(self, imprint: tsp.MessageImprint, nonce: int | None) -> tsp.TSTInfo:
        digest = imprint["hashed_message"].native
        return tsp.TSTInfo(
            {
                **({} if nonce is None else {"nonce": nonce}),
                "version": "v1",
                "policy": _POLICY,
                "message_imprint": imprint,
                "serial_number": int.from_bytes(hashlib.sha256(digest).digest()[:8], "big"),
                "gen_time": self._moment,
                "tsa": asn1_x509.GeneralName(name="directory_name", value=self._certificate.subject),
            }
        )

    def _own_certificate(self) -> tsp.SigningCertificateV2:
        # SHA-512 because the default is left out of DER, and asn1crypto takes a default that it filled in for a
        # change: it then encodes all levels above anew at every access, twice each, and a token takes a minute.
        digest = hashlib.sha512(self._certificate.dump()).digest()
        identity = tsp.ESSCertIDv2({"hash_algorithm": {"algorithm": "sha512"}, "cert_hash": digest})
        return tsp.SigningCertificateV2({"certs": [identity]})

    def _signed(self, info: bytes) -> cms.SignedData:
        key = self._unit.key
        assert isinstance(key, RSAPrivateKey)
        digest_algorithm = algos.DigestAlgorithm({"algorithm": "sha256"})
        attributes = cms.CMSAttributes(
            [
                _attribute("content_type", "tst_info"),
                _attribute("signing_time", cms.Time({"utc_time": core.UTCTime(self._moment)})),
                _attribute("signing_certificate_v2", self._own_certificate()),
                _attribute("message_digest", hashlib.sha256(info).digest()),
            ]
        )
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    {
                        "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                            {
                                "issuer": self._certificate.issuer,
                                "serial_number": self._certificate.serial_number,
                            }
                        )
                    }
                ),
                "digest_algorithm": digest_algorithm,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"}),
                "signed_attrs": attributes,
                "signature": key.sign(attributes.dump(), PKCS1v15(), hashes.SHA256()),
            }
        )
        return cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": cms.DigestAlgorithms((digest_algorithm,)),
                "encap_content_info": cms.EncapsulatedContentInfo(
                    {"content_type": "tst_info", "content": cms.ParsableOctetString(info)}
                ),
                "certificates": [self._certificate],
                "signer_infos": [signer],
            }
        )


def _attribute(kind: str, value: object) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": cms.CMSAttributeType(kind), "values": (value,)})
