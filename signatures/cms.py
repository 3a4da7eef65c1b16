"""CMS and CAdES files (``.p7s``, ``.p7m``), attached and detached: one verdict for every signer.

RFC 5652; CAdES-B and -T (ETSI EN 319 122-1). Levels above T are not evaluated.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from asn1crypto import cms, core, pem, tsp
from asn1crypto import crl as asn1_crl

from schemas.record import Content, chunks
from signatures.chain import Judge
from signatures.cms_integrity import attributes_of
from signatures.cms_signer import certificates_of
from signatures.revocation import RevocationList
from signatures.signer import (
    Integral,
    MalformedError,
    apply_trust,
    check_integrity,
    failed,
    judge_trust,
    proven_time,
)
from signatures.timestamps import DIGESTS, Imprint, judge_token
from signatures.trust_outcome import FileEvidence
from signatures.verdict import Coverage, Indication, Integrity, Modification, SignerRole, Verdict

MAX_SIGNERS = 64
"""Signers per file; more is an attack on the time that validation takes, or a mistake."""

JudgeFor = Callable[[FileEvidence], Judge]


def verify_cms(
    data: bytes, detached: Content | None, judge_for: JudgeFor | None, blank: Verdict
) -> list[Verdict]:
    """The verdicts of a CMS file; ``judge_for`` is ``None`` to judge integrity alone.

    Raises:
        Exception: whatever a hostile structure makes the parser raise; the caller turns it into ERROR.
    """
    try:
        signed_data = load_signed_data(data)
        signers = list(signed_data["signer_infos"])
    except (ValueError, TypeError, KeyError) as error:
        return [failed(blank, "FORMAT_FAILURE", f"the CMS structure cannot be read: {error}")]
    if not signers:
        return [
            replace(
                blank,
                path="",
                indication=Indication.NO_SIGNATURE,
                messages=("the CMS structure has no signer",),
            )
        ]
    if len(signers) > MAX_SIGNERS:
        return [failed(blank, "FORMAT_FAILURE", f"{len(signers)} signers; at most {MAX_SIGNERS} are read")]
    judge = judge_for(evidence_of(signed_data)) if judge_for else None
    enclosed = enclosed_content(signed_data)
    verdicts = []
    for index, signer in enumerate(signers):
        start = replace(blank, path=f"signer[{index}]", modification=Modification.NONE)
        if signed_data["encap_content_info"]["content_type"].native == "tst_info":
            verdicts.append(_token_verdict(only(signed_data, signer), detached, judge, start))
        elif enclosed is not None and detached is not None:
            message = (
                "content is enclosed and detached content was given as well: two answers to what was signed"
            )
            verdicts.append(failed(start, "FORMAT_FAILURE", message))
        else:
            verdicts.append(_signer_verdict(only(signed_data, signer), enclosed, detached, judge, start))
    return verdicts


def load_signed_data(data: bytes) -> cms.SignedData:
    """The SignedData of a file in DER, BER, PEM or bare base64.

    Raises:
        ValueError: it is no ContentInfo with SignedData, or bytes follow it.
    """
    if pem.detect(data):
        _, _, data = pem.unarmor(data)
    elif re.match(rb"\s*MI[A-Za-z0-9+/]", data):
        data = base64.b64decode(data, validate=False)
    info = _response_token(data) or cms.ContentInfo.load(data, strict=True)
    if info["content_type"].native != "signed_data":
        raise ValueError(f"content of type {info['content_type'].native} instead of signed_data")
    content: cms.SignedData = info["content"]
    return content


def _response_token(data: bytes) -> cms.ContentInfo | None:
    """The token of a time-stamp response (RFC 3161 §2.4.2), ``None`` when the bytes are no response.

    Raises:
        ValueError: a response without a token, or bytes follow it.
    """
    try:
        response = tsp.TimeStampResp.load(data, strict=True)
        _ = response["status"]["status"].native
    except (ValueError, TypeError, KeyError):
        return None
    token: cms.ContentInfo = response["time_stamp_token"]
    if token.native is None:
        raise ValueError("a time-stamp response without a token")
    return token


def only(signed_data: cms.SignedData, signer: cms.SignerInfo) -> cms.SignedData:
    """The same SignedData with one of its signers: the engine judges one at a time. Signed bytes are not
    re-encoded.
    """
    if len(signed_data["signer_infos"]) == 1:
        return signed_data
    alone = cms.SignedData(
        {
            "version": signed_data["version"].native,
            "digest_algorithms": signed_data["digest_algorithms"],
            "encap_content_info": signed_data["encap_content_info"],
        }
    )
    alone["certificates"] = signed_data["certificates"]
    alone["signer_infos"] = cms.SignerInfos([signer])
    return alone


def enclosed_content(signed_data: cms.SignedData) -> bytes | None:
    """The content octets inside, ``None`` for a detached signature."""
    try:
        content = signed_data["encap_content_info"]["content"]
    except ValueError:  # octets that are not of the type that they are said to be: still what was signed
        content = _Enclosed.load(signed_data["encap_content_info"].dump())["content"]
    if isinstance(content, core.Void) or content is core.VOID:
        return None
    return bytes(content)


class _Enclosed(core.Sequence):  # type: ignore[misc]
    """EncapsulatedContentInfo (RFC 5652 §5.2) whose octets are taken as they are."""

    _fields: ClassVar = [
        ("content_type", cms.ContentType),
        ("content", core.OctetString, {"explicit": 0, "optional": True}),
    ]


def evidence_of(signed_data: cms.SignedData) -> FileEvidence:
    """Certificates and CRLs that the structure carries."""
    lists = tuple(
        RevocationList.load(choice.chosen.dump())
        for choice in signed_data["crls"] or ()
        if isinstance(choice.chosen, asn1_crl.CertificateList)
    )
    return FileEvidence(certificates_of(signed_data), lists)


def _signer_verdict(
    signed_data: cms.SignedData,
    enclosed: bytes | None,
    detached: Content | None,
    judge: Judge | None,
    start: Verdict,
) -> Verdict:
    if enclosed is None and detached is None:
        message = "a detached signature without the file that it signs"
        return replace(
            start,
            indication=Indication.INDETERMINATE,
            sub_indication="SIGNED_DATA_NOT_FOUND",
            messages=(message,),
        )
    name = signed_data["signer_infos"][0]["digest_algorithm"]["algorithm"].native
    if name not in DIGESTS and name not in _WEAK_DIGESTS:
        message = f"digest algorithm {name} is not supported"
        return replace(start, indication=Indication.UNSUPPORTED, messages=(message,))
    if not attributes_of(signed_data["signer_infos"][0]) and _are_attributes(enclosed, detached):
        message = "content that is itself signed attributes: a signature with attributes shown as one without"
        return failed(start, "FORMAT_FAILURE", message)
    imprint = _imprint(enclosed, detached)
    found = check_integrity(signed_data, imprint(name), imprint, start, judge)
    if not found.holds:
        return found.verdict
    verdict = replace(found.verdict, coverage=Coverage.WHOLE_FILE)
    return (
        verdict
        if judge is None
        else _trusted(signed_data, imprint(name) if enclosed is None else None, found, verdict, judge)
    )


def _are_attributes(enclosed: bytes | None, detached: Content | None) -> bool:
    """True for content that is the DER of signed attributes.

    With attributes their DER is what is signed, without them the content: whoever takes the attributes of a signature
    away and shows their bytes as content has a signature that holds (RFC 5652 §5.4; LAMPS draft on signed attributes).
    """
    if enclosed is None and detached is not None and detached.size <= _MOST_ATTRIBUTES:
        with detached.open() as stream:
            enclosed = stream.read()
    if enclosed is None or len(enclosed) > _MOST_ATTRIBUTES or not enclosed.startswith(b"\x31"):
        return False
    try:
        names = {item["type"].native for item in cms.CMSAttributes.load(enclosed, strict=True)}
    except (ValueError, TypeError, KeyError):
        return False
    return "message_digest" in names


_MOST_ATTRIBUTES = 1 << 20


def _token_verdict(
    signed_data: cms.SignedData, detached: Content | None, judge: Judge | None, start: Verdict
) -> Verdict:
    """A time-stamp token (RFC 3161) as a file of its own: over the file beside it, or over nobody knows what."""
    if detached is None:
        enclosed = enclosed_content(signed_data)
        name = signed_data["signer_infos"][0]["digest_algorithm"]["algorithm"].native
        imprint = _imprint(enclosed, None)
        found = check_integrity(signed_data, imprint(name), imprint, start, None)
        if not found.holds:
            return found.verdict
        return replace(
            found.verdict,
            role=SignerRole.TIME_STAMP,
            coverage=Coverage.WHOLE_FILE,
            indication=Indication.INDETERMINATE,
            sub_indication="SIGNED_DATA_NOT_FOUND",
            messages=("a time-stamp token on its own: what it stamps is not known",),
        )
    token = judge_token(signed_data, "content", _imprint(None, detached), judge)
    passed = token.stamp.indication is Indication.TOTAL_PASSED
    return replace(
        start,
        indication=token.stamp.indication,
        sub_indication=token.stamp.sub_indication,
        integrity=Integrity.INTACT if token.matches else Integrity.BROKEN,
        coverage=Coverage.WHOLE_FILE,
        role=SignerRole.TIME_STAMP,
        timestamps=(token.stamp,),
        best_time=token.stamp.moment if passed else None,
        best_time_source="timestamp" if passed else "",
        evidence=(token.sha256,) if token.sha256 else (),
        messages=(token.message,) if token.message else (),
    )


def _trusted(
    signed_data: cms.SignedData, digest: bytes | None, found: Integral, verdict: Verdict, judge: Judge
) -> Verdict:
    if found.certificate is None:
        raise MalformedError("an intact signature without a certificate")
    proven = proven_time(found.tokens)
    outcome = judge_trust(signed_data, digest, found.certificate, judge, proven)
    return apply_trust(verdict, outcome, judge.at, proven)


_WEAK_DIGESTS = {"md5": "md5"}


def _imprint(enclosed: bytes | None, detached: Content | None) -> Imprint:
    known: dict[str, bytes] = {}

    def digest(name: str) -> bytes:
        if name not in known:
            algorithm = DIGESTS.get(name) or _WEAK_DIGESTS.get(name)
            if algorithm is None:
                raise ValueError(f"digest {name} is not supported")
            state = hashlib.new(algorithm, enclosed or b"", usedforsecurity=False)
            for piece in chunks(detached) if enclosed is None and detached is not None else ():
                state.update(piece)
            known[name] = state.digest()
        return known[name]

    return digest
