"""Verifying again what an event concerns: new lists, other anchors, the end of an algorithm or a certificate.

    take in → find the files concerned, by index → judge them as of now, with their receipt → record

Each batch is one transaction, and a run that was killed goes on with what it has not recorded. The lists count as
known only when all of it is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from cryptography import x509
from cryptography.x509 import ocsp

from archive.affected import Affected, Ended, Events, NewList, Trusted, affected
from archive.canonical import Json
from archive.manifest import FileVerdict, read_manifest
from archive.rechecks import (
    Check,
    ToCheck,
    finish_verification,
    known_lists,
    last_policy,
    record,
    start_verification,
    to_check,
)
from pipeline.authorities import Tree
from pipeline.judge import Bench
from pipeline.settings import Settings
from pipeline.stages import Stores
from signatures.algorithms import cut_off_dates
from signatures.evidence_store import Shelved
from signatures.trust import TrustStore, load_trust
from signatures.trust_intake import Taken, take

_BATCH = 100
"""Versions a transaction."""


@dataclass(frozen=True, slots=True)
class Reverified:
    """What a run of verification came to.

    Attributes:
        run: its identity; ``""`` for a dry run.
        new_lists: lists and answers whose consequences were drawn.
        reasons: versions concerned by reason; one version may have several.
        versions, files: that were (of a dry run: would be) verified again.
        changed: files of which another verdict is in force than before.
    """

    run: str
    new_lists: int
    reasons: Mapping[str, int]
    versions: int
    files: int
    changed: int


def take_in(settings: Settings, now: datetime) -> list[Taken]:
    """Empty the drop folders of the trust folder; nothing where there is no trust folder."""
    return take(settings.trust, now) if settings.trust.is_dir() else []


def reverify(
    settings: Settings,
    stores: Stores,
    run_key: str,
    *,
    why: str = "",
    everything: bool = False,
    dry_run: bool = False,
    now: datetime | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Reverified:
    """Verify again what the events since the last run concern.

    Args:
        settings: where the trust folder is.
        stores: the archive.
        run_key: the caller's identity of the run; a repeated one goes on.
        why: a person's own words for the record.
        everything: all archived signatures, whatever happened.
        dry_run: only count; writes nothing, and takes nothing in.
        now: the clock of a new run, aware; the present by default.
        on_progress: told how many versions are done, and of how many.
    """
    at = now or datetime.now(UTC)
    trust = load_trust(settings.trust)
    if dry_run:
        events = _events(stores, trust, at, everything)
        return _told("", events, affected(stores.engine, events))
    run = start_verification(stores.engine, run_key, why, trust.epoch, cut_off_dates(), at)
    events = replace(_events(stores, trust, run.started, everything), now=run.started)
    found = to_check(stores.engine, affected(stores.engine, events, run.id))
    for start in range(0, len(found), _BATCH):
        part = found[start : start + _BATCH]
        checks = [_check(stores, trust, run.started, item) for item in part]
        record(stores.engine, stores.objects, run, checks, run.started)
        on_progress(start + len(part), len(found))
    totals = finish_verification(stores.engine, run, events.lists, at)
    told = _told(str(run.id), events, [item.affected for item in found])
    return replace(told, files=totals.files, changed=totals.changed)


def _told(run: str, events: Events, found: Sequence[Affected]) -> Reverified:
    reasons = Counter(reason for item in found for reason in item.reasons)
    return Reverified(
        run=run,
        new_lists=len(events.lists),
        reasons=dict(sorted(reasons.items())),
        versions=len(found),
        files=sum(len(item.attachments) for item in found),
        changed=0,
    )


def _check(stores: Stores, trust: TrustStore, at: datetime, item: ToCheck) -> Check:
    with stores.objects.open(item.manifest_sha256) as stream:
        processed = read_manifest(stream.read())
    bench = Bench(stores.objects, trust, at, received_at=processed.received_at)
    wanted = set(item.affected.attachments)
    verdicts: list[FileVerdict] = []
    if None in wanted:
        verdicts += bench.original(processed.original_sha256)
    attachments = processed.document.attachments
    for attachment in attachments:
        if attachment.ordinal in wanted:
            verdicts += bench.attachment(attachment, attachments)
    return Check(item, tuple(verdicts))


def _events(stores: Stores, trust: TrustStore, now: datetime, everything: bool) -> Events:
    tree = Tree(trust)
    known = known_lists(stores.engine)
    lists = [
        _new_list(item, tree)
        for item in (*trust.stored_crls, *trust.stored_ocsps)
        if item.digits not in known and item.issued <= now and item.is_received
    ]
    trusted = Trusted(trust.epoch, tree.roots, tree.tsa_issuers)
    return Events(lists, trusted, _ended(last_policy(stores.engine), now), now, everything)


def _new_list(item: Shelved, tree: Tree) -> NewList:
    receipt = item.receipt
    return NewList(
        sha256=receipt.sha256,
        kind=receipt.kind,
        issuer=receipt.issuer,
        this_update=receipt.this_update,
        next_update=receipt.next_update,
        received_at=receipt.received_at,
        below=tree.below(receipt.issuer),
        revoked=partial(_named, item),
        authorities=tree.revoked(receipt.issuer, _named(item)),
        serial=None if receipt.kind == "crl" else item.group.partition("-")[0],
    )


def _named(item: Shelved) -> dict[str, datetime]:
    """What a list or an answer names; parsed beside the memory of lists, which is for those that judge."""
    data = item.path.read_bytes()
    if item.path.suffix == ".crl":
        entries = x509.load_der_x509_crl(data)
        return {f"{entry.serial_number:x}": entry.revocation_date_utc for entry in entries}
    return {
        f"{single.serial_number:x}": single.revocation_time_utc
        for single in ocsp.load_der_ocsp_response(data).responses
        if single.revocation_time_utc is not None
    }


def _ended(before: Mapping[str, Json] | None, now: datetime) -> list[Ended]:
    """Algorithms whose date has come, and those whose date is another one than the last run knew."""
    ended = []
    for name, date in cut_off_dates().items():
        pattern = f"%{name.partition('<')[0]}%"
        if before is not None and before.get(name, "") != date:
            ended.append(Ended(pattern, now))
        elif date is not None and datetime.fromisoformat(date) <= now:
            ended.append(Ended(pattern, datetime.fromisoformat(date)))
    return ended
