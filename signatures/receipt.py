"""What the archive's own receipt proves: a signature that was received then existed then.

A signature without a time-stamp is judged by the day of its check. Once its certificate has expired or was
revoked, that day is too late, and the recorded receipt takes its place: basic validation as of the receipt,
with the lists of that time (ETSI EN 319 102-1 §5.6.2.3, proof of existence from the driving application).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from signatures.verdict import Indication, Integrity, Verdict

LATE: frozenset[str] = frozenset(
    {
        "REVOKED_NO_POE",
        "REVOKED_CA_NO_POE",
        "OUT_OF_BOUNDS_NO_POE",
        "OUT_OF_BOUNDS_NOT_REVOKED",
        "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
        "REVOCATION_OUT_OF_BOUNDS_NO_POE",
    }
)
"""Sub-indications that an older proof of existence can mend."""


def by_receipt(now: list[Verdict], received_at: datetime, then: Callable[[], list[Verdict]]) -> list[Verdict]:
    """The verdicts ``now`` with what the receipt at ``received_at`` adds.

    Args:
        now: of one file, at the time of the check.
        received_at: the recorded receipt of the file's bytes.
        then: gives the verdicts as of the receipt, refusing what any later list says was revoked before it;
            asked only when a verdict of ``now`` came too late.
    """
    if not any(_is_late(verdict, received_at) for verdict in now):
        return [_dated(verdict, received_at) for verdict in now]
    earlier = {(verdict.path, position): verdict for position, verdict in enumerate(then())}
    return [
        _mended(verdict, earlier.get((verdict.path, position)), received_at)
        for position, verdict in enumerate(now)
    ]


def is_provisional(verdict: Verdict) -> bool:
    """Whether a pass still waits for a list that was issued after the signature is known to have existed."""
    if verdict.indication is not Indication.TOTAL_PASSED or verdict.best_time is None:
        return False
    return verdict.revocation_issued is None or verdict.revocation_issued <= verdict.best_time


def _is_late(verdict: Verdict, received_at: datetime) -> bool:
    if verdict.indication is not Indication.INDETERMINATE or verdict.integrity is not Integrity.INTACT:
        return False
    if verdict.revoked_at is not None and verdict.revoked_at <= received_at:
        return False
    return verdict.sub_indication in LATE


def _mended(verdict: Verdict, earlier: Verdict | None, received_at: datetime) -> Verdict:
    if earlier is None or not _is_late(verdict, received_at):
        return _dated(verdict, received_at)
    if earlier.indication is not Indication.TOTAL_PASSED:
        return verdict
    source = earlier.best_time_source
    return replace(
        earlier,
        best_time_source="archive_receipt" if source == "validation_time" else source,
        revocation="revoked" if verdict.revoked_at else earlier.revocation,
        revoked_at=verdict.revoked_at,
        revocation_issued=verdict.revocation_issued or earlier.revocation_issued,
        evidence=tuple(sorted({*verdict.evidence, *earlier.evidence})),
        messages=(
            f"{verdict.sub_indication} at validation time; the archive received it before that",
            *earlier.messages,
        ),
        verified_at=verdict.verified_at,
    )


def _dated(verdict: Verdict, received_at: datetime) -> Verdict:
    """A signature that nothing else dates existed at the latest when it was received."""
    if verdict.best_time_source != "validation_time":
        return verdict
    return replace(verdict, best_time=received_at, best_time_source="archive_receipt")
