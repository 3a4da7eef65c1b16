"""Chains, revocation and past validation: what trust says of an intact signature.

Everything is decided offline, with revocation information required for every certificate below the anchor. A
chain without it, or an engine's doubt, is INDETERMINATE and never a pass (ETSI EN 319 102-1 §5.2.6, §5.6.2).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias, TypeVar

from asn1crypto import cms, x509
from pyhanko.sign.ades.report import AdESIndeterminate, AdESStatus, AdESSubIndic
from pyhanko.sign.validation.ades import ades_basic_validation
from pyhanko.sign.validation.generic_cms import CertvalidatorOperationResult, validate_cert_usage
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    LocalKnowledge,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
    bootstrap_validation_data_handlers,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import RevocationDetails
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.errors import PathBuildingError, ValidationError
from pyhanko_certvalidator.ltv.ades_past import past_validate
from pyhanko_certvalidator.ltv.poe import KnownPOE, POEManager, POEType, digest_for_poe
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    NO_REVOCATION,
    REQUIRE_REVINFO,
)
from pyhanko_certvalidator.registry import PathBuilder
from pyhanko_certvalidator.revinfo.archival import OCSPContainer

from signatures.algorithms import ArchivePolicy
from signatures.cms_signer import certificates_of
from signatures.revocation import (
    RevocationList,
    fingerprints,
    first_revocation,
    newest_source,
    none_revoked,
)
from signatures.trust import TrustStore
from signatures.trust_outcome import IMPROVABLE, INDICATIONS, FileEvidence, TrustOutcome, explain
from signatures.validation_policy import SIGNER_KEY_USAGE, TSA_KEY_USAGE, NoNetwork, policy_for
from signatures.verdict import Indication

Result = TypeVar("Result")
_Revocation: TypeAlias = tuple[list[RevocationList], list[OCSPContainer]]

_MOST_OUTCOMES = 4096
"""Outcomes kept a trust store and process; an office has some hundreds of signers."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Trust, evidence and moment of one file's validation. Made anew per file: nothing of one file reaches
    the next.

    Attributes:
        trust: the operator's trust material.
        at: validation time, aware.
        file: what the file brings along.
        known_until: lists that were issued up to here are asked too whether they name a revocation by ``at``;
            ``None`` for those up to ``at`` alone.
    """

    trust: TrustStore
    at: datetime
    file: FileEvidence = field(default_factory=FileEvidence)
    known_until: datetime | None = None

    @property
    def timing(self) -> ValidationTimingInfo:
        """The validation time for the engine; without proof of existence the signature is as young as it."""
        return ValidationTimingInfo(self.at, self.at, point_in_time_validation=True)

    def spec(
        self,
        subjects: Sequence[x509.Certificate] = (),
        past: x509.Certificate | None = None,
        moments: Collection[datetime] = (),
    ) -> SignatureValidationSpec:
        """The engine's settings.

        Args:
            subjects: the certificates that are asked about, where the file's evidence does not hold them.
            past: the certificate for whose past validation they are. Lists that its issuer made after it
                expired no longer name it, so that the engine must not see them.
            moments: whose lists it may see besides: past validation slides back to them.
        """
        certificates = [*self.trust.known_certificates, *self.file.certificates]
        asked = (*subjects, *certificates)
        lists = self._lists_on(asked, moments)
        answers = self._answers_on(asked, moments)
        crls = [item.container for item in lists if self._usable(item, past)]
        ocsps = [item for item in answers if item.issuance_date and item.issuance_date <= self.at]
        return SignatureValidationSpec(
            cert_validation_policy=policy_for(self.trust.signer_anchors),
            ts_cert_validation_policy=policy_for(self.trust.tsa_anchors),
            revinfo_gathering_policy=RevocationInfoGatheringSpec(
                RevinfoOnlineFetchingRule.LOCAL_ONLY, NoNetwork(), CertificateFetchingRule.NEVER_FETCH
            ),
            local_knowledge=LocalKnowledge(
                known_certs=certificates,
                known_crls=crls,
                known_ocsps=ocsps,
                known_poes=self._known_times(lists, answers),
            ),
            key_usage_settings=SIGNER_KEY_USAGE,
            signature_algorithm_policy=ArchivePolicy(),
        )

    def basic(self, signed_data: cms.SignedData, digest: bytes | None) -> TrustOutcome:
        """Basic validation at ``at`` (EN 319 102-1 §5.3) of one SignerInfo; ``digest`` is ``None`` for
        enclosed content.
        """
        result = run(
            ades_basic_validation(
                signed_data,
                self.spec(certificates_of(signed_data)),
                timing_info=self.timing,
                raw_digest=digest,
            )
        )
        status = result.api_status
        message = result.failure_msg or ""
        return self.outcome(
            result.ades_subindic,
            certificate=getattr(status, "signing_cert", None),
            path=getattr(status, "validation_path", None),
            revoked=getattr(status, "revocation_details", None),
            message=message,
        )

    def past(
        self,
        certificate: x509.Certificate,
        others: tuple[x509.Certificate, ...],
        now: TrustOutcome,
        proven: datetime,
    ) -> TrustOutcome:
        """Past certificate validation (EN 319 102-1 §5.6.2.1, §5.6.2.4) of a signature that existed at
        ``proven``.

        pyHanko's own past signature validation is not used: it asks the wall clock, and it turns its own
        failure into the pass of an earlier step. The path algorithm below it (time sliding) is.

        Returns:
            A pass, or ``now`` unchanged.
        """
        if not certificate.not_valid_before <= proven <= certificate.not_valid_after:
            return now
        if now.revoked_at is not None and now.revoked_at <= proven:
            return now
        try:
            SIGNER_KEY_USAGE.validate(certificate)
        except ValidationError:
            return now
        moments = {proven, now.revoked_at or proven}
        path = run(self._path_at(certificate, others, proven, moments))
        outcome = None if path is None else self.outcome(None, certificate, path, None, "", moment=proven)
        if outcome is None or not outcome.passed:
            return now
        return replace(
            outcome,
            revocation="revoked" if now.revoked_at else "checked",
            revoked_at=now.revoked_at,
            messages=(f"{now.sub_indication} at validation time; the signature is proven to be older",),
            best_time=proven,
        )

    def certificate(
        self,
        certificate: x509.Certificate,
        others: tuple[x509.Certificate, ...] = (),
        *,
        of_tsa: bool = False,
    ) -> TrustOutcome:
        """The chain of a signer's certificate at ``at``, or of a time-stamping authority's.

        It depends on nothing but what the key below names, so that the few signers of an office are asked
        for once a process and not once a document.
        """
        key = (
            of_tsa,
            self.at,
            self.known_until,
            certificate.sha256,
            tuple(item.sha256 for item in others),
            tuple(item.sha256 for item in self.file.certificates),
            tuple(item.sha256 for item in self.file.crls),
            tuple(digest_for_poe(item.ocsp_response_data.dump()) for item in self.file.ocsps),
        )
        known = self.trust.outcomes
        if key not in known:
            if len(known) >= _MOST_OUTCOMES:
                known.clear()
            known[key] = self._certificate(certificate, others, of_tsa=of_tsa)
        outcome = known[key]
        assert isinstance(outcome, TrustOutcome)
        return outcome

    def _certificate(
        self, certificate: x509.Certificate, others: tuple[x509.Certificate, ...], *, of_tsa: bool
    ) -> TrustOutcome:
        anchors = self.trust.tsa_anchors if of_tsa else self.trust.signer_anchors
        usage = TSA_KEY_USAGE if of_tsa else SIGNER_KEY_USAGE
        # A list of 100,000 entries costs the engine a third of a second each time. Where a chain holds and our
        # index of the lists clears all of it, nothing is left for the engine to find; any other answer is its own.
        plain = self._validated(certificate, others, usage, policy_for(anchors, NO_REVOCATION))
        if plain.success_result is not None:
            chain = [*plain.success_result.iter_certs(include_root=True)][::-1]
            if len(chain) > 1 and none_revoked(chain, self._used(chain)[0], self.at):
                return self.outcome(None, certificate, plain.success_result, None, "")
        result = self._validated(certificate, others, usage, policy_for(anchors, REQUIRE_REVINFO))
        return self.outcome(
            result.error_subindic,
            certificate=certificate,
            path=result.success_result or result.error_path,
            revoked=result.revo_details,
            message="",
        )

    def _validated(
        self,
        certificate: x509.Certificate,
        others: tuple[x509.Certificate, ...],
        usage: KeyUsageConstraints,
        policy: CertValidationPolicySpec,
    ) -> CertvalidatorOperationResult[ValidationPath]:
        spec = self.spec((certificate, *others))
        handlers = bootstrap_validation_data_handlers(spec, timing_info=self.timing)
        context = policy.build_validation_context(self.timing, handlers)
        context.certificate_registry.register_multiple(others)

        async def check() -> CertvalidatorOperationResult[ValidationPath]:
            paths = context.path_builder.async_build_paths_lazy(certificate)
            return await validate_cert_usage(certificate, context, usage, paths)

        return run(check())

    def outcome(
        self,
        sub: AdESSubIndic | None,
        certificate: x509.Certificate | None,
        path: ValidationPath | None,
        revoked: RevocationDetails | None,
        message: str,
        moment: datetime | None = None,
    ) -> TrustOutcome:
        """An engine's answer as a ``TrustOutcome``; ``None`` for ``sub`` means that nothing was found
        wrong.
        """
        passed = sub is None or sub.status is AdESStatus.PASSED
        chain = [*path.iter_certs(include_root=True)][::-1] if path is not None else []
        if certificate is not None and certificate not in chain:
            chain = [certificate, *chain]
        used, answers = self._used(chain)
        messages = (message,) if message else ()
        revoked_at = revoked.revocation_date if revoked else None
        evidence = tuple(sorted({*fingerprints(used), *map(_answer_sha256, answers)}))
        source = newest_source(certificate, used, answers)[0]
        issued = newest_source(certificate, *self._vouched(used, answers))[1]
        self._remember(chain, used, answers)
        if passed and (
            listed := first_revocation(chain, *self._naming(chain, (used, answers)), moment or self.at)
        ):
            return TrustOutcome(
                Indication.INDETERMINATE,
                AdESIndeterminate.REVOKED_NO_POE.standard_name,
                chain=tuple(item.sha256.hex() for item in chain),
                revocation="revoked",
                revocation_source=source,
                revoked_at=listed,
                revocation_issued=issued,
                evidence=evidence,
                messages=(
                    "a certificate of the chain is named in a revocation list that the engine left out",
                ),
            )
        revocation = "checked" if passed else "revoked" if revoked else "unknown"
        return TrustOutcome(
            Indication.TOTAL_PASSED if sub is None else INDICATIONS[sub.status],
            "" if passed or sub is None else str(sub.standard_name),
            chain=tuple(item.sha256.hex() for item in chain),
            revocation=revocation,
            revocation_source=source,
            revoked_at=revoked_at,
            revocation_issued=issued,
            evidence=evidence,
            messages=messages if passed else (*messages, *explain(sub)),
            improvable=sub if isinstance(sub, AdESIndeterminate) and sub in IMPROVABLE else None,
        )

    async def _path_at(
        self,
        certificate: x509.Certificate,
        others: tuple[x509.Certificate, ...],
        proven: datetime,
        moments: Collection[datetime],
    ) -> ValidationPath | None:
        spec = self.spec((certificate, *others), certificate, moments)
        policy = spec.cert_validation_policy
        poes = POEManager(current_dt_override=self.at)
        for poe in spec.local_knowledge.known_poes:
            poes.register_known_poe(poe)
        handlers = bootstrap_validation_data_handlers(spec, is_historical=True, poe_manager_override=poes)
        handlers.cert_registry.register_multiple(others)
        paths = PathBuilder(policy.trust_manager, handlers.cert_registry).async_build_paths_lazy(certificate)
        try:
            async for path in paths:
                try:
                    control = await past_validate(path, policy, handlers, init_control_time=self.at)
                except ValidationError:
                    continue
                if proven <= control and poes[_issuer_in(path)] <= certificate.not_valid_after:
                    return path
        except PathBuildingError:
            return None
        finally:
            await paths.cancel()
        return None

    def _usable(self, item: RevocationList, past: x509.Certificate | None) -> bool:
        if item.issued > self.at:
            return False
        return past is None or item.issuer != past.issuer or item.issued <= past.not_valid_after

    def _known_times(
        self, lists: Sequence[RevocationList], answers: Sequence[OCSPContainer]
    ) -> list[KnownPOE]:
        """Existence of what is in the trust folder and in the file.

        The operator vouches for the folder's CA certificates over their whole life, as an anchor is vouched
        for; all the rest exists since ``at``, which also keeps the engine from asking the wall clock.
        """
        times = [
            KnownPOE(POEType.PROVIDED, digest_for_poe(item.dump()), max(item.not_valid_before, _EPOCH))
            for item in self.trust.known_certificates
        ]
        held = [digest_for_poe(item.dump()) for item in self.file.certificates]
        held += [item.sha256 for item in lists]
        held += [digest_for_poe(item.ocsp_response_data.dump()) for item in answers]
        times += [KnownPOE(POEType.PROVIDED, digest, self.at) for digest in held]
        return times

    def _used(self, chain: Sequence[x509.Certificate]) -> _Revocation:
        """The lists and answers that speak of ``chain``, issued by ``at``."""
        issuers = {item.issuer.hashable for item in chain}
        serials = {item.serial_number for item in chain}
        lists = [
            item
            for item in self._lists_on(chain)
            if item.issuer.hashable in issuers and item.issued <= self.at
        ]
        answers = [
            item
            for item in self._answers_on(chain)
            if _serial_of(item) in serials and item.issuance_date and item.issuance_date <= self.at
        ]
        return lists, answers

    def _vouched(self, lists: list[RevocationList], answers: list[OCSPContainer]) -> _Revocation:
        """Without what the file brings: whoever made it could have dated its lists as he liked."""
        return (
            [item for item in lists if item not in self.file.crls],
            [item for item in answers if item not in self.file.ocsps],
        )

    def _naming(self, chain: Sequence[x509.Certificate], used: _Revocation) -> _Revocation:
        if self.known_until is None:
            return used
        return replace(self, at=self.known_until, known_until=None)._used(chain)

    def _moments(self, certificates: Sequence[x509.Certificate]) -> set[datetime]:
        """When lists matter: now, and for an expired certificate the last moment at which they named it."""
        return {min(self.at, item.not_valid_after) for item in certificates} | {self.at}

    def _lists_on(
        self, certificates: Sequence[x509.Certificate], moments: Collection[datetime] = ()
    ) -> tuple[RevocationList, ...]:
        return (*self.trust.lists(self._moments(certificates).union(moments)), *self.file.crls)

    def _answers_on(
        self, certificates: Sequence[x509.Certificate], moments: Collection[datetime] = ()
    ) -> tuple[OCSPContainer, ...]:
        serials = (item.serial_number for item in certificates)
        return (*self.trust.answers(serials, self._moments(certificates).union(moments)), *self.file.ocsps)

    def _remember(
        self,
        chain: Sequence[x509.Certificate],
        lists: Sequence[RevocationList],
        answers: Sequence[OCSPContainer],
    ) -> None:
        """Leave what was relied on to ``trust.seen``, from where the archive keeps it as evidence."""
        seen = self.trust.seen
        if len(seen) >= _MOST_OUTCOMES:
            seen.clear()
        for certificate in chain:
            seen.setdefault(certificate.sha256.hex(), certificate.dump())
        for item in lists:
            if item.sha256.hex() not in seen:
                seen[item.sha256.hex()] = item.container.crl_data.dump()
        for answer in answers:
            seen.setdefault(_answer_sha256(answer), answer.ocsp_response_data.dump())


def run(work: Coroutine[object, object, Result]) -> Result:
    """Drive one of the engine's coroutines; it never waits for anything, because nothing is fetched."""
    return asyncio.run(work)


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _answer_sha256(answer: OCSPContainer) -> str:
    return hashlib.sha256(answer.ocsp_response_data.dump()).hexdigest()


def _serial_of(answer: OCSPContainer) -> int | None:
    single = answer.extract_single_response()
    return None if single is None else int(single["cert_id"]["serial_number"].native)


def _issuer_in(path: ValidationPath) -> x509.Certificate:
    """The CA certificate that issued the path's leaf and thereby its lists."""
    issuer: x509.Certificate = list(path.iter_certs(include_root=True))[-2]
    return issuer
