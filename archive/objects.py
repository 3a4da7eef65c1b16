"""The object store: bytes kept under their own SHA-256, written so that no crash leaves a wrong file.

A store is a folder (``archive.object_folder``) or a bucket (``archive.object_bucket``), laid out as
``archive.object_place`` says. With a key ring new objects are encrypted; those from before are read as they are, and an
object's name stays the SHA-256 of its own bytes, so that the same bytes are still kept once.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from io import RawIOBase
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, cast

from archive.encryption_format import CHUNK, SealedReader, plain_size, seal, sealed_size
from archive.encryption_keys import KeyRing, ids_in, read_ring
from archive.object_folder import FolderPlace, disk_errors
from archive.object_place import KEYS, LAYOUT, TEMPORARY, ObjectPlace, Stored, object_forms, object_key
from archive.removal_warrant import Warrant
from schemas.errors import ConfigurationError, FatalError, RetriableError
from schemas.record import BytesContent, Content, FileContent, chunks

__all__ = ["LAYOUT", "ObjectStore", "Stored", "StoredContent", "StoredObject", "open_object_store"]

_HELD = 4 << 20  # larger content is read twice instead: to learn its name, and to write it
_BUCKET = "s3://"


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
class StoredContent:
    """An object that is no plain file: encrypted, or in a bucket. Read as a stream, never written to disk.

    Attributes:
        store: that holds it.
        sha256: its name.
        stored: where its bytes are.
        size: its own length in bytes.
    """

    store: ObjectStore
    sha256: str
    stored: Stored
    size: int

    def open(self) -> BinaryIO:
        """A seekable reader over the object's own bytes.

        Raises:
            FatalError: it is not as it was written, or the key ring lacks its key. Reading raises it too.
        """
        raw = self.store.open_stored(self.stored)
        if self.stored.sealed:
            raw = SealedReader(raw, self.stored.size, self.sha256, self.store.key_ring.key)
        return cast(BinaryIO, io.BufferedReader(raw, CHUNK))


class ObjectStore:
    """A content-addressed store, for any number of writing threads and processes at once.

    Args:
        place: the medium; a path stands for ``FolderPlace``.
        keys: encrypt new objects with its newest key; ``None``: keep them as they are.
        enroll: take ``keys`` for the store's own, whatever it holds. Without it that goes for an empty store only;
            any other one knows its keys by the copies that lie in it.

    Raises:
        FatalError: the place holds something else, or a store of another layout.
        ConfigurationError: ``keys`` are those of another store.
    """

    def __init__(
        self, place: ObjectPlace | Path, keys: KeyRing | None = None, *, enroll: bool = False
    ) -> None:
        self._place = FolderPlace(place) if isinstance(place, Path) else place
        self._keys = keys
        self._may_write_plain = False
        if keys is not None:
            self._keep_copy(keys, enroll)

    @property
    def location(self) -> str:
        """Where the store is: a path, or a URL."""
        return self._place.location

    @property
    def key_ring(self) -> KeyRing:
        """The key ring.

        Raises:
            ConfigurationError: the store was opened without one.
        """
        if self._keys is None:
            raise ConfigurationError(
                f"the object store {self.location} holds encrypted objects, and there is no key ring",
                where="LIENTHONG_KEYRING",
                action="name the ring's file, or recover it: lienthong keys recover",
            )
        return self._keys

    @property
    def encrypts(self) -> bool:
        """Whether new objects are encrypted."""
        return self._keys is not None

    def put(self, content: Content) -> StoredObject:
        """Store the bytes of ``content``, once; after the return they survive a power cut.

        Raises:
            FatalError: the medium is full or refuses, or the object of that name has another length.
            RetriableError: ``content`` itself cannot be read, or changes meanwhile; the medium is away.
            ConfigurationError: the store has encrypted objects, and was opened without the key ring.
        """
        sha256, size, held = _named(content)
        with self._asking():
            stored = self.locate(sha256)
        if stored is not None:
            self._check_length(sha256, stored, size)
            self._place.settle(stored)
            return StoredObject(sha256, size, created=False)
        pieces = iter((held,)) if held is not None else _same(content, sha256)
        if self._keys is not None:
            pieces = seal(pieces, sha256, size, *self._keys.current)
        else:
            self._refuse_plain()
        key = object_key(sha256, self.encrypts)
        return StoredObject(sha256, size, self._place.write(key, pieces, self._stored_size(size)))

    def put_bytes(self, data: bytes) -> StoredObject:
        """Store ``data``; see ``put``."""
        return self.put(BytesContent(data))

    def content(self, sha256: str) -> Content:
        """The object's bytes, to be read when wanted.

        Raises:
            FatalError: there is no such object, or ``sha256`` is no SHA-256.
            RetriableError: the medium is away.
        """
        stored = self._stored(sha256)
        if not stored.sealed and (path := self._place.file(stored)) is not None:
            return FileContent(path)
        return StoredContent(self, sha256, stored, self._own_size(sha256, stored))

    def size(self, sha256: str) -> int:
        """Bytes of the object, asked of the medium. Raises as ``content`` does."""
        return self._own_size(sha256, self._stored(sha256))

    def sizes(self, names: Sequence[str]) -> list[int]:
        """``size`` of each, in their order. Raises as ``content`` does."""
        sealed = self.encrypts
        forms = [object_forms(name, sealed) for name in names]
        with self._asking():
            found = self._place.find_each(forms)
        return [
            self._own_size(name, stored or self._stored(name))
            for name, stored in zip(names, found, strict=True)
        ]

    def open(self, sha256: str) -> BinaryIO:
        """A new reader over the object's bytes; the caller closes it. Raises as ``content`` does."""
        return self.content(sha256).open()

    def exists(self, sha256: str) -> bool:
        """Whether the store holds an object of that name."""
        with self._asking():
            return self.locate(sha256) is not None

    def locate(self, sha256: str) -> Stored | None:
        """Where the object is; ``None`` when there is none of that name.

        Raises:
            OSError: the medium does not answer for this object.
        """
        return self._place.find(object_forms(sha256, self.encrypts))

    def open_stored(self, stored: Stored) -> RawIOBase:
        """A new unbuffered reader over the bytes on the medium, encrypted as they may be; the caller closes it.

        Raises:
            OSError: they cannot be read.
        """
        return self._place.open(stored)

    def planted(self, data: bytes, sealed_as: str | None = None) -> AbstractContextManager[Stored]:
        """``data`` written among the temporary files under no object's name, and removed afterwards.

        ``sealed_as``: as the stored bytes of an encrypted object of that name.
        """
        key = object_key(sealed_as, sealed=True).rpartition("/")[2] if sealed_as else "plain"
        return self._place.planted(f"{TEMPORARY}/planted-{token_hex(16)}-{key}", data)

    def remove(self, warrant: Warrant) -> None:
        """Remove the object that ``warrant`` names, in every form; nothing happens when it is gone already.

        Raises:
            FatalError: the medium refuses. RetriableError: it is away.
        """
        for sealed in (False, True):
            self._place.remove(object_key(warrant.sha256, sealed))

    def __iter__(self) -> Iterator[str]:
        """The SHA-256 of every object, in ascending order."""
        return self._place.names()

    def sweep_temporary(self, older_than: timedelta) -> int:
        """Remove what killed writers left behind, if untouched for ``older_than``; returns how many files."""
        return self._place.sweep(time.time() - older_than.total_seconds())

    def ring_copies(self) -> list[bytes]:
        """Every copy of a key ring that lies in the store: data keys, locked."""
        copies = []
        for stored in self._place.key_copies():
            with self._place.open(stored) as stream:
                copies.append(
                    stream.readall() if isinstance(stream, io.FileIO) else io.BufferedReader(stream).read()
                )
        return copies

    def _keep_copy(self, keys: KeyRing, enroll: bool) -> None:
        """Before an object is encrypted with a key, the store holds that key, locked."""
        data = keys.shared()
        key = f"{KEYS}/{hashlib.sha256(data).hexdigest()}.json"
        with self._asking():
            known = self._place.find([key])
        if known is None:
            if not enroll:
                self._refuse_foreign(keys)
            self._place.write(key, (data,), len(data))

    def _refuse_foreign(self, keys: KeyRing) -> None:
        """Another archive's ring must not become this one's by a wrong setting: data keys are random, so that a
        ring that has one of the store's is an earlier or later state of the store's own."""
        held = {key_id for copy in self.ring_copies() for key_id in ids_in(copy)}
        if held.intersection(key.id for key in keys.keys) or (not held and next(iter(self), None) is None):
            return
        raise ConfigurationError(
            f"the object store {self.location} does not know this key ring",
            where="LIENTHONG_KEYRING",
            expected=f"a ring that has one of the data keys {', '.join(sorted(held))}"
            if held
            else "no ring: the store holds objects, and no copy of a ring",
            action="name the ring of this store, or recover it: lienthong keys recover; to make this one the"
            " store's from now on: lienthong keys enroll",
        )

    def _refuse_plain(self) -> None:
        """A lost setting must not be how encryption is turned off."""
        if not self._may_write_plain and self._place.key_copies():
            raise ConfigurationError(
                f"the object store {self.location} encrypts, and there is no key ring to do it with",
                where="LIENTHONG_KEYRING",
                action="name the ring's file, or recover it: lienthong keys recover",
            )
        self._may_write_plain = True

    def _stored_size(self, size: int) -> int:
        return sealed_size(size) if self.encrypts else size

    def _stored(self, sha256: str) -> Stored:
        with self._asking():
            stored = self.locate(sha256)
        if stored is None:
            raise FatalError(
                f"the object {sha256} is missing from the store {self.location}",
                action="restore it from the backup; nothing else makes these bytes again",
            )
        return stored

    def _own_size(self, sha256: str, stored: Stored) -> int:
        size = plain_size(stored.size) if stored.sealed else stored.size
        if size is None:
            raise _damaged(sha256, stored.size, "those of an encrypted object")
        return size

    def _check_length(self, sha256: str, stored: Stored, size: int) -> None:
        expected = sealed_size(size) if stored.sealed else size
        if stored.size != expected:
            raise _damaged(sha256, stored.size, f"{expected} bytes")

    def _asking(self) -> AbstractContextManager[None]:
        return disk_errors(self.location, "read")


