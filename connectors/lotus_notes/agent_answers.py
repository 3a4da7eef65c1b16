"""What the export agent answers. The protocol, version 1, stands in ``agent/README.md``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO
from xml.parsers import expat

from connectors.lotus_notes.domino_session import BrokenAnswerError
from connectors.lotus_notes.values import moment_of
from schemas.record import Content

VERSION = "1"

_ERROR = "ERROR\t"
_UNKNOWN = "-"
_HEX = re.compile(r"[0-9A-F]+")
_NUMBER = re.compile(r"[0-9]{1,18}")
_PIECE = 1 << 20
_TAIL = 512
_END = re.compile(rb"<end\s+entries\s*=\s*['\"](\d+)['\"]\s*/>\s*</lienthong>\s*$")


class AgentVersionError(Exception):
    """The agent speaks another version of the protocol. ``found`` is which."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(found)


class MalformedExportError(Exception):
    """A whole answer in which one document's DXL breaks the XML around the others."""


class AgentError(Exception):
    """The agent says that it could not do what was asked."""


@dataclass(frozen=True, slots=True)
class AgentRow:
    """A document that the agent lists. Dates as printed, ``""`` where unknown."""

    unid: str
    noteid: str
    sequence: str
    modified: str
    revised: str
    added: str
    readable: bool


@dataclass(frozen=True, slots=True)
class AgentList:
    """One answer to ``cmd=list``; ``cursor`` is ``""`` at the end."""

    replicaid: str
    now: datetime | None
    rows: tuple[AgentRow, ...]
    cursor: str


def read_list(data: bytes) -> AgentList:
    """One answer to ``cmd=list``.

    Raises:
        BrokenAnswerError: it is cut off, or its lines are not those of a list.
        AgentVersionError, AgentError: as the answer says.
    """
    lines = data.decode("utf-8", "replace").lstrip("\N{BOM}").split("\n")
    lines = [line.rstrip("\r") for line in lines]
    while lines and not lines[-1].strip():
        lines.pop()
    head = lines[0].split("\t") if lines else [""]
    # An agent that fails on its way says so behind what it has printed already.
    if lines and lines[-1].startswith(_ERROR):
        raise AgentError(lines[-1].removeprefix(_ERROR))
    if head[0] != "LIENTHONG":
        raise BrokenAnswerError("the answer does not begin with LIENTHONG")
    if len(head) < 2 or head[1] != VERSION:
        raise AgentVersionError(head[1] if len(head) > 1 else "")
    end = lines[-1].split("\t")
    if len(head) != 5 or end[0] != "END" or len(end) != 3 or end[1] != str(len(lines) - 2):
        raise BrokenAnswerError("the list does not end with END and the number of its rows: it is cut off")
    rows = tuple(_row(line) for line in lines[1:-1])
    return AgentList(head[3].strip().upper(), moment_of(head[4]), rows, _known(end[2]))


def _row(line: str) -> AgentRow:
    fields = [_known(part) for part in line.split("\t")]
    if len(fields) != 8 or len(fields[0]) != 32 or not _HEX.fullmatch(fields[0].upper()):
        raise BrokenAnswerError(f"no row of a list: {line[:100]!r}")
    unid, noteid, sequence, _, modified, revised, added, readable = fields
    return AgentRow(unid.upper(), noteid, sequence, modified, revised, added, readable != "0")


def _known(part: str) -> str:
    return "" if part.strip() == _UNKNOWN else part.strip()


@dataclass(frozen=True, slots=True)
class AnnouncedFile:
    """An attachment that the agent announces; ``size`` in bytes, ``None`` where Notes gives none."""

    name: str
    size: int | None


@dataclass(slots=True)
class ExportEntry:
    """One document of an answer to ``cmd=export``.

    Attributes:
        unid: of the document.
        status: ``ok``, ``gone``, ``denied`` or ``error``; ``message`` says more.
        announced: how many attachments the agent counted; ``None`` where it does not say.
        inline: the attachments are in the DXL.
        files: the attachments it names.
        dxl: the bytes ``[start, end)`` of the answer between ``<dxl>`` and ``</dxl>``; ``None`` without any.
    """

    unid: str
    status: str
    message: str = ""
    announced: int | None = None
    inline: bool = False
    files: list[AnnouncedFile] = field(default_factory=list)
    dxl: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class AgentExport:
    """One answer to ``cmd=export``; ``now`` is the server's time."""

    now: datetime | None
    entries: tuple[ExportEntry, ...]


