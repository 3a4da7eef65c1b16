"""The first text of a file, for the secrecy gate: page 1 of a PDF, headers and beginning of an office file, a
mail, a text; and of every file inside it, whatever it is packed in.

Everything happens in memory, within limits, and never raises: a file that cannot be read has no text here.
Images of text (scans) have none either.
"""

from __future__ import annotations

import base64
import binascii
import email
import email.policy
import html
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from mappings.opening_office import office_parts, office_text, ole_text, rtf_text
from mappings.opening_pdf import opening_of_pdf
from schemas.record import BytesContent, Content

LIMIT = 20_000
"""Characters of text that are looked at."""
_HEAD = 256 * 1024  # bytes of a flat text or HTML file
_LONG_HEAD = 4 * 1024 * 1024  # of RTF and old office files, where pictures come before text
_PAYLOAD_HEAD = 64 * 1024 * 1024  # of a text in which files are encoded, and of a mail
_LARGEST = 32 * 1024 * 1024  # bytes of one unpacked file
_NAMES = 2_000  # members of a ZIP whose names are looked at
_PAYLOADS = 50


@dataclass(frozen=True, slots=True)
class Opening:
    """How a file begins.

    Attributes:
        name: of a file inside another one; ``""`` for the file itself and for what has no name.
        text: what is read first, at most some ``LIMIT`` characters.
        markup: the beginning of an XML or HTML file as it stands, whose elements may say more than its text.
    """

    name: str
    text: str
    markup: str = ""


@dataclass(slots=True)
class _Budget:
    """What may still be unpacked out of one file, through all its layers."""

    files: int = 60
    size: int = 256 * 1024 * 1024

    def take(self, size: int) -> bool:
        """Whether a file of ``size`` bytes may be unpacked; it is then counted."""
        if self.files < 1 or size > min(self.size, _LARGEST):
            return False
        self.files -= 1
        self.size -= size
        return True


def opening_texts(content: Content, depth: int = 3) -> Iterator[Opening]:
    """The opening of ``content`` itself, and of every file that it holds.

    Args:
        content: the file.
        depth: how many layers (ZIP, mail, PDF with files, base64 in a text) are opened.
    """
    yield from _texts(content, depth, _Budget())


def payloads(data: bytes) -> Iterator[bytes]:
    """Files that stand as base64 in a text, at most 50."""
    for match in islice(_BASE64_BYTES.finditer(data), _PAYLOADS):
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", match.group())
        try:
            yield base64.b64decode(
                letters[: len(letters) - (len(letters) % 4 == 1)] + b"=" * (-len(letters) % 4)
            )
        except (binascii.Error, ValueError):
            continue


