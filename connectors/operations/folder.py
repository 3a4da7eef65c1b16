"""A drop folder of edXML packages: ``*.edxml``, ``*.xml`` and ZIPs of them, at any depth. Only reads."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from connectors.operations.edxml import parse_edxml
from connectors.operations.folder_files import inside, is_zip, package_files
from connectors.operations.identity import identify
from connectors.operations.scan import Refusal, scan
from connectors.operations.spool import Spool, SpoolFullError
from connectors.operations.zipped_packages import OpenZip, ZipFaultError
from schemas.errors import RetriableError
from schemas.record import (
    Content,
    FileContent,
    Listing,
    SourceRecord,
    StoredContents,
    Unreadable,
    Window,
    chunks,
    nothing_stored,
    sha256_of,
)

MAX_PACKAGE = 2 << 30
"""Bytes of one package, in a ZIP or not."""

_REVISION = 32


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
        with OpenZip() as zips:
            for relative in package_files(self.folder):
                for place in self._places(relative, zips):
                    listing = self._list(place, zips)
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
        with OpenZip() as zips:
            for listing in listings:
                yield self._fetch(listing, zips)

    def parse(
        self,
        listing: Listing,
        original: Content,
        context: Mapping[str, str],
        stored: StoredContents = nothing_stored,
    ) -> SourceRecord | Unreadable:
        """Read a package again from its stored bytes; see ``Source.parse``."""
        return parse_edxml(listing, original, context)

    def _places(self, relative: str, zips: OpenZip) -> list[_Place]:
        if not is_zip(relative):
            return [_Place(relative)]
        try:
            return [_Place(relative, member) for member in zips.members(self._path(relative))]
        except (_LostError, ZipFaultError, OSError):
            return [_Place(relative)]  # listed as a whole, so that the loss is counted

    def _list(self, place: _Place, zips: OpenZip) -> Listing:
        try:
            content = self._content(place, zips)
            digest = sha256_of(content)
            found = scan(content)
        except (_LostError, ZipFaultError, OSError):
            # Its bytes cannot be read, so its place must name it.
            digest = hashlib.sha256(os.fsencode(str(place))).hexdigest()
            return Listing(f"unreadable:{digest}", digest[:_REVISION], place.locator(digest))
        if isinstance(found, Refusal):
            return Listing(f"unreadable:{digest}", digest[:_REVISION], place.locator(digest))
        identity = identify(found.fields)
        key = identity.key or f"sha256:{digest}"
        return Listing(key, digest[:_REVISION], place.locator(digest), identity.changed_at)

    def _fetch(self, listing: Listing, zips: OpenZip) -> SourceRecord | Unreadable:
        located = _read_locator(listing.locator)
        if located is None:
            message = "the locator is not one that this source gave out"
            return Unreadable(listing, "locator_invalid", message, listing.locator[:200])
        place, expected = located
        where = place.printable
        try:
            content = Spool(total_limit=MAX_PACKAGE).keep(self._pieces(place, zips))
            digest = sha256_of(content)
        except FileNotFoundError:
            return Unreadable(listing, "file_vanished", "the file is no longer there", where)
        except SpoolFullError:
            return Unreadable(listing, "file_too_large", f"more than {MAX_PACKAGE} bytes", where)
        except (_LostError, ZipFaultError) as error:
            return Unreadable(listing, error.reason, error.message, where)
        except OSError as error:
            return Unreadable(listing, "file_unreadable", f"cannot be read: {error.strerror}", where)
        if digest != expected:
            message = "the file holds other bytes than when it was listed"
            return Unreadable(listing, "changed_while_reading", message, where)
        if is_zip(place.path) and place.member is None:
            return self._whole_zip(listing, place, content, zips)
        return parse_edxml(listing, content, MappingProxyType({"file": where}))

    def _whole_zip(self, listing: Listing, place: _Place, content: Content, zips: OpenZip) -> Unreadable:
        try:
            zips.members(self._path(place.path))
        except (ZipFaultError, OSError) as error:
            if isinstance(error, ZipFaultError):
                return Unreadable(listing, error.reason, error.message, place.printable, content)
            return Unreadable(listing, "file_unreadable", str(error), place.printable, content)
        message = "the ZIP could not be read when it was listed, and now can"
        return Unreadable(listing, "changed_while_reading", message, place.printable)

    def _content(self, place: _Place, zips: OpenZip) -> Content:
        if place.member is not None:
            return Spool().keep(self._pieces(place, zips))
        return FileContent(self._path(place.path))

    def _pieces(self, place: _Place, zips: OpenZip) -> Iterator[bytes]:
        path = self._path(place.path)
        if place.member is not None:
            return zips.pieces(path, place.member, MAX_PACKAGE)
        return chunks(FileContent(path))

    def _path(self, relative: str) -> Path:
        path = inside(self.folder, relative)
        if path is None:
            raise _LostError("file_outside_folder", "the path leads outside the drop folder")
        if path.exists() and not path.is_file():
            raise _LostError("not_a_file", "a file was expected")
        return path


def place_of(listing: Listing) -> str:
    """Where a package of ``EdxmlFolder`` lies: its path in the folder, and after ``!`` its name in a ZIP."""
    located = _read_locator(listing.locator)
    return located[0].printable if located else ""


class _LostError(Exception):
    def __init__(self, reason: str, message: str) -> None:
        self.reason, self.message = reason, message
        super().__init__(reason, message)


@dataclass(frozen=True, slots=True)
class _Place:
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
