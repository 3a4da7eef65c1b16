"""The files of a drop folder that may be packages, found without leaving the folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import FatalError, RetriableError

PACKAGE_ENDINGS = (".edxml", ".xml")
ZIP_ENDING = ".zip"


def is_zip(relative: str) -> bool:
    """True for a path that is read as a ZIP of packages."""
    return relative.lower().endswith(ZIP_ENDING)


def package_files(folder: Path) -> Iterator[str]:
    """Paths below ``folder``, with ``/``, of every package and ZIP in it, sorted within each directory.

    If ``folder`` is itself a file, its own name is the only path.

    Directories that are links are not entered; a link to a file counts only if the file lies in ``folder``.

    Raises:
        RetriableError: the folder or a directory in it cannot be read now.
        FatalError: no permission for it.
    """
    root = folder.resolve()
    if root.is_file():
        yield root.name
    else:
        yield from _below(root, root, "")


def inside(folder: Path, relative: str) -> Path | None:
    """The file at ``relative``, a path of ``package_files``, or ``None`` if it leads outside ``folder``."""
    root = folder.resolve()
    if root.is_file():
        root = root.parent
    parts = relative.split("/")
    if any(part in {"", ".", ".."} or "\x00" in part for part in parts):
        return None
    target = root.joinpath(*parts)
    return target if target.resolve().is_relative_to(root) else None


def _below(root: Path, directory: Path, prefix: str) -> Iterator[str]:
    for entry in _entries(directory):
        relative = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _below(root, Path(entry.path), f"{relative}/")
        elif entry.name.lower().endswith((*PACKAGE_ENDINGS, ZIP_ENDING)) and _is_ours(root, entry):
            yield relative


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as found:
            return sorted(found, key=lambda entry: entry.name)
    except PermissionError as error:
        raise FatalError(
            f"the drop folder {directory} may not be read", action="give the loader's account read permission"
        ) from error
    except OSError as error:
        raise RetriableError(
            f"the drop folder {directory} cannot be read: {error.strerror}",
            action="see that the share is mounted",
        ) from error


def _is_ours(root: Path, entry: os.DirEntry[str]) -> bool:
    if not entry.is_symlink():
        return entry.is_file()  # no pipes: opening one would wait for ever
    target = Path(entry.path).resolve()
    return target.is_relative_to(root) and target.is_file()
