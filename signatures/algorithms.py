"""Until when an algorithm or a key size was strong enough to carry a signature.

A signature whose existence is proven before the cut-off keeps its strength; later, or without proof, it is
CRYPTO_CONSTRAINTS_FAILURE(_NO_POE) (ETSI EN 319 102-1 §5.2.8). The table holds what the archive refuses; what
it does not name is accepted when an engine can compute it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import algos, keys
from pyhanko.sign.validation.utils import CMSAlgorithmUsagePolicy
from pyhanko_certvalidator.policy_decl import AlgorithmUsageConstraint


@dataclass(frozen=True, slots=True)
class CutOff:
    """When an algorithm stopped being acceptable.

    Attributes:
        not_after: last acceptable moment, aware; ``None`` when it never was acceptable.
        source: who says so.
    """

    not_after: datetime | None
    source: str


_ETSI = "ETSI TS 119 312 V1.4.3 and ETSI TS 102 176-1 V2.1.1 (algorithm papers)"
_NIST = "NIST SP 800-131A Rev. 2, table 2 and table 8"

DIGESTS: dict[str, CutOff] = {
    "md2": CutOff(None, "RFC 6149"),
    "md4": CutOff(None, "RFC 6150"),
    "md5": CutOff(datetime(2004, 8, 1, tzinfo=UTC), f"{_ETSI}; RFC 6151"),
    "sha1": CutOff(datetime(2012, 8, 1, tzinfo=UTC), f"{_ETSI}; {_NIST}"),
    "ripemd160": CutOff(datetime(2014, 8, 1, tzinfo=UTC), _ETSI),
}
"""Digests by their asn1crypto name."""

MINIMUM_BITS: dict[str, tuple[tuple[int, CutOff], ...]] = {
    "rsa": (
        (1024, CutOff(None, "RSA-768 was factored in 2009; below 1024 bits nothing is accepted")),
        (1900, CutOff(datetime(2019, 10, 1, tzinfo=UTC), _ETSI)),
    ),
    "dsa": (
        (1024, CutOff(None, _NIST)),
        (2048, CutOff(datetime(2015, 12, 1, tzinfo=UTC), _ETSI)),
    ),
    "ec": (
        (160, CutOff(None, _NIST)),
        (224, CutOff(datetime(2012, 8, 1, tzinfo=UTC), _ETSI)),
    ),
}
"""Per key family: keys below so many bits fall under the cut-off. Ascending; the first that fits decides."""


def digest_cut_off(name: str) -> CutOff | None:
    """The cut-off of a digest (``sha1``, ``sha256`` …), ``None`` when it has none."""
    return DIGESTS.get(name.lower().replace("-", ""))


def key_cut_off(family: str, bits: int) -> CutOff | None:
    """The cut-off of a key of ``family`` (``rsa``, ``dsa``, ``ec``) with ``bits`` bits, ``None`` when it has
    none.
    """
    for below, cut_off in MINIMUM_BITS.get(family, ()):
        if bits < below:
            return cut_off
    return None


def cut_off_dates() -> dict[str, str | None]:
    """Every cut-off of the tables as ISO 8601, by the name of the digest or ``family<bits``; ``None``: never strong."""
    named = list(DIGESTS.items())
    named += [
        (f"{family}<{bits}", cut_off) for family, rows in MINIMUM_BITS.items() for bits, cut_off in rows
    ]
    return {name: cut.not_after.isoformat() if cut.not_after else None for name, cut in named}


class ArchivePolicy(CMSAlgorithmUsagePolicy):
    """The table as pyHanko and certvalidator ask for it."""

    def digest_algorithm_allowed(
        self, algo: algos.DigestAlgorithm, moment: datetime | None
    ) -> AlgorithmUsageConstraint:
        """Whether a digest may be relied on at ``moment``; ``None`` asks whether it ever could."""
        name = str(algo["algorithm"].native)
        return _constraint(digest_cut_off(name), moment, f"digest {name}")

    def signature_algorithm_allowed(
        self,
        algo: algos.SignedDigestAlgorithm,
        moment: datetime | None,
        public_key: keys.PublicKeyInfo | None,
    ) -> AlgorithmUsageConstraint:
        """Whether a signature algorithm with this key may be relied on at ``moment``."""
        if public_key is not None:
            family = {"rsassa_pss": "rsa"}.get(public_key.algorithm, public_key.algorithm)
            bits = _bits(public_key)
            if bits is not None:
                allowed = _constraint(key_cut_off(family, bits), moment, f"{family} key of {bits} bits")
                if not allowed:
                    return allowed
        try:
            name = str(algo.hash_algo)
        except ValueError:  # the digest is not part of the algorithm's name (Ed25519)
            return AlgorithmUsageConstraint(allowed=True)
        return _constraint(digest_cut_off(name), moment, f"digest {name}")


def _bits(public_key: keys.PublicKeyInfo) -> int | None:
    try:
        return int(public_key.bit_size)
    except (ValueError, TypeError):  # keys of one fixed size (Ed25519)
        return None


def _constraint(cut_off: CutOff | None, moment: datetime | None, what: str) -> AlgorithmUsageConstraint:
    if cut_off is None:
        return AlgorithmUsageConstraint(allowed=True)
    if cut_off.not_after is None:
        return AlgorithmUsageConstraint(
            allowed=False, failure_reason=f"{what} is never accepted ({cut_off.source})"
        )
    if moment is None or moment <= cut_off.not_after:
        return AlgorithmUsageConstraint(allowed=True)
    return AlgorithmUsageConstraint(
        allowed=False,
        not_allowed_after=cut_off.not_after,
        failure_reason=f"{what} is not accepted after {cut_off.not_after:%Y-%m-%d} ({cut_off.source})",
    )
