"""A store in a folder: on local disk, or on NFS.

An object gets its name by a rename, after its bytes are on disk: whoever sees the name sees all the bytes. The name
is on disk, too, before anyone is told of it. No locks, no hard links, no reliance on exclusive creation: temporary
names are random.

On NFS (version 4.1 or newer, 3 works) mount with ``hard`` (a ``soft`` mount turns a slow server into failed reads),
``lookupcache=positive`` (so that a machine sees at once what another one wrote), without ``nocto``; export with
``sync``, and to the account that runs Lienthong (``root_squash`` makes root nobody there).
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from archive.folders import make_folder, sync_folder
from archive.object_place import (
    FOLDERS,
    KEYS,
    LAYOUT,
    OBJECTS,
    TEMPORARY,
    Stored,
    foreign_store,
    object_name,
    short_write,
)
from schemas.errors import FatalError, RetriableError

_FULL = {errno.ENOSPC, errno.EDQUOT}
AWAY = frozenset(
    (errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENOTCONN)
)
"""What says that a file server is away, not that a file is damaged."""

_LONGEST_RENAME = 600.0
"""Seconds from the last byte of an object to its name, and by which the clocks of two machines may differ."""


class FolderPlace:
    """A folder, for any number of writing threads and processes on any number of machines at once.

    Args:
        root: the folder; made, with mode 0700, when it is missing or empty.

    Raises:
        FatalError: the folder holds something else, or a store of another layout.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._prefix = f"{root}{os.sep}"
        self._temporary = root / TEMPORARY
        self._synced: dict[str, float] = {}
        if not (root / LAYOUT).is_file():
            _lay_out(root)

    @property
    def location(self) -> str:
        """The folder."""
        return str(self._root)

    def find(self, keys: Iterable[str]) -> Stored | None:
        """See ``ObjectPlace``. Raises ``OSError`` when the disk does not answer."""
        wanted = list(keys)
        found = self._look(wanted)
        if found is None:
            # An NFS client may remember that a name was free; opening its folder makes it ask again.
            _look_into((self._root / wanted[0]).parent)
            found = self._look(wanted)
        return found

    def find_each(self, wanted: Iterable[Sequence[str]]) -> list[Stored | None]:
        """See ``ObjectPlace``; one after the other."""
        return [self._look(keys) or self.find(keys) for keys in wanted]

    def _look(self, keys: Iterable[str]) -> Stored | None:
        for key in keys:
            try:
                found = os.stat(f"{self._prefix}{key}")  # noqa: PTH116 - a fourth of the time of Path.stat
            except FileNotFoundError:
                continue
            if stat.S_ISREG(found.st_mode):
                return Stored(key, found.st_size, found.st_mtime)
        return None

    def write(self, key: str, pieces: Iterable[bytes], size: int) -> bool:
        """See ``ObjectPlace``."""
        target = self._root / key
        partial = self._temporary / secrets.token_hex(16)
        with disk_errors(self.location):
            try:
                with partial.open("xb", buffering=0) as stream:
                    written = _write_all(stream, pieces)
                    if written != size:
                        raise short_write(self.location, key, written, size)
                    os.fchmod(stream.fileno(), 0o440)
                    os.fsync(stream.fileno())
                free = not target.exists()
                # A writer that takes the name after this line is replaced: by the same bytes, or by the same
                # object encrypted once more.
                if free:
                    _rename(partial, target)
                else:
                    partial.unlink()
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
            self._sync(target.parent)
        return free

    def settle(self, stored: Stored) -> None:
        """See ``ObjectPlace``: its writer may have been killed before it came to this.

        An object that was written well before this process last synchronised its folder needs nothing more.
        """
        folder = (self._root / stored.key).parent
        if stored.modified + _LONGEST_RENAME < self._synced.get(folder.name, 0):
            return
        with disk_errors(self.location):
            self._sync(folder)

    def _sync(self, folder: Path) -> None:
        now = time.time()
        sync_folder(folder)
        self._synced[folder.name] = now

    def open(self, stored: Stored) -> FileIO:
        """See ``ObjectPlace``."""
        return FileIO(self._prefix + stored.key)

    def file(self, stored: Stored) -> Path:
        """See ``ObjectPlace``."""
        return self._root / stored.key

    @contextmanager
    def planted(self, key: str, data: bytes) -> Iterator[Stored]:
        """See ``ObjectPlace``."""
        path = self._root / key
        try:
            with disk_errors(self.location):
                path.write_bytes(data)
            yield Stored(key, len(data), time.time())
        finally:
            path.unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """See ``ObjectPlace``; one folder is held at a time."""
        for folder in sorted(entry.name for entry in os.scandir(self._root / OBJECTS)):
            found = {object_name(folder, entry.name) for entry in os.scandir(self._root / OBJECTS / folder)}
            yield from sorted(name for name in found if name)

    def key_copies(self) -> list[Stored]:
        """See ``ObjectPlace``."""
        try:
            found = sorted(entry.name for entry in os.scandir(self._root / KEYS))
        except FileNotFoundError:  # a store from before encryption
            return []
        return [stored for name in found if (stored := self._look([f"{KEYS}/{name}"]))]

    def remove(self, key: str) -> bool:
        """See ``ObjectPlace``."""
        path = self._root / key
        with disk_errors(self.location):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
            sync_folder(path.parent)
        return True

    def sweep(self, before: float) -> int:
        """See ``ObjectPlace``."""
        swept = 0
        for entry in os.scandir(self._temporary):
            try:
                if entry.stat(follow_symlinks=False).st_mtime < before:
                    Path(entry.path).unlink()
                    swept += 1
            except FileNotFoundError:  # its writer finished, or another sweeper was faster
                continue
        return swept


