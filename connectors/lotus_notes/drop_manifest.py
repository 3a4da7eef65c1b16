"""What the export agent says that it wrote into a drop folder, against what lies there.

The format stands in ``agent/README.md``. A manifest speaks of the files beside it; a folder without one is read as
it is.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from connectors.lotus_notes.locator import Locator

NAME = "manifest.tsv"
VERSION = b"1"

_UNKNOWN = b"-"
_LONGEST = 256 << 20
_PIECE = 4 << 20
_FILE_NAME = re.compile(rb"[0-9A-Za-z_.-]{1,100}\.dxl")
_SHA256 = re.compile(rb"[0-9a-f]{64}|-")


@dataclass(frozen=True, slots=True)
class Told:
    """Something wrong, as a place, and the SHA-256 of the bytes at that place."""

    locator: Locator
    sha256: str


@dataclass(slots=True)
class Reconciled:
    """What the manifests of a folder say that the files do not bear out.

    Attributes:
        altered: by name below the folder: a file that is not what was written. Its records are not to be believed.
        losses: what was to be there and is not: missing files, documents left out, manifests that are no whole ones.
    """

    altered: dict[str, Told] = field(default_factory=dict)
    losses: list[Told] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a manifest and the place where it stands: ``[start, end)``, line from 1."""

    fields: tuple[bytes, ...]
    data: bytes
    start: int
    line: int

    @property
    def end(self) -> int:
        return self.start + len(self.data)


def reconcile(folder: Path) -> Reconciled:
    """Every manifest below ``folder`` against the files beside it. Links are not followed.

    Raises:
        OSError: a file cannot be read.
    """
    found = Reconciled()
    for place in sorted(Path(place) for place, _, files in os.walk(folder) if NAME in files):
        if not (place / NAME).is_symlink():
            _reconcile(folder, place, found)
    return found


def _reconcile(folder: Path, place: Path, found: Reconciled) -> None:
    name = (place / NAME).relative_to(folder).as_posix()
    with (place / NAME).open("rb") as stream:
        data = stream.read(_LONGEST + 1)
    rows = list(_rows(data))
    if problem := _problem(rows, len(data)):
        whole = Locator(name, (), 0, len(data), reason="manifest_malformed", message=problem, line=1)
        found.losses.append(Told(whole, hashlib.sha256(data).hexdigest()))
    # A file that was written again, after the server stopped in between, has a later row.
    files = {row.fields[0]: row for row in rows if _is_file(row)}
    for row in files.values():
        _compare(folder, place / row.fields[0].decode("ascii"), row, name, found)
    for row in rows:
        if _is_skipped(row):
            said = f"the agent left document {_text(row.fields[3])} out: {_text(row.fields[6])}"
            found.losses.append(_at_row(name, row, "export_skipped", said))


def _compare(folder: Path, path: Path, row: _Row, manifest: str, found: Reconciled) -> None:
    if path.is_symlink() or not path.is_file():
        said = (
            f"the manifest names the file {path.name} (document {_text(row.fields[3])}), which is not there"
        )
        found.losses.append(_at_row(manifest, row, "export_missing", said))
        return
    size, digest = int(row.fields[1]), row.fields[2]
    length = path.stat().st_size
    if length == size and digest == _UNKNOWN:
        return
    actual = _digest(path)
    if length == size and actual.encode() == digest:
        return
    expected = f"{size} bytes" + ("" if digest == _UNKNOWN else f", SHA-256 {_text(digest)}")
    said = f"the file is not what the agent wrote: {length} bytes, SHA-256 {actual}; the manifest says {expected}"
    name = path.relative_to(folder).as_posix()
    place = Locator(name, (), 0, length, reason="export_altered", message=said, line=1)
    found.altered[name] = Told(place, actual)


def _problem(rows: list[_Row], length: int) -> str:
    """What makes a manifest no whole one, or ``""``."""
    if length > _LONGEST:
        return f"the manifest is longer than {_LONGEST} bytes"
    if not rows or rows[0].fields[:1] != (b"LIENTHONG",) or len(rows[0].fields) != 5:
        return "the manifest does not begin with LIENTHONG and four fields"
    if rows[0].fields[1:3] != (VERSION, b"manifest"):
        return f"the manifest is of version {_text(rows[0].fields[1])}, expected {_text(VERSION)}"
    inside = [row for row in rows[1:-1] if row.fields[0] != b"END"]
    for row in inside:
        if not (_is_file(row) or _is_skipped(row)):
            return f"line {row.line} of the manifest is neither a file nor a document left out"
    files = sum(map(_is_file, inside))
    end = rows[-1].fields
    if end[0] != b"END" or end[1:] != (str(files).encode(), str(len(inside) - files).encode()):
        return (
            f"the manifest does not end with END, {files} files and {len(inside) - files} documents left out,"
            " which is what its lines come to"
        )
    return ""


def _rows(data: bytes) -> Iterator[_Row]:
    start = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        text = line.rstrip(b"\r")
        if text:
            yield _Row(tuple(text.split(b"\t")), text, start, number)
        start += len(line) + 1


def _is_file(row: _Row) -> bool:
    if len(row.fields) != 7 or row.fields[5] != b"ok":
        return False
    name, size, digest = row.fields[:3]
    return bool(_FILE_NAME.fullmatch(name) and size.isdigit() and _SHA256.fullmatch(digest))


def _is_skipped(row: _Row) -> bool:
    return len(row.fields) == 7 and row.fields[0] == _UNKNOWN and row.fields[5] == b"skipped"


def _at_row(manifest: str, row: _Row, reason: str, said: str) -> Told:
    place = Locator(manifest, (), row.start, row.end, reason=reason, message=said, line=row.line)
    return Told(place, hashlib.sha256(row.data).hexdigest())


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _text(data: bytes) -> str:
    return data.decode("ascii", "replace")