def open_object_store(
    location: str | Path,
    keyring: Path | None = None,
    options: Mapping[str, object] | None = None,
    *,
    enroll: bool = False,
) -> ObjectStore:
    """The store at ``location``: a folder, or ``s3://bucket/prefix``; made where it is not there yet.

    Args:
        location: where.
        keyring: file of the key ring; ``None``: new objects are not encrypted.
        options: of ``s3fs.S3FileSystem``: login and endpoint, where the environment does not say them.
        enroll: see ``ObjectStore``.

    Raises:
        ConfigurationError: the place cannot be reached as it is configured, or the key ring cannot be read or is that
            of another store.
        FatalError: it holds something else. RetriableError: it is away.
    """
    keys = read_ring(keyring) if keyring is not None else None
    if not str(location).startswith(_BUCKET):
        return ObjectStore(FolderPlace(Path(location)), keys, enroll=enroll)
    # Imported here: half a second that a store in a folder does not cost.
    from archive.object_bucket import BucketPlace

    return ObjectStore(BucketPlace(str(location), options or {}), keys, enroll=enroll)


def _named(content: Content) -> tuple[str, int, bytes | None]:
    """SHA-256 and size of ``content``, and its bytes if they are few."""
    digest = hashlib.sha256()
    size = 0
    held: list[bytes] | None = []
    for piece in _readable(content):
        digest.update(piece)
        size += len(piece)
        if held is not None:
            held.append(piece)
            if size > _HELD:
                held = None
    if held is None:
        return digest.hexdigest(), size, None
    return digest.hexdigest(), size, held[0] if len(held) == 1 else b"".join(held)


def _same(content: Content, sha256: str) -> Iterator[bytes]:
    """The pieces of ``content`` once more; whoever takes the last one knows that they are the same as before."""
    digest = hashlib.sha256()
    for piece in _readable(content):
        digest.update(piece)
        yield piece
    if digest.hexdigest() != sha256:
        raise RetriableError(
            "the bytes to be stored were changed while they were stored",
            action="nothing was entered; the batch fetches them again",
        )


def _readable(content: Content) -> Iterator[bytes]:
    """The pieces of ``content``; its own read errors are told apart from those of the store's medium."""
    try:
        yield from chunks(content)
    except OSError as error:
        raise RetriableError(
            f"the bytes to be stored cannot be read: {error.strerror or error}",
            action="look for the spool folder of the source; the batch fetches them again",
        ) from error


def _damaged(sha256: str, found: int, expected: str) -> FatalError:
    return FatalError(
        f"the stored object {sha256} has {found} bytes",
        expected=expected,
        action="restore it from the backup and look at the disk: this object was changed outside the program",
    )
