"""One CMS signer: structure, integrity, time-stamps and trust. Shared by the CMS and the PDF engine.

RFC 5652 §5, §11; CAdES (ETSI EN 319 122-1) for the attributes; EN 319 102-1 for the order of the checks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from asn1crypto import cms, core, x509
from pyhanko.sign.general import CMSStructuralError
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.utils import CMSAlgorithmUsagePolicy

from signatures.certificate import describe_certificate, role_of
from signatures.chain import Judge
from signatures.cms_integrity import attributes_of, integrity
from signatures.cms_signer import is_strong, signer_certificate
from signatures.levels import judged_up_to, level_of_cms
from signatures.timestamps import (
    Imprint,
    JudgedToken,
    content_tokens,
    imprint_of,
    judge_token,
    signature_tokens,
)
from signatures.trust_outcome import TrustOutcome
from signatures.verdict import Indication, Integrity, Verdict

REPEATABLE = frozenset({"content_time_stamp"})
"""Signed attributes that may occur more than once (EN 319 122-1 §5.2.8); every other one may not."""

NEVER_SIGNED = frozenset({"signature_time_stamp_token", "counter_signature"})
"""Attributes that RFC 5652 §11.4 and RFC 3161 Appendix A allow only among the unsigned ones."""

ONLY_SIGNED = frozenset(
    {
        "content_type",
        "message_digest",
        "signing_time",
        "signing_certificate",
        "signing_certificate_v2",
        "content_time_stamp",
    }
)
"""Attributes that must not stand among the unsigned ones (RFC 5652 §11.1-11.3, RFC 5035 §5, EN 319 122-1
§5.2.8).
"""

_UTC_TIME = re.compile(rb"\d{12}Z")
_GENERALIZED_TIME = re.compile(rb"\d{14}Z")


class MalformedError(ValueError):
    """A signature that breaks its format's rules: TOTAL_FAILED / FORMAT_FAILURE."""


@dataclass(frozen=True, slots=True)
class Integral:
    """Outcome of the integrity step.

    Attributes:
        verdict: with everything that integrity knows; TOTAL_PASSED when the signature holds.
        certificate: the signer's; ``None`` when it was not found.
        tokens: the judged time-stamps.
    """

    verdict: Verdict
    certificate: x509.Certificate | None = None
    tokens: tuple[JudgedToken, ...] = ()

    @property
    def holds(self) -> bool:
        """Digest and signature value hold."""
        return self.verdict.integrity is Integrity.INTACT


def check_integrity(
    signed_data: cms.SignedData, digest: bytes, imprint: Imprint, blank: Verdict, judge: Judge | None
) -> Integral:
    """Whether the one signer of ``signed_data`` signed these bytes.

    Args:
        signed_data: with exactly one SignerInfo.
        digest: of the content, with the signer's digest algorithm.
        imprint: of the content, for content time-stamps.
        blank: the verdict to fill in.
        judge: trust for the time-stamps; ``None`` judges integrity alone.
    """
    signer = signed_data["signer_infos"][0]
    attributes = attributes_of(signer)
    verdict = replace(blank, algorithms=algorithm_names(signer), claimed_time=_claimed_time(attributes))
    certificate: x509.Certificate | None = None
    try:
        check_structure(signer, signed_data["encap_content_info"]["content_type"].native)
        certificate = signer_certificate(signed_data, attributes)
        verdict = replace(verdict, signer=describe_certificate(certificate), role=role_of(certificate))
        content_type = signed_data["encap_content_info"]["content_type"].native
        intact, valid = integrity(signer, certificate, content_type, digest, attributes)
    except (MalformedError, CMSStructuralError) as error:
        return Integral(failed(verdict, "FORMAT_FAILURE", str(error.args[0])), certificate)
    except SignatureValidationError as error:
        return Integral(_refused(verdict, error), certificate)
    if not intact:
        return Integral(
            failed(verdict, "HASH_FAILURE", "the signed bytes are not those that were signed"), certificate
        )
    if not valid:
        message = "the signature value does not hold for the signing certificate's key"
        return Integral(failed(verdict, "SIG_CRYPTO_FAILURE", message), certificate)
    mismatch = _mismatch(signer["signature_algorithm"].dump(), verdict.algorithms[0])
    if mismatch:
        return Integral(failed(verdict, "FORMAT_FAILURE", f"RFC 8933: {mismatch}"), certificate)
    tokens = judge_tokens(signer, imprint, judge)
    level = level_of_cms(signer, attributes)
    verdict = replace(
        verdict,
        indication=Indication.TOTAL_PASSED,
        integrity=Integrity.INTACT,
        level=level,
        level_evaluated=judged_up_to(level),
    )
    return Integral(
        with_tokens(verdict, tokens),
        certificate,
        tokens,
    )