def read_export(answer: Content) -> AgentExport:
    """One answer to ``cmd=export``. The DXL in it is located, not judged: one that is no XML costs its document only.

    Raises:
        BrokenAnswerError: it is cut off, or no such answer.
        MalformedExportError: several documents are in it, and they cannot be told apart.
        AgentVersionError, AgentError: as the answer says.
    """
    with answer.open() as stream:
        stream.seek(max(0, answer.size - _TAIL))
        tail = stream.read()
        end = _END.search(tail)
        last = tail.rstrip().rpartition(b"\n")[2].decode("utf-8", "replace")
        if last.startswith(_ERROR):
            raise AgentError(last.removeprefix(_ERROR))
        if end is None:
            raise BrokenAnswerError("the export does not end with </lienthong>: it is cut off")
        stream.seek(0)
        reading = _Envelope()
        reading.read(stream)
    if reading.failed:
        rescued = _rescued(answer, reading) if int(end[1]) == 1 else None
        if rescued is None:
            raise MalformedExportError(reading.failed)
        reading.entries = [rescued]
    if int(end[1]) != len(reading.entries):
        raise BrokenAnswerError(f"the export announces {int(end[1])} entries and has {len(reading.entries)}")
    return AgentExport(moment_of(reading.now), tuple(reading.entries))


class _Envelope:
    """Reads the elements around the DXL, and notes where the DXL lies."""

    def __init__(self) -> None:
        self.now = ""
        self.entries: list[ExportEntry] = []
        self.failed = ""
        self.opened = -1
        self._depth = 0
        self._begin = 0
        self._parser = expat.ParserCreate("utf-8")  # whatever the answer declares: its header says so
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._stop
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, stream: BinaryIO) -> None:
        try:
            for piece in _pieces(stream):
                self._parser.Parse(piece, False)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            self.failed = str(error)

    def _doctype(self, *_: object) -> None:
        raise BrokenAnswerError("the export declares a document type; none is expected")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            if name != "lienthong":
                raise BrokenAnswerError(f"the root element is <{name[:40]}>, expected <lienthong>")
            if attributes.get("version") != VERSION:
                raise AgentVersionError(attributes.get("version", ""))
            self.now = attributes.get("now", "")
        elif self._depth == 2 and name == "entry":
            self.entries.append(_entry(attributes))
        elif self._depth == 3 and self.entries and name == "attachment":
            size = _number(attributes.get("size", ""))
            self.entries[-1].files.append(AnnouncedFile(attributes.get("name", ""), size))
        elif self._depth == 3 and self.entries and name == "dxl":
            self.opened = self._parser.CurrentByteIndex

    def _stop(self, name: str) -> None:
        if self._depth == 3 and name == "dxl" and self.opened >= 0:
            self.entries[-1].dxl = (self.opened + len("<dxl>"), self._parser.CurrentByteIndex)
            self.opened = -1
        self._depth -= 1


def _entry(attributes: dict[str, str]) -> ExportEntry:
    return ExportEntry(
        unid=attributes.get("unid", "").strip().upper(),
        status=attributes.get("status", ""),
        message=attributes.get("message", ""),
        announced=_number(attributes.get("attachments", "")),
        inline=attributes.get("files") == "inline",
    )


def _number(printed: str) -> int | None:
    return int(printed) if _NUMBER.fullmatch(printed) else None


def _rescued(answer: Content, reading: _Envelope) -> ExportEntry | None:
    """The only entry of an answer whose DXL is not well formed: all between its ``<dxl>`` and the last ``</dxl>``."""
    if len(reading.entries) != 1 or reading.opened < 0:
        return None
    with answer.open() as stream:
        start = max(0, answer.size - _TAIL)
        stream.seek(start)
        tail = stream.read()
    closing = tail.rfind(b"</dxl>")
    if closing < 0 or tail.count(b"<entry", closing):
        return None
    entry = reading.entries[0]
    entry.dxl = (reading.opened + len("<dxl>"), start + closing)
    return entry


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(_PIECE):
        yield piece
