"""What a batch hands to the loader: for each listed record exactly one outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from archive.manifest import Processed


@dataclass(frozen=True, slots=True)
class Archived:
    """The record passed every stage.

    Attributes:
        manifest_sha256: of its manifest; the object store holds it, the original and every attachment.
        processed: what the manifest says.
    """

    manifest_sha256: str
    processed: Processed

    @property
    def key(self) -> str:
        """The record's identity in its source."""
        return self.processed.document.source_key

    @property
    def revision(self) -> str:
        """The record's state."""
        return self.processed.document.revision


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The archive has this revision of the record already."""

    key: str
    revision: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """The record could not pass a stage and waits for a person or a better program.

    Attributes:
        key, revision: the record.
        stage: ``read``, ``gate``, ``map``, ``verify`` or ``load``.
        reason: stable snake_case class of the failure.
        message: one sentence for the operator.
        where: position in the record, or ``""``.
        original_sha256: its bytes in the object store; ``None`` when there are none.
        context: facts of its container, to parse it again.
        files: SHA-256 of what else of it lies in the object store: attachments from before it failed, and its bytes as
            they were at earlier tries.
    """

    key: str
    revision: str
    stage: str
    reason: str
    message: str
    where: str = ""
    original_sha256: str | None = None
    context: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Withheld:
    """The record is marked secret and none of it was stored.

    Attributes:
        key, revision: the record; only their hashes are kept.
        level: the degree of secrecy that the gate found.
        rule: the gate's rule.
    """

    key: str
    revision: str
    level: str
    rule: str


Outcome: TypeAlias = Archived | Unchanged | Quarantined | Withheld
