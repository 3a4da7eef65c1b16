"""The one entry of a ZIP that the exchange's client wraps around every attachment."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator

from connectors.operations.spool import Spool
from schemas.record import Content

MAX_ENTRIES = 10_000
"""Entries of a ZIP that is looked into at all."""
MAX_DIRECTORY = 4 << 20
"""Bytes of a central directory that is read."""
MAX_RATIO = 200
"""Times that an entry may grow; office documents and scans stay below 100."""
RATIO_FREE = 16 << 20
"""Bytes below which the ratio does not matter: a blank page packs well."""

_CHUNK = 1 << 20
_END_RECORD = b"PK\x05\x06"
_END_SIZE = 22
_MAX_COMMENT = 0xFFFF


class NotUnwrappedError(Exception):
    """The ZIP stays as it is; ``code`` and ``message`` say why."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(code, message)


def unwrap(archive: Content, max_size: int, spool: Spool) -> Content | None:
    """The bytes of the only entry of ``archive``; ``None`` when it has more or none, which is nothing wrong.

    Raises:
        NotUnwrappedError: the ZIP is damaged, encrypted, hostile or beyond ``max_size`` or the limits above.
        SpoolFullError: ``spool``, which keeps the bytes, is full.
    """
    _check_end_record(archive)
    try:
        with archive.open() as stream, zipfile.ZipFile(stream) as opened:
            entries = opened.infolist()
            _check_names(entries)
            if len(entries) != 1 or entries[0].is_dir():
                return None
            entry = entries[0]
            _check_entry(entry, max_size)
            return spool.keep(_inflate(opened, entry, max_size))
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError, ValueError) as error:
        raise NotUnwrappedError("zip_damaged", f"the ZIP cannot be read: {error}") from None
    except (NotImplementedError, RuntimeError) as error:
        raise NotUnwrappedError("zip_unsupported", f"the ZIP cannot be unpacked: {error}") from None


def _check_end_record(archive: Content) -> None:
    """Look at the directory's size before ``zipfile`` reads all of it into memory."""
    with archive.open() as stream:
        stream.seek(max(0, archive.size - _END_SIZE - _MAX_COMMENT))
        tail = stream.read()
    at = tail.rfind(_END_RECORD)
    if at < 0 or at + _END_SIZE > len(tail):
        raise NotUnwrappedError("zip_damaged", "the ZIP has no end record: it was cut off")
    count = int.from_bytes(tail[at + 10 : at + 12], "little")
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    if count > MAX_ENTRIES or directory > MAX_DIRECTORY:
        raise NotUnwrappedError("zip_too_many_entries", f"{count} entries, {directory} bytes of directory")


def _check_names(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.orig_filename for entry in entries]
    if len(set(names)) != len(names):
        raise NotUnwrappedError("zip_duplicate_entries", "the ZIP holds two entries of one name")
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\x00" in name:
            raise NotUnwrappedError("zip_path_trick", f"an entry's name leads outside: {name[:80]!r}")


def _check_entry(entry: zipfile.ZipInfo, max_size: int) -> None:
    if entry.flag_bits & 0x1:
        raise NotUnwrappedError("zip_encrypted", "the ZIP's entry is encrypted")
    if entry.file_size > max_size:
        raise NotUnwrappedError("attachment_too_large", f"the ZIP's entry claims {entry.file_size} bytes")
    if entry.file_size > RATIO_FREE and entry.file_size > MAX_RATIO * max(1, entry.compress_size):
        ratio = entry.file_size // max(1, entry.compress_size)
        raise NotUnwrappedError(
            "zip_bomb", f"the ZIP's entry would grow {ratio} times, more than {MAX_RATIO}"
        )


def _inflate(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, max_size: int) -> Iterator[bytes]:
    size = 0
    with opened.open(entry) as stream:
        while piece := stream.read(_CHUNK):
            size += len(piece)
            if size > max_size:
                raise NotUnwrappedError("attachment_too_large", f"the ZIP's entry exceeds {max_size} bytes")
            yield piece
