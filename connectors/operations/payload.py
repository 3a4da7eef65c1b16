"""Takes the transport's wrapping off an attachment: its transfer encoding, then a ZIP of one entry.

Nothing is refused: what cannot be unwrapped is kept as it came, and a named defect says why.
"""

from __future__ import annotations

import codecs
from typing import NamedTuple

from connectors.operations.defects import sentence
from connectors.operations.elements import Payload
from connectors.operations.one_entry_zip import NotUnwrappedError, unwrap
from connectors.operations.payload_text import Problem, character_data, transfer_decoded
from connectors.operations.spool import Spool, SpoolFullError, head_of, tail_of
from schemas.media_type import EDXML, HTML, PDF, TEXT, XML, ZIP, sniff
from schemas.record import Content, chunks

MAX_ATTACHMENT = 512 << 20
"""Bytes of one decoded or unzipped attachment; the exchange itself refuses packages long before."""

_HEAD = 8192
_PDF_TAIL = 4096  # ISO 32000-1 asks for the last 1024 bytes; senders append padding
_ZIP_TAIL = 22 + 0xFFFF
_AS_IT_IS = frozenset({"binary", "8bit", "7bit", ""})
_ENCODED = frozenset({"base64", "quoted-printable"})
_REPLACEMENTS_OF_A_DECODE = 3
_TEXT_TYPES = frozenset({TEXT, XML, HTML, EDXML, "application/rtf", "message/rfc822"})
_ZIPPED_OFFICE = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.")


class Unwrapped(NamedTuple):
    """An attachment's bytes.

    Attributes:
        content: after transfer encoding and ZIP were taken off, as far as that was possible.
        wrapped: the ZIP that was taken off.
        type: media type of ``content`` by its bytes.
        problems: (code, sentence) of everything that was wrong.
        decoded: ``False`` when ``content`` is still as it travelled.
    """

    content: Content
    wrapped: Content | None
    type: str
    problems: tuple[Problem, ...]
    decoded: bool = True


def unwrap_payload(payload: Payload, name: str, spool: Spool) -> Unwrapped:
    """The attachment that travels as ``payload``.

    Args:
        payload: as it stands in the package.
        name: the attachment's name; a ZIP that is named as one is left alone.
        spool: keeps the bytes.
    """
    raw, encoding = payload.raw, payload.encoding
    if raw.size == 0:
        return _as_it_came(raw, "payload_empty")
    if encoding in _AS_IT_IS:
        return _take_off_zip(raw, name, spool, [])
    if encoding not in _ENCODED:
        return _as_it_came(raw, "transfer_encoding_unknown", value=encoding)
    if raw.size > MAX_ATTACHMENT // 3 * 4 * 1.1:
        return _as_it_came(raw, "attachment_too_large", what=f"{raw.size} bytes of {encoding}")
    problems: list[Problem] = []
    try:
        text = character_data(raw) if payload.marked_up else raw
        decoded = spool.keep(transfer_decoded(text, encoding, problems))
    except SpoolFullError:
        return _as_it_came(raw, "record_too_large")
    except ValueError as error:
        return _as_it_came(raw, "invalid_base64", why=str(error))
    return _take_off_zip(decoded, name, spool, problems)


def _as_it_came(raw: Content, code: str, **facts: object) -> Unwrapped:
    problem = (code, sentence(code, **facts))
    return Unwrapped(raw, None, sniff(head_of(raw, _HEAD)), (problem,), decoded=False)


def _take_off_zip(decoded: Content, name: str, spool: Spool, problems: list[Problem]) -> Unwrapped:
    found = sniff(head_of(decoded, _HEAD))
    content, wrapped = decoded, None
    if found == ZIP:
        inner = _unzipped(decoded, spool, problems)
        if inner is not None:
            inner_type = sniff(head_of(inner, _HEAD))
            # A name that ends in .zip promises a ZIP: the sender's own, not the transport's.
            if inner_type == ZIP or not name.lower().endswith(".zip"):
                content, wrapped, found = inner, decoded, inner_type
    if code := _corruption(content, found):
        problems.append((code, sentence(code, type=found)))
    return Unwrapped(content, wrapped, found, tuple(problems))


def _unzipped(archive: Content, spool: Spool, problems: list[Problem]) -> Content | None:
    try:
        return unwrap(archive, MAX_ATTACHMENT, spool)
    except NotUnwrappedError as error:
        problems.append((error.code, error.message))
    except SpoolFullError:
        problems.append(("record_too_large", sentence("record_too_large")))
    return None


def _corruption(content: Content, found: str) -> str:
    """The class of damage that the bytes of a file of the type ``found`` show, or ``""``."""
    if found in _TEXT_TYPES or content.size == 0:
        return ""
    if _was_decoded_as_text(content):
        return "corrupt_utf8_decode"
    if found == PDF:
        tail = tail_of(content, _PDF_TAIL)
        # From the end, where it stands.
        return "" if tail.rfind(b"%%EOF") >= 0 or b"startxref" in tail else "corrupt_truncated"
    if found.startswith(_ZIPPED_OFFICE) and b"PK\x05\x06" not in tail_of(content, _ZIP_TAIL):
        return "corrupt_truncated"
    return ""


def _was_decoded_as_text(content: Content) -> bool:
    """True for bytes that are valid UTF-8 although they are no text, and hold replacement characters."""
    replacements = 0
    try:
        # Most binary data fail in their first bytes.
        codecs.utf_8_decode(head_of(content, _HEAD), "strict", False)
        decoder = codecs.getincrementaldecoder("utf-8")()
        for piece in chunks(content):
            replacements += decoder.decode(piece).count("\ufffd")
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return replacements >= _REPLACEMENTS_OF_A_DECODE
