"""The mail that a document is: its header items and MIME parts gathered, and read as one message."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes

from connectors.lotus_notes.attachments import File
from connectors.lotus_notes.mime_entity import distinct, entity_of, file_name, is_file
from connectors.lotus_notes.mime_message import Joined, decoded, encoded
from connectors.lotus_notes.mime_parts import Kind, MimePart
from connectors.lotus_notes.rfc822_text import MailHeader
from schemas.record import Attachment, BytesContent, Content

MESSAGE_TYPE = "message/rfc822"
MESSAGE_NAME = "message.eml"
_BODY = "body"
_LARGEST_TEXT = 32 << 20
_HEAD = 1 << 20  # what stands in front of <mime> is short
_MIME = re.compile(rb"<(?:[\w.-]+:)?mime\s*>\s*(?:<!\[CDATA\[)?")

SENTENCES = {
    "mime_part_truncated": "a part of the message has fewer bytes than it says",
    "mime_part_overlong": "a part of the message has more bytes than it says",
    "mime_object_missing": "the body of a part lies in an attachment that is not in the export",
    "mime_boundary_unknown": "a part begins with a boundary that no part in front of it declares",
    "mime_not_closed": "the end of the message, or of a multipart in it, is missing",
    "mime_charset_unknown": "a text is in a charset that nobody knows; it was read as UTF-8 or Windows-1252",
    "mime_charset_wrong": "a text is not in the charset that it names; it was read as UTF-8 or Windows-1252",
    "mime_text_too_large": f"a text has more than {_LARGEST_TEXT >> 20} MiB and is not read",
    "mime_too_deep": "the parts of the message are nested too deep to be read",
}
"""What a defect of a message means."""


@dataclass(slots=True)
class Mail:
    """What was read of the mail in a document.

    Attributes:
        messages: the message as a file, first the one of the body; one for every other item of parts.
        texts: texts of the parts, by the position that ``part`` was told.
        files: files inside parts; not those that lie in ``$FILE`` items.
        objects: by name of a ``$FILE`` item that holds a part's body: its file name in the message, and its bytes.
        defects: code and item, in order.
    """

    messages: list[Attachment] = field(default_factory=list)
    texts: dict[int, tuple[str, ...]] = field(default_factory=dict)
    files: list[Attachment] = field(default_factory=list)
    objects: dict[str, tuple[str, Content]] = field(default_factory=dict)
    defects: list[tuple[str, str]] = field(default_factory=list)


class MailItems:
    """Gathers a document's items of mail as they come."""

    def __init__(self) -> None:
        self._headers: list[MailHeader] = []
        self._parts: dict[str, list[tuple[int, MimePart]]] = {}

    def header(self, header: MailHeader) -> None:
        """The next item of type 502."""
        self._headers.append(header)

    def part(self, position: int, item: str, part: MimePart) -> None:
        """The next item of type 19, called ``item``; ``position`` is where its texts belong."""
        self._parts.setdefault(item, []).append((position, part))

    def read(self, files: Sequence[File]) -> Mail:
        """The mail; ``files`` are those of the document. Empty when the document is no mail."""
        mail = Mail()
        objects = {file.name: file.content for file in reversed(files)}
        # Domino keeps a message in Body; another item of parts is a rich text of its own, without the headers.
        names = sorted(self._parts, key=lambda item: item.lower() != _BODY)
        for at, item in enumerate(names):
            headers = [] if at else self._headers
            parts = self._parts[item]
            joined = Joined((header.line for header in headers), objects)
            content = joined.add([part for _, part in parts])
            name = f"{item}.eml" if at else MESSAGE_NAME
            defects = tuple(dict.fromkeys(joined.defects))
            mail.messages.append(Attachment(name, content, MESSAGE_TYPE, item, defects=defects))
            mail.defects += [(code, item) for code in defects]
            _Reading(mail, item, headers, objects).read(parts)
        return mail


def whole_mail(text: str, original: Content, item: str) -> Mail:
    """The message of a ``<mime>`` element, with the line ends that are printed there.

    Args:
        text: of the element; XML has made every line end a line feed.
        original: the bytes of the record.
        item: what the message is called after.
    """
    lines = text.lstrip("\n")  # in front of the CDATA section is layout
    if _prints_crlf(original):
        lines = lines.replace("\n", "\r\n")
    data = lines.encode("utf-8", "surrogatepass")
    mail = Mail(messages=[Attachment(MESSAGE_NAME, BytesContent(data), MESSAGE_TYPE, item)])
    if len(data) > _LARGEST_TEXT:
        mail.defects.append(("mime_text_too_large", item))
        return mail
    entity = entity_of(data, item)
    mail.texts[0] = entity.texts
    mail.files.extend(entity.files)
    mail.defects += [(code, item) for code in entity.defects]
    return mail


def _prints_crlf(original: Content) -> bool:
    """True when the first line of the message ends so in the export."""
    with original.open() as stream:
        head = stream.read(_HEAD)
    begins = _MIME.search(head)
    return begins is not None and head[begins.end() :].lstrip(b"\r\n").partition(b"\n")[0].endswith(b"\r")


class _Reading:
    """Reads the parts of one message one by one: large files among them stay where they are."""

    def __init__(
        self, mail: Mail, item: str, headers: Sequence[MailHeader], objects: Mapping[str, Content]
    ) -> None:
        self._mail = mail
        self._item = item
        self._objects = objects
        content = (header.line for header in headers if header.name.lower().startswith("content-"))
        self._content_headers = b"".join(content)

    def read(self, parts: Sequence[tuple[int, MimePart]]) -> None:
        wrong: dict[str, None] = {}
        texts: list[tuple[int, str]] = []
        for at, (position, part) in enumerate(parts):
            if part.kind not in {Kind.BODY, Kind.MESSAGE}:
                continue
            headers = part.headers or (self._content_headers if at == 0 else b"")
            body = self._body(part, headers, wrong)
            if body:
                entity = entity_of(headers.rstrip(b"\r\n") + b"\r\n\r\n" + body, self._item)
                texts += [(position, text) for text in entity.texts]
                self._mail.files += entity.files
                wrong |= dict.fromkeys(entity.defects)
        kept = distinct([text for _, text in texts])
        for position, text in texts:
            if text in kept:
                kept.remove(text)
                self._mail.texts[position] = (*self._mail.texts.get(position, ()), text)
        self._mail.defects += [(code, self._item) for code in wrong]

    def _body(self, part: MimePart, headers: bytes, wrong: dict[str, None]) -> bytes:
        """The body of a part that is to be looked into: not of a file that is an attachment already."""
        if not part.in_object:
            return part.payload
        content = self._objects.get(part.in_object)
        if content is None:
            return b""
        head = message_from_bytes(headers)
        if is_file(head):
            shown = file_name(head) or part.in_object
            self._mail.objects[part.in_object] = (shown, decoded(content, part.encoding))
            return b""
        if content.size > _LARGEST_TEXT:
            wrong["mime_text_too_large"] = None
            return b""
        return b"".join(encoded(content, part.encoding))
