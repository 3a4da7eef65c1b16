"""A database on a live Domino server as a ``Source``: listed and exported over HTTP, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from connectors.clock import Clock
from connectors.lotus_notes.agent_answers import ExportEntry, MalformedExportError
from connectors.lotus_notes.domino_addresses import DominoAddresses
from connectors.lotus_notes.domino_files import (
    CONTEXT_KEY,
    DominoFiles,
    FetchedFile,
    FilesError,
    attachments_of,
    check_inline,
    context_of,
    dangling,
    remembered,
)
from connectors.lotus_notes.domino_inventory import DominoInventory
from connectors.lotus_notes.domino_place import Place, parse_place
from connectors.lotus_notes.domino_session import LOGIN, DominoSession, GaveUpError
from connectors.lotus_notes.dxl import read_record
from connectors.lotus_notes.export_agent import ExportAgent
from connectors.lotus_notes.exported_dxl import cut_out
from connectors.lotus_notes.form_fonts import FormFonts, fonts_in, with_form_fonts
from connectors.pace import Pace
from schemas.connection import ServiceConnection
from schemas.record import (
    Content,
    Listing,
    SourceRecord,
    StoredContents,
    Unreadable,
    Window,
    nothing_stored,
)
from schemas.service_config import DominoService, Politeness

_SETTLED = timedelta(seconds=2)
"""A document that changed less than this before it was read may have changed again in the second that dates it."""

_READINGS = 3
_PROBLEMS: Mapping[str, str] = {
    "access_denied": "the server says that this document exists, and the account may not read it",
    "undated": "the view has no date for this document, so a change of it could not be told; "
    "its column needs a formula such as @Modified, which always has a value",
}
_STATUSES: Mapping[str, tuple[str, str]] = {
    "gone": ("deleted_meanwhile", "the document was listed, and had been deleted when it was to be exported"),
    "denied": ("access_denied", "the account may not read this document"),
    "error": ("agent_error", "the export agent could not export this document"),
}


def try_login(connection: ServiceConnection) -> str:
    """Log in at the server of ``connection`` and ask it for its front page; the server's own name for itself.

    Raises:
        FatalError, RetriableError: what is in the way.
    """
    politeness = Politeness(tries=1)
    addresses = DominoAddresses("", "", connection.text("login_path", LOGIN))
    session = DominoSession(connection, addresses, politeness, Pace(politeness, ZoneInfo("UTC")))
    try:
        return f"{connection.base_url}, {session.greet()}"
    finally:
        session.close()


@dataclass(frozen=True, slots=True)
class _Exported:
    entry: ExportEntry
    answer: Content
    now: datetime | None


class DominoSource:
    """The documents of one Notes database on a Domino server.

    ``Listing.key`` is ``<replica id>:<UNID>``, as in exports that are dropped into a folder; ``revision`` is
    ``<sequence>/<revised, else modified>``, which stays the same until the document changes. A document that the
    account may not read, or whose state cannot be told, is listed with that as its revision and is answered
    ``Unreadable``; entries that a view counts and does not show are listed together as one.

    The original is the document's element as the agent printed it; attachments come over their own addresses. A
    record whose attachments are not those announced is ``Unreadable`` and carries its DXL.

    Args:
        name: of the source.
        service: which database, and how gently.
        connection: which server, and which account.
        zone: time zone of the office hours.
        clock: of the machine, or of a test.
    """

    def __init__(
        self,
        name: str,
        service: DominoService,
        connection: ServiceConnection,
        zone: ZoneInfo,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self.lists_everything = False
        self._service = service
        self._connection = connection
        self._addresses = DominoAddresses(
            service.database, service.agent, connection.text("login_path", LOGIN)
        )
        self._pace = Pace(service.politeness, zone, clock)
        self._session = DominoSession(connection, self._addresses, service.politeness, self._pace)
        self._agent = ExportAgent(self._session, self._addresses)
        self._files = DominoFiles(self._session, self._addresses, service.attachments)
        self._fonts: FormFonts | None = None

    def check(self) -> str:
        """Log in and ask the agent one thing; what the server says of itself.

        Raises:
            FatalError, RetriableError: what is in the way.
        """
        answer = self._agent.rows()
        return f"{self._connection.base_url}/{self._service.database}, replica {answer.replicaid}"

    def inventory(self, window: Window) -> Iterator[Listing]:
        """See ``Source.inventory``. Views that never stand still are listed with what any reading of them showed,
        and ``lists_everything`` stays false."""
        self.lists_everything = False
        replica = self._agent.rows().replicaid
        inventory = DominoInventory(self._session, self._addresses, self._agent, self._service)
        for listed in inventory.documents(window.start):
            place = Place(listed.unid, listed.noteid, listed.problem)
            if listed.unid in self._service.skip:
                place = replace(place, problem="skipped")
            if window.holds(listed.changed_at):
                yield Listing(f"{replica}:{listed.unid}", listed.revision, str(place), listed.changed_at)
        if inventory.hidden:
            place = Place(problem="hidden", hidden=inventory.hidden)
            yield Listing(f"{replica}:hidden", str(inventory.hidden), str(place))
        self.lists_everything = inventory.complete and window == Window()

    def fetch(self, listings: Sequence[Listing]) -> Iterator[SourceRecord | Unreadable]:
        """One answer a listing, in their order.

        Raises:
            RetriableError: the server is busy or away.
            FatalError: the login, the database or the agent is refused.
        """
        remaining = iter(listings)
        while group := list(islice(remaining, self._service.documents_per_request)):
            places = [_place(listing) for listing in group]
            wanted = [place.unid for place in places if isinstance(place, Place) and not place.problem]
            exported = self._exported(list(dict.fromkeys(wanted)))
            for listing, place in zip(group, places, strict=True):
                if isinstance(place, Unreadable):
                    yield place
                elif place.problem:
                    yield self._unread(listing, place)
                else:
                    yield self._record(listing, exported[place.unid])

    def parse(
        self,
        listing: Listing,
        original: Content,
        context: Mapping[str, str],
        stored: StoredContents = nothing_stored,
    ) -> SourceRecord | Unreadable:
        """Reads a record again from its DXL, its context, and the archive's bytes of its attachments.

        What was unreadable when it was fetched stays so: only the server can tell more.
        """
        try:
            files = remembered(context.get(CONTEXT_KEY, ""), stored)
        except FilesError as error:
            return Unreadable(listing, error.reason, error.message, self._where(listing), original)
        answer = _joined(listing, original, context, files)
        return answer if isinstance(answer, Unreadable) else with_form_fonts(answer, fonts_in(context))

    def _form_fonts(self) -> FormFonts:
        """Asked for once, when the first record can use them."""
        if self._fonts is None:
            self._fonts = self._agent.forms()
        return self._fonts

    def _exported(self, unids: Sequence[str]) -> dict[str, _Exported | str]:
        """What the agent exports, by UNID; for one that it cannot, the reason.

        A document that makes the agent fail must cost itself only: when the agent still answers another question,
        the document is at fault.
        """
        if not unids:
            return {}
        try:
            export, answer = self._agent.export(unids)
        except (MalformedExportError, GaveUpError) as error:
            if len(unids) > 1:
                return {unid: found for unid in unids for found in self._exported([unid]).values()}
            self._agent.rows()
            return {unids[0]: str(error)}
        found: dict[str, _Exported | str] = {
            entry.unid: _Exported(entry, answer, export.now) for entry in export.entries
        }
        return {unid: found.get(unid, "the agent's answer has no entry for this document") for unid in unids}

    def _record(self, listing: Listing, exported: _Exported | str) -> SourceRecord | Unreadable:
        if isinstance(exported, str):
            return Unreadable(listing, "export_failed", exported, self._where(listing))
        for _ in range(_READINGS):
            answer, now = self._read(listing, exported), exported.now
            if not isinstance(answer, SourceRecord) or not _just_changed(answer, now):
                return answer
            self._pace.clock.sleep(_SETTLED.total_seconds())
            again = self._exported([exported.entry.unid])[exported.entry.unid]
            if not isinstance(again, _Exported):
                return answer
            exported = again
        return answer

    def _read(self, listing: Listing, exported: _Exported) -> SourceRecord | Unreadable:
        entry, where = exported.entry, self._where(listing)
        if entry.status != "ok" or entry.dxl is None:
            reason, said = _STATUSES.get(entry.status, _STATUSES["error"])
            message = f"{said}: {entry.message}" if entry.message else said
            return Unreadable(listing, reason, message, where)
        dxl = cut_out(exported.answer, entry.dxl, entry.unid)
        if dxl.reason:
            return Unreadable(listing, dxl.reason, dxl.message, where, dxl.original)
        try:
            files = self._files.of(entry)
            context = {"file": where, **dxl.context, CONTEXT_KEY: context_of(files)}
            answer = _joined(listing, dxl.original, context, files)
            if isinstance(answer, SourceRecord):
                check_inline(answer, entry)
                answer = with_form_fonts(answer, self._form_fonts().of(answer.form))
        except FilesError as error:
            if error.doubtful:
                self._agent.rows()
            return Unreadable(listing, error.reason, error.message, where, dxl.original)
        return answer

    def _unread(self, listing: Listing, place: Place) -> Unreadable:
        if place.problem == "hidden":
            said = f"the views count {place.hidden} entries that they do not show to this account"
            return Unreadable(listing, "access_denied", said, self._where(listing))
        message = _PROBLEMS.get(place.problem, "the source's YAML says to skip this document")
        return Unreadable(listing, place.problem, message, self._where(listing))

    def _where(self, listing: Listing) -> str:
        unid = listing.key.rpartition(":")[2]
        return f"{self._connection.base_url}{self._addresses.document(unid)}"


def _place(listing: Listing) -> Place | Unreadable:
    try:
        return parse_place(listing.locator)
    except ValueError as error:
        return Unreadable(listing, "locator_invalid", str(error), "the listing's locator")


def _joined(
    listing: Listing, original: Content, context: Mapping[str, str], files: Sequence[FetchedFile]
) -> SourceRecord | Unreadable:
    record = read_record(listing, original, context)
    if isinstance(record, Unreadable):
        return record
    return replace(
        record,
        attachments=(*record.attachments, *attachments_of(record, files)),
        defects=(*record.defects, *dangling(record, files)),
    )


def _just_changed(record: SourceRecord, now: datetime | None) -> bool:
    if now is None:
        return False
    for field in record.fields:
        if field.name == "$noteinfo.modified" and field.values:
            try:
                changed = datetime.fromisoformat(field.values[0])
            except ValueError:
                return False
            return changed.tzinfo is not None and abs(now - changed) < _SETTLED
    return False
