"""Anchoring the ledger and bringing the anchor out of the database: into the folders, and under a time-stamp."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from archive.anchor_files import AnchorFolderError, publish
from archive.anchor_tokens import judge_stamp
from archive.anchors import Anchored, Stamp, latest_anchor, make_anchor
from archive.audit_anchors import StampedAnchor
from archive.objects import ObjectStore
from pipeline.settings import Settings
from pipeline.stages import Stores
from pipeline.time_stamping import stamp_by
from pipeline.wording import LANGUAGES, Wording
from schemas.errors import ConfigurationError, LienthongError

_log = logging.getLogger(__name__)

_RENEWAL = timedelta(days=30)
"""An authority's certificate that ends sooner calls for a new time-stamp, even where nothing has happened."""


@dataclass(frozen=True, slots=True)
class AnchoredLedger:
    """What an anchoring came to.

    Attributes:
        anchored: the newest anchor; ``None`` for an empty ledger.
        published: files added to the folders.
        failures: sentences on what was not reached: a folder, the authority; on folders in Vietnamese, then English.
    """

    anchored: Anchored | None
    published: int
    failures: tuple[str, ...]


def anchor_ledger(
    settings: Settings,
    stores: Stores,
    *,
    stamp: Stamp | None = None,
    begin: Sequence[Path] = (),
    now: datetime | None = None,
) -> AnchoredLedger:
    """Anchor what is new, and add to every folder what it lacks. Repeated, it changes nothing.

    Args:
        settings: where the folders are, and the authority's URL.
        stores: the archive.
        stamp: asks the authority; by default the one of ``settings``.
        begin: of the folders of ``settings`` those that a person says are new, or to be filled anew.
        now: the clock, aware; the present by default.

    Raises:
        ConfigurationError: one of ``begin`` is no folder of ``settings``.
        FatalError: the ledger is not the one that was anchored. RetriableError: the database is away.
    """
    begin = [_own_folder(settings, folder) for folder in begin]
    at = now or datetime.now(UTC)
    if stamp is None and settings.time_stamps:
        stamp = stamp_by(settings.time_stamps)
    renew = stamp is not None and _needs_stamp(stores, at)
    done = make_anchor(stores.engine, stores.objects, stamp=stamp, renew=renew, now=at)
    failures = [done.stamp_failure] if done and done.stamp_failure else []
    published, missed = publish_everywhere(settings, stores.engine, stores.objects, begin)
    return AnchoredLedger(done, published, (*failures, *missed))


def publish_everywhere(
    settings: Settings, engine: sa.Engine, objects: ObjectStore, begin: Sequence[Path] = ()
) -> tuple[int, tuple[str, ...]]:
    """Add to every folder the anchors that it lacks; how many files, and a sentence for each folder not reached.

    Args:
        settings: where the folders are. engine, objects: of the archive.
        begin: see ``anchor_ledger``.
    """
    published, failures = 0, []
    last = latest_anchor(engine, objects)
    for number, folder in enumerate(settings.anchors):
        # The archive's own folder is made with its first anchor; one elsewhere has to be there.
        own = number == 0 and last is not None and last.anchor.number == 1 and not folder.exists()
        try:
            published += publish(engine, objects, folder, begin=own or folder in begin)
        except AnchorFolderError as error:
            failures.append(" / ".join(_sentence(error, Wording(language)) for language in LANGUAGES))
        except LienthongError as error:
            failures.append(str(error))
    return published, tuple(failures)


def publish_or_warn(settings: Settings, engine: sa.Engine, objects: ObjectStore) -> None:
    """The same after a work that anchors on its way; a folder that was not reached is told again by the next one."""
    for failure in publish_everywhere(settings, engine, objects)[1]:
        _log.warning("%s", failure)


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


def _sentence(error: AnchorFolderError, words: Wording) -> str:
    """What is wrong with a folder of anchors, and what to do."""
    return words(f"anchor_folder_{error.kind}", folder=error.folder, missing=error.missing)


def _own_folder(settings: Settings, named: Path) -> Path:
    for folder in settings.anchors:
        if folder.absolute() == named.absolute():
            return folder
    raise ConfigurationError(
        f"{named} is no folder of anchors of this archive",
        where="--begin",
        expected=" or ".join(map(str, settings.anchors)),
        action="name the folder in LIENTHONG_ANCHORS",
    )


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
