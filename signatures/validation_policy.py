"""How the engine is told to validate: offline, with our algorithms, for the uses that signatures need."""

from __future__ import annotations

from typing import NoReturn

from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.fetchers.api import FetcherBackend
from pyhanko_certvalidator.policy_decl import (
    REQUIRE_REVINFO,
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
)
from pyhanko_certvalidator.registry import TrustManager

from signatures.algorithms import ArchivePolicy

SIGNER_KEY_USAGE = KeyUsageConstraints(key_usage=frozenset({"digital_signature", "non_repudiation"}))
"""A signer's certificate carries one of the two (RFC 5280 §4.2.1.3): person certificates often lack
nonRepudiation.
"""

TSA_KEY_USAGE = TimestampSignatureStatus.default_usage_constraints()
"""A time-stamping authority's certificate carries the extended key usage timeStamping (RFC 3161 §2.3)."""


class NoNetwork(FetcherBackend):
    """A fetcher that cannot fetch: a second bar should a policy ever ask for the network."""

    def get_fetchers(self) -> NoReturn:
        """Refuse."""
        raise RuntimeError("signature validation tried to reach the network")


def policy_for(
    anchors: TrustManager, revocation: RevocationCheckingPolicy = REQUIRE_REVINFO
) -> CertValidationPolicySpec:
    """The policy for chains to ``anchors``; revocation information is required by default."""
    return CertValidationPolicySpec(
        trust_manager=anchors,
        revinfo_policy=CertRevTrustPolicy(revocation),
        algorithm_usage_policy=ArchivePolicy(),
    )
