"""ZIP files full of packages, opened one at a time."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from connectors.operations.folder_files import PACKAGE_ENDINGS
from schemas.media_type import EDXML, sniff

MAX_MEMBERS = 100_000
"""Entries of one ZIP of packages."""

_CHUNK = 1 << 20
_HEAD = 8192
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class ZipFaultError(Exception):
    """The ZIP or one of its entries cannot be read; ``reason`` is its class."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason, self.message = reason, message
        super().__init__(reason, message)


class OpenZip:
    """Keeps the ZIP that was used last open, because neighbouring packages come from the same one."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._opened: zipfile.ZipFile | None = None

    def members(self, path: Path) -> list[str]:
        """Names of the packages in the ZIP at ``path``, sorted.

        Raises:
            ZipFaultError: it is damaged, has too many entries, two of one name, or none that is a package.
            OSError: the file cannot be read.
        """
        entries = self._zip(path).infolist()
        if len(entries) > MAX_MEMBERS:
            raise ZipFaultError("zip_too_many_entries", f"the ZIP has {len(entries)} entries")
        names = [entry.filename for entry in entries if self._is_package(path, entry)]
        if len(set(names)) != len(names):
            raise ZipFaultError("zip_duplicate_entries", "the ZIP holds two packages of one name")
        if not names:
            raise ZipFaultError("zip_without_packages", "the ZIP holds no edXML package")
        return sorted(names)

    def pieces(self, path: Path, member: str, max_size: int) -> Iterator[bytes]:
        """The bytes of ``member`` of the ZIP at ``path``.

        Raises:
            ZipFaultError: the entry is gone, damaged, encrypted, or larger than ``max_size``.
            OSError: the file cannot be read.
        """
        size = 0
        try:
            with self._zip(path).open(member) as stream:
                while piece := stream.read(_CHUNK):
                    size += len(piece)
                    if size > max_size:
                        raise ZipFaultError("file_too_large", f"{member!r} exceeds {max_size} bytes")
                    yield piece
        except KeyError:
            raise ZipFaultError("file_vanished", f"the ZIP no longer holds {member!r}") from None
        except _FAULTS as error:
            raise ZipFaultError("zip_damaged", f"{member!r} cannot be unpacked: {error}") from None

    def _is_package(self, path: Path, entry: zipfile.ZipInfo) -> bool:
        """Told by its ending, and under any other by its first bytes, as in a folder."""
        if entry.filename.lower().endswith(PACKAGE_ENDINGS) or entry.is_dir():
            return not entry.is_dir()
        try:
            with self._zip(path).open(entry) as stream:
                return sniff(stream.read(_HEAD)) == EDXML
        except _FAULTS:
            return False

    def _zip(self, path: Path) -> zipfile.ZipFile:
        if self._opened is None or self._path != path:
            self.close()
            try:
                self._opened = zipfile.ZipFile(path)
            except _FAULTS as error:
                raise ZipFaultError("zip_damaged", f"the ZIP cannot be read: {error}") from None
            self._path = path
        return self._opened

    def close(self) -> None:
        """Close the ZIP that is open."""
        if self._opened is not None:
            with suppress(OSError):
                self._opened.close()
        self._opened = None
