"""The object store: bytes kept under their own SHA-256, written so that no crash leaves a wrong file.

Layout of a store, version 1.0::

    0=lienthong_objects_1.0     the layout's name and version
    sha256/ab/abcd…             the objects, mode 0440, one level of 256 folders
    tmp/                        what is being written; nothing here has a name yet

An object gets its name by a rename, after its bytes are on disk: whoever sees the name sees all the bytes.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from archive.folders import make_folder, sync_folder
from archive.removal_warrant import Warrant
from schemas.errors import FatalError, RetriableError
from schemas.record import BytesContent, Content, FileContent, chunks

LAYOUT = "0=lienthong_objects_1.0"
"""Name of the file that tells the layout, after the habit of OCFL 1.1 §3.1; raised when objects move."""

_HASH = re.compile(r"[0-9a-f]{64}")
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, slots=True)
class StoredObject:
    """Bytes that the store now holds.

    Attributes:
        sha256: their name, lower-case hexadecimal.
        size: bytes.
        created: False when the store held them already.
    """

    sha256: str
    size: int
    created: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the bytes of an object are, as the medium says.

    Attributes:
        key: their name in the store, with ``/`` between folders.
        size: bytes on the medium.
        modified: when they were written, in seconds since 1970.
    """

    key: str
    size: int
    modified: float


class ObjectStore:
    """A content-addressed store in a local folder, for any number of writing threads and processes at once.

    Args:
        root: the store's folder; made, with mode 0700, when it is missing or empty.

    Raises:
        FatalError: the folder holds something else, or a store of another layout.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._objects = root / "sha256"
        self._temporary = root / "tmp"
        if not (root / LAYOUT).is_file():
            _lay_out(root)

    @property
    def location(self) -> str:
        """Where the store is, for messages."""
        return str(self.root)

    def put(self, content: Content) -> StoredObject:
        """Store the bytes of ``content``, once; after the return they survive a power cut.

        Raises:
            FatalError: the disk is full or refuses, or the object of that name has another length.
            RetriableError: ``content`` itself cannot be read.
        """
        partial = self._temporary / secrets.token_hex(16)
        try:
            with _disk_errors(self.root), partial.open("xb", buffering=0) as stream:
                sha256, size = _copy(content, stream)
                target = self._path(sha256)
                created = not target.exists()
                if created:
                    os.fchmod(stream.fileno(), 0o440)
                    os.fsync(stream.fileno())
                    # If a concurrent writer made the name meanwhile, this replaces bytes by the same bytes.
                    partial.rename(target)
                elif target.stat().st_size != size:
                    raise _damaged(sha256, target.stat().st_size, size)
                # Also when the name was there: its writer may not have reached this line before a power cut.
                sync_folder(target.parent)
        finally:
            partial.unlink(missing_ok=True)
        return StoredObject(sha256, size, created)

    def put_bytes(self, data: bytes) -> StoredObject:
        """Store ``data``; see ``put``."""
        return self.put(BytesContent(data))

    def content(self, sha256: str) -> FileContent:
        """The object's bytes, to be read when wanted.

        Raises:
            FatalError: there is no such object, or ``sha256`` is no SHA-256.
        """
        path = self._path(sha256)
        if not path.is_file():
            raise FatalError(
                f"the object {sha256} is missing from the store {self.root}",
                action="restore it from the backup; nothing else makes these bytes again",
            )
        return FileContent(path)

    def size(self, sha256: str) -> int:
        """Bytes of the object, asked of the disk. Raises as ``content`` does."""
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            return self.content(sha256).size

    def open(self, sha256: str) -> BinaryIO:
        """A new reader over the object's bytes; the caller closes it. Raises as ``content`` does."""
        return self.content(sha256).open()

    def exists(self, sha256: str) -> bool:
        """Whether the store holds an object of that name."""
        return self._path(sha256).is_file()

    def locate(self, sha256: str) -> Stored | None:
        """Where the object is; ``None`` when there is none of that name.

        Raises:
            OSError: the medium does not answer.
        """
        try:
            found = self._path(sha256).stat()
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        return Stored(f"sha256/{sha256[:2]}/{sha256}", found.st_size, found.st_mtime)

    def open_stored(self, stored: Stored) -> RawIOBase:
        """A new unbuffered reader over the bytes on the medium; the caller closes it.

        Raises:
            OSError: they cannot be read.
        """
        return (self.root / stored.key).open("rb", buffering=0)

    @contextmanager
    def planted(self, data: bytes) -> Iterator[Stored]:
        """``data`` written among the temporary files under no object's name, and removed afterwards."""
        path = self._temporary / f"planted-{secrets.token_hex(16)}"
        try:
            with _disk_errors(self.root):
                path.write_bytes(data)
            yield Stored(f"tmp/{path.name}", len(data), time.time())
        finally:
            path.unlink(missing_ok=True)

    def remove(self, warrant: Warrant) -> None:
        """Remove the object that ``warrant`` names; nothing happens when it is gone already.

        Raises:
            FatalError: the disk refuses.
        """
        path = self._path(warrant.sha256)
        with _disk_errors(self.root):
            path.unlink(missing_ok=True)
            sync_folder(path.parent)

    def __iter__(self) -> Iterator[str]:
        """The SHA-256 of every object, in ascending order."""
        for folder in sorted(self._objects.iterdir()):
            yield from sorted(
                entry.name
                for entry in os.scandir(folder)
                if _HASH.fullmatch(entry.name) and entry.name.startswith(folder.name)
            )

    def sweep_temporary(self, older_than: timedelta) -> int:
        """Remove what killed writers left behind, if untouched for ``older_than``; returns how many files."""
        limit = time.time() - older_than.total_seconds()
        swept = 0
        for entry in os.scandir(self._temporary):
            try:
                if entry.stat(follow_symlinks=False).st_mtime < limit:
                    Path(entry.path).unlink()
                    swept += 1
            except FileNotFoundError:  # its writer finished, or another sweeper was faster
                continue
        return swept

    def _path(self, sha256: str) -> Path:
        if not _HASH.fullmatch(sha256):
            raise FatalError(
                f"{sha256[:80]!r} is no name of an object", expected="64 lower-case hexadecimal digits"
            )
        return self._objects / sha256[:2] / sha256


