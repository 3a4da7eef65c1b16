"""A drop folder of DXL exports as a ``Source``."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from connectors.lotus_notes.drop_files import drop_files
from connectors.lotus_notes.drop_manifest import Reconciled, reconcile
from connectors.lotus_notes.dxl import read_record
from connectors.lotus_notes.form_fonts import fonts_in, with_form_fonts
from connectors.lotus_notes.listings import UNREADABLE, Found, found_in, told_loss
from connectors.lotus_notes.locator import Locator, parse_locator
from connectors.lotus_notes.open_export import OpenExports, VanishedError
from schemas.errors import RetriableError
from schemas.record import Content, Listing, SourceRecord, StoredContents, Unreadable, Window, nothing_stored

_log = logging.getLogger(__name__)


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

    Attributes:
        skipped: design elements and notes that hold no data, which the last inventory passed, by name (``form``,
            ``note:icon`` …); complete when the inventory is.
    """

    lists_everything = False

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.skipped: Counter[str] = Counter()

    def inventory(self, window: Window) -> Iterator[Listing]:
        """Every record and every loss that changed in ``window``; what has no date always did.

        Raises:
            RetriableError: the folder is not there.
        """
        for found in self._found():
            if window.holds(found.listing.changed_at):
                yield found.listing
        if self.skipped:
            _log.info("%s: passed design, no documents: %s", self.name, dict(sorted(self.skipped.items())))

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
        answer = read_record(listing, original, context)
        return answer if isinstance(answer, Unreadable) else with_form_fonts(answer, fonts_in(context))

    def records(self) -> Iterator[SourceRecord | Unreadable]:
        """What ``fetch`` answers to all that ``inventory`` lists, in one pass over the bytes.

        Raises:
            RetriableError: the folder is not there.
        """
        with OpenExports(self.folder) as exports:
            for found in self._found(keep=True):
                if found.content is None and found.locator.start >= 0:
                    yield self._answer(found.listing, exports)
                else:
                    yield _read(found)

    def _found(self, keep: bool = False) -> Iterator[Found]:
        self.skipped.clear()
        files = drop_files(self.folder)
        told = _reconciled(self.folder)
        yield from (told_loss(loss) for loss in told.losses)
        for file in files:
            if altered := told.altered.get(file.name):
                yield told_loss(altered)
            else:
                yield from found_in(file, self.skipped, keep)

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
            answer = _placed(read_record(listing, original, context), locator)
            if isinstance(answer, Unreadable):
                return answer
            return with_form_fonts(answer, exports.form_fonts(locator, answer.form))
        except VanishedError as gone:
            return Unreadable(listing, gone.reason, gone.message, locator.where)


def _reconciled(folder: Path) -> Reconciled:
    try:
        return reconcile(folder)
    except OSError as error:
        raise RetriableError(
            f"a file that a manifest names cannot be read: {error.strerror or error}",
            where=str(error.filename or folder),
            action="mount the share, or let the account read the folder",
        ) from error


def _read(found: Found) -> SourceRecord | Unreadable:
    locator = found.locator
    if locator.reason or found.content is None:
        return Unreadable(found.listing, locator.reason, locator.message, locator.where, found.content)
    answer = _placed(read_record(found.listing, found.content, found.context), locator)
    if isinstance(answer, Unreadable) or found.fonts is None:
        return answer
    return with_form_fonts(answer, found.fonts.of(answer.form))


def _placed(answer: SourceRecord | Unreadable, locator: Locator) -> SourceRecord | Unreadable:
    if isinstance(answer, Unreadable):
        return replace(answer, where=f"{locator.where}: {answer.where}")
    return answer


def _where(listing: Listing) -> str:
    try:
        return parse_locator(listing.locator).where
    except ValueError:
        return "the listing's locator"
