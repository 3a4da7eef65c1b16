"""Takes the transport's wrapping off an attachment: base64, then a ZIP of one entry.

Nothing is refused: what cannot be unwrapped is kept as it came, and a named defect says why.
"""

from __future__ import annotations

import binascii
import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.parsers import expat

from connectors.operations.one_entry_zip import NotUnwrappedError, unwrap
from connectors.operations.scan_elements import Payload
from connectors.operations.spool import SliceContent, Spool, SpoolFullError
from schemas.media_type import EDXML, HTML, TEXT, XML, ZIP, sniff
from schemas.record import Content, chunks

MAX_ATTACHMENT = 512 << 20
"""Bytes of one decoded or unzipped attachment; the exchange itself refuses packages long before."""

_HEAD = 8192
_WHITE = b" \t\r\n"
_MAX_MARKED_UP = 64 << 20  # payload with entities or CDATA, which is parsed once more and in memory
_REPLACEMENTS_OF_A_DECODE = 3
_TEXT_TYPES = frozenset({TEXT, XML, HTML, EDXML, "application/rtf", "message/rfc822"})


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """An attachment's bytes.

    Attributes:
        content: after base64 and ZIP were taken off, as far as that was possible.
        wrapped: the ZIP that was taken off.
        type: media type of ``content`` by its bytes.
        problems: (code, sentence) of everything that was wrong.
        decoded: ``False`` when ``content`` is still the base64 text.
    """

    content: Content
    wrapped: Content | None
    type: str
    problems: tuple[tuple[str, str], ...]
    decoded: bool = True


def unwrap_payload(
    original: Content, payload: Payload, encoding: str | None, name: str, spool: Spool
) -> Unwrapped:
    """The attachment whose base64 text lies at ``payload`` in ``original``.

    Args:
        original: the package.
        payload: the place of the text.
        encoding: encoding of the package where it is not UTF-8 or a superset of ASCII.
        name: the attachment's name; a ZIP that is named as one is left alone.
        spool: keeps the bytes.
    """
    raw = SliceContent(original, payload.start, payload.end)
    if raw.size == 0:
        return Unwrapped(raw, None, sniff(b""), (("payload_empty", "the payload is empty"),), False)
    if raw.size > MAX_ATTACHMENT // 3 * 4 * 1.1:
        return _as_it_came(raw, "attachment_too_large", f"{raw.size} characters of base64; kept undecoded")
    problems: list[tuple[str, str]] = []
    try:
        decoded = spool.keep(_decode(_base64_text(raw, encoding), problems))
    except SpoolFullError:
        return _as_it_came(raw, "record_too_large", "the record's files exceed the limit; kept undecoded")
    except (binascii.Error, ValueError) as error:
        return _as_it_came(raw, "invalid_base64", f"not base64 ({error}); the text is kept")
    return _take_off_zip(decoded, name, spool, problems)


def _as_it_came(raw: Content, code: str, message: str) -> Unwrapped:
    return Unwrapped(raw, None, sniff(_head(raw)), ((code, message),), decoded=False)


def _take_off_zip(decoded: Content, name: str, spool: Spool, problems: list[tuple[str, str]]) -> Unwrapped:
    found = sniff(_head(decoded))
    content, wrapped = decoded, None
    if found == ZIP:
        try:
            inner = unwrap(decoded, MAX_ATTACHMENT, spool)
        except NotUnwrappedError as error:
            problems.append((error.code, error.message))
            inner = None
        except SpoolFullError:
            problems.append(("record_too_large", "the record's files exceed the limit; the ZIP is kept"))
            inner = None
        if inner is not None:
            inner_type = sniff(_head(inner))
            # A name that ends in .zip promises a ZIP: the sender's own, not the transport's.
            if inner_type == ZIP or not name.lower().endswith(".zip"):
                content, wrapped, found = inner, decoded, inner_type
    if _was_decoded_as_text(content, found):
        message = "binary data went through a UTF-8 decode (U+FFFD everywhere); no signature can hold"
        problems.append(("corrupt_utf8_decode", message))
    return Unwrapped(content, wrapped, found, tuple(problems))


def _head(content: Content) -> bytes:
    with content.open() as stream:
        return stream.read(_HEAD)


def _base64_text(raw: Content, encoding: str | None) -> Iterable[bytes]:
    """The characters of the payload: the bytes themselves, unless markup or a wide encoding hides them."""
    if encoding != "utf-16" and not any(b"&" in piece or b"<" in piece for piece in chunks(raw)):
        return chunks(raw)
    if raw.size > _MAX_MARKED_UP:
        raise ValueError(f"{raw.size} bytes of text with entities or in UTF-16")
    return [_character_data(raw, encoding)]


def _character_data(raw: Content, encoding: str | None) -> bytes:
    """Text of an element whose content is ``raw``, entities and CDATA resolved."""
    data = b"".join(chunks(raw))
    text: list[str] = []
    if encoding == "utf-16":
        zero_first = data[:1] == b"\x00"
        data = data.decode("utf-16-be" if zero_first else "utf-16-le").encode()
    parser = expat.ParserCreate("utf-8")
    parser.CharacterDataHandler = text.append
    try:
        parser.Parse(b"<payload>" + data + b"</payload>", True)
    except expat.ExpatError as error:
        raise ValueError(expat.ErrorString(error.code)) from None
    return "".join(text).encode("ascii")


def _decode(pieces: Iterable[bytes], problems: list[tuple[str, str]]) -> Iterator[bytes]:
    """Decoded base64, piece by piece. Missing padding is repaired and noted; anything else wrong raises."""
    held = b""
    for piece in pieces:
        text = held + piece.translate(None, _WHITE)
        whole = len(text) & ~3
        # Strict decoding wants padding only at the very end, so the last group waits for the end.
        cut = max(0, whole - 4)
        held = text[cut:]
        if cut:
            if text.find(b"=", 0, cut) >= 0:
                raise ValueError("padding in the middle")
            yield binascii.a2b_base64(memoryview(text)[:cut], strict_mode=True)
    if missing := -len(held) % 4:
        problems.append(("base64_unpadded", "the base64 text lacks its padding; it was completed"))
        held += b"=" * missing
    if held:
        yield binascii.a2b_base64(held, strict_mode=True)


def _was_decoded_as_text(content: Content, found: str) -> bool:
    """True for data that are no text, are valid UTF-8 all the same, and hold replacement characters."""
    if found in _TEXT_TYPES:
        return False
    decoder = codecs.getincrementaldecoder("utf-8")()
    replacements = 0
    try:
        for piece in chunks(content):
            replacements += decoder.decode(piece).count("\ufffd")
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return replacements >= _REPLACEMENTS_OF_A_DECODE
