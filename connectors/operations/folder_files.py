"""The files of a drop folder that may be packages, found without leaving the folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from connectors.operations.scan import looks_like_package
from schemas.errors import FatalError, RetriableError
from schemas.record import FileContent

EDXML_ENDING = ".edxml"
PACKAGE_ENDINGS = (EDXML_ENDING, ".xml")
ZIP_ENDING = ".zip"

_UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".tmp", "~")
_OUTSIDE = "the path leads outside the drop folder"
_NO_NAMES = frozenset({"", ".", ".."})
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def is_zip(relative: str) -> bool:
    """True for a path that is read as a ZIP of packages."""
    return relative.lower().endswith(ZIP_ENDING)


def package_files(folder: Path) -> Iterator[str]:
    """Paths below ``folder``, with ``/``, of every package and ZIP in it, sorted within each directory.

    Packages are told by their endings, ``.edxml`` and ``.xml``, and under any other by their bytes: saved SOAP
    messages have no ending of their own.

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


class LostError(Exception):
    """A file of the folder cannot be read; ``reason`` is its class."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason, self.message = reason, message
        super().__init__(reason, message)


class FolderFiles:
    """Opens files below a folder, and nothing outside it.

    Directories are looked at once, so one object serves one pass over the folder.
    """

    def __init__(self, folder: Path) -> None:
        root = folder.resolve()
        self._root = root.parent if root.is_file() else root
        self._directories: dict[str, str] = {}

    def path(self, relative: str) -> Path:
        """Where the regular file at ``relative``, a path of ``package_files``, lies, links followed.

        Raises:
            LostError: it leads outside the folder or is no regular file.
        """
        target = self._inside(relative)
        if target.exists() and not target.is_file():
            raise LostError("not_a_file", "a file was expected")
        return target

    def open(self, relative: str) -> tuple[int, int]:
        """A descriptor of the file at ``relative``, which the caller closes, and the file's size in bytes.

        Raises:
            LostError: as for ``path``.
            OSError: it cannot be opened.
        """
        parent, _, name = relative.rpartition("/")
        if name in _NO_NAMES or "\x00" in name:
            raise LostError("file_outside_folder", _OUTSIDE)
        directory = self._directories.get(parent)
        if directory is None:
            directory = self._directories[parent] = str(self._inside(parent) if parent else self._root)
        try:
            # Neither a link is followed here nor a pipe, which would make opening wait.
            descriptor = os.open(f"{directory}/{name}", _FLAGS)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            descriptor = os.open(self.path(relative), _FLAGS)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise LostError("not_a_file", "a file was expected")
        return descriptor, status.st_size

    def _inside(self, relative: str) -> Path:
        parts = relative.split("/")
        if any(part in _NO_NAMES or "\x00" in part for part in parts):
            raise LostError("file_outside_folder", _OUTSIDE)
        target = self._root.joinpath(*parts).resolve()
        if not target.is_relative_to(self._root):
            raise LostError("file_outside_folder", _OUTSIDE)
        return target


def _below(root: Path, directory: Path, prefix: str) -> Iterator[str]:
    for entry in _entries(directory):
        relative = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _below(root, Path(entry.path), f"{relative}/")
        elif _is_ours(root, entry) and (
            entry.name.lower().endswith((*PACKAGE_ENDINGS, ZIP_ENDING)) or _is_package(entry)
        ):
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


def _is_package(entry: os.DirEntry[str]) -> bool:
    """True for a package under another name; what is being copied or cannot be looked into is left alone."""
    if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
        return False
    try:
        return looks_like_package(FileContent(Path(entry.path)))
    except OSError:
        return False


def _is_ours(root: Path, entry: os.DirEntry[str]) -> bool:
    if not entry.is_symlink():
        return entry.is_file()  # no pipes: opening one would wait for ever
    target = Path(entry.path).resolve()
    return target.is_relative_to(root) and target.is_file()
