"""Encrypted objects: AES-256-GCM in chunks, each vouching for the object's name, its own place, and being the last.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance, CRYPTO 2015) with a key of its own for each object, as in Tink's AES-GCM-HKDF streaming AEAD.
A file::

    header  104 bytes   magic 8 · id of the data key 16 · salt 32 · nonce prefix 7 · zero 1
                        · length of the object 8, big-endian · its SHA-256 32
    chunks              AES-256-GCM of 65,536 bytes each, the last one shorter (of an empty object: one, empty);
                        16 bytes of tag after each
    trailer  32 bytes   SHA-256 of all bytes before it

The key of the object is HKDF-SHA-256 of the data key with the salt and ``lienthong object`` + header as info; the nonce
is prefix · number of the chunk (4 bytes, big-endian, from 0) · 1 for the last chunk, else 0; the header is the
associated data of each chunk. The trailer lies beside the bytes, not in a database, so that every copy of a store can
be checked without its keys; who may write the store could forge it, which only a check with the keys finds.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import RawIOBase
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from schemas.errors import FatalError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAGIC = b"LIENSEA1"
CHUNK = 1 << 16
TAG = 16
HEADER = struct.Struct(">8s16s32s7sxQ32s")
TRAILER = 32
KEY_ID = 16

_INFO = b"lienthong object"
_WHOLE = CHUNK + TAG
_AROUND = HEADER.size + TRAILER

DataKeys = Callable[[bytes], bytes]
"""Gives the data key of an id; raises ``UnknownKeyError`` where it is not in the ring."""


class Readable(Protocol):
    """What bytes can be taken from."""

    def read(self, size: int = -1, /) -> bytes | None:
        """At most ``size`` bytes, none at the end."""
        ...


class UnknownKeyError(FatalError):
    """The ring does not have the data key of an object."""


class BrokenSealError(ValueError):
    """The stored bytes are not those that were written. The text says where, never what."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the chunks.

    Attributes:
        key_id: of the data key, 16 bytes.
        salt: 32 random bytes. prefix: 7 random bytes.
        size: bytes of the object. sha256: its name, hexadecimal.
    """

    key_id: bytes
    salt: bytes
    prefix: bytes
    size: int
    sha256: str

    def packed(self) -> bytes:
        """The 104 bytes."""
        return HEADER.pack(MAGIC, self.key_id, self.salt, self.prefix, self.size, bytes.fromhex(self.sha256))


def sealed_size(size: int) -> int:
    """Bytes of the file of an object of ``size`` bytes."""
    return _AROUND + size + TAG * _chunks(size)


def plain_size(stored: int) -> int | None:
    """Bytes of the object in a file of ``stored`` bytes; ``None`` when no object makes such a file."""
    body = stored - _AROUND
    if body < TAG:
        return None
    size = body - TAG * -(-body // _WHOLE)
    return size if size >= 0 and sealed_size(size) == stored else None


def seal(pieces: Iterable[bytes], sha256: str, size: int, key_id: bytes, key: bytes) -> Iterator[bytes]:
    """The file of the object ``sha256``, whose ``size`` bytes are ``pieces``.

    Raises:
        FatalError: ``pieces`` are not that many bytes.
    """
    header = Header(key_id, os.urandom(32), os.urandom(7), size, sha256)
    packed = header.packed()
    cipher = _cipher(key, header)
    stored = hashlib.sha256(packed)
    yield packed
    last = _chunks(size) - 1
    number = -1
    total = 0
    for number, chunk in enumerate(_rechunked(pieces)):
        total += len(chunk)
        if number > last:
            break
        piece = cipher.encrypt(_nonce(header, number, number == last), chunk, packed)
        stored.update(piece)
        yield piece
    if number != last or total != size:
        raise FatalError(
            f"the object {sha256} has another length than before",
            expected=f"{size} bytes",
            action="run it again: the file was changed while it was stored",
        )
    yield stored.digest()


def examine(stream: Readable, stored_size: int, sha256: str, keys: DataKeys | None) -> str:
    """Read a whole file: what was proven by it.

    Returns:
        ``content``: with the data key, that the object hashes to its name; ``stored``: without ``keys``, that the
        stored bytes hash to their trailer.

    Raises:
        BrokenSealError: they do not.
        UnknownKeyError: ``keys`` has no such data key.
    """
    header, packed = _read_header(stream, stored_size, sha256)
    cipher = _cipher(keys(header.key_id), header) if keys else None
    stored, plain = hashlib.sha256(packed), hashlib.sha256()
    last = _chunks(header.size) - 1
    for number in range(last + 1):
        piece = _read_exactly(stream, _length(header.size, number))
        stored.update(piece)
        if cipher:
            plain.update(_decrypted(cipher, header, packed, number, piece))
    if _read_exactly(stream, TRAILER) != stored.digest():
        raise BrokenSealError("the stored bytes have another SHA-256 than their trailer says")
    if cipher and plain.hexdigest() != sha256:
        raise BrokenSealError("its bytes have another SHA-256")
    return "content" if cipher else "stored"


class SealedReader(RawIOBase):
    """A seekable reader over the bytes of an encrypted object; holds one chunk. Closes ``stream`` with itself.

    A byte is given out only after the chunk that it is in was proven to be of this object and at this place, so a
    truncated, spliced or swapped file is refused where it departs from what was written.

    Raises:
        FatalError: the file is not what was written, or its data key is not in the ring. ``read`` raises it too.
    """

    def __init__(self, stream: RawIOBase, stored_size: int, sha256: str, keys: DataKeys) -> None:
        super().__init__()
        self._stream = stream
        self._sha256 = sha256
        self._position = 0
        self._held = -1
        self._chunk = b""
        self._at = HEADER.size  # where the stream stands
        try:
            self._header, self._packed = _read_header(stream, stored_size, sha256)
            self._cipher = _cipher(keys(self._header.key_id), self._header)
        except BrokenSealError as error:
            stream.close()
            raise self._refused(error) from error
        except BaseException:
            stream.close()
            raise

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Position in the object."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to another position in the object."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._header.size}[whence]
        if start + offset < 0:
            raise ValueError(f"a position before the beginning: {start + offset}")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill ``buffer`` up to the end of a chunk."""
        view = memoryview(buffer).cast("B")
        number, start = divmod(self._position, CHUNK)
        # Also at the end, once: the last chunk of an empty object proves that it is empty.
        if self._position >= self._header.size and (self._header.size or self._held == 0):
            return 0
        if number != self._held:
            self._hold(number)
        piece = self._chunk[start : start + len(view)]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        """Close the stored bytes too."""
        if not self.closed:
            self._stream.close()
        super().close()

    def _hold(self, number: int) -> None:
        place = HEADER.size + number * _WHOLE
        if place != self._at:
            self._stream.seek(place)
        try:
            piece = _read_exactly(self._stream, _length(self._header.size, number))
            self._chunk = _decrypted(self._cipher, self._header, self._packed, number, piece)
        except BrokenSealError as error:
            raise self._refused(error) from error
        self._at = place + len(piece)
        self._held = number

    def _refused(self, error: BrokenSealError) -> FatalError:
        return FatalError(
            f"the stored object {self._sha256} is not as it was written: {error}",
            action="restore it from the backup and look at the medium: it was changed outside the program",
        )


