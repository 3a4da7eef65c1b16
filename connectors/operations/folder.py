"""A drop folder of edXML packages: ``*.edxml``, ``*.xml`` and ZIPs of them, at any depth. Only reads."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, NamedTuple

from connectors.operations.edxml import parse_edxml
from connectors.operations.folder_files import FolderFiles, LostError, is_zip, package_files
from connectors.operations.identity import identify
from connectors.operations.scan import Refusal, scan
from connectors.operations.spool import Spool, SpoolFullError
from connectors.operations.zipped_packages import OpenZip, ZipFaultError
from schemas.errors import RetriableError
from schemas.record import (
    BytesContent,
    Content,
    FileContent,
    Listing,
    SourceRecord,
    StoredContents,
    Unreadable,
    Window,
    nothing_stored,
)

MAX_PACKAGE = 2 << 30
"""Bytes of one package, in a ZIP or not."""

_REVISION = 32
_SMALL = 1 << 20


@dataclass(slots=True)
class EdxmlFolder:
    """Packages of the operations system in a folder, or one package or ZIP.

    Keys are ``<sender>|<DocumentId>|<business type>`` for documents,
    ``status|<sender>|<answered DocumentId>|<StatusCode>|<Timestamp>`` for status messages, ``sha256:…`` where
    a part of that is absent, and ``unreadable:…`` for what is no package. The revision is the file's hash.

    Attributes:
        name: of the source.
        folder: the folder or the file.
    """

    name: str
    folder: Path
    lists_everything: ClassVar[bool] = False

    def inventory(self, window: Window) -> Iterator[Listing]:
        """Every package that changed in ``window``, payloads left undecoded; see ``Source.inventory``.

        Raises:
            RetriableError: the folder cannot be read now.
            FatalError: no permission for it.
        """
        with _Pass(self.folder) as reading:
            for relative in package_files(self.folder):
                for place in reading.places(relative):
                    listing = reading.list(place)
                    if window.holds(listing.changed_at):
                        yield listing

    def fetch(self, listings: Sequence[Listing]) -> Iterator[SourceRecord | Unreadable]:
        """Each listed package, if its bytes are still those that were listed; see ``Source.fetch``.

        Raises:
            RetriableError: the folder as a whole is gone.
        """
        if listings and not self.folder.exists():
            raise RetriableError(
                f"the drop folder {self.folder} is gone", action="see that the share is mounted"
            )
        with _Pass(self.folder) as reading:
            for listing in listings:
                yield reading.fetch(listing)

    def parse(
        self,
        listing: Listing,
        original: Content,
        context: Mapping[str, str],
        stored: StoredContents = nothing_stored,
    ) -> SourceRecord | Unreadable:
        """Read a package again from its stored bytes; see ``Source.parse``."""
        return parse_edxml(listing, original, context)


def place_of(listing: Listing) -> str:
    """Where a package of ``EdxmlFolder`` lies: its path in the folder, and after ``!`` its name in a ZIP."""
    located = _read_locator(listing.locator)
    return located[0].printable if located else ""


class _Pass:
    """One pass over the folder: what it has open, and what it knows of the directories."""

    def __init__(self, folder: Path) -> None:
        self._files = FolderFiles(folder)
        self._zips = OpenZip()

    def __enter__(self) -> _Pass:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zips.close()

    def places(self, relative: str) -> list[_Place]:
        if not is_zip(relative):
            return [_Place(relative)]
        try:
            return [_Place(relative, member) for member in self._zips.members(self._files.path(relative))]
        except (LostError, ZipFaultError, OSError):
            return [_Place(relative)]  # listed as a whole, so that the loss is counted

    def list(self, place: _Place) -> Listing:
        try:
            content, digest = self._read(place, whole=False)
            found = scan(content)
        except (LostError, ZipFaultError, OSError):
            # Its bytes cannot be read, so its place must name it.
            digest = hashlib.sha256(os.fsencode(str(place))).hexdigest()
            return Listing(f"unreadable:{digest}", digest[:_REVISION], place.locator(digest))
        if isinstance(found, Refusal):
            return Listing(f"unreadable:{digest}", digest[:_REVISION], place.locator(digest))
        identity = identify(found.fields, found.version)
        key = identity.key or f"sha256:{digest}"
        return Listing(key, digest[:_REVISION], place.locator(digest), identity.changed_at)

    def fetch(self, listing: Listing) -> SourceRecord | Unreadable:
        located = _read_locator(listing.locator)
        if located is None:
            message = "the locator is not one that this source gave out"
            return Unreadable(listing, "locator_invalid", message, listing.locator[:200])
        place, expected = located
        where = place.printable
        try:
            content, digest = self._read(place, whole=True)
        except FileNotFoundError:
            return Unreadable(listing, "file_vanished", "the file is no longer there", where)
        except SpoolFullError:
            return Unreadable(listing, "file_too_large", f"more than {MAX_PACKAGE} bytes", where)
        except (LostError, ZipFaultError) as error:
            return Unreadable(listing, error.reason, error.message, where)
        except OSError as error:
            return Unreadable(listing, "file_unreadable", f"cannot be read: {error.strerror}", where)
        if digest != expected:
            message = "the file holds other bytes than when it was listed"
            return Unreadable(listing, "changed_while_reading", message, where)
        if is_zip(place.path) and place.member is None:
            return self._whole_zip(listing, place, content)
        return parse_edxml(listing, content, {"file": where})

    def _whole_zip(self, listing: Listing, place: _Place, content: Content) -> Unreadable:
        try:
            self._zips.members(self._files.path(place.path))
        except (ZipFaultError, OSError) as error:
            if isinstance(error, ZipFaultError):
                return Unreadable(listing, error.reason, error.message, place.printable, content)
            return Unreadable(listing, "file_unreadable", str(error), place.printable, content)
        message = "the ZIP could not be read when it was listed, and now can"
        return Unreadable(listing, "changed_while_reading", message, place.printable)

    def _read(self, place: _Place, *, whole: bool) -> tuple[Content, str]:
        """(bytes, SHA-256) of a package; ``whole`` keeps the bytes that were hashed, even of a large file."""
        if place.member is not None:
            pieces = self._zips.pieces(self._files.path(place.path), place.member, MAX_PACKAGE)
            return _kept(pieces, hashlib.sha256())
        descriptor, size = self._files.open(place.path)
        try:
            # One byte more than its size shows whether the file grows just now.
            data = os.read(descriptor, min(size + 1, _SMALL))
            if len(data) == size:
                return BytesContent(data), hashlib.sha256(data).hexdigest()
            digest = hashlib.sha256()
            pieces = _pieces(data, descriptor)
            if whole:
                return _kept(pieces, digest)
            for piece in pieces:
                digest.update(piece)
            return FileContent(self._files.path(place.path)), digest.hexdigest()
        finally:
            os.close(descriptor)


def _kept(pieces: Iterator[bytes], digest: hashlib._Hash) -> tuple[Content, str]:
    content = Spool(total_limit=MAX_PACKAGE).keep(_hashed(pieces, digest))
    return content, digest.hexdigest()


def _hashed(pieces: Iterator[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def _pieces(first: bytes, descriptor: int) -> Iterator[bytes]:
    yield first
    while piece := os.read(descriptor, _SMALL):
        yield piece


class _Place(NamedTuple):
    """A file of the folder, or a member of a ZIP there."""

    path: str
    member: str | None = None

    def __str__(self) -> str:
        return self.path if self.member is None else f"{self.path}!{self.member}"

    @property
    def printable(self) -> str:
        """The place as text that any database takes, even if the file name is not UTF-8."""
        return str(self).encode("utf-8", "backslashreplace").decode("utf-8")

    def locator(self, digest: str) -> str:
        parts = {"path": self.path, "sha256": digest}
        if self.member is not None:
            parts["member"] = self.member
        return json.dumps(parts, sort_keys=True)


def _read_locator(text: str) -> tuple[_Place, str] | None:
    try:
        parts = json.loads(text)
    except ValueError:
        return None
    if not isinstance(parts, dict):
        return None
    path, digest, member = parts.get("path"), parts.get("sha256"), parts.get("member")
    if not isinstance(path, str) or not isinstance(digest, str) or not isinstance(member, str | None):
        return None
    return _Place(path, member), digest
