"""Bytes on their way: in memory while small, in an unnamed temporary file when large, or part of others."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO

from schemas.errors import FatalError
from schemas.record import BytesContent, Content

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MEMORY_LIMIT = 8 << 20
"""Bytes that the contents of one record hold in memory together; the rest goes to one temporary file."""
TOTAL_LIMIT = 4 << 30
"""Bytes that one record may unpack to, all its files together."""


_COPIED = 1 << 20


class SpoolFullError(Exception):
    """A record unpacks to more bytes than its spool may keep."""


class Spool:
    """Keeps the contents of one record; its unnamed temporary file goes with the last content in it."""

    def __init__(self, memory_limit: int = MEMORY_LIMIT, total_limit: int = TOTAL_LIMIT) -> None:
        self._memory = memory_limit
        self._total = total_limit
        self._file: IO[bytes] | None = None
        self._end = 0

    def keep(self, pieces: Iterable[bytes]) -> Content:
        """``pieces`` as one content.

        Raises:
            SpoolFullError: with it the record would exceed the total limit.
            FatalError: no room for the temporary file.
        """
        held: list[bytes] = []
        size = 0
        rest = iter(pieces)
        for piece in rest:
            held.append(piece)
            size += len(piece)
            if size > self._memory:
                return self._to_file(held, rest)
        self._take(size)
        self._memory -= size
        return BytesContent(b"".join(held))

    def _to_file(self, held: list[bytes], rest: Iterator[bytes]) -> Content:
        if self._file is None:
            try:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as its contents
            except OSError as error:
                raise _no_room(error) from error
        start = self._end
        while held:
            self._append(held.pop(0))
        for piece in rest:
            self._append(piece)
        return _TemporaryContent(self._file, start, self._end - start)

    def _append(self, piece: bytes) -> None:
        assert self._file is not None
        self._take(len(piece))
        view = memoryview(piece)
        while view:
            try:
                written = os.pwrite(self._file.fileno(), view, self._end)
            except OSError as error:
                raise _no_room(error) from error
            self._end += written
            view = view[written:]

    def _take(self, size: int) -> None:
        self._total -= size
        if self._total < 0:
            raise SpoolFullError("the record unpacks to more bytes than the limit")


def _no_room(error: OSError) -> FatalError:
    return FatalError(
        f"a temporary file cannot be written: {error.strerror}",
        where=tempfile.gettempdir(),
        action="free space there, or point TMPDIR to a larger disk",
    )


@dataclass(frozen=True, slots=True)
class SliceContent:
    """The bytes ``[start, end)`` of another content."""

    whole: Content
    start: int
    end: int

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.end - self.start

    def open(self) -> BinaryIO:
        """A reader over the part."""
        return io.BufferedReader(_SliceReader(self.whole.open(), self.start, self.end))


def slice_of(whole: Content, start: int, end: int) -> Content:
    """The bytes ``[start, end)`` of ``whole``; of bytes in memory a copy while that is small."""
    if isinstance(whole, BytesContent) and end - start <= _COPIED:
        return BytesContent(whole.data[start:end])
    return SliceContent(whole, start, end)


def head_of(content: Content, size: int) -> bytes:
    """The first ``size`` bytes of ``content``, or all of it."""
    if isinstance(content, BytesContent):
        return content.data[:size]
    with content.open() as stream:
        return stream.read(size)


def tail_of(content: Content, size: int) -> bytes:
    """The last ``size`` bytes of ``content``, or all of it."""
    if isinstance(content, BytesContent):
        return content.data[-size:]
    with content.open() as stream:
        stream.seek(max(0, content.size - size))
        return stream.read(size)


class _TemporaryContent:
    """Part of an unnamed temporary file; every reader has a position of its own."""

    __slots__ = ("_file", "_start", "size")

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file = file
        self._start = start
        self.size = size

    def open(self) -> BinaryIO:
        return io.BufferedReader(_PositionedReader(self._file, self._start, self.size), 1 << 18)


class _PositionedReader(io.RawIOBase):
    """Reads at its own position, so that several readers can share one descriptor."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file = file  # holding the file object keeps its descriptor open
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        room = memoryview(buffer)[: max(0, self._size - self._at)]
        count = os.preadv(self._file.fileno(), [room], self._start + self._at) if room else 0
        self._at += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._at = _sought(offset, whence, self._at, self._size)
        return self._at

    def tell(self) -> int:
        return self._at


class _SliceReader(io.RawIOBase):
    """Reads a part of another reader, which it closes with itself."""

    def __init__(self, whole: BinaryIO, start: int, end: int) -> None:
        self._whole = whole
        self._start = start
        self._size = end - start
        self._at = 0
        whole.seek(start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        data = self._whole.read(min(len(view), max(0, self._size - self._at)))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._at = _sought(offset, whence, self._at, self._size)
        self._whole.seek(self._start + self._at)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if not self.closed:
            self._whole.close()
        super().close()


def _sought(offset: int, whence: int, at: int, size: int) -> int:
    start = {os.SEEK_SET: 0, os.SEEK_CUR: at, os.SEEK_END: size}[whence]
    if start + offset < 0:
        raise ValueError(f"seek before the start: {start + offset}")
    return start + offset
