"""The work folder of a run: which file holds what."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import FatalError


@dataclass(frozen=True, slots=True)
class BatchRef:
    """A batch of a run; small enough to travel between Airflow tasks.

    Attributes:
        run: identity of the run in the archive.
        number: position of the batch in the run, from 1.
    """

    run: str
    number: int


@dataclass(frozen=True, slots=True)
class Workspace:
    """The files of one run below the data folder's ``work``."""

    root: Path
    run: str

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.root / self.run

    def create(self) -> None:
        """Make the folder, readable by its owner only, and empty it of an earlier plan."""
        self.remove()
        self.folder.mkdir(mode=0o700, parents=True)

    def remove(self) -> None:
        """Remove the folder with everything in it; nothing happens when it is gone already."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, batch: int, stage: str) -> Path:
        """The file in which ``stage`` (``planned``, ``received`` or ``verified``) of batch number ``batch`` stands."""
        return self.folder / f"batch-{batch:05d}.{stage}.jsonl"

    @property
    def present(self) -> Path:
        """The keys of a complete inventory, one JSON line each; absent when the inventory was of a part only."""
        return self.folder / "present.jsonl"

    def existing(self, batch: int, stage: str) -> Path:
        """Like ``file``, for reading.

        Raises:
            FatalError: the stage has not run.
        """
        path = self.file(batch, stage)
        if not path.is_file():
            raise FatalError(
                f"batch {batch} of run {self.run} has no {stage!r} file",
                where=str(path),
                expected="the stage before this one to have finished on the same data folder",
                action="clear the run from its first task, and check that every worker mounts the same data folder",
            )
        return path
