"""Reading one stored object again: is it what its name says?"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum

from archive.objects import ObjectStore, Stored

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
    except OSError as error:
        code = errno.errorcode.get(error.errno or 0, type(error).__name__)
        return CheckedObject(
            wanted.sha256, FixityOutcome.UNREADABLE, detail=f"{error.strerror or error} ({code})"
        )


def _read(objects: ObjectStore, wanted: Wanted, buffer: bytearray) -> CheckedObject:
    stored = wanted.planted or objects.locate(wanted.sha256)
    if stored is None:
        return CheckedObject(wanted.sha256, FixityOutcome.MISSING, detail="the store has no such object")
    if wanted.size is not None and stored.size != wanted.size:
        detail = f"{stored.size} bytes instead of {wanted.size}"
        return CheckedObject(
            wanted.sha256, FixityOutcome.WRONG_LENGTH, stored_size=stored.size, detail=detail
        )
    digest = hashlib.sha256()
    view = memoryview(buffer)
    read = 0
    with objects.open_stored(stored) as stream:
        while count := stream.readinto(buffer):
            digest.update(view[:count])
            read += count
    intact = digest.hexdigest() == wanted.sha256
    return CheckedObject(
        sha256=wanted.sha256,
        outcome=FixityOutcome.INTACT if intact else FixityOutcome.CHANGED,
        basis="content",
        stored_size=stored.size,
        read=read,
        detail="" if intact else "its bytes have another SHA-256",
    )


@contextmanager
def canaries(objects: ObjectStore) -> Iterator[tuple[Wanted, ...]]:
    """Files that are wrong by one bit, planted in the store: whoever checks them must say that they are changed."""
    right = b"This file was planted to be found wrong: who reports it intact checks nothing.\n" * 64
    name = hashlib.sha256(right).hexdigest()
    wrong = bytes([*right[:-2], right[-2] ^ 1, right[-1]])
    with ExitStack() as planted:
        stored = planted.enter_context(objects.planted(wrong))
        yield (Wanted(name, len(right), stored),)
