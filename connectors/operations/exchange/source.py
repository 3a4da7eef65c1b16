"""A mailbox on an exchange service as a ``Source``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType

from pydantic import TypeAdapter, ValidationError

from connectors.clock import Clock
from connectors.operations.edxml import parse_edxml
from connectors.operations.exchange.caller import ServiceAwayError
from connectors.operations.exchange.dialect import (
    Days,
    Delivery,
    Dialect,
    Kind,
    Mailbox,
    SentApart,
    UndeliveredError,
)
from connectors.operations.exchange.rows import Row, listing_of, parts_of, read_locator
from connectors.operations.moments import LOCAL
from connectors.operations.spool import Spool
from schemas.errors import FatalError, RetriableError
from schemas.exchange_config import ExchangeService
from schemas.record import (
    Attachment,
    Content,
    Listing,
    SourceRecord,
    StoredContents,
    Unreadable,
    Window,
    nothing_stored,
    sha256_of,
)

STRANGE_IN_A_ROW = 5
"""Messages refused one after the other for reasons that nobody knows: then the service is at fault, not they."""

_OLDEST = date(2014, 1, 1)
"""Packages exist since "edXML v1.0" (CV 2803/BTTTT-THH, 2014)."""
_DAYS_AT_ONCE = 31


class ExchangeMailbox:
    """Messages of an exchange service, read and never acknowledged.

    Keys are ``edoc|<id>`` and ``status|<id>`` with the service's own identity of a message; the sender's DocumentId,
    by which documents are linked across sources, is inside the package.

    Args:
        name: of the source.
        dialect: how the service is asked.
        settings: of the source.
        clock: of the machine, or of a test.
    """

    def __init__(self, name: str, dialect: Dialect, settings: ExchangeService, clock: Clock) -> None:
        self.name = name
        self.dialect = dialect
        self._settings = settings
        self._clock = clock

    @property
    def lists_everything(self) -> bool:
        """False: a service takes messages off its list that were confirmed, or are old."""
        return False

    def inventory(self, window: Window) -> Iterator[Listing]:
        """Every message that changed in ``window``, by moment and key; see ``Source.inventory``.

        Raises:
            RetriableError: the service is away, or its list is not complete. FatalError: it refuses us.
        """
        for mailbox in self._mailboxes():
            found: set[Listing] = set()
            for days in parts_of(window, self._first_day(), self._days(), self._today()):
                part = {self._listing(row, mailbox.kind) for row in self.dialect.rows(mailbox, days)} - found
                yield from sorted(filter(lambda item: window.holds(item.changed_at), part), key=_order)
                found |= part
            if window == Window() and self._settings.check_counts and not mailbox.status and not mailbox.sent:
                self._check_count(mailbox.kind, len(found))

    def fetch(self, listings: Sequence[Listing]) -> Iterator[SourceRecord | Unreadable]:
        """Each listed message; see ``Source.fetch``.

        Raises:
            RetriableError: the service is away, or refuses one message after the other. FatalError: it refuses us.
        """
        strange = 0
        for listing in listings:
            try:
                answer = self._fetch(listing)
                strange = 0
            except UndeliveredError as error:
                strange = strange + 1 if error.strange else 0
                if strange == STRANGE_IN_A_ROW:
                    raise RetriableError(
                        f"the service failed on {strange} messages in a row; the last time: {error.message}",
                        where=listing.locator,
                        action="the run is tried again by itself; if this stays, ask who runs the service",
                    ) from error
                answer = Unreadable(listing, error.reason, error.message, listing.locator, error.received)
            yield answer

    def parse(
        self,
        listing: Listing,
        original: Content,
        context: Mapping[str, str],
        stored: StoredContents = nothing_stored,
    ) -> SourceRecord | Unreadable:
        """Read a message again from its stored bytes; see ``Source.parse``."""
        record = parse_edxml(listing, original, context)
        beside = _read_beside(context)
        if isinstance(record, Unreadable) or not beside:
            return record
        files = []
        for name, digest, defects in beside:
            content = stored(digest)
            if content is None:
                message = f"the archive lacks the file {name!r}, which the service sent beside the package"
                return Unreadable(listing, "stored_file_missing", message, f"sha256 {digest}", original)
            files.append(SentApart(name, content, tuple(defects)))
        return replace(record, attachments=(*record.attachments, *_attachments(files)))

    def _fetch(self, listing: Listing) -> SourceRecord | Unreadable:
        located = read_locator(listing.locator)
        if located is None:
            message = "the service's list names no identity by which the message could be asked for"
            return Unreadable(listing, "listed_without_identity", message, listing.locator[:200])
        best: Unreadable | None = None
        for tries_left in reversed(range(self._settings.reads)):
            spool = Spool(total_limit=self._settings.megabytes * 1_000_000)
            try:
                answer = self._read(listing, self._deliver(*located, spool), located)
            except UndeliveredError as error:
                if not error.passing or (not tries_left and best is None):
                    raise
                continue
            if isinstance(answer, SourceRecord):
                return answer
            # A package cut off on its way is whole the next time, one that was stored so is not; the most is kept.
            if best is None or _bytes_of(answer) > _bytes_of(best):
                best = answer
        assert best is not None
        return best

    def _deliver(self, identity: str, kind: Kind, spool: Spool) -> Delivery:
        try:
            return self.dialect.deliver(identity, kind, spool)
        except ServiceAwayError as error:
            # Some servers fail on one broken message for ever. Where the list still comes, the others need not wait.
            next(self.dialect.rows(Mailbox(kind), Days(self._today(), self._today())), None)
            raise UndeliveredError("service_failed", error.what, strange=True) from error

    def _read(
        self, listing: Listing, delivery: Delivery, located: tuple[str, Kind]
    ) -> SourceRecord | Unreadable:
        identity, kind = located
        context = MappingProxyType({"message": identity, "message_kind": kind, "file": f"{kind} {identity}"})
        record = parse_edxml(listing, delivery.package, context)
        if isinstance(record, Unreadable):
            return record
        kept = _not_inside(delivery.files, record)
        if not kept:
            return record
        named = json.dumps(
            [(file.name, digest, file.defects) for digest, file in kept.items()], ensure_ascii=False
        )
        return replace(
            record,
            attachments=(*record.attachments, *_attachments(kept.values())),
            context=MappingProxyType({**record.context, _BESIDE: named}),
        )

    def _mailboxes(self) -> Iterator[Mailbox]:
        for kind in self._settings.messages:
            for status in self._settings.statuses or ("",):
                yield Mailbox(kind, status=status)
            if self._settings.sent:
                yield Mailbox(kind, sent=True)

    def _listing(self, row: Row, kind: Kind) -> Listing:
        return listing_of(row, kind, self._settings.fields, self._settings.dated_by)

    def _first_day(self) -> date | None:
        return self._settings.first_day or (_OLDEST if self.dialect.needs_days() else None)

    def _days(self) -> int | None:
        return self._settings.days_per_request or (_DAYS_AT_ONCE if self.dialect.needs_days() else None)

    def _today(self) -> date:
        return self._clock.now().astimezone(LOCAL).date()

    def _check_count(self, kind: Kind, listed: int) -> None:
        counted = self.dialect.count(kind)
        if counted is not None and listed < counted:
            raise FatalError(
                f"the service counts {counted} messages of the kind {kind} and lists {listed}",
                where=f"source {self.name}",
                expected="a list as long as the service's own count",
                action="ask for fewer days at a time (days_per_request); switch check_counts off if the service counts "
                "something else",
            )


_BESIDE = "files_beside"


def _read_beside(context: Mapping[str, str]) -> list[tuple[str, str, list[str]]]:
    try:
        return TypeAdapter(list[tuple[str, str, list[str]]]).validate_json(context.get(_BESIDE, "[]"))
    except ValidationError:
        return []


def _not_inside(files: Iterable[SentApart], record: SourceRecord) -> dict[str, SentApart]:
    """By SHA-256 those of ``files`` that the package itself does not hold."""
    contents = [content for file in record.attachments for content in (file.content, file.wrapped)]
    inside = {sha256_of(content) for content in contents if content is not None}
    by_digest = {sha256_of(file.content): file for file in files}
    return {digest: file for digest, file in by_digest.items() if digest not in inside}


def _attachments(files: Iterable[SentApart]) -> Iterator[Attachment]:
    for position, file in enumerate(files, start=1):
        yield Attachment(file.name, file.content, item=f"attachments[{position}]", defects=file.defects)


def _bytes_of(answer: Unreadable) -> int:
    return answer.original.size if answer.original is not None else 0


def _order(listing: Listing) -> tuple[float, str, str]:
    return (listing.changed_at.timestamp() if listing.changed_at else 0.0, listing.key, listing.revision)
