"""The one entry of a ZIP that the exchange's client wraps around every attachment."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator

from connectors.operations.defects import sentence
from connectors.operations.spool import Spool, tail_of
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
_ZIP64_RECORD = b"PK\x06\x06"
_ZIP64_SIZE = 56
_LOCATOR_SIZE = 20
_MAX_COMMENT = 0xFFFF


class NotUnwrappedError(Exception):
    """The ZIP stays as it is; ``code`` and ``message`` say why."""

    def __init__(self, code: str, **facts: object) -> None:
        self.code, self.message = code, sentence(code, **facts)
        super().__init__(self.code, self.message)


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
        raise NotUnwrappedError("zip_damaged", why=str(error)) from None
    except (NotImplementedError, RuntimeError) as error:
        raise NotUnwrappedError("zip_unsupported", why=str(error)) from None


def _check_end_record(archive: Content) -> None:
    """Look at the directory's size before ``zipfile`` reads all of it into memory (APPNOTE 4.3.14, 4.3.16)."""
    tail = tail_of(archive, _ZIP64_SIZE + _LOCATOR_SIZE + _END_SIZE + _MAX_COMMENT)
    at = tail.rfind(_END_RECORD)
    if at < 0 or at + _END_SIZE > len(tail):
        raise NotUnwrappedError("zip_damaged", why="it has no end record: it was cut off")
    count = int.from_bytes(tail[at + 10 : at + 12], "little")
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    large = tail.rfind(_ZIP64_RECORD, 0, at)
    if (count == 0xFFFF or size == 0xFFFFFFFF) and large >= 0:
        count = int.from_bytes(tail[large + 32 : large + 40], "little")
        size = int.from_bytes(tail[large + 40 : large + 48], "little")
    if count > MAX_ENTRIES or size > MAX_DIRECTORY:
        raise NotUnwrappedError("zip_too_many_entries", count=count, size=size)


def _check_names(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.orig_filename for entry in entries]
    if len(set(names)) != len(names):
        raise NotUnwrappedError("zip_duplicate_entries")
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\x00" in name:
            raise NotUnwrappedError("zip_path_trick", name=name)


def _check_entry(entry: zipfile.ZipInfo, max_size: int) -> None:
    if entry.flag_bits & 0x1:
        raise NotUnwrappedError("zip_encrypted")
    if entry.file_size > max_size:
        raise NotUnwrappedError(
            "attachment_too_large", what=f"the ZIP's entry claims {entry.file_size} bytes"
        )
    if entry.file_size > RATIO_FREE and entry.file_size > MAX_RATIO * max(1, entry.compress_size):
        ratio = entry.file_size // max(1, entry.compress_size)
        raise NotUnwrappedError("zip_bomb", ratio=ratio, limit=MAX_RATIO)


def _inflate(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, max_size: int) -> Iterator[bytes]:
    size = 0
    with opened.open(entry) as stream:
        while piece := stream.read(_CHUNK):
            size += len(piece)
            if size > max_size:
                raise NotUnwrappedError(
                    "attachment_too_large", what=f"the ZIP's entry exceeds {max_size} bytes"
                )
            yield piece