def _write_all(stream: FileIO, pieces: Iterable[bytes]) -> int:
    size = 0
    for piece in pieces:
        rest = memoryview(piece)
        while rest:  # an unbuffered write may take less than it was given
            rest = rest[stream.write(rest) :]
        size += len(piece)
    return size


def _rename(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except FileNotFoundError:
        if target.exists():  # NFS: the server did it, its answer was lost, and it was asked again
            return
        # A copy of a store made by a tool that leaves out empty folders.
        target.parent.mkdir(0o700, exist_ok=True)
        sync_folder(target.parent.parent)
        partial.rename(target)


def _look_into(folder: Path) -> None:
    try:
        os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except FileNotFoundError:
        pass


def _lay_out(root: Path) -> None:
    """Make the folders, then the file that says so: a store with it is complete."""
    known = {*FOLDERS, "lost+found", LAYOUT}
    found = {entry.name for entry in os.scandir(root)} if root.exists() else set()
    if foreign := sorted(found - known):
        raise foreign_store(str(root), foreign[0])
    make_folder(root, 0o700)
    root.chmod(0o700)
    with disk_errors(str(root)):
        fan = [root / OBJECTS / f"{n:02x}" for n in range(256)]
        for folder in [*(root / name for name in FOLDERS), *fan]:
            folder.mkdir(0o700, exist_ok=True)
        sync_folder(root / OBJECTS)
        sync_folder(root)
        (root / LAYOUT).touch(0o440)
        sync_folder(root)


@contextmanager
def disk_errors(location: str, doing: str = "written") -> Iterator[None]:
    """Raise what the disk answers as ``RetriableError`` (a file server is away) or ``FatalError``."""
    try:
        yield
    except OSError as error:
        if error.errno in AWAY:
            raise RetriableError(
                f"the file server of the object store {location} does not answer: {error.strerror}",
                action="see that the server runs and that the folder is mounted",
            ) from error
        full = error.errno in _FULL
        raise FatalError(
            f"the object store {location} " + ("is full" if full else f"cannot be {doing}: {error.strerror}"),
            action="make room on that disk" if full else "look at the disk, its mount and the folder's owner",
        ) from error
