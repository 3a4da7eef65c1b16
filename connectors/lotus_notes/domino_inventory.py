"""Which documents a Domino database holds: by the export agent, by views, or by the Data Service.

The agent's list is stable by itself: it goes up by note id, and a change moves no document. A view moves while
documents change, so it is read until two passes agree; each page begins with the last row of the one before, which
shows a shift at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.lotus_notes.domino_addresses import DominoAddresses
from connectors.lotus_notes.domino_session import (
    Answer,
    BrokenAnswerError,
    DominoSession,
    LoginFormError,
    RefusedError,
)
from connectors.lotus_notes.export_agent import ExportAgent
from connectors.lotus_notes.values import moment_of
from connectors.lotus_notes.view_entries import ViewPage, ViewRow, read_collection, read_json, read_xml
from schemas.errors import RetriableError
from schemas.service_config import DominoService, ViewColumns

_log = logging.getLogger(__name__)

_LONGEST_PAGE = 256 << 20
_ALL_DOCUMENTS = ViewColumns(revised="@modified")


@dataclass(frozen=True, slots=True)
class Listed:
    """A document that the server lists.

    Attributes:
        unid: 32 hexadecimal digits, upper case.
        noteid: hexadecimal, or ``""``.
        revision: ``<sequence>/<revised, else modified; UTC, to the second>``, ``-`` for what is unknown.
        changed_at: the later of *modified in this file* and *added to file*; ``None`` where neither is known.
        problem: why it cannot be fetched (``access_denied``, ``undated``), or ``""``.
    """

    unid: str
    noteid: str
    revision: str
    changed_at: datetime | None
    problem: str = ""


@dataclass(slots=True)
class _Pass:
    """One reading of all views."""

    documents: dict[str, Listed] = field(default_factory=dict)
    disturbed: bool = False
    hidden: int = 0


class DominoInventory:
    """Lists one database in the way that the settings say.

    Attributes:
        complete: the list that was just read holds every document that the account may see, and at least one.
        hidden: how many entries the views count and do not show to the account.
    """

    def __init__(
        self, session: DominoSession, addresses: DominoAddresses, agent: ExportAgent, service: DominoService
    ) -> None:
        self.complete = False
        self.hidden = 0
        self._session = session
        self._addresses = addresses
        self._agent = agent
        self._service = service

    def documents(self, since: datetime | None) -> Iterator[Listed]:
        """Every document that changed since then, or that may have.

        Raises:
            RetriableError: the server is busy or away, or its pages do not go on.
            FatalError: the database, a view or the agent is not there, or the account may not read it.
        """
        self.complete, self.hidden = False, 0
        if self._service.inventory == "agent":
            yield from self._by_agent(since)
        elif self._service.views:
            yield from self._by_views()
        else:
            yield from self._all_documents()

    def _by_agent(self, since: datetime | None) -> Iterator[Listed]:
        after, count = "", 0
        while True:
            page = self._agent.rows(since, after, min(self._service.page, 5_000))
            count += len(page.rows)
            for row in page.rows:
                if row.readable:
                    moments = _Moments(moment_of(row.modified), moment_of(row.revised), moment_of(row.added))
                    yield moments.listed(row.unid, row.noteid, row.sequence)
                else:
                    yield Listed(row.unid, row.noteid, "access_denied", None, "access_denied")
            if not page.cursor:
                # An account that has lost its access is shown nothing: that proves no deletion.
                self.complete = count > 0
                return
            if not _after(page.cursor, after):
                raise RetriableError(
                    f"the agent's list does not go on behind {after!r}", where=self._addresses.database
                )
            after = page.cursor

    def _all_documents(self) -> Iterator[Listed]:
        page = self._page(self._addresses.documents(), read_collection)
        for row in page.rows:
            if row.unid:
                yield _listed(row, _ALL_DOCUMENTS)

    def _by_views(self) -> Iterator[Listed]:
        before: _Pass | None = None
        seen: dict[str, Listed] = {}
        for _ in range(self._service.passes):
            current = self._one_pass()
            seen |= current.documents
            if before is not None and _agree(before, current):
                self.complete = self._service.views_hold_everything and bool(current.documents)
                self.hidden = current.hidden
                yield from current.documents.values()
                return
            before = current
        _log.warning(
            "%s: the views changed during each of %d readings; what any of them showed is listed",
            self._addresses.database,
            self._service.passes,
        )
        yield from seen.values()

    def _one_pass(self) -> _Pass:
        result = _Pass()
        columns = self._service.columns or _ALL_DOCUMENTS
        for name in self._service.views:
            walk = _Walk(self._pages_of(name), collection=self._service.inventory == "data_service")
            top_level = 0
            for row in walk.rows():
                top_level += row.is_top_level
                if row.unid:
                    listed = _listed(row, columns)
                    result.documents[listed.unid] = listed
            result.disturbed |= walk.disturbed
            if walk.announced is not None and not walk.disturbed:
                result.hidden += max(0, walk.announced - top_level)
        return result

    def _pages_of(self, name: str) -> Callable[[str], ViewPage]:
        count = max(2, self._service.page)
        form = self._service.view_format
        if self._service.inventory == "data_service":
            return lambda start: self._page(
                self._addresses.collection(name, int(start), count), read_collection
            )
        read = read_json if form == "json" else read_xml
        return lambda start: self._page(self._addresses.view(name, start, count, form), read)

    def _page(self, address: str, read: Callable[[bytes], ViewPage]) -> ViewPage:
        def take(answer: Answer) -> ViewPage:
            if answer.is_login_form:
                raise LoginFormError
            if "html" in answer.media_type:
                raise BrokenAnswerError("a page of HTML where entries of a view were expected")
            return read(answer.whole(_LONGEST_PAGE))

        try:
            return self._session.get(address, take)
        except (LoginFormError, RefusedError) as error:
            raise self._session.explain(error, address) from error


class _Walk:
    """One view, page by page.

    A server gives as many rows as it likes: only a page that holds nothing behind the repeated row is the end.

    Args:
        page: the rows from a start on.
        collection: starts are indexes from 0; else positions from ``1``.

    Attributes:
        disturbed: the view moved while it was read.
        announced: how many top-level entries the server counts.
    """

    def __init__(self, page: Callable[[str], ViewPage], collection: bool) -> None:
        self.disturbed = False
        self.announced: int | None = None
        self._page = page
        self._collection = collection

    def rows(self) -> Iterator[ViewRow]:
        """Every row, in the view's order; a row may come again after a shift."""
        start, last = "0" if self._collection else "1", None
        while True:
            page = self._page(start)
            if self.announced is not None and page.top_level != self.announced:
                self.disturbed = True
            self.announced = page.top_level
            rows = page.rows
            if last is not None:
                if rows and (rows[0].unid, rows[0].noteid, rows[0].position) == last:
                    rows = rows[1:]
                else:
                    self.disturbed = True
            if not rows:
                return
            yield from rows
            following = self._following(start, len(page.rows), rows[-1].position)
            last = (rows[-1].unid, rows[-1].noteid, rows[-1].position)
            start = following

    def _following(self, start: str, received: int, position: str) -> str:
        """Where the next page starts: at the last row of this one."""
        following = str(int(start) + received - 1) if self._collection else position
        if not _after(following, start, base=10) and not (received == 1 and following == start):
            raise RetriableError(
                f"the pages of a view do not go on: asked from {start}, the last row is {following!r}",
                expected="rows behind the start",
                action="if it happens again, use another `inventory` in the source's YAML",
            )
        return following


