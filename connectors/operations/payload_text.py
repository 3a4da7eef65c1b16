"""Takes the transfer encoding off a payload, piece by piece: base64 with its usual faults, quoted-printable.

A fault that leaves no doubt about the bytes is repaired and named; any other raises. RFC 4648, RFC 2045 §6.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator

import pybase64
from lxml import etree

from connectors.operations.defects import sentence
from schemas.record import BytesContent, Content, chunks

Problem = tuple[str, str]
"""Class of a defect and its sentence."""

_WHITE = b" \t\r\n"
_FOREIGN_SPACE = re.compile("[\u00a0\u2000-\u200f\u2028\u2029\u202f\u2060\u3000\ufeff]")
_DATA_URI = re.compile(rb"data:[\w.+\-/]{0,100}(?:;[\w=\-]{1,40})*;base64,", re.IGNORECASE)
_LONGEST_URI = 256
_MAX_MARKED_UP = 64 << 20  # such a payload is parsed once more, in memory


def transfer_decoded(raw: Content, encoding: str, problems: list[Problem] | None = None) -> Iterator[bytes]:
    """The bytes that ``raw`` encodes as ``base64`` or ``quoted-printable``.

    Args:
        raw: encoded bytes. encoding: lower case.
        problems: takes what was repaired.

    Raises:
        ValueError: ``raw`` is not encoded so; possibly after some pieces.
    """
    if encoding == "quoted-printable":
        return _quoted_printable(chunks(raw))
    decoder = _Base64(problems if problems is not None else [])
    if not isinstance(raw, BytesContent):
        return decoder.decode(chunks(raw))
    plain = _plain(raw.data)
    return decoder.decode([raw.data]) if plain is None else iter((plain,))


def character_data(raw: Content) -> Content:
    """The text of an element whose content is ``raw``: entities and CDATA resolved, comments left out.

    Raises:
        ValueError: it is no well-formed content, or too large to be parsed.
    """
    if raw.size > _MAX_MARKED_UP:
        raise ValueError(f"{raw.size} bytes of text with entities or comments")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, remove_comments=True, huge_tree=True
    )
    try:
        root = etree.fromstring(b"<payload>" + b"".join(chunks(raw)) + b"</payload>", parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error.msg)) from None
    return BytesContent("".join(root.itertext()).encode())


class _Base64:
    """Decodes pieces of any length; the last groups wait for the end, where padding may stand."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems
        self._standard = self._url_safe = False

    def decode(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        held, size, first = b"", 0, True
        for piece in pieces:
            text = held + piece if held else piece
            if first:
                text, first = self._without_uri(text), len(text) < _LONGEST_URI
            text = self._cleaned(text)
            whole = max(0, (len(text) & ~3) - 4)
            held = text[whole:]
            if whole:
                size += whole
                yield _groups(text[:whole])
        if held:
            yield self._last(held, size)

    def _without_uri(self, text: bytes) -> bytes:
        found = _DATA_URI.match(text[:_LONGEST_URI].lstrip())
        if found is None:
            return text
        self._note("base64_data_uri", prefix=found.group().decode("ascii"))
        return text.lstrip()[found.end() :]

    def _cleaned(self, text: bytes) -> bytes:
        if any(space in text for space in (b"\n", b" ", b"\r", b"\t")):
            text = text.translate(None, _WHITE)
        if not text.isascii():
            plain = _FOREIGN_SPACE.sub("", text.decode("utf-8", "surrogateescape"))
            without = plain.encode("utf-8", "surrogateescape")
            if without != text:
                self._note("base64_foreign_space")
            text = without
        if b"-" in text or b"_" in text:
            self._url_safe = True
            self._note("base64_url_safe")
            if self._standard or b"+" in text or b"/" in text:
                raise ValueError("two alphabets in one text")
            return text.replace(b"-", b"+").replace(b"_", b"/")
        if self._url_safe and (b"+" in text[8:] or b"/" in text[8:]):
            raise ValueError("two alphabets in one text")
        self._standard = self._standard or b"+" in text or b"/" in text
        return text

    def _last(self, text: bytes, before: int) -> bytes:
        over = len(text) % 4
        if over == 1 and before + len(text) > 4 and b"=" not in text:
            self._note("base64_truncated")
            text = text[:-1]
        elif over:
            self._note("base64_unpadded")
            text += b"=" * (4 - over)
        return binascii.a2b_base64(text, strict_mode=True)

    def _note(self, code: str, **facts: object) -> None:
        problem = (code, sentence(code, **facts))
        if problem not in self._problems:
            self._problems.append(problem)


def _plain(text: bytes) -> bytes | None:
    """What ``text`` encodes if it is base64 and nothing else: most is, and need not be looked at for anything else."""
    if len(text) % 4 or not text:
        return None
    try:
        last = binascii.a2b_base64(text[-4:], strict_mode=True)
        decoded = pybase64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return decoded if len(decoded) == (len(text) - 4) // 4 * 3 + len(last) else None


def _groups(text: bytes) -> bytes:
    """Whole groups without padding. The standard library's decoder takes thirty times as long."""
    try:
        decoded = pybase64.b64decode(text, validate=True)
    except binascii.Error:
        decoded = b""
    if len(decoded) != len(text) // 4 * 3:
        raise ValueError("padding in the middle" if b"=" in text else "characters outside the alphabet")
    return decoded


def _quoted_printable(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        lines, newline, held = (held + piece).rpartition(b"\n")
        if newline:
            yield binascii.a2b_qp(lines + newline)
    if held:
        yield binascii.a2b_qp(held)
