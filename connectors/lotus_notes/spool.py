"""Bytes that come in pieces: held in memory while they are few, in an unnamed temporary file when they are
many."""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import dataclass
from typing import BinaryIO

from schemas.record import BytesContent, Content, PiecesContent

_IN_MEMORY = 8 << 20


class Spool:
    """Collects bytes and gives them back as a ``Content``.

    Args:
        in_memory: how many bytes stay in memory before a temporary file takes them all.
    """

    def __init__(self, in_memory: int = _IN_MEMORY) -> None:
        self.size = 0
        self._in_memory = in_memory
        self._pieces: list[bytes] = []
        self._file: BinaryIO | None = None

    def write(self, piece: bytes) -> None:
        """Appends ``piece``. Raises ``OSError`` when the temporary directory is full."""
        self.size += len(piece)
        self._pieces.append(piece)
        if self.size > self._in_memory:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - its content closes it
            self._file.write(b"".join(self._pieces))
            self._pieces.clear()

    def content(self) -> Content:
        """What was written. Nothing is to be written afterwards."""
        if self._file is None:
            if len(self._pieces) < 2:
                return BytesContent(b"".join(self._pieces))
            return PiecesContent(tuple(self._pieces), self.size)
        self._file.flush()
        return SpooledContent(self._file, self.size)


@dataclass(frozen=True, slots=True)
class SpooledContent:
    """Content in a temporary file that has no name and goes away with this value and its readers."""

    file: BinaryIO
    size: int

    def open(self) -> BinaryIO:
        """A reader with a position of its own."""
        return io.BufferedReader(_At(self.file, self.size))


class _At(io.RawIOBase):
    """A reader over a shared file descriptor: ``pread`` moves nobody else's position."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__()
        self._file = file
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        piece = os.pread(self._file.fileno(), len(buffer), self._position)
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)