@dataclass(frozen=True, slots=True)
class _Moments:
    modified: datetime | None
    revised: datetime | None
    added: datetime | None

    def listed(self, unid: str, noteid: str, sequence: str) -> Listed:
        state = self.revised or self.modified
        if state is None and not sequence:
            # Without a date a change could not be told, and would be missed for ever.
            return Listed(unid, noteid, "undated", None, "undated")
        # To the second: not every way of listing prints hundredths.
        moment = f"{state.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if state else "-"
        here = [moment for moment in (self.modified, self.added) if moment is not None]
        # Not `revised`: a late replica carries an old one, and would be outside every window.
        return Listed(unid, noteid, f"{sequence or '-'}/{moment}", max(here) if here else None)


def _listed(row: ViewRow, columns: ViewColumns) -> Listed:
    def moment(name: str | None) -> datetime | None:
        return None if name is None else _moment(row.columns.get(name, ""))

    sequence = row.columns.get(columns.sequence, "") if columns.sequence else ""
    moments = _Moments(moment(columns.modified), moment(columns.revised), moment(columns.added))
    return moments.listed(row.unid, row.noteid, sequence)


def _moment(printed: str) -> datetime | None:
    """A date-time of DXL or, from the Data Service, of ISO 8601; ``None`` without an offset."""
    found = moment_of(printed)
    if found is None:
        try:
            found = datetime.fromisoformat(printed)
        except ValueError:
            return None
    return found.astimezone(UTC) if found.tzinfo is not None else None


def _agree(one: _Pass, other: _Pass) -> bool:
    return not one.disturbed and not other.disturbed and one.documents == other.documents


def _after(cursor: str, previous: str, base: int = 16) -> bool:
    """True when a cursor (a note id, or a position such as ``3.5.1``) comes after the previous one."""
    try:
        one, other = (
            [int(part, base) for part in text.split(".")] if text else [-1] for text in (cursor, previous)
        )
    except ValueError:
        return False
    return one > other
