"""Which files of a drop folder are read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.lotus_notes.archives import ARCHIVES, EXPORTS
from schemas.errors import RetriableError


@dataclass(frozen=True, slots=True)
class DropFile:
    """A file of the folder.

    Attributes:
        name: path below the folder, with ``/``.
        path: where it lies.
        outside: true for a symbolic link that leads out of the folder and is not followed.
    """

    name: str
    path: Path
    outside: bool = False


def drop_files(folder: Path) -> Iterator[DropFile]:
    """The exports and archives below ``folder`` in order of their names; ``folder`` may be one such file
    itself.

    Other files, a DTD beside the exports among them, are no records and are passed. A link to a file inside
    the folder is
    passed too: the file itself is read.

    Raises:
        RetriableError: the folder is not there (a share that is not mounted).
    """
    if folder.is_file():
        yield DropFile(folder.name, folder)
        return
    if not folder.is_dir():
        raise RetriableError(
            f"the drop folder {folder} is not there",
            expected="a folder of DXL exports, a ZIP, or one export",
            action="mount the share, or correct the source's folder",
        )
    home = folder.resolve()
    found = []
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            if (file := _judge(path, path.relative_to(folder).as_posix(), home)) is not None:
                found.append(file)
    yield from sorted(found, key=lambda file: file.name)


def _judge(path: Path, name: str, home: Path) -> DropFile | None:
    wanted = path.suffix.lower() in EXPORTS | ARCHIVES
    if path.is_symlink():
        leaves = not path.resolve().is_relative_to(home)
        return DropFile(name, path, outside=True) if leaves and (wanted or path.is_dir()) else None
    return DropFile(name, path) if wanted and path.is_file() else None
