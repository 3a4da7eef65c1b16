"""The contract of every source: inherit ``SourceContract`` and give it one fixture, ``case``.

.. code-block:: python

    from tests.connectors.source_contract import SourceCase, SourceContract

    class TestMyFolder(SourceContract):
        @pytest.fixture
        def case(self, tmp_path: Path) -> SourceCase:
            folder = tmp_path / "drop"
            ...  # write good and bad records into it, some with a date, at least three good ones
            return SourceCase(open=lambda: MyFolder("mine", folder), folder=folder, records=4, unreadable=2)

A source over a live service gives a subclass of ``SourceCase`` that says what its state is, erases and vanishes.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.source import Source
from schemas.record import (
    Attachment,
    Listing,
    SourceRecord,
    StoredContents,
    Unreadable,
    Window,
    chunks,
    sha256_of,
)

_CODE = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")


@dataclass(frozen=True)
class SourceCase:
    """A source over a folder whose content is known.

    Attributes:
        open: a fresh source over the folder; called several times a test.
        folder: what the source reads; the tests delete its files, so it lies in a temporary directory.
        records: how many distinct records are readable.
        unreadable: how many distinct pieces are not.
        dated: the system says when its records changed.
    """

    open: Callable[[], Source]
    folder: Path
    records: int
    unreadable: int
    dated: bool = field(default=True, kw_only=True)

    def state(self) -> object:
        """Everything that a source must leave as it is."""
        return fingerprint(self.folder)

    def erase(self) -> None:
        """Delete every record."""
        for path in self.folder.rglob("*"):
            if path.is_file():
                path.unlink()

    def vanish(self) -> None:
        """Take the whole system away."""
        shutil.rmtree(self.folder)


def everything(source: Source) -> list[Listing]:
    """The whole inventory of ``source``, repeats of one (key, revision) removed, in its order."""
    return list(dict.fromkeys(source.inventory(Window())))


def comparable(value: object) -> object:
    """``value`` with every content replaced by its size and SHA-256, to compare results by what they say."""
    if hasattr(value, "open") and hasattr(value, "size"):
        return ("content", value.size, sha256_of(value))
    if is_dataclass(value) and not isinstance(value, type):
        parts = tuple((item.name, comparable(getattr(value, item.name))) for item in fields(value))
        return (type(value).__name__, *parts)
    if isinstance(value, Mapping):
        return tuple((key, comparable(member)) for key, member in value.items())
    if isinstance(value, tuple | list):
        return tuple(comparable(member) for member in value)
    return value


def fingerprint(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Every path under ``folder`` with modification time (ns), mode, and the SHA-256 of a file's bytes."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        state = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(folder))] = (state.st_mtime_ns, state.st_mode, digest)
    return found


def answers(source: Source, listings: Sequence[Listing]) -> list[object]:
    """``fetch`` of ``listings``, comparable."""
    return [comparable(answer) for answer in source.fetch(listings)]


class SourceContract:
    """What holds for every source; subclasses give the fixture ``case``."""

    def test_it_is_a_source_with_a_name(self, case: SourceCase) -> None:
        source = case.open()
        assert isinstance(source, Source)
        assert source.name

    def test_the_inventory_is_stable(self, case: SourceCase) -> None:
        source = case.open()
        first = list(source.inventory(Window()))
        assert first == list(source.inventory(Window())), "asked twice"
        assert first == list(case.open().inventory(Window())), "asked by another process"

    def test_identities_are_unique_after_the_repeats_are_removed(self, case: SourceCase) -> None:
        listings = everything(case.open())
        identities = [(listing.key, listing.revision) for listing in listings]
        assert len(set(identities)) == len(identities) - _repeated_sightings(case.open(), listings)
        assert all(listing.key and listing.locator for listing in listings)

    def test_every_record_and_every_loss_is_counted(self, case: SourceCase) -> None:
        source = case.open()
        found = {
            (answer.listing.key, answer.listing.revision): answer
            for answer in source.fetch(everything(source))
        }
        unreadable = [answer for answer in found.values() if isinstance(answer, Unreadable)]
        assert len(unreadable) == case.unreadable, [(bad.reason, bad.where) for bad in unreadable]
        assert len(found) - len(unreadable) == case.records

    def test_a_loss_says_what_where_and_why(self, case: SourceCase) -> None:
        source = case.open()
        losses = [answer for answer in source.fetch(everything(source)) if isinstance(answer, Unreadable)]
        for loss in losses:
            assert _CODE.match(loss.reason), loss.reason
            assert loss.message
            assert loss.where

    @pytest.mark.parametrize("order", ["listed", "reversed", "every_other", "doubled"])
    def test_fetch_answers_each_listing_once_in_the_order_asked(self, case: SourceCase, order: str) -> None:
        listings = everything(case.open())
        asked = {
            "listed": listings,
            "reversed": listings[::-1],
            "every_other": listings[::2],
            "doubled": [listing for listing in listings for _ in range(2)],
        }[order]
        assert [answer.listing for answer in case.open().fetch(asked)] == asked

    def test_nothing_asked_is_nothing_answered(self, case: SourceCase) -> None:
        assert list(case.open().fetch([])) == []

    def test_interrupted_and_resumed_equals_uninterrupted(self, case: SourceCase) -> None:
        listings = everything(case.open())
        whole = answers(case.open(), listings)
        for stop in range(len(listings) + 1):
            interrupted = case.open().fetch(listings)
            begun = [comparable(next(interrupted)) for _ in range(stop)]
            close = getattr(interrupted, "close", None)
            if close is not None:
                close()
            assert begun + answers(case.open(), listings[stop:]) == whole, f"stopped after {stop}"

    def test_nothing_is_written_to_the_source(self, case: SourceCase) -> None:
        before = case.state()
        source = case.open()
        for answer in source.fetch(everything(source)):
            if isinstance(answer, SourceRecord):
                source.parse(answer.listing, answer.original, answer.context, stored(answer))
        assert case.state() == before

    def test_windows_are_half_open_and_keep_what_has_no_date(self, case: SourceCase) -> None:
        listings = everything(case.open())
        moments = sorted({listing.changed_at for listing in listings if listing.changed_at is not None})
        assert bool(moments) == case.dated, "the case needs dated records, or a system without dates"
        assert all(moment.utcoffset() is not None for moment in moments)
        tick = timedelta(microseconds=1)
        for moment in moments or [datetime(2026, 1, 1, tzinfo=UTC)]:
            for window in (Window(moment), Window(None, moment), Window(moment, moment + tick)):
                expected = [listing for listing in listings if window.holds(listing.changed_at)]
                assert list(dict.fromkeys(case.open().inventory(window))) == expected, window

    def test_only_a_whole_inventory_may_say_that_it_lists_everything(self, case: SourceCase) -> None:
        source = case.open()
        assert not source.lists_everything, "nothing was listed yet"
        list(source.inventory(Window()))
        whole = source.lists_everything
        list(source.inventory(Window(datetime(2000, 1, 1, tzinfo=UTC))))
        assert not source.lists_everything, "a window was listed"
        list(source.inventory(Window()))
        assert source.lists_everything == whole

    def test_the_original_is_read_again_with_the_same_result(self, case: SourceCase) -> None:
        source = case.open()
        records = [answer for answer in source.fetch(everything(source)) if isinstance(answer, SourceRecord)]
        assert records, "the case needs readable records"
        case.vanish()
        for record in records:
            again = case.open().parse(record.listing, record.original, record.context, stored(record))
            assert comparable(again) == comparable(record)

    def test_unreadable_bytes_read_again_are_still_unreadable(self, case: SourceCase) -> None:
        source = case.open()
        losses = [answer for answer in source.fetch(everything(source)) if isinstance(answer, Unreadable)]
        for loss in losses:
            if loss.original is not None:
                again = source.parse(loss.listing, loss.original, {})
                assert isinstance(again, Unreadable), loss.reason
                assert again.listing == loss.listing

    def test_contents_can_be_opened_again_and_have_the_size_they_claim(self, case: SourceCase) -> None:
        source = case.open()
        for answer in source.fetch(everything(source)):
            contents = [answer.original] if answer.original is not None else []
            files: tuple[Attachment, ...] = answer.attachments if isinstance(answer, SourceRecord) else ()
            for content in [*contents, *(file.content for file in files)]:
                sizes = [sum(len(piece) for piece in chunks(content)) for _ in range(2)]
                assert sizes == [content.size] * 2

    def test_records_gone_since_the_listing_are_unreadable(self, case: SourceCase) -> None:
        listings = everything(case.open())
        case.erase()
        gone = list(case.open().fetch(listings))
        assert [answer.listing for answer in gone] == listings
        assert all(isinstance(answer, Unreadable) for answer in gone)


def stored(record: SourceRecord) -> StoredContents:
    """An archive that holds the attachments of ``record``."""
    return {sha256_of(file.content): file.content for file in record.attachments}.get


def _repeated_sightings(source: Source, listings: Sequence[Listing]) -> int:
    """How many listings repeat the (key, revision) of another place; their bytes must be the same there."""
    first: dict[tuple[str, str], str] = {}
    repeats = 0
    for answer in source.fetch(listings):
        identity = (answer.listing.key, answer.listing.revision)
        digest = sha256_of(answer.original) if answer.original is not None else ""
        if identity in first:
            assert digest == first[identity], f"{identity} names two different records"
            repeats += 1
        first.setdefault(identity, digest)
    return repeats
