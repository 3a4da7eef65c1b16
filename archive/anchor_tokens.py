"""The time-stamps of anchors (RFC 3161): do they hold, and who vouches for them.

The newest is judged as of now. An older one, whose authority's certificate may have expired since, is judged as of the
time-stamp of an anchor that names it: that one proves that it existed before (the renewal of RFC 4998 §5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import cms, core, tsp

from archive.audit_anchors import StampedAnchor
from signatures.chain import Judge
from signatures.timestamps import JudgedToken, imprint_of, judge_token
from signatures.trust import TrustStore
from signatures.verdict import Indication, TimeStamp


@dataclass(frozen=True, slots=True)
class JudgedStamp:
    """A time-stamp with its verdict.

    Attributes:
        number: of the anchor.
        judged: the token's verdict; ``matches`` says whether it is over the anchor's record.
    """

    number: int
    judged: JudgedToken

    @property
    def passed(self) -> bool:
        """It is over this record, and a trusted authority vouches for it."""
        return self.judged.matches and self.judged.stamp.indication is Indication.TOTAL_PASSED


class TimeStampReply(core.Sequence):  # type: ignore[misc]
    """``TimeStampResp`` of RFC 3161 §2.4.2; asn1crypto's own cannot hold a refusal, which has no token."""

    _fields = [("status", tsp.PKIStatusInfo), ("time_stamp_token", cms.ContentInfo, {"optional": True})]  # noqa: RUF012


def token_of(reply: bytes) -> bytes:
    """The token in a reply, DER. Raises ``ValueError`` when it is no reply, or grants nothing."""
    response = TimeStampReply.load(reply, strict=True)
    status = str(response["status"]["status"].native)
    if status not in ("granted", "granted_with_mods"):
        raise ValueError(f"the time-stamping authority refused: {status}")
    return bytes(response["time_stamp_token"].dump())


def judge_stamps(
    stamps: Sequence[StampedAnchor], trust: TrustStore | None, now: datetime
) -> list[JudgedStamp]:
    """The verdicts on ``stamps``, newest first; without ``trust`` on their integrity alone."""
    judged = []
    proven = now
    for stamp in sorted(stamps, key=lambda one: one.number, reverse=True):
        found = judge_stamp(stamp, trust, now)
        if not found.passed and proven < now:
            then = judge_stamp(stamp, trust, proven, known_until=now)
            found = then if then.passed else found
        if found.passed and found.judged.stamp.moment is not None:
            proven = min(proven, found.judged.stamp.moment)
        judged.append(found)
    return judged


def judge_stamp(
    stamp: StampedAnchor, trust: TrustStore | None, at: datetime, known_until: datetime | None = None
) -> JudgedStamp:
    """The verdict on one, as of ``at``; without ``trust`` on its integrity alone."""
    judge = None if trust is None else Judge(trust, at, known_until=known_until)
    try:
        token = token_of(stamp.reply)
    except (ValueError, TypeError) as error:
        unreadable = TimeStamp("archive", None, "", Indication.TOTAL_FAILED, "FORMAT_FAILURE")
        return JudgedStamp(stamp.number, JudgedToken(unreadable, False, "", str(error)))
    return JudgedStamp(stamp.number, judge_token(token, "archive", imprint_of(stamp.record), judge))
