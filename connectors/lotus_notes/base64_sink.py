"""Base64 of a DXL binary element, decoded as it arrives."""

from __future__ import annotations

import binascii
import re

from connectors.lotus_notes.spool import Spool
from schemas.record import BytesContent, Content

LIMIT = 512 << 20
"""Most decoded bytes of one element, so that a bomb cannot fill the disk."""

_SPACE = b" \t\r\n"
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

    def feed(self, text: str) -> None:
        """The next characters of the element."""
        data = text.encode("ascii", "replace").translate(None, _SPACE)
        if not data or "too_large" in self.defects:
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
        self._write(block)

    def content(self) -> Content:
        """The decoded bytes; call once, at the end."""
        if self._pending:
            self._note("base64_invalid")
            self._write(self._pending)
            self._pending = b""
        return BytesContent(b"") if "too_large" in self.defects else self._spool.content()

    def _write(self, block: bytes) -> None:
        try:
            data = binascii.a2b_base64(block, strict_mode=True)
        except binascii.Error:
            self._note("base64_invalid")
            data = _salvage(block)
        if self._spool.size + len(data) > self._limit:
            self._note("too_large")
            self._spool = Spool()
            return
        self._spool.write(data)

    def _note(self, defect: str) -> None:
        if defect not in self.defects:
            self.defects = (*self.defects, defect)


def _salvage(block: bytes) -> bytes:
    """What a damaged block holds: each stretch between padding, a last lonely letter dropped."""
    decoded = []
    for letters in _STRETCH.findall(block):
        whole = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
        decoded.append(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))
    return b"".join(decoded)
