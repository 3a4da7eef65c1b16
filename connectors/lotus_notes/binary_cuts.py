"""Takes the large binary elements out of a record before its XML is parsed, so that no file stands in memory as text.

What is taken out is decoded while it is read. A mark stays in its place that no export can foresee.
"""

from __future__ import annotations

import re
import secrets
from bisect import bisect_left
from itertools import accumulate

from connectors.lotus_notes.base64_sink import LIMIT, Base64Sink
from connectors.lotus_notes.byte_reader import ByteReader
from connectors.lotus_notes.nodes import BINARY
from schemas.record import Content

_SMALLEST = 4096
_SMALL_RECORD = 1 << 16
_BLOCK = 8 << 20
_PIECE = 1 << 17
_INSIDE_TAG = rb"""(?:[^'"<>/]++|/(?!>)|"[^"<]*+"|'[^'<]*+')*+"""  # possessive: nothing is kept to go back to
_TOKEN = re.compile(
    rb"<(?:(?P<comment>!--)|(?P<cdata>!\[CDATA\[)|(?P<instruction>\?)|(?P<binary>(?:[^\s<>/:!?'\"=]+:)?(?:"
    + b"|".join(name.encode() for name in sorted(BINARY))
    + rb")(?=[\s>])"
    + _INSIDE_TAG
    + rb">))"
)
_CLOSERS = {
    "comment": re.compile(rb"-->"),
    "cdata": re.compile(rb"\]\]>"),
    "instruction": re.compile(rb"\?>"),
}


class BinaryCuts:
    """A record without its large binary elements.

    Args:
        content: the record, UTF-8.
        limit: most decoded bytes of one element.

    Attributes:
        markup: the record's bytes with a mark in the place of each content that was taken out.
    """

    def __init__(self, content: Content, limit: int = LIMIT) -> None:
        self._limit = limit
        self._sinks: list[Base64Sink] = []
        self._mark = ""
        self._lines: list[int] = []
        self._removed: list[int] = []
        if content.size <= _SMALL_RECORD:
            with content.open() as stream:
                self.markup = stream.read()
        else:
            self._mark = f"{secrets.token_hex(8)}:"
            with content.open() as stream:
                reader = ByteReader(stream, content.size, block=min(_BLOCK, content.size))
                self.markup = b"".join(self._kept(reader))
        self._removed = [0, *accumulate(self._removed)]

    def sink(self, text: str) -> Base64Sink:
        """The decoder that has taken all of ``text``, the character data of a binary element in the markup."""
        if self._sinks and text.startswith(self._mark):
            index, _, rest = text.removeprefix(self._mark).partition(";")
            sink = self._sinks[int(index)]
        else:
            sink, rest = Base64Sink(self._limit), text
        if rest.strip():
            sink.feed(rest.encode("utf-8"))
        return sink

    def line(self, line: int) -> int:
        """The line of the record that stands at ``line`` of the markup."""
        return line + self._removed[bisect_left(self._lines, line)] if self._lines else line

    def _kept(self, reader: ByteReader) -> list[bytes]:
        kept: list[bytes] = []
        position, lines = 0, 1
        while (token := reader.search(_TOKEN, position)) is not None:
            _, opened, match = token
            kind = str(match.lastgroup)
            if kind != "binary":
                closed = reader.search(_CLOSERS[kind], opened)
                if closed is None:
                    break
                end = closed[1]
            else:
                end = opened
            kept.append(reader.read(position, end))
            lines += kept[-1].count(b"\n")
            position = end
            if kind == "binary":
                position = self._content_end(reader, opened)
                if position > opened:
                    breaks = self._cut(reader, opened, position)
                    self._lines.append(lines)
                    self._removed.append(max(0, breaks - 1))
                    kept.append(f"{self._mark}{len(self._sinks) - 1};".encode() + b"\n"[:breaks])
                    lines += min(1, breaks)
        kept.append(reader.read(position, reader.size))
        return kept

    def _content_end(self, reader: ByteReader, start: int) -> int:
        """Where the base64 ends that begins at ``start``; ``start`` itself if it is to stay in the markup."""
        end = reader.find(b"<", start)
        if end - start < _SMALLEST or reader.find(b"&", start, end) >= 0:
            return start
        return end

    def _cut(self, reader: ByteReader, start: int, end: int) -> int:
        sink = Base64Sink(self._limit)
        breaks = 0
        for position in range(start, end, _PIECE):
            piece = reader.read(position, min(position + _PIECE, end))
            breaks += sink.feed(piece)
        self._sinks.append(sink)
        return breaks
