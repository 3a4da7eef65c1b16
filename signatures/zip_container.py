"""The strict reading of a ZIP that carries signatures: OOXML and ODF documents.

Two readers must never see two documents in one file. What would let them is refused: duplicate names,
encrypted entries, bytes before the first entry, entries of absurd size. APPNOTE.TXT §4.3; ECMA-376 Part 2 §7.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from signatures.xml_guard import RefusedError

MAX_ENTRIES = 10_000
MAX_BYTES = 512 << 20
"""Uncompressed bytes of all entries together."""

_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_UTF8 = 0x800
_LOCAL_HEADER = 30


@dataclass(frozen=True, slots=True)
class ZipContainer:
    """An opened container.

    Attributes:
        archive: the ZIP. names: of its files in the order of the directory, folders left out.
    """

    archive: zipfile.ZipFile
    names: tuple[str, ...]

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            RefusedError: it is damaged, or longer than the directory says.
            KeyError: there is none of that name.
        """
        info = self.archive.getinfo(name)
        try:
            with self.archive.open(info) as stream:
                data = stream.read(info.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError) as error:
            raise RefusedError(f"the entry {name!r} cannot be read: {error}") from error
        if len(data) != info.file_size:
            raise RefusedError(f"the entry {name!r} does not have the length that the directory gives")
        return data


def open_container(stream: BinaryIO) -> ZipContainer:
    """Open a ZIP under the rules above.

    Raises:
        RefusedError: it breaks one of them, or is no readable ZIP.
    """
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
        raise RefusedError(f"the ZIP cannot be read: {error}") from error
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise RefusedError(f"{len(entries)} entries; at most {MAX_ENTRIES} are read")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise RefusedError(f"more than {MAX_BYTES} bytes when unpacked")
    if entries and all(entry.header_offset for entry in entries):
        raise RefusedError("bytes stand before the first entry of the ZIP")
    _refuse_entries(entries)
    _refuse_other_headers(stream, entries)
    return ZipContainer(archive, tuple(entry.filename for entry in entries if not entry.is_dir()))


def _refuse_other_headers(stream: BinaryIO, entries: Iterable[zipfile.ZipInfo]) -> None:
    """An entry's own header must be there and name it as the directory does (APPNOTE.TXT §4.3.7): some readers follow
    the one, some the other.
    """
    for entry in entries:
        stream.seek(entry.header_offset)
        header = stream.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
            raise RefusedError(f"the entry {entry.filename!r} is not where the directory says")
        name = stream.read(int.from_bytes(header[26:28], "little"))
        encoding = "utf-8" if int.from_bytes(header[6:8], "little") & _UTF8 else "cp437"
        if name.decode(encoding, "replace") != entry.orig_filename:
            raise RefusedError(f"the entry {entry.filename!r} has another name in its own header")


def _refuse_entries(entries: Iterable[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
            raise RefusedError(f"the entry {entry.filename!r} is encrypted or packed in an unusual way")
        if "\\" in entry.filename or "\x00" in entry.orig_filename:
            raise RefusedError(f"the entry {entry.filename!r} has a name that readers take differently")
        # OPC names are equivalent without regard to ASCII case (ECMA-376 Part 2 §6.2.2.3).
        name = entry.filename.lower()
        if name in seen:
            raise RefusedError(f"the name {entry.filename!r} occurs twice in the ZIP")
        seen.add(name)
