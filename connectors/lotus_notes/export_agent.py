"""The export agent as its reader sees it: lists and exports, with what can go wrong told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from connectors.lotus_notes.agent_answers import (
    VERSION,
    AgentError,
    AgentExport,
    AgentList,
    AgentVersionError,
    MalformedExportError,
    read_export,
    read_list,
)
from connectors.lotus_notes.byte_reader import ByteReader
from connectors.lotus_notes.domino_addresses import DominoAddresses
from connectors.lotus_notes.domino_session import (
    Answer,
    BrokenAnswerError,
    DominoSession,
    GaveUpError,
    LoginFormError,
    RefusedError,
)
from connectors.lotus_notes.encoding import UTF8, Encoding
from connectors.lotus_notes.form_fonts import FormFonts, read_form_fonts
from connectors.lotus_notes.spool import Spool
from schemas.errors import FatalError
from schemas.record import Content

_LONGEST_LIST = 64 << 20
_BEGINNINGS = (b"LIENTHONG\t", b"<?xml", b"<lienthong", b"ERROR\t")

T = TypeVar("T")


class ExportAgent:
    """Asks the export agent of one database."""

    def __init__(self, session: DominoSession, addresses: DominoAddresses) -> None:
        self._session = session
        self._addresses = addresses

    def rows(self, since: datetime | None = None, after: str = "", count: int = 1) -> AgentList:
        """One page of the documents that changed since ``since``, behind the cursor ``after``.

        Raises:
            FatalError: the agent is not there, not allowed, or of another version.
            GaveUpError: it gives no whole answer.
        """
        return self._ask(self._addresses.rows(since, after, count), lambda answer: read_list(_text(answer)))

    def export(self, unids: Sequence[str]) -> tuple[AgentExport, Content]:
        """The export of some documents, and the answer in which it lies.

        Raises:
            MalformedExportError: see ``read_export``; ask for them one by one.
            FatalError, GaveUpError: as ``rows``.
        """
        return self._ask(self._addresses.export(unids), _export)

    def forms(self) -> FormFonts:
        """The fonts that the database's forms show their fields in; none where the agent cannot export the designs.

        Raises:
            FatalError, GaveUpError: as ``rows``.
        """
        return self._ask(self._addresses.forms(), _forms)

    def _ask(self, address: str, take: Callable[[Answer], T]) -> T:
        try:
            return self._session.get(address, take)
        except (LoginFormError, RefusedError) as error:
            raise self._session.explain(error, address) from error
        except AgentVersionError as error:
            raise FatalError(
                f"the export agent speaks version {error.found or '?'} of the protocol",
                where=address.partition("?")[0],
                expected=f"version {VERSION}",
                action="install the agent that comes with this version (connectors/lotus_notes/agent)",
            ) from error
        except AgentError as error:
            raise GaveUpError(
                f"the export agent reports an error: {error}", where=address.partition("?")[0]
            ) from error


def _text(answer: Answer) -> bytes:
    _check_type(answer)
    return answer.whole(_LONGEST_LIST)


def _export(answer: Answer) -> tuple[AgentExport, Content]:
    _check_type(answer)
    spool, following = Spool(), answer.pieces()
    while piece := following():
        spool.write(piece)
    content = spool.content()
    return read_export(content), content


def _forms(answer: Answer) -> FormFonts:
    try:
        export, content = _export(answer)
    except (AgentError, MalformedExportError):
        return FormFonts(())
    for entry in export.entries:
        if entry.status == "ok" and entry.dxl is not None:
            start, end = entry.dxl
            with content.open() as stream:
                return read_form_fonts(ByteReader(stream, end), start, Encoding(UTF8))
    return FormFonts(())


def _check_type(answer: Answer) -> None:
    if answer.is_login_form:
        raise LoginFormError
    if not answer.first.lstrip(b"\xef\xbb\xbf \r\n").startswith(_BEGINNINGS):
        raise BrokenAnswerError(f"{answer.media_type or 'something'} that the export agent did not print")
    if answer.charset != "utf-8":
        raise FatalError(
            f"the export agent answers in the character set {answer.charset or 'that is Domino’s default'}",
            expected="Content-type with charset=utf-8: in any other, Vietnamese letters are lost already",
            action="install the agent that comes with this version; its first Print must be the Content-type",
        )
