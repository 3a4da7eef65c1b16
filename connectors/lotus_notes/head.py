"""Who a record is and when it changed: its start tag and ``<noteinfo>``, read without reading the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from xml.parsers import expat

from connectors.lotus_notes.byte_reader import ByteReader
from connectors.lotus_notes.encoding import Encoding
from connectors.lotus_notes.slices import Slice
from connectors.lotus_notes.values import iso_of, moment_of

DATES = ("created", "modified", "revised", "lastaccessed", "addedtofile")
"""Children of ``<noteinfo>``, every one optional and possibly empty."""

_PIECE = 4096
_END = "</noteinfo>"
_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Head:
    """Identity and dates of a record.

    Attributes:
        attributes: of its start tag.
        noteinfo: attributes of its ``<noteinfo>`` (``noteid``, ``unid``, ``sequence``), empty without one.
        dates: printed date-time by name (``DATES``), where there is one.
        last_access: the bytes ``[start, end)`` of ``<lastaccessed>`` in the record, ``(0, 0)`` without one.
    """

    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    noteinfo: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    dates: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    last_access: tuple[int, int] = (0, 0)

    @property
    def unid(self) -> str:
        """Universal id, 32 upper-case hex digits as a rule; ``""`` without one."""
        return self.noteinfo.get("unid", "").strip().upper()

    def key(self, replicaid: str) -> str:
        """``<replicaid>:<unid>``, or the UNID alone, or ``""``; the record's own replica id comes first."""
        replica = (self.attributes.get("replicaid") or replicaid).strip().upper()
        return f"{replica}:{self.unid}" if replica and self.unid else self.unid

    def revision(self, digest: str) -> str:
        """``<sequence>/<revised, else modified>/<first 16 digits of digest>``, the SHA-256 of the record's state:
        its bytes without ``last_access``, because reading a document in Notes does not change it."""
        sequence = self.noteinfo.get("sequence", "").strip() or "0"
        printed = self.dates.get("revised") or self.dates.get("modified") or ""
        return f"{sequence}/{iso_of(printed) or printed}/{digest[:16]}"

    @property
    def changed_at(self) -> datetime | None:
        """When this state came to be in this file: the later of *added to file* and *modified in this file*.

        A document that replicates in late carries old dates but a new *added*; one that is edited later has
        an old *added* and a new *modified*. Without either, when it was last revised anywhere, else created.
        Dates without an offset say no moment.
        """
        moments = {name: moment_of(printed) for name, printed in self.dates.items()}
        here = [moment for name in ("addedtofile", "modified") if (moment := moments.get(name)) is not None]
        return max(here) if here else moments.get("revised") or moments.get("created")


class HeadError(Exception):
    """The head of a record is not well formed."""


def read_head(reader: ByteReader, piece: Slice, encoding: Encoding) -> Head:
    """The head of ``piece``. Raises ``HeadError`` when it is no XML.

    A record without ``<noteinfo>`` has only attributes.
    """
    parsing = _Parsing(encoding)
    position, stop = piece.start, min(piece.end, piece.start + _MOST)
    mark = encoding.bytes_of(_END)
    while position < stop and not parsing.done:
        text = reader.read(position, min(position + _PIECE, stop))
        found = text.find(mark)
        if found >= 0:
            text = text[
                : found + len(mark)
            ]  # most often the end of the head: what follows need not be parsed
        position += len(text)
        if not text:
            break
        parsing.feed(text)
    return Head(parsing.attributes, parsing.noteinfo, parsing.dates, parsing.last_access)


class _Parsing:
    def __init__(self, encoding: Encoding) -> None:
        self.done = False
        self.attributes: dict[str, str] = {}
        self.noteinfo: dict[str, str] = {}
        self.dates: dict[str, str] = {}
        self.last_access = (0, 0)
        self._depth = 0
        self._name = ""
        self._begin = 0
        self._text: list[str] = []
        self._parser = expat.ParserCreate(encoding.expat)
        self._parser.StartElementHandler = self._open
        self._parser.EndElementHandler = self._close
        self._parser.CharacterDataHandler = self._text.append

    def feed(self, piece: bytes) -> None:
        try:
            self._parser.Parse(piece, False)
        except expat.ExpatError as error:
            # What follows the head is not this parser's business: fetching the record will meet it.
            if not self.done:
                raise HeadError(expat.ErrorString(error.code)) from error

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        name = name.rpartition(":")[2]
        if self._depth == 1:
            self.attributes = attributes
        elif self._depth == 2:
            if name == "noteinfo" and not self.done:
                self.noteinfo = attributes
            else:
                self._finish()
        elif self._depth == 3:
            self._name = name
            self._begin = self._parser.CurrentByteIndex
        self._text.clear()

    def _close(self, name: str) -> None:
        if self._depth == 4 and self._name in DATES:
            self.dates[self._name] = "".join(self._text).strip()
        elif self._depth == 3 and self._name == "lastaccessed":
            self.last_access = (self._begin, self._parser.CurrentByteIndex)
        elif self._depth <= 2:
            self._finish()
        self._depth -= 1

    def _finish(self) -> None:
        self.done = True
        self._parser.StartElementHandler = None
        self._parser.EndElementHandler = None
        self._parser.CharacterDataHandler = None
