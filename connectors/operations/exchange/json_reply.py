"""Reads JSON answers whose long texts (whole packages in base64) stay where they are and are read piece by piece."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connectors.operations.spool import SliceContent
from schemas.record import Content, chunks

LONG = 64 << 10
"""Bytes from which on a text is not taken into memory."""

MAX_OUTLINE = 64 << 20
"""Bytes of an answer without its long texts."""

_END_OR_ESCAPE = re.compile(rb'["\\]')
_ESCAPE = re.compile(rb"\\(u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|.)", re.DOTALL)
_HIGH_SURROGATE = re.compile(rb"\\u[dD][89abAB]..")
_HALF_ESCAPE = 6
_LONGEST_ESCAPE = 12  # two \uXXXX for one character beyond the basic plane
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


class NotJsonError(Exception):
    """The answer is no JSON, is cut off, or is deeper or larger than any answer of a service."""


@dataclass(frozen=True, slots=True)
class LongText:
    """A text of a JSON answer, as it stands between its quotes."""

    raw: Content

    def pieces(self) -> Iterator[bytes]:
        """The text in UTF-8, escapes resolved."""
        held = b""
        for piece in chunks(self.raw):
            text = held + piece
            cut = _before_open_escape(text)
            yield _ESCAPE.sub(_unescaped, text[:cut])
            held = text[cut:]
        yield _ESCAPE.sub(_unescaped, held)


Json = None | bool | int | float | str | LongText | list["Json"] | dict[str, "Json"]


def read_json(content: Content) -> Json:
    """The value in ``content``; texts longer than ``LONG`` bytes come as ``LongText``.

    Raises:
        NotJsonError: see there.
    """
    mark = f"\0{secrets.token_hex(8)}:"
    outline = bytearray()
    places: list[LongText] = []
    for literal, start, end in _literals(content):
        if start is None:
            outline += literal
        else:
            outline += json.dumps(f"{mark}{len(places)}").encode()
            places.append(LongText(SliceContent(content, start, end)))
        if len(outline) > MAX_OUTLINE:
            raise NotJsonError(f"more than {MAX_OUTLINE} bytes beside its long texts")
    try:
        return _with_places(json.loads(outline), mark, places)
    except RecursionError:
        raise NotJsonError("nested too deeply") from None
    except ValueError as error:
        raise NotJsonError(f"no JSON: {error}") from None


def get(found: Json, name: str) -> Json:
    """The member ``name`` of an object, whatever the case of its letters; ``None`` when there is none."""
    if not isinstance(found, Mapping):
        return None
    if name in found:
        return found[name]
    folded = name.casefold()
    return next((value for key, value in found.items() if key.casefold() == folded), None)


def text_of(found: Json) -> str:
    """A text or a number as stripped text; ``""`` for anything else."""
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return ""
    return str(found).strip()


def _literals(content: Content) -> Iterator[tuple[bytes, int | None, int]]:
    """(bytes, ``None``, 0) for what is taken as it is, (b"", start, end) for the inside of a long text."""
    inside = False
    escaped = False
    start = 0
    held = bytearray()
    base = 0
    for piece in chunks(content):
        at = 0
        while at < len(piece):
            if not inside:
                quote = piece.find(b'"', at)
                if quote < 0:
                    yield piece[at:], None, 0
                    break
                yield piece[at:quote], None, 0
                inside, start, at = True, base + quote + 1, quote + 1
                held.clear()
                continue
            end = at if escaped else _end_or_escape(piece, at)
            if escaped or (end < len(piece) and piece[end : end + 1] == b"\\"):
                escaped = not escaped
                end += 1
                closed = False
            else:
                closed = end < len(piece)
            if base + end - start <= LONG:
                held += piece[at:end]
            if closed:
                yield (
                    (b"", start, base + end)
                    if base + end - start > LONG
                    else (b'"%b"' % bytes(held), None, 0)
                )
                inside = False
                end += 1
            at = end
        base += len(piece)
    if inside:
        raise NotJsonError("cut off inside a text")


def _end_or_escape(piece: bytes, at: int) -> int:
    found = _END_OR_ESCAPE.search(piece, at)
    return found.start() if found else len(piece)


def _before_open_escape(text: bytes) -> int:
    """Where an escape that may go on behind the end of ``text`` begins."""
    at = text.find(b"\\", max(0, len(text) - _LONGEST_ESCAPE))
    if at < 0:
        return len(text)
    while at and text[at - 1 : at] == b"\\":
        at -= 1  # the first of a row, so that no pair is torn
    before = text[max(0, at - _HALF_ESCAPE) : at]
    return at - _HALF_ESCAPE if _HIGH_SURROGATE.fullmatch(before) else at


def _unescaped(found: re.Match[bytes]) -> bytes:
    name = found.group(1)
    if not name.startswith(b"u"):
        return _SIMPLE.get(name, name)
    try:
        return str(json.loads(b'"%b"' % found.group(0))).encode("utf-8", "replace")
    except ValueError:
        return found.group(0)


def _with_places(found: Json, mark: str, places: list[LongText]) -> Json:
    if isinstance(found, str):
        return places[int(found.removeprefix(mark))] if found.startswith(mark) else found
    if isinstance(found, list):
        return [_with_places(member, mark, places) for member in found]
    if isinstance(found, dict):
        return {key: _with_places(member, mark, places) for key, member in found.items()}
    return found
