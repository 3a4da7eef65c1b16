"""The lines of the files that travel between the stages of one batch.

One JSON line a listing. A line holds what the next stage needs and no bytes; bytes are in the object store. The files
live in the run's work folder and are removed when the run is accounted for.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from schemas.document import OfficialDocument
from schemas.record import Listing


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlanLine(_Line):
    """The plan of a run as a whole; its file appears when every batch file is written."""

    source: str
    folder: Path | None
    listed: int
    unchanged: int
    batches: int


class PlannedLine(_Line):
    """A listing that is to be fetched."""

    key: str
    revision: str
    locator: str
    changed_at: datetime | None = None

    def listing(self) -> Listing:
        """The listing itself."""
        return Listing(self.key, self.revision, self.locator, self.changed_at)


class ReceivedLine(_Line):
    """A record that passed the secrecy gate, is stored, and is normalised."""

    state: Literal["received"] = "received"
    document: OfficialDocument
    original_sha256: str
    original_type: str
    original_size: int
    signed_container: bool
    context: dict[str, str]
    changed_at: datetime | None


class VerifiedLine(_Line):
    """A record whose manifest is stored."""

    state: Literal["verified"] = "verified"
    manifest_sha256: str


class QuarantinedLine(_Line):
    """A record that nobody could read or understand.

    ``original_sha256`` is ``None`` where there are no bytes, or where the secrecy gate could not judge them. ``files``
    are the attachments that were stored before it failed.
    """

    state: Literal["quarantined"] = "quarantined"
    key: str
    revision: str
    stage: str
    reason: str
    message: str
    where: str = ""
    original_sha256: str | None = None
    context: dict[str, str] = Field(default_factory=dict)
    files: tuple[str, ...] = ()


class WithheldLine(_Line):
    """A state secret that stays outside. Its key is hashed by the loader."""

    state: Literal["withheld"] = "withheld"
    key: str
    revision: str
    level: str
    rule: str


StageLine = Annotated[
    ReceivedLine | VerifiedLine | QuarantinedLine | WithheldLine, Field(discriminator="state")
]
_STAGE_LINE: TypeAdapter[ReceivedLine | VerifiedLine | QuarantinedLine | WithheldLine] = TypeAdapter(
    StageLine
)


def write_lines(path: Path, lines: Iterable[BaseModel]) -> int:
    """Write ``lines`` to ``path``, which appears whole or not at all; returns how many.

    A half-written file of a killed task must never be taken for a finished stage, so the name appears by rename.
    """
    # Random, not the process id: an orphan and its retry may be on two machines that share the folder.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    count = 0
    with temporary.open("w", encoding="utf-8") as stream:
        for line in lines:
            stream.write(line.model_dump_json())
            stream.write("\n")
            count += 1
    temporary.replace(path)
    return count


def read_planned(path: Path) -> Iterator[PlannedLine]:
    """The planned lines of ``path``, in order."""
    with path.open("rb") as stream:
        for raw in stream:
            yield PlannedLine.model_validate_json(raw)


def read_present(path: Path) -> Iterator[str]:
    """The keys of ``path``, in order, repeats included."""
    with path.open("rb") as stream:
        for raw in stream:
            yield str(json.loads(raw)["key"])


def read_stage(path: Path) -> Iterator[ReceivedLine | VerifiedLine | QuarantinedLine | WithheldLine]:
    """The lines that a stage wrote to ``path``, in order."""
    with path.open("rb") as stream:
        for raw in stream:
            yield _STAGE_LINE.validate_json(raw)
