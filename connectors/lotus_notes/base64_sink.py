"""Base64 of a DXL binary element, decoded as it arrives."""

from __future__ import annotations

import binascii
import re

import msgspec

from connectors.lotus_notes.spool import Spool
from schemas.record import BytesContent, Content

LIMIT = 2 << 30
"""Most decoded bytes of one element, so that a bomb cannot fill the disk; Notes takes files up to 2 GB."""

_SPACE = b" \t\r"
_STRETCH = re.compile(rb"[A-Za-z0-9+/]+")
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="


class Base64Sink:
    """Decodes base64 text (RFC 4648 clause 4, white space ignored) into a ``Content``.

    Attributes:
        defects: ``base64_invalid`` when there was anything else than base64 (what could be decoded is kept);
            ``too_large`` when it exceeded the limit (nothing is kept: a part of a file is not the file).
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.defects: tuple[str, ...] = ()
        self._limit = limit
        self._spool = Spool()
        self._pending = b""
        self._padded = False

    def feed(self, text: bytes) -> int:
        """Takes the next bytes of the element, in any encoding that holds ASCII. Returns how many lines end in them."""
        joined = text.replace(b"\n", b"")
        breaks = len(text) - len(joined)
        if "too_large" in self.defects:
            return breaks
        data = self._pending + joined
        whole = len(data) // 4 * 4
        if not self._padded and (decoded := _decoded(data[:whole])) is not None:
            self._pending = data[whole:]
            self._padded = data.endswith(b"=", 0, whole)
            self._keep(decoded)
        else:
            self._feed_slowly(joined)
        return breaks

    def content(self) -> Content:
        """The decoded bytes; call once, at the end."""
        if self._pending:
            self._note("base64_invalid")
            self._keep(_salvage(self._pending))
            self._pending = b""
        return BytesContent(b"") if "too_large" in self.defects else self._spool.content()

    def _feed_slowly(self, text: bytes) -> None:
        """Takes what is more than lines of base64: other white space, padding inside, garbage."""
        data = text.translate(None, _SPACE)
        if not data:
            return
        strange = data.translate(None, _LETTERS)
        if strange:
            self._note("base64_invalid")
            data = data.translate(None, strange)
        if self._padded:
            self._note("base64_invalid")  # text after the padding: two encodings run together, or garbage
        self._pending += data
        whole = len(self._pending) // 4 * 4
        block, self._pending = self._pending[:whole], self._pending[whole:]
        self._padded = self._padded or block.endswith(b"=")
        try:
            decoded = binascii.a2b_base64(block, strict_mode=True)
        except binascii.Error:
            self._note("base64_invalid")
            decoded = _salvage(block)
        self._keep(decoded)

    def _keep(self, data: bytes) -> None:
        if self._spool.size + len(data) > self._limit:
            self._note("too_large")
            self._spool = Spool()
            return
        self._spool.write(data)

    def _note(self, defect: str) -> None:
        if defect not in self.defects:
            self.defects = (*self.defects, defect)


def _decoded(block: bytes) -> bytes | None:
    """The bytes of a clean block, ``None`` for anything else. By msgspec, because ``binascii`` takes five times as
    long."""
    try:
        return msgspec.convert(str(block, "ascii"), bytes)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return None


def _salvage(block: bytes) -> bytes:
    """What a damaged block holds: each stretch between padding, a last lonely letter dropped."""
    decoded = []
    for letters in _STRETCH.findall(block):
        whole = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
        decoded.append(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))
    return b"".join(decoded)
