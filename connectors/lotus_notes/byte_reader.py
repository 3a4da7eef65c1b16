"""Searching and cutting a file of any size in flat memory."""

from __future__ import annotations

import re
from typing import BinaryIO

_BLOCK = 1 << 20
_OVERLAP = 1 << 16


class ByteReader:
    """The bytes of a seekable stream, searched block by block.

    Read, never mapped: a mapped file that another process cuts short kills the reader with SIGBUS, and a
    drop folder is where files are replaced while they are read.

    Args:
        stream: the bytes; read from its own start. Stays open, and is the caller's to close.
        size: how many of them count; what is appended later is not seen.
        width: bytes of a code unit (2 for UTF-16). A match that begins inside a unit is none.
        block: how much is held at a time.
    """

    def __init__(self, stream: BinaryIO, size: int, width: int = 1, block: int = _BLOCK) -> None:
        self.size = size
        self.width = width
        self._stream = stream
        self._step = max(block, 2 * _OVERLAP)
        self._start = 0
        self._block = b""
        self._counted = (0, 1)

    def read(self, start: int, end: int) -> bytes:
        """The bytes in ``[start, end)``; fewer when the file has become shorter."""
        end = min(end, self.size)
        if start >= end:
            return b""
        if self._start <= start and end <= self._start + len(self._block):
            return self._block[start - self._start : end - self._start]
        self._stream.seek(start)
        return self._stream.read(end - start)

    def find(self, mark: bytes, start: int, end: int | None = None) -> int:
        """Where the single byte ``mark`` stands first in ``[start, end)``; -1 for nowhere. Faster than a pattern."""
        limit = self.size if end is None else min(end, self.size)
        position = start
        while position < limit:
            if not self._start <= position < self._start + len(self._block):
                self._load(position)
            reach = min(self._start + len(self._block), limit)
            found = self._block.find(mark, position - self._start, reach - self._start)
            if found >= 0:
                return self._start + found
            if reach == position:
                break
            position = reach
        return -1

    def search(
        self, pattern: re.Pattern[bytes], start: int, end: int | None = None
    ) -> tuple[int, int, re.Match[bytes]] | None:
        """First match of ``pattern`` that begins in ``[start, end)``: where it begins, where it ends, the
        match.

        A match may be at most 64 KiB long; longer ones may be missed.
        """
        limit = self.size if end is None else min(end, self.size)
        position = start
        while position < limit:
            self._hold(position)
            reach = self._start + len(self._block)
            found = pattern.search(self._block, position - self._start)
            if found is None:
                if reach >= self.size:
                    return None
                position = reach - _OVERLAP
                continue
            begin = self._start + found.start()
            if reach < self.size and begin > reach - _OVERLAP:
                position = (
                    begin  # it may be cut off by the block's end: look again from a block that begins with it
                )
            elif begin >= limit:
                return None
            elif begin % self.width:
                position = begin + 1
            else:
                return begin, self._start + found.end(), found
        return None

    def match(self, pattern: re.Pattern[bytes], start: int) -> tuple[int, re.Match[bytes]] | None:
        """``pattern`` right at ``start``: where it ends, and the match."""
        self._hold(start)
        found = pattern.match(self._block, start - self._start)
        return None if found is None else (self._start + found.end(), found)

    def line(self, offset: int, newline: bytes = b"\n") -> int:
        """Line of ``offset``, from 1. Counting goes on from the last answer: ask in rising order."""
        position, lines = self._counted if self._counted[0] <= offset else (0, 1)
        while position < offset:
            piece = self.read(position, min(position + self._step, offset))
            if not piece:
                break
            lines += piece.count(newline)
            position += len(piece)
        self._counted = (position, lines)
        return lines

    def _hold(self, position: int) -> None:
        end = self._start + len(self._block)
        inside = self._start <= position < end
        if not inside or (end < self.size and end - position <= _OVERLAP):
            self._load(position)

    def _load(self, position: int) -> None:
        self._stream.seek(position)
        self._start = position
        wanted = min(self._step, self.size - position)
        self._block = self._stream.read(wanted)
        if len(self._block) < wanted:
            self.size = position + len(self._block)  # the file was cut short since its size was taken
