"""Reading one stored object again: is it what its name says?"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from io import RawIOBase

from archive.encryption_format import KEY_ID, BrokenSealError, UnknownKeyError, examine, plain_size, seal
from archive.object_folder import AWAY
from archive.objects import ObjectStore, Stored
from schemas.errors import RetriableError

_BUFFER = 1 << 18  # stays in a core's cache between reading and hashing


class FixityOutcome(StrEnum):
    """What was found; only ``INTACT`` is good. ``UNCHECKED`` stands for an object that was never read again."""

    UNCHECKED = "unchecked"
    INTACT = "intact"
    CHANGED = "changed"
    WRONG_LENGTH = "wrong_length"
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object to be checked.

    Attributes:
        sha256: its name.
        size: bytes that the database knows; ``None`` when it does not.
        planted: read this instead of what the store has under the name: a file planted to be found wrong.
    """

    sha256: str
    size: int | None
    planted: Stored | None = None


@dataclass(frozen=True, slots=True)
class CheckedObject:
    """The finding on one object.

    Attributes:
        sha256: its name.
        outcome: what was found.
        basis: what was hashed: ``content`` (the object's own bytes) or ``stored`` (the encrypted ones, where there
            is no key); ``None`` when nothing was.
        stored_size: bytes on the medium; ``None`` when there was nothing to measure.
        read: bytes read from the medium.
        detail: one sentence for the operator; empty when intact.
    """

    sha256: str
    outcome: FixityOutcome
    basis: str | None = None
    stored_size: int | None = None
    read: int = 0
    detail: str = ""


def check_each(objects: ObjectStore, wanted: list[Wanted]) -> list[CheckedObject]:
    """The findings on ``wanted``, in its order; an object that cannot be read stops none of the others."""
    buffer = bytearray(_BUFFER)
    return [_checked(objects, one, buffer) for one in wanted]


def _checked(objects: ObjectStore, wanted: Wanted, buffer: bytearray) -> CheckedObject:
    try:
        return _read(objects, wanted, buffer)
    except FileNotFoundError:
        return CheckedObject(wanted.sha256, FixityOutcome.MISSING, detail="it went away while it was read")
    except UnknownKeyError as error:
        return CheckedObject(wanted.sha256, FixityOutcome.UNREADABLE, detail=error.what)
    except OSError as error:
        if error.errno in AWAY:
            raise RetriableError(
                f"the file server of the object store {objects.location} does not answer: {error.strerror}",
                action="see that the server runs and that the folder is mounted",
            ) from error
        code = errno.errorcode.get(error.errno or 0, type(error).__name__)
        return CheckedObject(
            wanted.sha256, FixityOutcome.UNREADABLE, detail=f"{error.strerror or error} ({code})"
        )


def _read(objects: ObjectStore, wanted: Wanted, buffer: bytearray) -> CheckedObject:
    stored = wanted.planted or objects.locate(wanted.sha256)
    if stored is None:
        return CheckedObject(wanted.sha256, FixityOutcome.MISSING, detail="the store has no such object")
    size = plain_size(stored.size) if stored.sealed else stored.size
    if size is None or (wanted.size is not None and size != wanted.size):
        detail = f"{stored.size} bytes on the medium, of an object of {wanted.size} bytes"
        return CheckedObject(
            wanted.sha256, FixityOutcome.WRONG_LENGTH, stored_size=stored.size, detail=detail
        )
    with objects.open_stored(stored) as stream:
        basis, detail = (_sealed if stored.sealed else _plain)(objects, stream, stored, wanted.sha256, buffer)
    return CheckedObject(
        sha256=wanted.sha256,
        outcome=FixityOutcome.CHANGED if detail else FixityOutcome.INTACT,
        basis=basis,
        stored_size=stored.size,
        read=stored.size,
        detail=detail,
    )


def _plain(
    _: ObjectStore, stream: RawIOBase, stored: Stored, sha256: str, buffer: bytearray
) -> tuple[str, str]:
    """What was hashed, and what is wrong."""
    digest = hashlib.sha256()
    view = memoryview(buffer)
    left = stored.size  # each call lets other threads in, so there is none to learn that the end is reached
    while left > 0 and (count := stream.readinto(buffer)):
        digest.update(view[:count])
        left -= count
    return "content", "" if digest.hexdigest() == sha256 else "its bytes have another SHA-256"


def _sealed(
    objects: ObjectStore, stream: RawIOBase, stored: Stored, sha256: str, _: bytearray
) -> tuple[str, str]:
    keys = objects.key_ring.key if objects.encrypts else None
    try:
        return examine(stream, stored.size, sha256, keys), ""
    except BrokenSealError as error:
        return "content" if keys else "stored", str(error)


@contextmanager
def canaries(objects: ObjectStore) -> Iterator[tuple[Wanted, ...]]:
    """Files that are wrong by one bit, planted in the store: whoever checks them must say that they are changed.

    One lies there as it is, one encrypted: with the store's own key, or where it has none, with one made for it.
    """
    right = b"This file was planted to be found wrong: who reports it intact checks nothing.\n" * 64
    name = hashlib.sha256(right).hexdigest()
    key_id, key = objects.key_ring.current if objects.encrypts else (bytes(KEY_ID), os.urandom(32))
    sealed = b"".join(seal([right], name, len(right), key_id, key))
    with objects.planted(_wrong(right)) as plain, objects.planted(_wrong(sealed), name) as encrypted:
        yield Wanted(name, len(right), plain), Wanted(name, len(right), encrypted)


def _wrong(data: bytes) -> bytes:
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
