"""A DXL export of any size, cut into the exact bytes of its records.

One slice for each ``<document>``, ``<note class='document'>`` and ``<profiledocument>``; design elements and
other notes are skipped and counted. The cut is made by searching for markup, not by parsing: a record that
is not well formed costs itself only, and an export that breaks off costs its last record only. What is lost
is a ``Loss`` with its place.

Where a comment, a CDATA section or a processing instruction inside a record holds what looks like the start
of another record, XML says that it is text. That is believed when the record is well formed so; otherwise
its closing mark was lost, and the cut is made at that start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

from connectors.lotus_notes.byte_reader import ByteReader
from connectors.lotus_notes.container import (
    DESIGN_ELEMENTS,
    Root,
    Skeleton,
    design_root,
    foreign,
    local,
    start_tag,
)
from connectors.lotus_notes.encoding import Encoding
from connectors.lotus_notes.markup import markup

_PIECE = 4 << 20
_PASSED = frozenset({"comment", "cdata", "instruction"})


@dataclass(frozen=True, slots=True)
class Slice:
    """A record's bytes ``[start, end)`` in the file, from ``<`` to ``>``.

    Attributes:
        element: ``document``, ``note`` or ``profiledocument``.
        root: what it stands under.
    """

    start: int
    end: int
    element: str
    root: Root


@dataclass(frozen=True, slots=True)
class Loss:
    """Bytes ``[start, end)`` that cannot be delivered as a record.

    Attributes:
        line: line of ``start``, from 1.
        reason: snake_case class.
        message: one sentence.
    """

    start: int
    end: int
    line: int
    reason: str
    message: str


class Slices:
    """The records of one export, in file order.

    Args:
        reader: the file.
        encoding: of the file (``encoding.detect``).

    Attributes:
        skipped: how many design elements and notes of other classes were passed, by name (``form``,
        ``note:icon`` …);
            complete when the iteration is.
    """

    def __init__(self, reader: ByteReader, encoding: Encoding) -> None:
        self.skipped: Counter[str] = Counter()
        self._reader = reader
        self._encoding = encoding
        self._markup = markup(encoding)
        self._root = Root()
        self._root_tag = b""
        self._open_root = False
        self._skeleton: Skeleton | None = None
        self._stray = False
        self._unended = ""
        self._never_closed: dict[str, int] = {}

    def __iter__(self) -> Iterator[Slice | Loss]:
        """Every record and every loss. A file that holds neither records nor design gives one ``Loss``."""
        refusal = self._begin()
        if refusal is not None:
            yield refusal
            return
        delivered = broken_off = False
        position = self._encoding.bom
        while (found := self._next_record(position)) is not None:
            begin, name = found
            if (wrong := self._between(position, begin)) is not None:
                delivered = True
                yield wrong
            piece, position = self._record(begin, name)
            if piece is not None:
                delivered = True
                yield piece
            broken_off = isinstance(piece, Loss) and position >= self._reader.size
        tail = self._between(position, self._reader.size)
        if tail is None and not broken_off:
            tail = self._unclosed(position)
        if tail is not None:
            yield tail
        elif not delivered and not self._holds_design():
            yield self._loss(0, self._reader.size, "no_record", "the export holds no document", line=1)

    def _holds_design(self) -> bool:
        return any(name in DESIGN_ELEMENTS or name.startswith("note:") for name in self.skipped)

    def _begin(self) -> Loss | None:
        """Reads the first start tag: a file that is no DXL is refused as a whole."""
        if self._reader.size <= self._encoding.bom:
            return self._loss(
                0, self._reader.size, "empty_file", "the file is empty; expected a DXL export", line=1
            )
        offset = self._skip_prolog()
        tag = None if offset is None else self._tag(offset)
        named = None if tag is None else start_tag(tag, self._encoding)
        if offset is None or named is None:
            if self._reader.search(self._markup.start, 0) is not None:
                return None  # the head is damaged, the records behind it are not
            return self._loss(
                0, self._reader.size, "not_dxl", "the file holds no XML element; expected a DXL export"
            )
        name, attributes = named
        if design_root(name, attributes):
            self.skipped[local(name)] += 1
            return None
        if foreign(name, attributes):
            said = f"the root element is <{name[:60]}>; expected <database>, <document> or <note> of DXL"
            return self._loss(0, self._reader.size, "not_dxl", said)
        prefix = name[: -len(local(name))]
        if prefix:
            self._markup = markup(self._encoding, prefix)
        return None

    def _skip_prolog(self) -> int | None:
        position = self._encoding.bom
        while True:
            root = self._reader.search(self._markup.root, position)
            token = self._reader.search(self._markup.token, position, root[0] if root else None)
            if token is None:
                return root[0] if root else None
            _, end, match = token
            closed = self._close(str(match.lastgroup), end)
            if closed is None:
                return None
            position = closed

    def _next_record(self, position: int) -> tuple[int, str] | None:
        """Where the next record begins, and its element; passes what is between, and notes what it tells."""
        while (token := self._reader.search(self._markup.token, position)) is not None:
            begin, end, match = token
            kind = str(match.lastgroup)
            position = end
            if kind == "opens":
                return begin, self._name(match["name"])
            if kind == "container":
                self._enter(begin)
            elif kind == "container_end":
                self._open_root = False
            elif kind == "closes":
                self._stray = True
            else:
                closed = self._close(kind, end)
                self._unended = kind if closed is None else self._unended
                position = end if closed is None else closed
        return None

    def _enter(self, begin: int) -> None:
        tag = self._tag(begin) or b""
        named = start_tag(tag, self._encoding)
        self._root = Root(begin, "database", named[1] if named else {})
        # After an error the container is read on under its root tag, or under a plain one if that is the error.
        self._root_tag = tag if named else self._encoding.bytes_of("<database>")
        self._open_root = True
        self._skeleton = Skeleton(self._encoding, self.skipped)

    def _between(self, start: int, end: int) -> Loss | None:
        """Reads what stands between two records. A loss when records may have been lost there."""
        stray, self._stray = self._stray, False
        unended, self._unended = self._unended, ""
        wrong = "" if start >= end else self._feed(start, end)
        if unended and not wrong:
            wrong = f"a {unended} does not end"
            self._skeleton = Skeleton(self._encoding, self.skipped)
            self._skeleton.feed(self._root_tag)
        if stray:
            return self._loss(
                start, end, "start_tag_lost", "a record ends here whose start tag cannot be found"
            )
        if wrong:
            said = (
                f"what surrounds the records is not well-formed XML here ({wrong}); a record may be missing"
            )
            return self._loss(start, end, "container_malformed", said)
        return None

    def _feed(self, start: int, end: int) -> str:
        if self._skeleton is None:
            return ""
        wrong = ""
        position = max(start, self._root.offset) if self._root.offset < end else start
        while position < end and not wrong:
            piece = self._reader.read(position, min(position + _PIECE, end))
            position += len(piece)
            wrong = self._skeleton.feed(piece) if piece else "the file ended early"
        if wrong:
            self._skeleton.feed(self._root_tag)
        return wrong

    def _unclosed(self, position: int) -> Loss | None:
        if not self._open_root:
            return None
        said = "the export ends before </database>; records may be missing at its end"
        return self._loss(position, self._reader.size, "export_truncated", said)

    def _record(self, begin: int, name: str) -> tuple[Slice | Loss | None, int]:
        """The record that begins at ``begin`` (``None`` for a note of another class), and where it ends."""
        tag = self._tag(begin)
        if tag is not None and tag.endswith(self._encoding.bytes_of("/>")):
            return self._slice(begin, begin + len(tag), name, tag), begin + len(tag)
        position = begin + self._encoding.width
        doubt: int | None = None
        while (token := self._reader.search(self._markup.token, position)) is not None:
            at, position, match = token
            kind = str(match.lastgroup)
            if kind == "opens":
                stop = at if doubt is None else doubt
                return self._cut(begin, stop, name, "its end tag is missing before the next record"), stop
            if kind == "closes" and self._name(match["closed"]) == name:
                if doubt is not None and not self._well_formed(begin, position):
                    return self._cut(begin, doubt, name, "it holds something unclosed"), doubt
                return self._slice(begin, position, name, tag), position
            if kind == "file" and self._encoding.width == 1:
                # The search for one byte passes a large file several times faster than that for markup.
                position = self._reader.find(b"<", position, self._reader.size)
                if position < 0:
                    break
            elif kind in _PASSED:
                closed, inner = self._passed(kind, position)
                if closed is None:
                    return self._cut(begin, inner, name, f"it holds an unclosed {kind}"), inner
                doubt = inner if inner < closed and doubt is None else doubt
                position = closed
        stop = self._reader.size if doubt is None else doubt
        return self._cut(begin, stop, name, "its end tag is missing"), stop

    def _passed(self, kind: str, position: int) -> tuple[int | None, int]:
        """Where the construct of ``kind`` ends that began before ``position``, ``None`` if it cannot be told.

        And where in it the next record seems to begin; the end of the file if nowhere.
        """
        closed = self._close(kind, position)
        found = self._reader.search(self._markup.start, position, closed)
        inner = self._reader.size if found is None else found[0]
        nested = kind == "cdata" and closed is not None and inner < closed
        if nested and self._reader.search(self._markup.cdata, inner, closed) is not None:
            # A section that opens after the start of another record: the end belongs to that one.
            closed = None
        return closed, inner

    def _slice(self, begin: int, end: int, name: str, tag: bytes | None) -> Slice | None:
        if name == "note":
            named = start_tag(tag, self._encoding) if tag is not None else None
            kind = named[1].get("class", "document") if named else "document"
            if kind != "document":
                self.skipped[f"note:{kind}"] += 1
                return None
        return Slice(begin, end, name, self._root)

    def _cut(self, begin: int, end: int, name: str, why: str) -> Loss:
        return self._loss(begin, end, "record_truncated", f"a <{name}> cannot be read whole: {why}")

    def _tag(self, begin: int) -> bytes | None:
        found = self._reader.match(self._markup.tag, begin)
        return None if found is None else self._reader.read(begin, found[0])

    def _name(self, written: bytes) -> str:
        return local(written.decode(self._encoding.name))

    def _close(self, kind: str, position: int) -> int | None:
        """Where the construct of ``kind`` ends whose opening mark ends at ``position``; ``None`` if nowhere."""
        if kind == "doctype":
            return self._close_doctype(position)
        pattern = self._markup.closers.get(kind)
        if pattern is None:
            return position
        if position >= self._never_closed.get(kind, self._reader.size):
            # Known from an earlier search: without this, many unclosed marks read the file as many times.
            return None
        found = self._reader.search(pattern, position)
        if found is None:
            self._never_closed[kind] = position
            return None
        # Hyphens inside a comment: its own end was lost, and the next mark belongs to another one.
        return None if kind == "comment" and found[2]["ends"] is None else found[1]

    def _close_doctype(self, position: int) -> int | None:
        """End of a document type declaration. What it declares is never read: a record that uses an entity of
        its own is no XML without it, and the records beside it are."""
        depth = 0
        while (found := self._reader.search(self._markup.doctype, position)) is not None:
            _, position, match = found
            mark = match[0].decode(self._encoding.name)
            if mark in {'"', "'"}:
                position = self._close(mark, position) or self._reader.size
            elif mark in {"<!--", "<?"}:
                position = self._close("comment" if mark == "<!--" else "instruction", position) or position
            elif mark == ">" and depth == 0:
                return position
            else:
                depth += {"[": 1, "]": -1}.get(mark, 0)
        return None

    def _well_formed(self, begin: int, end: int) -> bool:
        parser = expat.ParserCreate(self._encoding.expat)
        try:
            for position in range(begin, end, _PIECE):
                parser.Parse(self._reader.read(position, min(position + _PIECE, end)), False)
            parser.Parse(b"", True)
        except expat.ExpatError:
            return False
        return True

    def _loss(self, start: int, end: int, reason: str, message: str, line: int = 0) -> Loss:
        found = line or self._reader.line(start, self._markup.newline)
        return Loss(start, end, found, reason, message)
