"""Takes a package, or a file beside it, out of an answer: base64, or the XML itself."""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator

from connectors.operations.exchange.dialect import UndeliveredError
from connectors.operations.exchange.json_reply import Json, LongText
from connectors.operations.spool import Spool, SpoolFullError
from schemas.record import Content

_WHITE = b" \t\r\n"


def take_package(text: Json, spool: Spool) -> Content:
    """The bytes of the package that ``text`` holds.

    A text cut off is taken as far as it goes: whether the package is whole, its own end tells.

    Raises:
        UndeliveredError: there is no text, or it is neither base64 nor XML.
    """
    if not isinstance(text, str | LongText) or text == "":
        raise UndeliveredError("package_missing", "the answer holds no package", passing=True)
    if _is_markup(text):
        return _kept(_pieces(text), spool)
    try:
        return _kept(decoded(_pieces(text)), spool)
    except (binascii.Error, ValueError) as error:
        raise UndeliveredError(
            "package_not_base64",
            f"the package is neither base64 nor XML: {error}",
            _kept(_pieces(text), spool),
            passing=True,
        ) from error


def decoded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What base64 text holds, piece by piece; missing padding and a torn last character are no fault.

    Raises:
        ValueError: other characters, or padding before the end.
    """
    held = b""
    ended = False
    for piece in pieces:
        text = held + piece.translate(None, _WHITE)
        whole = len(text) & ~3
        held = text[whole:]
        if ended and text:
            raise ValueError("padding before the end")
        if whole:
            ended = text[whole - 1 : whole] == b"="
            yield binascii.a2b_base64(memoryview(text)[:whole], strict_mode=True)
    if ended and held:
        raise ValueError("padding before the end")
    if len(held) > 1:
        yield binascii.a2b_base64(held.ljust(4, b"="), strict_mode=True)


def _kept(pieces: Iterable[bytes], spool: Spool) -> Content:
    try:
        return spool.keep(pieces)
    except SpoolFullError as error:
        raise UndeliveredError("package_too_large", "the package exceeds the limit") from error


def _pieces(text: str | LongText) -> Iterable[bytes]:
    return text.pieces() if isinstance(text, LongText) else (text.encode("utf-8", "surrogatepass"),)


def _is_markup(text: str | LongText) -> bool:
    return b"<" in next(iter(_pieces(text)), b"")[:4096]