def decode_text(data: bytes) -> str:
    """Bytes of a text file: by its byte-order mark, as UTF-8, as UTF-16 where every other byte is zero, else as
    Windows code page 1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\x00" in data[:4096]:
        little = data[1:4096:2].count(0) >= data[:4096:2].count(0)
        return data.decode("utf-16-le" if little else "utf-16-be", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start > len(data) - 4:  # cut inside a letter by the limit
            return data[: error.start].decode("utf-8-sig")
        return data.decode("cp1252", errors="replace")


def markup_text(text: str) -> str:
    """The text of HTML or XML, every block on a line of its own; tags are taken off roughly."""
    # Neither pattern looks past the next "<": a file of nothing but those takes no longer than any other.
    text = re.sub(r"</?(?:b|i|u|em|strong|span|font|a|sub|sup|run)\b[^<>]*>", "", text, flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[^<>]*>", "\n", text))


def without_payloads(text: str) -> str:
    """``text`` with every stretch of base64 as one line end."""
    return _BASE64.sub("\n", text)


def _texts(content: Content, depth: int, budget: _Budget) -> Iterator[Opening]:
    try:
        with content.open() as stream:
            head = stream.read(2048)
            stream.seek(0)
            if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
                yield from _zip_texts(stream, depth, budget)
            elif b"%PDF-" in head[:1024]:
                yield from _pdf_texts(stream, depth, budget)
            elif head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
                yield Opening("", ole_text(stream.read(_LONG_HEAD))[: 2 * LIMIT])
            elif head.lstrip().startswith(b"{\\rtf"):
                yield Opening("", rtf_text(stream.read(_LONG_HEAD).decode("latin-1"))[:LIMIT])
            elif _MAIL.match(head):
                yield from _mail_texts(stream, depth, budget)
            else:
                yield from _flat_texts(stream, depth, budget)
    except Exception:  # whatever is wrong with a file from outside, it has no text here
        return


_MAIL = re.compile(
    rb"(?:from |(?:return-path|received|date|from|to|subject|message-id|mime-version|content-type|x-[\w-]+): ?)"
    rb"[^\r\n]*\r?\n(?:[\w-]+:|[ \t])",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"\s*(?:<!doctype html|<html|<\?xml|<[\w:]+[\s>])", re.IGNORECASE)


def _inside(name: str, data: bytes, depth: int, budget: _Budget) -> Iterator[Opening]:
    """The name of a file inside another one, with its text and those of what it holds itself."""
    yield Opening(name, "")
    if depth > 0 and data:
        yield from _texts(BytesContent(data), depth - 1, budget)


def _pdf_texts(stream: BinaryIO, depth: int, budget: _Budget) -> Iterator[Opening]:
    opening = opening_of_pdf(stream, LIMIT, _LARGEST)
    yield Opening("", opening.text)
    for name, data in opening.carried:
        yield from _inside(name, data if budget.take(len(data)) else b"", depth, budget)


def _zip_texts(stream: BinaryIO, depth: int, budget: _Budget) -> Iterator[Opening]:
    with zipfile.ZipFile(stream) as package:
        if parts := office_parts(package, _LARGEST):
            yield Opening("", "\n".join(office_text(package, part, LIMIT) for part in parts))
            return
        for member in package.infolist()[:_NAMES]:
            data = b""
            # The size that a member claims may be a lie: no more than it is read.
            if not member.is_dir() and not member.flag_bits & 1 and budget.take(member.file_size):
                with package.open(member) as opened:
                    data = opened.read(member.file_size)
            yield from _inside(member.filename, data, depth, budget)


def _mail_texts(stream: BinaryIO, depth: int, budget: _Budget) -> Iterator[Opening]:
    message = email.message_from_bytes(stream.read(_PAYLOAD_HEAD), policy=email.policy.default)
    told = (f"{name}: {value}\n{value}" for name, value in message.items() if name.lower() in _MAIL_HEADERS)
    yield Opening("", "\n".join(told))
    for part in message.walk():
        if part.is_multipart():
            continue
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes):
            continue
        if part.get_content_maintype() == "text" and not part.get_filename():
            text = _decoded_part(data[:_HEAD], part.get_content_charset())
            yield Opening("", (markup_text(text) if part.get_content_subtype() == "html" else text)[:LIMIT])
        elif budget.take(len(data)):
            yield from _inside(part.get_filename() or "", data, depth, budget)


_MAIL_HEADERS = frozenset(
    ("subject", "comments", "keywords", "sensitivity", "thread-topic", "x-classification")
)


def _decoded_part(data: bytes, charset: str | None) -> str:
    try:
        return data.decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return decode_text(data)


def _flat_texts(stream: BinaryIO, depth: int, budget: _Budget) -> Iterator[Opening]:
    text = decode_text(stream.read(_HEAD))
    if "\x00" in text[:4096]:
        return  # no text at all
    if _MARKUP.match(text[:512]):
        stream.seek(0)
        markup = without_payloads(decode_text(stream.read(_LONG_HEAD)))
        yield Opening("", markup_text(markup)[:LIMIT], markup)
    else:
        yield Opening("", text[:LIMIT])
    if depth > 0:
        stream.seek(0)
        for payload in payloads(stream.read(_PAYLOAD_HEAD)):
            if budget.take(len(payload)):
                yield from _inside("", payload, depth, budget)


# Possessive, so that no text makes them try twice.
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/])(?:(?:[A-Za-z0-9+/]{40,}+[ \t]*+[\r\n]{0,2}+[ \t]*+){2,}+[A-Za-z0-9+/=\r\n \t]*+"
    r"|[A-Za-z0-9+/]{200,}+={0,2})"
)
_BASE64_BYTES = re.compile(_BASE64.pattern.encode("ascii"))
