"""The exports of a drop folder, opened again to fetch what was listed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from connectors.lotus_notes.archives import ArchiveError, Entries, ExportFile
from connectors.lotus_notes.byte_reader import ByteReader
from connectors.lotus_notes.container import KEPT_ATTRIBUTES, Root, start_tag
from connectors.lotus_notes.encoding import UTF8, Encoding, detect
from connectors.lotus_notes.form_fonts import FormFonts, read_form_fonts
from connectors.lotus_notes.head import HeadError, read_head
from connectors.lotus_notes.locator import Locator
from connectors.lotus_notes.markup import markup
from connectors.lotus_notes.record_bytes import read_bytes
from connectors.lotus_notes.slices import Slice
from schemas.record import Content, Listing

_HEAD = 1024


class VanishedError(Exception):
    """What was listed is not there any more. ``reason`` is its snake_case class."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        self.message = message
        super().__init__(message)


def context_of(locator: Locator, root: Root, encoding: Encoding) -> dict[str, str]:
    """Facts of the export that the record at ``locator`` stands in (``SourceRecord.context``)."""
    context = {"file": locator.file}
    if locator.entries:
        context["entry"] = "!".join(name for _, name in locator.entries)
    context |= {name: root.attributes[name] for name in KEPT_ATTRIBUTES if name in root.attributes}
    if encoding.name != UTF8:
        context["encoding"] = encoding.name
    return context


class OpenExports:
    """Reads records of one folder; keeps the last file and export open, as listings come in their order.

    A context manager. Every method raises ``VanishedError`` when the bytes are not the ones that were listed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: ExportFile | None = None
        self._name = ""
        self._entries: Entries | None = None
        self._stream: BinaryIO | None = None
        self._size = 0
        self._encoding = Encoding(UTF8)
        self._roots: dict[int, Root] = {}
        self._fonts: dict[int, FormFonts] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def record(self, locator: Locator, listing: Listing) -> tuple[Content, Mapping[str, str]]:
        """The bytes of a record, and the facts of its export."""
        reader = self._reader(locator)
        content, digest = self._copy(reader, locator)
        root = self._root(reader, locator.root)
        same = listing.revision.endswith("/" + digest[:16])
        if not same or not self._is_key(listing.key, reader, locator, root, digest):
            raise VanishedError("changed_while_reading", _CHANGED)
        return content, context_of(locator, root, self._encoding)

    def form_fonts(self, locator: Locator, form: str) -> Mapping[str, str]:
        """The fonts in which the form, designed in the same export as a record, shows its fields."""
        if locator.root < 0:
            return {}
        reader = self._reader(locator)
        if locator.root not in self._fonts:
            self._fonts[locator.root] = read_form_fonts(reader, locator.root, self._encoding)
        return self._fonts[locator.root].of(form)

    def lost(self, locator: Locator, digest: str) -> Content | None:
        """The bytes of a loss; ``None`` where it has none."""
        if locator.start < 0:
            self._path(locator.file)
            return None
        content, found = self._copy(self._reader(locator), locator)
        if locator.start == locator.end:
            return None
        if found != digest:
            raise VanishedError("changed_while_reading", _CHANGED)
        return content

    def _is_key(self, key: str, reader: ByteReader, locator: Locator, root: Root, digest: str) -> bool:
        """True when the record still has that key: the same bytes under another root may be another
        replica's."""
        replica = root.attributes.get("replicaid", "")
        if replica and key.startswith(replica.strip().upper() + ":"):
            return True
        try:
            head = read_head(reader, Slice(locator.start, locator.end, "", root), self._encoding)
        except HeadError:
            return False
        return key == (head.key(replica) or f"sha256:{digest}")

    def _copy(self, reader: ByteReader, locator: Locator) -> tuple[Content, str]:
        content, digest = read_bytes(reader, locator.start, locator.end, locator.accessed)
        if content.size != locator.end - locator.start:
            raise VanishedError("changed_while_reading", _CHANGED)
        return content, digest

    def _root(self, reader: ByteReader, offset: int) -> Root:
        if offset < 0:
            return Root()
        if offset not in self._roots:
            found = reader.match(markup(self._encoding).tag, offset)
            named = start_tag(reader.read(offset, found[0]), self._encoding) if found else None
            # A damaged root tag says nothing, as it did when the record was listed; keys tell.
            self._roots[offset] = Root(offset, *named) if named else Root()
        return self._roots[offset]

    def _reader(self, locator: Locator) -> ByteReader:
        if self._file is None or self._name != locator.file:
            self._close()
            try:
                self._file = ExportFile(self._path(locator.file))
            except OSError as error:
                raise VanishedError(
                    "file_unreadable", f"the file cannot be read: {error.strerror}"
                ) from error
            self._name = locator.file
        if self._stream is None or self._entries != locator.entries:
            self._open_entry(self._file, locator.entries)
        assert self._stream is not None
        return ByteReader(self._stream, self._size, self._encoding.width)

    def _open_entry(self, file: ExportFile, entries: Entries) -> None:
        self._roots, self._fonts = {}, {}
        try:
            self._stream, self._size = file.open(entries)
        except ArchiveError as error:
            raise VanishedError(error.reason, error.message) from error
        except OSError as error:
            raise VanishedError("file_unreadable", f"the file cannot be read: {error.strerror}") from error
        self._entries = entries
        self._stream.seek(0)
        detected = detect(self._stream.read(_HEAD))
        self._encoding = Encoding(UTF8) if isinstance(detected, str) else detected

    def _path(self, name: str) -> Path:
        """The file of that name below the folder: never one outside, whatever a locator says."""
        path = self._folder if self._folder.is_file() else self._folder / name
        home = self._folder.resolve()
        if not path.exists() and not path.is_symlink():
            raise VanishedError("file_vanished", "the file was listed and is not there any more")
        if not path.is_symlink() and not path.resolve().is_relative_to(home):
            raise VanishedError("link_outside", "the file lies outside the folder and is not read")
        return path

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._stream = self._entries = None


_CHANGED = "the bytes are not those that were listed; the file changed in between, list it again"
