"""Mail as items of a Notes document, in the layout of ``mimeods.h``."""

from __future__ import annotations

import base64
import re
import struct
from email import message_from_bytes
from typing import NamedTuple

from tests.connectors.dxl_builder import item

PROLOG, BODY, EPILOG, RETRIEVE_INFO, MESSAGE = 1, 2, 3, 4, 5


class Part(NamedTuple):
    """A part before it becomes an item."""

    kind: int
    boundary: bytes = b""
    headers: bytes = b""
    body: bytes = b""
    in_object: bool = False


def split(entity: bytes, boundary: bytes = b"") -> list[Part]:
    """The parts of a message or of a part of it; nothing of its bytes is lost."""
    head, blank, rest = entity.partition(b"\r\n\r\n")
    headers = head + blank
    named = message_from_bytes(headers).get_boundary()
    if not named:
        return [Part(BODY, boundary, headers, rest)]
    delimiter = b"--" + named.encode()
    pieces = re.split(rb"((?:\A|\r\n)" + re.escape(delimiter) + rb"(?:--)?(?:\r\n|\Z))", rest)
    parts = [Part(PROLOG, boundary, headers, pieces[0])]
    for line, content in zip(pieces[1::2], pieces[2::2], strict=True):
        if line.strip().endswith(b"--"):
            parts.append(Part(EPILOG, line, b"", content))
        else:
            parts += split(content, line)
    return parts


def packed(part: Part) -> bytes:
    """The bytes of an item of type 19."""
    flags = bool(part.boundary) | bool(part.headers) << 1 | part.in_object << 2
    size = len(part.boundary) + len(part.headers) + len(part.body)
    head = struct.pack(
        "<HIBBHHHHI", 2, flags, part.kind, 0, size, len(part.boundary), len(part.headers), 0, 0
    )
    return head + part.boundary + part.headers + part.body


def packed_header(
    name: bytes, body: bytes, native: bytes = b"", flags: int = 10, delimiter: bytes = b": "
) -> bytes:
    """The bytes of an item of type 502."""
    lengths = struct.pack("<HIHHHH", 14, flags, len(native), len(name), len(delimiter), len(body))
    return lengths + native + name + delimiter + body


def raw_item(name: str, kind: str, data: bytes) -> str:
    """An item of raw data."""
    return item(name, f"<rawitemdata type='{kind}'>\n{base64.encodebytes(data).decode()}</rawitemdata>")


def part_item(part: Part, name: str = "Body") -> str:
    """The item of a part."""
    return raw_item(name, "19", packed(part))


def content_last(message: bytes) -> bytes:
    """The message with the headers of its content behind the others: so Domino puts it together."""
    head, blank, body = message.partition(b"\r\n\r\n")
    lines = sorted(re.split(rb"\r\n(?![ \t])", head), key=lambda line: line.lower().startswith(b"content-"))
    return b"\r\n".join(lines) + blank + body


def mail_items(message: bytes) -> list[str]:
    """A whole message as items: headers of its content go with its first part, as Domino does it."""
    head, _, body = message.partition(b"\r\n\r\n")
    lines = re.split(rb"\r\n(?![ \t])", head)
    content = [line for line in lines if line.lower().startswith(b"content-")]
    headers = [line for line in lines if line not in content]
    items = []
    for line in headers:
        name, delimiter, value = re.fullmatch(rb"([^:]+)(:[ \t]*)(.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]
        items.append(
            raw_item(
                name.decode().replace("-", "_"),
                "502",
                packed_header(name, value + b"\r\n", delimiter=delimiter),
            )
        )
    entity = b"".join(line + b"\r\n" for line in content) + b"\r\n" + body
    return items + [part_item(part) for part in split(entity)]
