"""Which of two verdicts on one signature is in force: the later one, unless it only came too late.

Time takes nothing from a signature that was proven good: that a certificate has expired since, or that a list is
stale today, says nothing about the day of signing. A revocation from before that day does, and so do a broken
digest and an anchor that is no longer trusted (reference: ETSI EN 319 102-1 §5.6.2).
"""

from __future__ import annotations

from datetime import datetime

from signatures.receipt import LATE
from signatures.verdict import Indication, Verdict

UNPROVEN = frozenset({"TRY_LATER", "CERTIFICATE_CHAIN_GENERAL_FAILURE"})
"""Sub-indications of a check that lacked lists: a fresh one may answer it."""

_NO_ANSWER = frozenset({Indication.ERROR, Indication.UNSUPPORTED})


def replaces(later: Verdict, earlier: Verdict) -> bool:
    """Whether ``later`` takes the place of ``earlier``, a verdict in force on the same signature."""
    if later.indication in _NO_ANSWER:
        return earlier.indication in _NO_ANSWER
    if later.indication is not Indication.INDETERMINATE:
        return True
    proven = earlier.indication is Indication.TOTAL_PASSED or earlier.revoked_at is not None
    return not (proven and _is_only_late(later, earlier))


def _is_only_late(later: Verdict, earlier: Verdict) -> bool:
    if later.sub_indication in UNPROVEN:
        return True
    if later.sub_indication not in LATE:
        return False
    if later.revoked_at is None:
        return True
    return _after(later.revoked_at, earlier.best_time)


def _after(revoked: datetime, best: datetime | None) -> bool:
    return best is not None and revoked > best


def standing(earlier: list[Verdict], later: list[Verdict]) -> tuple[list[int], list[int]]:
    """What of two checks of the same file is not in force.

    Args:
        earlier: the verdicts in force before, ``later``: those of the new check, both in order.

    Returns:
        Positions in ``earlier`` that are replaced, and positions in ``later`` that do not come into force.
    """
    if any(verdict.indication in _NO_ANSWER for verdict in later) and not all(
        verdict.indication in _NO_ANSWER for verdict in earlier
    ):
        return [], list(range(len(later)))
    before: dict[tuple[str, int], int] = {}
    for position, key in enumerate(_keys(earlier)):
        before[key] = position
    replaced, late = set(range(len(earlier))), []
    for position, key in enumerate(_keys(later)):
        known = before.get(key)
        if known is not None and not replaces(later[position], earlier[known]):
            replaced.discard(known)
            late.append(position)
    return sorted(replaced), late


def _keys(verdicts: list[Verdict]) -> list[tuple[str, int]]:
    """A signature's path, and its number among those of the same path."""
    seen: dict[str, int] = {}
    keys = []
    for verdict in verdicts:
        seen[verdict.path] = seen.get(verdict.path, 0) + 1
        keys.append((verdict.path, seen[verdict.path]))
    return keys
