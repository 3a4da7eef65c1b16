"""What an audit finds: one shape, so that all parts of it are told and counted alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        kind: a stable snake_case word; ``pipeline/words/audit.py`` has a sentence for each.
        where: the event, row, object or file.
        values: for that sentence; nothing of a document's content.
    """

    kind: str
    where: str
    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


class Findings:
    """Counts all findings, and keeps the first ``most`` of each kind: a broken disk has millions.

    Attributes:
        kept: the first of each kind, in the order of discovery.
        counts: how many there are by kind.
    """

    def __init__(self, most: int = 100) -> None:
        self._most = most
        self.kept: list[Finding] = []
        self.counts: Counter[str] = Counter()

    def add(self, kind: str, where: str, **values: object) -> None:
        """Note one."""
        self.take([Finding(kind, where, values)])

    def take(self, found: Iterable[Finding]) -> None:
        """Note all of ``found``."""
        for finding in found:
            self.counts[finding.kind] += 1
            if self.counts[finding.kind] <= self._most:
                self.kept.append(finding)
