"""A drop folder of DXL exports as a ``Source``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from connectors.lotus_notes.archives import Export, ExportFile
from connectors.lotus_notes.byte_reader import ByteReader
from connectors.lotus_notes.drop_files import DropFile, drop_files
from connectors.lotus_notes.drop_manifest import Reconciled, reconcile
from connectors.lotus_notes.dxl import read_record
from connectors.lotus_notes.encoding import Encoding, detect
from connectors.lotus_notes.head import HeadError, read_head
from connectors.lotus_notes.locator import Locator, parse_locator
from connectors.lotus_notes.open_export import OpenExports, VanishedError
from connectors.lotus_notes.slices import Loss, Slice, Slices
from schemas.errors import RetriableError
from schemas.record import (
    Content,
    Listing,
    SourceRecord,
    StoredContents,
    Unreadable,
    Window,
    nothing_stored,
)

UNREADABLE = "unreadable:"
"""Start of the key of a piece that is no readable record; the SHA-256 of its bytes follows."""

_HEAD = 1024
_PIECE = 4 << 20
_REFUSED = {
    "entity_declared": "the export declares entities of its own; records of such a file are not read",
}


class DxlFolder:
    """The documents in a folder of DXL exports (with its subfolders), in a ZIP of them, or in one export.

    Read are ``.dxl`` and ``.xml`` files, and ``.zip`` and ``.tse`` archives of them. ``Listing.key`` is
    ``<replica id>:<UNID>``, the UNID where no replica id is known, else ``sha256:<of the record>``;
    ``revision`` is ``<sequence>/<revised or modified>/<start of the SHA-256 of its state>``. A piece that is no
    readable record has the key ``unreadable:<SHA-256>`` (of its bytes; of its place where it has none) and
    its reason as revision. Where the export agent left a manifest, what it names and the folder does not hold,
    or holds otherwise, is such a piece too.

    Args:
        name: of the source.
        folder: folder, archive or export. It need not be there before it is read.
    """

    lists_everything = False

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder

    def inventory(self, window: Window) -> Iterator[Listing]:
        """Every record and every loss that changed in ``window``; what has no date always did.

        Raises:
            RetriableError: the folder is not there.
        """
        files = drop_files(self.folder)
        told = _reconciled(self.folder)
        for loss in told.losses:
            yield _loss(loss.locator, loss.sha256)
        for file in files:
            if altered := told.altered.get(file.name):
                yield _loss(altered.locator, altered.sha256)
                continue
            for listing in self._in_file(file):
                if window.holds(listing.changed_at):
                    yield listing

    def fetch(self, listings: Sequence[Listing]) -> Iterator[SourceRecord | Unreadable]:
        """One answer a listing, in their order. Bytes that are not those listed are
        ``changed_while_reading``."""
        with OpenExports(self.folder) as exports:
            for listing in listings:
                yield self._answer(listing, exports)

    def parse(
        self,
        listing: Listing,
        original: Content,
        context: Mapping[str, str],
        stored: StoredContents = nothing_stored,
    ) -> SourceRecord | Unreadable:
        """Reads a record again from its bytes and the context that ``fetch`` gave.

        A piece that was listed as unreadable stays so: a better reader would list it under another key.
        """
        if listing.key.startswith(UNREADABLE):
            said = "the source listed these bytes as no readable record; list the source again to read them"
            return Unreadable(listing, listing.revision, said, _where(listing), original)
        return read_record(listing, original, context)

    def _in_file(self, file: DropFile) -> Iterator[Listing]:
        if file.outside:
            said = "a symbolic link leads out of the folder and is not followed"
            yield _loss(Locator(file.name, reason="link_outside", message=said))
            return
        try:
            with ExportFile(file.path) as opened:
                for export in opened.exports():
                    if isinstance(export, Export):
                        yield from _in_export(file.name, export)
                    else:
                        found = Locator(
                            file.name, export.entries, reason=export.reason, message=export.message
                        )
                        yield _loss(found)
        except OSError as error:
            said = f"the file cannot be read: {error.strerror or error}"
            yield _loss(Locator(file.name, reason="file_unreadable", message=said))

    def _answer(self, listing: Listing, exports: OpenExports) -> SourceRecord | Unreadable:
        try:
            locator = parse_locator(listing.locator)
        except ValueError as error:
            return Unreadable(listing, "locator_invalid", str(error), "the listing's locator")
        try:
            if locator.reason:
                original = exports.lost(locator, listing.key.removeprefix(UNREADABLE))
                return Unreadable(listing, locator.reason, locator.message, locator.where, original)
            original, context = exports.record(locator, listing)
        except VanishedError as gone:
            return Unreadable(listing, gone.reason, gone.message, locator.where)
        answer = read_record(listing, original, context)
        if isinstance(answer, Unreadable):
            return replace(answer, where=f"{locator.where}: {answer.where}")
        return answer


def _reconciled(folder: Path) -> Reconciled:
    try:
        return reconcile(folder)
    except OSError as error:
        raise RetriableError(
            f"a file that a manifest names cannot be read: {error.strerror or error}",
            where=str(error.filename or folder),
            action="mount the share, or let the account read the folder",
        ) from error


def _in_export(name: str, export: Export) -> Iterator[Listing]:
    encoding = detect(_read(export, 0, _HEAD))
    if isinstance(encoding, str):
        said = f"the export declares the encoding {encoding!r}, which is not read here"
        whole = Locator(
            name, export.entries, 0, export.size, reason="encoding_unsupported", message=said, line=1
        )
        yield _loss(whole, _digest(ByteReader(export.stream, export.size), 0, export.size))
        return
    reader = ByteReader(export.stream, export.size, encoding.width)
    for piece in Slices(reader, encoding):
        yield _listing(name, export, reader, encoding, piece)


def _listing(
    name: str, export: Export, reader: ByteReader, encoding: Encoding, piece: Slice | Loss
) -> Listing:
    place = Locator(name, export.entries, piece.start, piece.end)
    if isinstance(piece, Loss):
        place = replace(place, reason=piece.reason, message=piece.message, line=piece.line)
        return _loss(place, _digest(reader, piece.start, piece.end))
    reason, said = piece.refused, _REFUSED.get(piece.refused, "")
    if not reason:
        try:
            head = read_head(reader, piece, encoding)
        except HeadError as error:
            reason, said = "xml_malformed", f"the head of the record is not well-formed XML: {error}"
    if reason:
        line = reader.line(piece.start, encoding.bytes_of("\n"))
        place = replace(place, reason=reason, message=said, line=line)
        return _loss(place, _digest(reader, piece.start, piece.end))
    state = _digest(reader, piece.start, piece.end, head.last_access)
    key = head.key(piece.root.attributes.get("replicaid", "")) or f"sha256:{state}"
    locator = replace(place, root=piece.root.offset, accessed=head.last_access)
    return Listing(key, head.revision(state), str(locator), head.changed_at)


def _loss(locator: Locator, digest: str = "") -> Listing:
    if not digest or locator.start == locator.end:
        # No bytes to tell one such loss from another: its place does, and the same place gives the same key.
        digest = hashlib.sha256(f"{locator.place}\n{locator.reason}".encode()).hexdigest()
    return Listing(UNREADABLE + digest, locator.reason, str(locator))


def _digest(reader: ByteReader, start: int, end: int, without: tuple[int, int] = (0, 0)) -> str:
    """SHA-256 of ``[start, end)``, leaving out the bytes ``without``, which are counted from ``start``."""
    digest = hashlib.sha256()
    for first, last in ((start, start + without[0]), (start + without[1], end)):
        for position in range(first, last, _PIECE):
            digest.update(reader.read(position, min(position + _PIECE, last)))
    return digest.hexdigest()


def _read(export: Export, start: int, end: int) -> bytes:
    return ByteReader(export.stream, export.size).read(start, end)


def _where(listing: Listing) -> str:
    try:
        return parse_locator(listing.locator).where
    except ValueError:
        return "the listing's locator"