def _chunks(size: int) -> int:
    return max(1, -(-size // CHUNK))


def _length(size: int, number: int) -> int:
    """Bytes of the chunk ``number`` in the file."""
    return min(CHUNK, size - number * CHUNK) + TAG


def _cipher(key: bytes, header: Header) -> AESGCM:
    derived = HKDF(SHA256(), 32, salt=header.salt, info=_INFO + header.packed()).derive(key)
    return AESGCM(derived)


def _nonce(header: Header, number: int, last: bool) -> bytes:
    return header.prefix + number.to_bytes(4, "big") + (b"\1" if last else b"\0")


def _decrypted(cipher: AESGCM, header: Header, packed: bytes, number: int, piece: bytes) -> bytes:
    nonce = _nonce(header, number, number == _chunks(header.size) - 1)
    try:
        return cipher.decrypt(nonce, piece, packed)
    except InvalidTag:
        raise BrokenSealError(f"chunk {number} was changed, or its key is another one") from None


def _rechunked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """``pieces`` in chunks; at least one, which may be empty."""
    held = bytearray()
    first = True
    for piece in pieces:
        held += piece
        whole = len(held) - len(held) % CHUNK
        for start in range(0, whole, CHUNK):
            yield bytes(held[start : start + CHUNK])
            first = False
        del held[:whole]
    if held or first:
        yield bytes(held)


def _read_header(stream: Readable, stored_size: int, sha256: str) -> tuple[Header, bytes]:
    size = plain_size(stored_size)
    if size is None:
        raise BrokenSealError(f"{stored_size} bytes, which no encrypted object has")
    packed = _read_exactly(stream, HEADER.size)
    magic, key_id, salt, prefix, told, name = HEADER.unpack(packed)
    header = Header(key_id, salt, prefix, size, sha256)
    if magic != MAGIC or packed != header.packed():
        raise BrokenSealError("its header is that of another object" if name.hex() != sha256 else
                         f"its header tells {told} bytes instead of {size}" if magic == MAGIC and told != size
                         else "its header was changed")  # fmt: skip
    return header, packed


def _read_exactly(stream: Readable, count: int) -> bytes:
    pieces = []
    missing = count
    while missing:
        piece = stream.read(missing)
        if not piece:
            raise BrokenSealError(f"it ends {missing} bytes early")
        pieces.append(piece)
        missing -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
