"""Text and files of a MIME entity (RFC 2045-2049), read by Python's ``email``: nothing is guessed, what is damaged is
named."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message

from connectors.lotus_notes.html_text import html_text
from connectors.lotus_notes.rfc822_text import decoded_words
from schemas.record import Attachment, BytesContent

_POLICY = policy.compat32


@dataclass(frozen=True, slots=True)
class Entity:
    """What an entity holds.

    Attributes:
        texts: of its text parts, in order; HTML as ``html_text`` has it.
        files: every other part and every part with a file name, decoded, in order.
        defects: snake_case names of what was wrong in it, each once.
    """

    texts: tuple[str, ...]
    files: tuple[Attachment, ...]
    defects: tuple[str, ...]


def entity_of(data: bytes, item: str) -> Entity:
    """Reads an entity: its headers, an empty line, its body.

    Args:
        data: the bytes; a multipart one may be a whole message.
        item: name of the field that it is in.
    """
    texts: list[str] = []
    files: list[Attachment] = []
    wrong: dict[str, None] = {}
    try:
        parts = list(message_from_bytes(data, policy=_POLICY).walk())
    except RecursionError:
        return Entity((), (), ("mime_too_deep",))
    for part in parts:
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            body = content if isinstance(content, bytes) else b""
            if is_file(part):
                name = file_name(part) or _made_up_name(part, len(files) + 1)
                files.append(Attachment(name, BytesContent(body), part.get_content_type(), item))
            else:
                texts.append(_text(part, body, wrong))
        wrong |= dict.fromkeys(f"mime_{_snake(type(defect).__name__)}" for defect in part.defects)
    return Entity(tuple(distinct(texts)), tuple(files), tuple(wrong))


def is_file(part: Message) -> bool:
    """True for a part that a mail program shows as a file, not as text of the message."""
    if part.get_content_maintype() != "text" or part.get_content_disposition() == "attachment":
        return True
    return bool(file_name(part))


def file_name(part: Message) -> str:
    """The file name that a part gives itself, decoded (RFC 2231, and RFC 2047 as many programs do); or ``""``."""
    return decoded_words(part.get_filename() or "")


def distinct(texts: list[str]) -> list[str]:
    """``texts`` without those that say word for word what one before says: alternatives of one another."""
    seen: set[str] = set()
    kept = []
    for text in texts:
        words = "".join(text.split())
        if words and words not in seen:
            seen.add(words)
            kept.append(text)
    return kept


def _text(part: Message, body: bytes, wrong: dict[str, None]) -> str:
    text = _decoded(body, part.get_content_charset() or "us-ascii", wrong)
    return html_text(text) if part.get_content_subtype() == "html" else text.replace("\r\n", "\n")


def _decoded(body: bytes, charset: str, wrong: dict[str, None]) -> str:
    """By the charset that the part names; where that is none or wrong, what mail programs fall back on."""
    try:
        return body.decode(charset)
    except LookupError:
        wrong["mime_charset_unknown"] = None
    except ValueError:
        wrong["mime_charset_wrong"] = None
    for fallback in ("utf-8", "windows-1252"):
        try:
            return body.decode(fallback)
        except ValueError:
            continue
    return body.decode("latin-1")


def _made_up_name(part: Message, number: int) -> str:
    extension = mimetypes.guess_extension(part.get_content_type(), strict=False) or ".bin"
    return f"part-{number}{extension}"


def _snake(name: str) -> str:
    """``InvalidBase64PaddingDefect`` → ``invalid_base64_padding``."""
    words = "".join(
        f"_{letter.lower()}" if letter.isupper() else letter for letter in name.removesuffix("Defect")
    )
    return words.strip("_")
