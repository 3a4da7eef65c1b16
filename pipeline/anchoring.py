"""Anchoring the ledger and bringing the anchor out of the database: into the folders, and under a time-stamp."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from archive.anchor_files import publish
from archive.anchor_tokens import judge_stamp
from archive.anchors import Anchored, Stamp, latest_anchor, make_anchor
from archive.audit_anchors import StampedAnchor
from pipeline.settings import Settings
from pipeline.stages import Stores
from pipeline.time_stamping import stamp_by
from schemas.errors import LienthongError

_RENEWAL = timedelta(days=30)
"""An authority's certificate that ends sooner calls for a new time-stamp, even where nothing has happened."""


@dataclass(frozen=True, slots=True)
class AnchoredLedger:
    """What an anchoring came to.

    Attributes:
        anchored: the newest anchor; ``None`` for an empty ledger.
        published: files added to the folders.
        failures: sentences on what was not reached: a folder, the authority.
    """

    anchored: Anchored | None
    published: int
    failures: tuple[str, ...]


def anchor_ledger(
    settings: Settings, stores: Stores, *, stamp: Stamp | None = None, now: datetime | None = None
) -> AnchoredLedger:
    """Anchor what is new, and add to every folder what it lacks. Repeated, it changes nothing.

    Args:
        settings: where the folders are, and the authority's URL.
        stores: the archive.
        stamp: asks the authority; by default the one of ``settings``.
        now: the clock, aware; the present by default.

    Raises:
        FatalError: the ledger is not the one that was anchored. RetriableError: the database is away.
    """
    at = now or datetime.now(UTC)
    if stamp is None and settings.time_stamps:
        stamp = stamp_by(settings.time_stamps)
    renew = stamp is not None and _needs_stamp(stores, at)
    done = make_anchor(stores.engine, stores.objects, stamp=stamp, renew=renew, now=at)
    failures = [done.stamp_failure] if done and done.stamp_failure else []
    published = 0
    for folder in settings.anchors:
        try:
            published += publish(stores.engine, stores.objects, folder)
        except LienthongError as error:
            failures.append(str(error))
    return AnchoredLedger(done, published, tuple(failures))


def anchored_value(done: AnchoredLedger) -> dict[str, object]:
    """``done`` as JSON values; ``number`` is ``None`` for an empty ledger."""
    anchored = done.anchored
    return {
        "number": anchored.anchor.number if anchored else None,
        "tree_size": anchored.anchor.tree_size if anchored else 0,
        "root": anchored.anchor.root if anchored else None,
        "head": anchored.anchor.head if anchored else None,
        "record_sha256": anchored.record_sha256 if anchored else None,
        "time_stamped": anchored is not None and anchored.token_sha256 is not None,
        "made": anchored is not None and anchored.made,
        "published": done.published,
        "failures": list(done.failures),
    }


def _needs_stamp(stores: Stores, at: datetime) -> bool:
    """Whether the last anchor has no time-stamp, or one whose authority's certificate ends soon."""
    last = latest_anchor(stores.engine, stores.objects)
    if last is None:
        return False
    if last.token_sha256 is None:
        return True
    record, reply = _read(stores, last.record_sha256), _read(stores, last.token_sha256)
    stamped = StampedAnchor(last.anchor.number, record, reply)
    ends = judge_stamp(stamped, None, at).judged.stamp.tsa_not_after
    return ends is None or ends < at + _RENEWAL


def _read(stores: Stores, sha256: str) -> bytes:
    with stores.objects.open(sha256) as stream:
        return stream.read()
