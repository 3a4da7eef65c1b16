"""The exports inside one file of a drop folder: the file itself, or the entries of a ZIP (Teamstudio
``.tse`` too).

A ZIP may hold ZIPs, one level. Entry names are text: none becomes a path. Number, size and compression of
entries are limited.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Self

from connectors.lotus_notes.spool import Spool
from schemas.record import Content

EXPORTS = frozenset({".dxl", ".xml"})
ARCHIVES = frozenset({".zip", ".tse"})
MAX_ENTRIES = 200_000
MAX_ENTRY = 8 << 30
MAX_TOTAL = 64 << 30
_MAX_RATIO = 1000
_RATIO_FROM = 64 << 20
_IN_MEMORY = 32 << 20
_PIECE = 1 << 20
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)

Entries = tuple[tuple[int, str], ...]
"""Where an export lies inside its file: position and name of the ZIP entry, one a level; empty for the file
itself."""


class ArchiveError(Exception):
    """An archive or an entry cannot be read. ``reason`` is its snake_case class."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        self.message = message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Export:
    """An export, open: ``stream`` holds ``size`` bytes; valid until the next one is asked for."""

    entries: Entries
    stream: BinaryIO
    size: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """An archive or an entry that cannot be read."""

    entries: Entries
    reason: str
    message: str


class ExportFile:
    """One file, open. A context manager. Raises ``OSError`` when the file cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._stack = ExitStack()
        self._stream = self._stack.enter_context(path.open("rb"))
        self._size = path.stat().st_size
        named = path.suffix.lower() in ARCHIVES
        self._is_zip = named or self._stream.read(4) in _ZIP_MAGIC
        self._archives: dict[Entries, zipfile.ZipFile] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._archives.clear()
        self._stack.close()

    def exports(self) -> Iterator[Export | Refusal]:
        """Every export in it, in the order of the entries; what cannot be read, in its place."""
        if not self._is_zip:
            yield Export((), self._stream, self._size)
            return
        yield from self._of_archive(self._stream, ())

    def open(self, entries: Entries) -> tuple[BinaryIO, int]:
        """The export at ``entries``, as found before. Raises ``ArchiveError`` when it is not there any
        more."""
        if not self._is_zip or not entries:
            return self._stream, self._size
        archive = self._opened(entries[:-1])
        content = _extract(archive, _found(archive, entries[-1]))
        return content.open(), content.size

    def _opened(self, above: Entries) -> zipfile.ZipFile:
        """The archive at ``above``; it and its directory are read once for all of its entries."""
        if above not in self._archives:
            stream: BinaryIO = self._stream
            if above:
                outer = self._opened(above[:-1])
                stream = _extract(outer, _found(outer, above[-1])).open()
                self._archives = {(): outer}
            self._archives[above] = _archive(stream)
        return self._archives[above]

    def _of_archive(self, stream: BinaryIO, above: Entries) -> Iterator[Export | Refusal]:
        try:
            archive = _archive(stream)
            for position, info in enumerate(_checked(archive.infolist())):
                yield from self._of_entry(archive, info, (*above, (position, info.filename)))
        except ArchiveError as error:
            yield Refusal(above, error.reason, error.message)

    def _of_entry(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, entries: Entries
    ) -> Iterator[Export | Refusal]:
        suffix = PurePosixPath(info.filename).suffix.lower()
        if info.is_dir() or suffix not in EXPORTS | ARCHIVES:
            return
        if suffix in ARCHIVES and len(entries) > 1:
            yield Refusal(entries, "archive_too_deep", "an archive in an archive in an archive is not read")
            return
        try:
            content = _extract(archive, info)
        except ArchiveError as error:
            yield Refusal(entries, error.reason, error.message)
            return
        with content.open() as stream:
            if suffix in ARCHIVES:
                yield from self._of_archive(stream, entries)
            else:
                yield Export(entries, stream, content.size)


def _archive(stream: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except _BROKEN as error:
        raise ArchiveError("archive_malformed", f"the ZIP archive cannot be read: {error}") from error


def _found(archive: zipfile.ZipFile, place: tuple[int, str]) -> zipfile.ZipInfo:
    infos = archive.infolist()
    position, name = place
    if position >= len(infos) or infos[position].filename != name:
        raise ArchiveError("changed_while_reading", f"the archive has no entry {name!r} there any more")
    return infos[position]


def _checked(infos: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    if len(infos) > MAX_ENTRIES:
        raise ArchiveError(
            "archive_limit", f"the archive has {len(infos)} entries; at most {MAX_ENTRIES} are read"
        )
    if sum(info.file_size for info in infos) > MAX_TOTAL:
        raise ArchiveError("archive_limit", f"the archive unpacks to more than {MAX_TOTAL >> 30} GiB")
    return infos


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Content:
    if info.flag_bits & 1:
        raise ArchiveError("archive_encrypted", f"the archive's entry {info.filename!r} is encrypted")
    limit = min(MAX_ENTRY, max(_RATIO_FROM, _MAX_RATIO * info.compress_size))
    spool = Spool(_IN_MEMORY)
    try:
        with archive.open(info) as stream:
            while piece := stream.read(_PIECE):
                if spool.size + len(piece) > limit:
                    said = f"the archive's entry {info.filename!r} unpacks to more than {limit} bytes"
                    raise ArchiveError("archive_limit", said)
                spool.write(piece)
    except _BROKEN as error:
        said = f"the archive's entry {info.filename!r} cannot be unpacked: {error}"
        raise ArchiveError("archive_malformed", said) from error
    return spool.content()
