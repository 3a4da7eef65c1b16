"""What a store of objects asks of the medium that it is on, and how its names are laid out there.

Layout of a store, version 1.0, the same on every medium::

    0=lienthong_objects_1.0     the layout's name and version
    sha256/ab/abcd…             an object as it is
    sha256/ab/abcd….enc         an object encrypted (archive.encryption_format)
    keys/<sha256>.json          the data keys, each locked to the recipients of the key ring (archive.encryption_keys)
    tmp/                        what is being written; nothing here has a name yet
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from io import RawIOBase
from pathlib import Path
from typing import NamedTuple, Protocol

from schemas.errors import FatalError

LAYOUT = "0=lienthong_objects_1.0"
"""Name of the file that tells the layout, after the habit of OCFL 1.1 §3.1; raised when objects move."""

SEALED = ".enc"
OBJECTS, KEYS, TEMPORARY = "sha256", "keys", "tmp"
FOLDERS = (OBJECTS, KEYS, TEMPORARY)

_NAME = re.compile(r"[0-9a-f]{64}")
_STORED_NAME = re.compile(rf"([0-9a-f]{{64}})(?:{re.escape(SEALED)})?")


class Stored(NamedTuple):
    """Where the bytes of an object are, as the medium says.

    Attributes:
        key: their name in the store, with ``/`` between folders.
        size: bytes on the medium.
        modified: when they were written, in seconds since 1970.
    """

    key: str
    size: int
    modified: float

    @property
    def sealed(self) -> bool:
        """Whether they are encrypted."""
        return self.key.endswith(SEALED)


class ObjectPlace(Protocol):
    """A folder or a bucket. Whoever sees a key there sees all its bytes, and they survive a power cut.

    Every method raises ``RetriableError`` when the medium is away, ``FatalError`` when it is full or refuses;
    ``open`` and ``find`` raise ``OSError`` where reading one object failed and others may still be read.
    """

    @property
    def location(self) -> str:
        """The place, for messages and for opening it again."""
        ...

    def find(self, keys: Iterable[str]) -> Stored | None:
        """The first of ``keys``, which are forms of one object, that is there."""
        ...

    def find_each(self, wanted: Iterable[Sequence[str]]) -> list[Stored | None]:
        """``find`` of each, at once where that is faster; in the order asked."""
        ...

    def write(self, key: str, pieces: Iterable[bytes], size: int) -> bool:
        """Write ``pieces``, ``size`` bytes in all, under ``key`` if it is free; returns whether it was.

        An exception from ``pieces`` passes, and nothing is written.
        """
        ...

    def settle(self, stored: Stored) -> None:
        """Make sure that the name of an object which someone else wrote survives a power cut."""
        ...

    def open(self, stored: Stored) -> RawIOBase:
        """A new seekable reader over the bytes on the medium."""
        ...

    def file(self, stored: Stored) -> Path | None:
        """The file that the bytes are in, on a medium of files."""
        ...

    def planted(self, key: str, data: bytes) -> AbstractContextManager[Stored]:
        """``data`` under ``key``, which stands for no object, for a while; a power cut may forget it."""
        ...

    def names(self) -> Iterator[str]:
        """The SHA-256 of every object, each once, in ascending order."""
        ...

    def key_copies(self) -> list[Stored]:
        """What lies in ``keys/``."""
        ...

    def remove(self, key: str) -> bool:
        """Destroy what is under ``key``; whether there was something."""
        ...

    def sweep(self, before: float) -> int:
        """Remove what killed writers left behind and nobody touched since ``before``; returns how many."""
        ...


def object_key(sha256: str, sealed: bool) -> str:
    """The name under which an object lies in the store.

    Raises:
        FatalError: ``sha256`` is no SHA-256.
    """
    if not _NAME.fullmatch(sha256):
        raise FatalError(
            f"{sha256[:80]!r} is no name of an object", expected="64 lower-case hexadecimal digits"
        )
    return f"{OBJECTS}/{sha256[:2]}/{sha256}{SEALED if sealed else ''}"


def object_forms(sha256: str, sealed: bool) -> tuple[str, str]:
    """Both names that an object may have, the one that is ``sealed`` or not first. Raises as ``object_key`` does."""
    plain = object_key(sha256, sealed=False)
    return (f"{plain}{SEALED}", plain) if sealed else (plain, f"{plain}{SEALED}")


def object_name(folder: str, file: str) -> str | None:
    """The SHA-256 that a file of the folder ``sha256/<folder>`` stands for; ``None`` for what is no object."""
    found = _STORED_NAME.fullmatch(file)
    return found[1] if found and file.startswith(folder) else None


def foreign_store(location: str, foreign: str) -> FatalError:
    """The error for a place that holds something else."""
    return FatalError(
        f"{location} is no object store of this version: it holds {foreign!r}",
        expected=f"an empty place, or one with {LAYOUT}",
        action="point the archive's settings to its own place, or use the program that made this store",
    )


def short_write(location: str, key: str, found: int, expected: int) -> FatalError:
    """The error for an object that came out with another length."""
    return FatalError(
        f"{found} bytes of {key} were written to {location}",
        expected=f"{expected} bytes",
        action="look at the medium; nothing was entered",
    )
