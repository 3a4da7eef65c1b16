"""Time-stamp tokens (RFC 3161) that belong to a signature: do they hold, and who vouches for them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from asn1crypto import cms, core, tsp, x509
from pyhanko.sign.validation.ades import ades_timestamp_validation
from pyhanko.sign.validation.errors import SignatureValidationError

from signatures.certificate import rfc4514
from signatures.chain import Judge, run
from signatures.cms_integrity import attributes_of, integrity
from signatures.cms_signer import certificates_of, is_strong, signer_certificate
from signatures.trust_outcome import INDICATIONS
from signatures.verdict import Indication, TimeStamp

DIGESTS: dict[str, str] = {
    "sha1": "sha1",
    "sha224": "sha224",
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512": "sha512",
    "sha3_256": "sha3_256",
    "sha3_384": "sha3_384",
    "sha3_512": "sha3_512",
}
"""asn1crypto's digest names that may carry an imprint, and hashlib's."""

Imprint = Callable[[str], bytes]
"""Gives the digest of the stamped bytes for one of asn1crypto's digest names; raises ``ValueError`` for
unknown ones.
"""


@dataclass(frozen=True, slots=True)
class JudgedToken:
    """A token with its verdict.

    Attributes:
        stamp: what goes into the signature's verdict.
        matches: the token stamps these very bytes and its own signature holds, whoever vouches for it.
        sha256: of the token's DER: evidence.
        message: a sentence when something is wrong, else ``""``.
    """

    stamp: TimeStamp
    matches: bool
    sha256: str
    message: str = ""


def imprint_of(data: bytes) -> Imprint:
    """The imprint function for bytes at hand."""

    def digest(name: str) -> bytes:
        if name not in DIGESTS:
            raise ValueError(f"digest {name} is not supported in a time-stamp")
        return hashlib.new(DIGESTS[name], data).digest()

    return digest


def signature_tokens(signer: cms.SignerInfo) -> list[bytes]:
    """The signature time-stamps of a SignerInfo (EN 319 122-1 §5.3), DER, in order."""
    return _values(signer["unsigned_attrs"], "signature_time_stamp_token")


def content_tokens(signer: cms.SignerInfo) -> list[bytes]:
    """The content time-stamps of a SignerInfo (EN 319 122-1 §5.2.8), DER, in order."""
    return _values(signer["signed_attrs"], "content_time_stamp")


def load_token(der: bytes) -> cms.SignedData:
    """The SignedData of a token; some signers wrap it into an OCTET STRING.

    Raises:
        ValueError: it is no ContentInfo with SignedData.
    """
    if der[:1] == b"\x04":
        der = core.OctetString.load(der).native
    info = cms.ContentInfo.load(der)
    if info["content_type"].native != "signed_data":
        raise ValueError("no SignedData inside")
    return info["content"]


def _values(attributes: cms.CMSAttributes, name: str) -> list[bytes]:
    """The values of an attribute as bytes: one that does not parse must not hide the others."""
    if isinstance(attributes, core.Void) or attributes is None:
        return []
    found = [attribute for attribute in attributes if attribute["type"].native == name]
    return [bytes(value.dump()) for item in found for value in _Values.load(item["values"].dump())]


class _Values(core.SetOf):  # type: ignore[misc]
    _child_spec = core.Any


def judge_token(
    source: bytes | cms.SignedData, kind: str, imprint: Imprint, judge: Judge | None
) -> JudgedToken:
    """The verdict on one token.

    Args:
        source: the token: DER of the ContentInfo, or its SignedData, which encloses TSTInfo.
        kind: ``signature``, ``content``, ``document`` or ``archive``.
        imprint: gives the digest of what should be stamped.
        judge: trust; ``None`` judges integrity alone.
    """
    token: cms.SignedData | None = None
    try:
        token = load_token(source) if isinstance(source, bytes) else source
        digest = hashlib.sha256(token.dump()).hexdigest()
        moment = _info(token)["gen_time"].native
        attributes = attributes_of(token["signer_infos"][0])
        certificate = signer_certificate(token, attributes)
        named = TimeStamp(
            kind,
            moment,
            rfc4514(certificate.subject),
            Indication.TOTAL_PASSED,
            tsa_issuer=rfc4514(certificate.issuer),
            tsa_not_after=certificate.not_valid_after,
        )
        failure = _integrity_failure(token, certificate, attributes, imprint)
    except SignatureValidationError as error:
        sub = error.ades_subindication.standard_name if error.ades_subindication else "FORMAT_FAILURE"
        stamp = TimeStamp(kind, _moment_or_none(token), "", Indication.INDETERMINATE, str(sub))
        return JudgedToken(stamp, False, "", f"{kind} time-stamp: {error.failure_message}")
    except Exception as error:
        stamp = TimeStamp(kind, _moment_or_none(token), "", Indication.TOTAL_FAILED, "FORMAT_FAILURE")
        return JudgedToken(
            stamp, False, "", f"{kind} time-stamp cannot be read: {type(error).__name__}: {error}"
        )
    if failure:
        stamp = replace(named, indication=Indication.TOTAL_FAILED, sub_indication=failure)
        return JudgedToken(stamp, False, digest, f"{kind} time-stamp does not hold: {failure}")
    if judge is None:
        return JudgedToken(named, True, digest)
    if is_strong(token["signer_infos"][0], certificate, judge.at):
        others = certificates_of(token)
        outcome = judge.certificate(certificate, others, of_tsa=True)
        if outcome.passed:
            return JudgedToken(named, True, digest)
        if outcome.revocation == "revoked":  # also by a list that the engine below is not shown
            revoked = replace(named, indication=outcome.indication, sub_indication=outcome.sub_indication)
            message = f"{kind} time-stamp is not trusted: {outcome.sub_indication}"
            return JudgedToken(revoked, True, digest, message)
    sub = run(
        ades_timestamp_validation(
            token, judge.spec(certificates_of(token)), imprint, timing_info=judge.timing
        )
    ).ades_subindic
    indication = INDICATIONS[sub.status]
    name = "" if indication is Indication.TOTAL_PASSED else str(sub.standard_name)
    message = "" if indication is Indication.TOTAL_PASSED else f"{kind} time-stamp is not trusted: {name}"
    return JudgedToken(replace(named, indication=indication, sub_indication=name), True, digest, message)


def _info(token: cms.SignedData) -> tsp.TSTInfo:
    content = token["encap_content_info"]
    if content["content_type"].native != "tst_info" or not isinstance(
        content["content"], core.ParsableOctetString
    ):
        raise ValueError("no TSTInfo inside")
    info = content["content"].parsed
    if not isinstance(info, tsp.TSTInfo):
        raise TypeError("no TSTInfo inside")
    return info


def _integrity_failure(
    token: cms.SignedData,
    certificate: x509.Certificate,
    attributes: Mapping[str, cms.CMSAttribute],
    imprint: Imprint,
) -> str:
    info = _info(token)
    expected = imprint(info["message_imprint"]["hash_algorithm"]["algorithm"].native)
    if expected != info["message_imprint"]["hashed_message"].native:
        return "HASH_FAILURE"
    signer = token["signer_infos"][0]
    content = bytes(token["encap_content_info"]["content"])
    digest = hashlib.new(DIGESTS[signer["digest_algorithm"]["algorithm"].native], content).digest()
    intact, valid = integrity(signer, certificate, "tst_info", digest, attributes)
    if not intact:
        return "HASH_FAILURE"
    return "" if valid else "SIG_CRYPTO_FAILURE"


def _moment_or_none(token: cms.SignedData | None) -> datetime | None:
    if token is None:
        return None
    try:
        moment: datetime = _info(token)["gen_time"].native
    except Exception:
        return None
    return moment
