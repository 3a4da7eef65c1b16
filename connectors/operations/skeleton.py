"""A package without its payloads, small enough to be parsed in memory however large its attachments are."""

from __future__ import annotations

import re
from typing import BinaryIO, NamedTuple

CHUNK = 1 << 20
MAX_TOKEN = 4 << 20
"""Bytes of one tag or comment."""
MAX_SKELETON = 32 << 20
"""Bytes of a package outside its payloads; ten thousand recipients with all fields are 8 MB."""

_TOKEN = re.compile(
    rb"<(?:!--(?:.*?(?P<comment>-->))?|!\[CDATA\[(?:.*?(?P<cdata>\]\]>))?|\?(?:.*?(?P<pi>\?>))?"
    rb"|(?:[\w.\-]+:)?(?P<payload>ContentTransferEncoded)(?:\s[^<>]*)?(?<!/)>)",
    re.DOTALL,
)
_WORD = b"ContentTransferEncoded"
_END = re.compile(rb"</(?:[\w.\-]+:)?ContentTransferEncoded\s*>")
_LONGEST_END = 256
_MAX_LINES = (
    8 << 20
)  # of one payload; libxml2 takes no text of 10 MB, and lines of two characters are nobody's


class RefusedError(Exception):
    """The file cannot be read as a package; ``scan`` turns this into its ``Refusal``."""

    def __init__(self, reason: str, message: str, where: str) -> None:
        self.reason, self.message, self.where = reason, message, where
        super().__init__(reason, message, where)


class Span(NamedTuple):
    """The text of a ``ContentTransferEncoded`` as bytes ``[start, end)`` of the file.

    ``marked_up``: entities, CDATA or comments are in it, so that the bytes are not yet the text.
    """

    start: int
    end: int
    marked_up: bool


class Skeleton(NamedTuple):
    """The XML with each payload replaced by its number in ``spans``; line breaks stay, so lines keep theirs."""

    data: bytes
    spans: tuple[Span, ...]


def read_skeleton(stream: BinaryIO, start: int = 0) -> Skeleton:
    """The skeleton of the XML that begins at byte ``start`` of ``stream``, in an encoding based on ASCII.

    Raises:
        RefusedError: a tag, or all that is no payload, is larger than the limits.
    """
    return _Cutter(stream, start).run()


class _Cutter:
    """Holds the bytes that were read and not yet kept or passed over."""

    def __init__(self, stream: BinaryIO, start: int) -> None:
        self._stream = stream
        stream.seek(start)
        self._held = b""
        self._at = start  # byte of the file where the held bytes begin
        self._kept: list[bytes] = []
        self._size = 0
        self._spans: list[Span] = []

    def run(self) -> Skeleton:
        while self._read():
            while (after := self._next_payload()) is not None:
                self._pass_payload(after)
        self._keep(len(self._held))
        return Skeleton(b"".join(self._kept), tuple(self._spans))

    def _read(self) -> bool:
        piece = self._stream.read(CHUNK)
        if piece:
            self._held = self._held + piece if self._held else piece
        return bool(piece)

    def _keep(self, count: int) -> None:
        self._save(count)
        self._drop(count)

    def _save(self, count: int) -> None:
        piece = self._held if count == len(self._held) else self._held[:count]
        self._kept.append(piece)
        self._size += len(piece)
        if self._size > MAX_SKELETON:
            raise RefusedError(
                "header_too_large", f"more than {MAX_SKELETON} bytes outside payloads", f"byte {self._at}"
            )

    def _drop(self, count: int) -> None:
        self._held = self._held[count:]
        self._at += count

    def _next_payload(self) -> int | None:
        """Where in the held bytes the next payload begins; ``None`` when more must be read to tell."""
        at = self._first_of_interest()
        while found := _TOKEN.search(self._held, at):
            if found.lastgroup == "payload":
                return found.end()
            if found.lastgroup is None:
                self._wait(found.start(), "a comment or section")
                return None
            at = found.end()
        last = self._held.rfind(b"<", at)
        # A tag that is not closed yet may become that of a payload.
        self._wait(last if last >= 0 and self._held.find(b">", last) < 0 else len(self._held), "a tag")
        return None

    def _first_of_interest(self) -> int:
        """The byte before which no token stands that matters; most packages have no comments or sections."""
        held = self._held
        word = held.find(_WORD)
        end = word if word >= 0 else len(held)
        # One byte is looked for ten times faster than two, and than counted. A declaration has two question marks.
        second = held.find(b"?", held.find(b"?") + 1)
        if held.find(b"!", 0, end) >= 0 or held.find(b"?", second + 1, end) >= 0:
            return 0
        return max(0, held.rfind(b"<", 0, end))

    def _wait(self, keep: int, what: str) -> None:
        self._keep(keep)
        if len(self._held) > MAX_TOKEN:
            raise RefusedError(
                "token_too_large", f"{what} is larger than {MAX_TOKEN >> 20} MiB", f"byte {self._at}"
            )

    def _pass_payload(self, begin: int) -> None:
        """Replace the payload that begins at ``begin`` of the held bytes by its number and its line breaks."""
        self._save(begin)
        start, lines, marked_up, more = self._at + begin, 0, False, True
        while more:
            closing = self._closing(begin)
            end = self._safe_end(begin) if closing is None else closing
            held = self._held
            lines += held.count(b"\n", begin, end) if held.find(b"\n", begin, end) >= 0 else 0
            marked_up = marked_up or held.find(b"&", begin, end) >= 0 or held.find(b"<", begin, end) >= 0
            self._drop(end)
            begin = 0
            more = closing is None and self._read()
        self._kept.append(b"%d" % len(self._spans) + b"\n" * min(lines, _MAX_LINES))
        self._spans.append(Span(start, self._at, marked_up))

    def _closing(self, begin: int) -> int | None:
        at = self._held.find(b"<", begin)
        while at >= 0 and not _END.match(self._held, at):
            at = self._held.find(b"<", at + 1)
        return at if at >= 0 else None

    def _safe_end(self, begin: int) -> int:
        """Where a closing tag that the next piece completes may begin, at the earliest."""
        last = self._held.rfind(b"<", max(begin, len(self._held) - _LONGEST_END))
        return last if last >= 0 else len(self._held)
