"""Hexadecimal strings of PDF read a block at a time.

pyHanko reads them byte by byte, ten thousand calls for each signature, which is half the time of reading a signed
PDF. The outcome is the same to the byte (ISO 32000-1 §7.3.4.3), and so are the errors.
"""

from __future__ import annotations

import binascii
from typing import BinaryIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfStreamError

_BLOCK = 16_384
_SPACE = b" \n\r\t\x00\x0c"
"""What pyHanko's reader skips."""


def read_hex_string(stream: BinaryIO) -> generic.ByteStringObject | generic.TextStringObject:
    """The string that begins with ``<`` at the stream's position; the stream stands behind its ``>`` afterwards.

    Raises:
        PdfStreamError: it holds something else than hexadecimal digits, or never ends.
    """
    stream.read(1)
    pieces: list[bytes] = []
    while True:
        block = stream.read(_BLOCK)
        if not block:
            raise PdfStreamError("Stream has ended unexpectedly")
        end = block.find(b">")
        if end >= 0:
            pieces.append(block[:end])
            stream.seek(end + 1 - len(block), 1)
            break
        pieces.append(block)
    digits = b"".join(pieces).translate(None, _SPACE)
    try:
        return generic.pdf_string(binascii.unhexlify(digits + b"0" if len(digits) % 2 else digits))
    except binascii.Error as error:
        raise PdfStreamError(f"Unexpected token in hex string: {error}") from error


def install() -> None:
    """Let pyHanko read its strings so. Idempotent; called before a PDF is opened."""
    generic.read_hex_string_from_stream = read_hex_string