def judge_tokens(signer: cms.SignerInfo, imprint: Imprint, judge: Judge | None) -> tuple[JudgedToken, ...]:
    """Content and signature time-stamps of one signer."""
    stamped = imprint_of(signer["signature"].native)
    content = [judge_token(token, "content", imprint, judge) for token in content_tokens(signer)]
    return (
        *content,
        *(judge_token(token, "signature", stamped, judge) for token in signature_tokens(signer)),
    )


def with_tokens(verdict: Verdict, tokens: tuple[JudgedToken, ...]) -> Verdict:
    """The verdict with its time-stamps.

    A signature time-stamp that stamps something else was moved here from another signature: the file was
    worked on after signing, so that its verdict is not a pass, though the signature itself holds. A content
    time-stamp proves nothing that a verdict relies on, and is only reported.
    """
    if not tokens:
        return verdict
    messages = (*verdict.messages, *(token.message for token in tokens if token.message))
    verdict = replace(
        verdict,
        timestamps=tuple(token.stamp for token in tokens),
        evidence=tuple(sorted({*verdict.evidence, *(token.sha256 for token in tokens if token.sha256)})),
        messages=messages,
    )
    foreign = any(token.stamp.kind == "signature" and not token.matches for token in tokens)
    if foreign and verdict.indication is Indication.TOTAL_PASSED:
        return replace(verdict, indication=Indication.INDETERMINATE, sub_indication="SIG_CONSTRAINTS_FAILURE")
    return verdict


def apply_trust(verdict: Verdict, outcome: TrustOutcome, at: datetime, proven: datetime | None) -> Verdict:
    """The verdict with what trust says of it; a failed axis stays failed."""
    keep = verdict.indication is not Indication.TOTAL_PASSED
    return replace(
        verdict,
        indication=verdict.indication if keep else outcome.indication,
        sub_indication=verdict.sub_indication if keep else outcome.sub_indication,
        chain=outcome.chain,
        revocation=outcome.revocation,
        revocation_source=outcome.revocation_source,
        revoked_at=outcome.revoked_at,
        revocation_issued=outcome.revocation_issued,
        evidence=tuple(sorted({*verdict.evidence, *outcome.evidence})),
        best_time=proven or at,
        best_time_source="timestamp" if proven else "validation_time",
        messages=(*outcome.messages, *verdict.messages),
    )


def proven_time(tokens: tuple[JudgedToken, ...]) -> datetime | None:
    """The earliest moment at which a trusted signature time-stamp proves the signature to exist."""
    moments = [
        token.stamp.moment
        for token in tokens
        if token.stamp.kind in ("signature", "document") and token.stamp.indication is Indication.TOTAL_PASSED
    ]
    return min((moment for moment in moments if moment is not None), default=None)


def judge_trust(
    signed_data: cms.SignedData,
    digest: bytes | None,
    certificate: x509.Certificate,
    judge: Judge,
    proven: datetime | None,
) -> TrustOutcome:
    """The ladder: basic validation now, then past validation for a signature that is proven to be older.

    Args:
        signed_data: with one SignerInfo whose integrity holds.
        digest: of detached content; ``None`` for enclosed content.
        certificate: the signer's.
        judge: trust, evidence and time.
        proven: when a trusted time-stamp proves the signature to exist, else ``None``.
    """
    signer = signed_data["signer_infos"][0]
    if is_strong(signer, certificate, judge.at):
        outcome = judge.certificate(certificate)
        if outcome.passed:
            return outcome  # integrity holds already: the engine's whole routine would find the same
    outcome = judge.basic(signed_data, digest)
    if outcome.improvable is None or proven is None or not is_strong(signer, certificate, proven):
        return outcome
    return judge.past(certificate, judge.file.certificates, outcome, proven)


