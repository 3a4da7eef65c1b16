"""What a source delivers, before anyone has said what it means.

These values travel from ``connectors`` to ``mappings`` and ``pipeline``; they hold what the source printed, in
its order, with its repeats, and nothing interpreted.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, NamedTuple, Protocol

_CHUNK = 1 << 20

NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})
"""The attributes of a field without any."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span of time ``[start, end)``; both ends are aware, ``None`` leaves that end open."""

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for moment in (self.start, self.end):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"a window needs aware times, got {moment.isoformat()}")

    def holds(self, moment: datetime | None) -> bool:
        """True when ``moment`` lies in the window. An unknown moment always does: what has no date must not be lost."""
        if moment is None:
            return True
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)


@dataclass(frozen=True, slots=True)
class Listing:
    """One line of a source's inventory: that a record exists, and in which state.

    Attributes:
        key: identity inside the source, stable over revisions (a UNID, a DocumentId). Never a position.
        revision: the state of the record; a changed record has another revision, an unchanged one the same.
        locator: where ``Source.fetch`` finds it again. Opaque to everyone else.
        changed_at: when the source says that this state came to be; ``None`` when it does not say.
    """

    key: str
    revision: str
    locator: str
    changed_at: datetime | None = None


class Content(Protocol):
    """Bytes that may be larger than memory should hold."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def open(self) -> BinaryIO:
        """A new seekable reader over the bytes, at position 0; the caller closes it."""
        ...


@dataclass(frozen=True, slots=True)
class BytesContent:
    """Content held in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data)

    def open(self) -> BinaryIO:
        """A reader over the bytes."""
        return io.BytesIO(self.data)


@dataclass(frozen=True, slots=True)
class PiecesContent:
    """Content held in memory as it came, piece by piece."""

    pieces: tuple[bytes, ...]
    size: int

    def open(self) -> BinaryIO:
        """A reader over the bytes."""
        return io.BytesIO(b"".join(self.pieces))


@dataclass(frozen=True, slots=True)
class FileContent:
    """Content of a whole file on local disk."""

    path: Path

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        """A reader over the file."""
        return self.path.open("rb")


StoredContents = Callable[[str], Content | None]
"""Finds bytes that the archive keeps, by their SHA-256 in lower-case hexadecimal; ``None`` when it has none such."""


def nothing_stored(sha256: str) -> Content | None:
    """An archive without content."""
    return None


def chunks(content: Content, size: int = _CHUNK) -> Iterator[bytes]:
    """The bytes of ``content`` in pieces of at most ``size``."""
    if isinstance(content, PiecesContent) and all(len(piece) <= size for piece in content.pieces):
        yield from content.pieces
        return
    with content.open() as stream:
        while piece := stream.read(size):
            yield piece


def sha256_of(content: Content) -> str:
    """Lower-case hexadecimal SHA-256 of ``content``: its identity in the archive."""
    if isinstance(content, BytesContent):
        return hashlib.sha256(content.data).hexdigest()
    digest = hashlib.sha256()
    for piece in chunks(content):
        digest.update(piece)
    return digest.hexdigest()


class TextRun(NamedTuple):
    """A stretch of text in one font.

    A named tuple for the same reason as ``Field``.

    Attributes:
        text: as the source holds it, not decoded from a legacy Vietnamese encoding.
        font: the font's name as printed, which tells the legacy encoding (``.VnTime`` is TCVN3); ``None`` if unknown.
        hidden: the source hides this text from readers (hide-when).
    """

    text: str
    font: str | None = None
    hidden: bool = False


class Field(NamedTuple):
    """One field of a record, as the source names and types it. Names may repeat; order is kept.

    A named tuple, because a record has hundreds and a frozen dataclass takes four times as long to make.

    Attributes:
        name: the item's or element's name, without namespace.
        type: the source's own word for its type (``text``, ``datetimelist``, ``richtext``, ``element``, …).
        values: every member as printed, empty members included. Date-times are ISO 8601 with the printed offset.
        runs: the text with its fonts where the source knows them; empty otherwise.
        children: the parts of a structured field (an XML element's child elements), in order.
        attributes: what else the source says of the field (``sealed``, ``names``, ``href`` …).
        line: line of the field in the source text, 1-based; ``None`` if unknown.
        font: font in which the source's form shows a plain text; ``None`` if unknown.
    """

    name: str
    type: str
    values: tuple[str, ...] = ()
    runs: tuple[TextRun, ...] = ()
    children: tuple[Field, ...] = ()
    attributes: Mapping[str, str] = NO_ATTRIBUTES
    line: int | None = None
    font: str | None = None

    @property
    def text(self) -> str:
        """Plain text: the runs joined, or the values one a line."""
        return "".join(run.text for run in self.runs) if self.runs else "\n".join(self.values)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a record carries.

    Attributes:
        name: as the source prints it; never used as a path.
        content: the bytes after the transport's wrapping (base64, one-entry ZIP) was taken off.
        declared_type: the media type that the source claims, or ``""``.
        item: the field that carried it.
        wrapped: the bytes as transported where a wrapping such as a ZIP was taken off, else ``None``.
        defects: names of what is wrong with it (``corrupt_utf8_decode``, ``size_mismatch`` …).
    """

    name: str
    content: Content
    declared_type: str = ""
    item: str = ""
    wrapped: Content | None = None
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Defect:
    """Something wrong in a record that did not stop its reading.

    Attributes:
        code: stable snake_case name of the class of defect.
        message: one sentence for the operator.
        where: position (line, element, item), or ``""``.
    """

    code: str
    message: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record of a source, read but not interpreted.

    Attributes:
        listing: the inventory line that it answers.
        kind: ``document`` or ``status`` (an exchange status message).
        form: the source's own class of record (a Notes form, an edXML business type), or ``""``.
        original: the untouched bytes of the record.
        original_type: media type of ``original``.
        fields: everything that the record says, in order, with repeats.
        attachments: every file that it carries, in order.
        defects: what was wrong and survived.
        context: facts of the container (replica id, database title, file name), not of the record.
    """

    listing: Listing
    kind: str
    form: str
    original: Content
    original_type: str
    fields: tuple[Field, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    defects: tuple[Defect, ...] = ()
    context: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that the source lists but nobody can read.

    Attributes:
        listing: the inventory line that it answers.
        reason: stable snake_case class of the failure (``xml_malformed``, ``file_vanished`` …).
        message: one sentence: what was read, what was expected.
        where: position: file, line, byte offset.
        original: the bytes that could not be read; ``None`` when there are none at all.
    """

    listing: Listing
    reason: str
    message: str
    where: str = ""
    original: Content | None = None