def _lay_out(root: Path) -> None:
    """Make the folders, then the file that says so: a store with it is complete."""
    known = {"sha256", "tmp", "lost+found"}
    found = {entry.name for entry in os.scandir(root)} if root.exists() else set()
    if foreign := sorted(found - known - {LAYOUT}):
        raise FatalError(
            f"{root} is no object store of this version: it holds {foreign[0]!r}",
            expected=f"an empty folder, or one with the file {LAYOUT}",
            action="point the archive's settings to its own folder, or use the program that made this store",
        )
    make_folder(root, 0o700)
    root.chmod(0o700)
    with _disk_errors(root):
        for folder in [root / "tmp", root / "sha256", *(root / "sha256" / f"{n:02x}" for n in range(256))]:
            folder.mkdir(0o700, exist_ok=True)
        sync_folder(root / "sha256")
        sync_folder(root)
        (root / LAYOUT).touch(0o440)
        sync_folder(root)


def _copy(content: Content, stream: BinaryIO) -> tuple[str, int]:
    """Write ``content`` to the unbuffered ``stream``; returns SHA-256 and size of what was written."""
    digest = hashlib.sha256()
    size = 0
    for piece in _readable(content):
        digest.update(piece)
        rest = memoryview(piece)
        while rest:  # an unbuffered write may take less than it was given
            rest = rest[stream.write(rest) :]
        size += len(piece)
    return digest.hexdigest(), size


def _readable(content: Content) -> Iterator[bytes]:
    """The pieces of ``content``; its own read errors are told apart from those of the store's disk."""
    try:
        yield from chunks(content)
    except OSError as error:
        raise RetriableError(
            f"the bytes to be stored cannot be read: {error.strerror or error}",
            action="look for the spool folder of the source; the batch fetches them again",
        ) from error


@contextmanager
def _disk_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in _FULL
        raise FatalError(
            f"the object store {root} " + ("is full" if full else f"cannot be written: {error.strerror}"),
            action="make room on that disk" if full else "look at the disk, its mount and the folder's owner",
        ) from error


def _damaged(sha256: str, found: int, expected: int) -> FatalError:
    return FatalError(
        f"the stored object {sha256} has {found} bytes",
        expected=f"{expected} bytes",
        action="restore it from the backup and look at the disk: this object was changed outside the program",
    )
