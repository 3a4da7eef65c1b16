"""The audit as a person or a program reads it: fixity and audit together, one sentence for each finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from archive.audit import AuditReport, audit
from archive.audit_finding import Finding
from archive.fixity import FixityReport, check_objects
from pipeline.settings import Settings
from pipeline.stages import Stores
from pipeline.wording import Wording
from schemas.errors import FatalError
from signatures.trust import load_trust

NIGHTLY_BYTES = 11 * 10**9
"""Read in a night by default: a terabyte in 90 days."""

Problem = Mapping[str, str]
"""``kind``, ``where`` and ``message`` of a finding."""


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit with the fixity check before it.

    Attributes:
        report: of the audit. fixity: of the check; ``None`` where it failed.
        findings: all that was found, also by the check itself.
    """

    report: AuditReport
    fixity: FixityReport | None
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]

    @property
    def clean(self) -> bool:
        """Nothing is wrong."""
        return not self.counts


def check_fixity(
    stores: Stores,
    budget: int | None,
    on_progress: Callable[[int, int], None] = lambda _objects, _bytes: None,
) -> tuple[FixityReport | None, tuple[Finding, ...]]:
    """Read stored objects again; a check that does not find what was planted is a finding itself."""
    try:
        report = check_objects(stores.engine, stores.objects, byte_budget=budget, on_progress=on_progress)
    except FatalError as error:
        return None, (Finding("fixity_failed", error.where, {"error": error.explanation}),)
    return report, ()


def audit_archive(
    settings: Settings,
    stores: Stores,
    *,
    full: bool = False,
    budget: int | None = NIGHTLY_BYTES,
    folders: Sequence[Path] | None = None,
    now: datetime | None = None,
    on_progress: Callable[[int, int], None] = lambda _objects, _bytes: None,
) -> Audited:
    """Check the objects whose turn it is, or with ``full`` all, then audit.

    Args:
        settings: where anchors and trust are.
        stores: the archive.
        full: every object and the rows of every version.
        budget: bytes of objects to read when not ``full``.
        folders: of anchors; those of ``settings`` by default.
        now: the clock of the audit.
        on_progress: told objects and bytes that were read.
    """
    fixity, findings = check_fixity(stores, None if full else budget, on_progress)
    report = audit(
        stores.engine,
        stores.objects,
        full=full,
        folders=settings.anchors if folders is None else folders,
        trust=load_trust(settings.trust),
        fixity=fixity,
        now=now,
    )
    return with_fixity(report, fixity, findings)


def with_fixity(
    report: AuditReport, fixity: FixityReport | None, findings: Sequence[Finding], orphans: int = 0
) -> Audited:
    """The audit and what the fixity check before it found.

    Args:
        report: of the audit.
        fixity: of the check, where it is at hand.
        findings: of the check, which ``report`` does not have.
        orphans: how many objects nothing names, where ``findings`` has the first of them.
    """
    counts = Counter(report.counts) + Counter(finding.kind for finding in findings)
    if orphans:
        counts["orphan"] = orphans
    return Audited(report, fixity, (*findings, *report.findings), dict(counts))


def problems(findings: Sequence[Finding], words: Wording) -> list[Problem]:
    """Each finding with its sentence in the language of ``words``."""
    return [
        {
            "kind": one.kind,
            "where": one.where,
            "message": words(f"audit_{one.kind}", **one.values).rstrip(" :"),
        }
        for one in findings
    ]


def audit_value(done: Audited, words: Wording) -> dict[str, object]:
    """The audit as one JSON object."""
    report = {
        item.name: getattr(done.report, item.name)
        for item in fields(done.report)
        if item.name not in ("findings", "counts", "notices")
    }
    return {
        "clean": done.clean,
        **report,
        "fixity": done.fixity and fixity_value(done.fixity),
        "counts": dict(done.counts),
        "problems": problems(done.findings, words),
        "notice_count": done.report.notices.count,
        "notices": problems(done.report.notices.kept, words),
    }


def fixity_value(report: FixityReport) -> dict[str, object]:
    """What a fixity check came to, as JSON values."""
    names = ("checked", "read", "standing", "unchecked", "orphan_count", "young", "canaries")
    return {name: getattr(report, name) for name in names}


def audit_lines(told: Mapping[str, object], words: Wording) -> list[str]:
    """What ``audit_value`` gave, for a person: the sentence, the anchors, the objects, every problem, every notice."""
    counts, listed, noticed, fixity = told["counts"], told["problems"], told["notices"], told["fixity"]
    assert isinstance(counts, Mapping)
    assert isinstance(listed, Sequence)
    assert isinstance(noticed, Sequence)
    number = sum(counts.values())
    lines = [words("audit_problems" if number else "audit_clean", problems=number, **told_without(told))]
    lines.append(words("audit_anchored" if told["anchors"] else "audit_never_anchored", **told_without(told)))
    if isinstance(fixity, Mapping):
        lines.append(words("audit_objects", **fixity))
    lines += [f"  [{one['kind']}] {one['where']}: {one['message']}" for one in listed]
    for kind, count in counts.items():
        shown = sum(one["kind"] == kind for one in listed)
        if count > shown:
            lines.append("  " + words("audit_more", kind=kind, more=count - shown))
    if told["notice_count"]:
        lines.append(words("audit_notices", notices=told["notice_count"]))
        lines += [f"  {one['where']}: {one['message']}" for one in noticed]
    return lines


def told_without(told: Mapping[str, object]) -> dict[str, object]:
    """``told`` without what a sentence never names."""
    return {
        name: value for name, value in told.items() if name not in ("problems", "notices", "counts", "fixity")
    }