def check_structure(signer: cms.SignerInfo, content_type: str) -> None:
    """Refuse what RFC 5652 §5.3 and §11 forbid in a SignerInfo.

    Raises:
        MalformedError: an attribute is missing, repeated, has several values or a malformed time.
    """
    for attribute in signer["unsigned_attrs"] or ():
        if attribute["type"].native in ONLY_SIGNED:
            raise MalformedError(f"attribute {attribute['type'].native} among the unsigned ones")
    attributes = signer["signed_attrs"]
    if isinstance(attributes, core.Void) or attributes is None or not len(attributes):
        if content_type != "data":
            raise MalformedError(f"a signer without signed attributes over content of type {content_type}")
        return
    counts = Counter(attribute["type"].native for attribute in attributes)
    repeated = sorted(str(name) for name, count in counts.items() if count > 1 and name not in REPEATABLE)
    if repeated:
        raise MalformedError(f"signed attribute more than once: {', '.join(repeated)}")
    for attribute in attributes:
        name = attribute["type"].native
        if name in NEVER_SIGNED:
            raise MalformedError(f"attribute {name} among the signed ones")
        if len(attribute["values"]) != 1:
            raise MalformedError(
                f"signed attribute {name} has {len(attribute['values'])} values instead of one"
            )
        if name == "signing_time":
            _check_signing_time(attribute["values"][0])
    for required in ("content_type", "message_digest"):
        if required not in counts:
            raise MalformedError(f"signed attribute {required} is missing")


def failed(verdict: Verdict, sub_indication: str, message: str) -> Verdict:
    """The verdict as TOTAL_FAILED."""
    return replace(
        verdict,
        indication=Indication.TOTAL_FAILED,
        sub_indication=sub_indication,
        integrity=Integrity.BROKEN,
        messages=(message, *verdict.messages),
    )


def algorithm_names(signer: cms.SignerInfo) -> tuple[str, ...]:
    """Digest and signature algorithm of a signer, as asn1crypto names them (an OID where it has no name)."""
    return (
        str(signer["digest_algorithm"]["algorithm"].native),
        str(signer["signature_algorithm"]["algorithm"].native),
    )


@lru_cache(maxsize=256)
def _mismatch(signature_algorithm: bytes, digest: str) -> str:
    """Why a signature algorithm and a digest do not go together, ``""`` when they do."""
    found = CMSAlgorithmUsagePolicy.digest_combination_allowed(
        _POLICY,
        cms.SignedDigestAlgorithm.load(signature_algorithm),
        cms.DigestAlgorithm({"algorithm": digest}),
        None,
    )
    return "" if found else str(found.failure_reason)


class _Combination(CMSAlgorithmUsagePolicy):
    """Gives access to pyHanko's table of digests that a signature algorithm implies."""


_POLICY = _Combination()


def _check_signing_time(value: cms.Time) -> None:
    chosen = value.chosen
    pattern = _UTC_TIME if isinstance(chosen, core.UTCTime) else _GENERALIZED_TIME
    if not pattern.fullmatch(chosen.contents):
        raise MalformedError("signing-time is not in the form of RFC 5652 §11.3")


def _claimed_time(attributes: Mapping[str, cms.CMSAttribute]) -> datetime | None:
    try:
        moment = attributes["signing_time"]["values"][0].native
    except (KeyError, ValueError, TypeError, IndexError):
        return None
    if not isinstance(moment, datetime):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _refused(verdict: Verdict, error: SignatureValidationError) -> Verdict:
    sub = error.ades_subindication
    name = str(sub.standard_name) if sub is not None else "FORMAT_FAILURE"
    if name in ("FORMAT_FAILURE", "GENERIC"):
        return failed(verdict, "FORMAT_FAILURE", error.failure_message)
    return replace(
        verdict,
        indication=Indication.INDETERMINATE,
        sub_indication=name,
        messages=(error.failure_message, *verdict.messages),
    )
