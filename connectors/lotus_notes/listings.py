"""Every record and every loss of a drop folder, as lines of its inventory."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from connectors.lotus_notes.archives import Export, ExportFile
from connectors.lotus_notes.byte_reader import ByteReader
from connectors.lotus_notes.drop_files import DropFile
from connectors.lotus_notes.drop_manifest import Told
from connectors.lotus_notes.encoding import Encoding, detect
from connectors.lotus_notes.form_fonts import DESIGNS, FormFonts, read_form_fonts
from connectors.lotus_notes.head import HeadError, read_head
from connectors.lotus_notes.locator import Locator
from connectors.lotus_notes.open_export import context_of
from connectors.lotus_notes.record_bytes import read_bytes
from connectors.lotus_notes.slices import Loss, Slice, Slices
from schemas.record import Content, Listing

UNREADABLE = "unreadable:"
"""Start of the key of a piece that is no readable record; the SHA-256 of its bytes follows."""

NO_CONTEXT: Mapping[str, str] = MappingProxyType({})
_HEAD = 1024


@dataclass(frozen=True, slots=True)
class Found:
    """A line of the inventory and what it was made of.

    Attributes:
        listing: the line.
        locator: the place, and what is wrong there.
        context: facts of the export, for a record (``open_export.context_of``).
        content: the bytes, where there are any and they are to be kept.
        fonts: of the forms designed before a record that is kept; ``None`` where there are none.
    """

    listing: Listing
    locator: Locator
    context: Mapping[str, str] = field(default_factory=lambda: NO_CONTEXT)
    content: Content | None = None
    fonts: FormFonts | None = None


def found_in(file: DropFile, skipped: Counter[str], keep: bool = False) -> Iterator[Found]:
    """Every record and every loss of ``file`` in order; with their bytes if ``keep``.

    Design elements and notes of other classes are counted in ``skipped``.
    """
    if file.outside:
        said = "a symbolic link leads out of the folder and is not followed"
        yield _loss(Locator(file.name, reason="link_outside", message=said))
        return
    try:
        with ExportFile(file.path) as opened:
            for export in opened.exports():
                if isinstance(export, Export):
                    yield from _in_export(file.name, export, skipped, keep)
                else:
                    place = Locator(file.name, export.entries)
                    yield _loss(replace(place, reason=export.reason, message=export.message))
    except OSError as error:
        said = f"the file cannot be read: {error.strerror or error}"
        yield _loss(Locator(file.name, reason="file_unreadable", message=said))


def told_loss(told: Told) -> Found:
    """What a manifest says and the folder does not bear out."""
    listing = Listing(UNREADABLE + told.sha256, told.locator.reason, str(told.locator))
    return Found(listing, told.locator)


def _in_export(name: str, export: Export, skipped: Counter[str], keep: bool) -> Iterator[Found]:
    """Every record and every loss of an export; with their bytes if ``keep``."""
    encoding = detect(ByteReader(export.stream, export.size).read(0, _HEAD))
    place = Locator(name, export.entries)
    if isinstance(encoding, str):
        said = f"the export declares the encoding {encoding!r}, which is not read here"
        reader = ByteReader(export.stream, export.size)
        place = replace(place, start=0, end=export.size, reason="encoding_unsupported", message=said, line=1)
        yield _loss(place, reader, keep)
        return
    reader = ByteReader(export.stream, export.size, encoding.width)
    slices = Slices(reader, encoding)
    fonts: dict[int, FormFonts] = {}
    for piece in slices:
        place = Locator(name, export.entries, piece.start, piece.end)
        if isinstance(piece, Loss):
            lost = replace(place, reason=piece.reason, message=piece.message, line=piece.line)
            yield _loss(lost, reader, keep)
            continue
        found = _slice(place, reader, encoding, piece, keep)
        if keep and DESIGNS & slices.skipped.keys():
            root = piece.root.offset
            if root not in fonts:
                fonts[root] = read_form_fonts(reader, root, encoding)
            found = replace(found, fonts=fonts[root])
        yield found
    skipped.update(slices.skipped)


def _slice(place: Locator, reader: ByteReader, encoding: Encoding, piece: Slice, keep: bool) -> Found:
    try:
        head = read_head(reader, piece, encoding)
    except HeadError as error:
        line = reader.line(piece.start, encoding.bytes_of("\n"))
        said = f"the head of the record is not well-formed XML: {error}"
        return _loss(replace(place, reason="xml_malformed", message=said, line=line), reader, keep)
    content, state = read_bytes(reader, piece.start, piece.end, head.last_access, keep)
    key = head.key(piece.root.attributes.get("replicaid", "")) or f"sha256:{state}"
    locator = Locator(place.file, place.entries, piece.start, piece.end, piece.root.offset, head.last_access)
    listing = Listing(key, head.revision(state), str(locator), head.changed_at)
    context = context_of(locator, piece.root, encoding) if keep else NO_CONTEXT
    return Found(listing, locator, context, content)


def _loss(locator: Locator, reader: ByteReader | None = None, keep: bool = False) -> Found:
    content: Content | None = None
    if reader is not None and locator.start < locator.end:
        content, digest = read_bytes(reader, locator.start, locator.end, keep=keep)
    else:
        # No bytes to tell one such loss from another: its place does, and the same place gives the same key.
        digest = hashlib.sha256(f"{locator.place}\n{locator.reason}".encode()).hexdigest()
    listing = Listing(UNREADABLE + digest, locator.reason, str(locator))
    return Found(listing, locator, content=content)
