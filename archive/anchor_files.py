"""Anchors outside of the database: one file for each in a folder to which files are only ever added.

The folder may be on a share that refuses to change or remove what is there; files are therefore made under their final
name, and one that a crash left incomplete is completed at its end::

    anchor-000003.json      the record (``archive.anchor_record``), the bytes that its object has
    anchor-000003.tsr       the reply of the time-stamping authority, where there was one
    report-….txt            the nightly messages (written by ``pipeline.night_message``)
    lienthong-anchors.json  says whose anchors these are; written once, after the first of them

``openssl ts -verify -in anchor-000003.tsr -data anchor-000003.json -CAfile …`` needs nothing of ours.

A folder begins with the archive's first anchor, or because a person says so (``publish`` with ``begin``). From then on
one that is not there, is empty, or lacks earlier anchors is a fault and is never filled: it is a share that is not
mounted, or somebody removed what would have told of a forgery.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import sqlalchemy as sa

from archive.anchor_tables import anchor as anchor_table
from archive.failures import database_errors
from archive.folders import sync_folder
from archive.objects import ObjectStore
from schemas.errors import FatalError, RetriableError

MARKER = "lienthong-anchors.json"
"""The file that says whose anchors a folder has."""

_NAME = re.compile(r"anchor-([0-9]{6,})\.json")
_ABOUT = (
    "Mốc neo sổ cái của một kho lưu trữ Liên thông: không sửa, không xoá. /"
    " Anchors of a Lienthong archive's ledger: change and remove nothing."
)
_TOLD = 20
_Row: TypeAlias = "tuple[int, str, str | None]"


@dataclass(frozen=True, slots=True)
class OutsideAnchor:
    """An anchor as a folder holds it.

    Attributes:
        place: path of the file. number: as its name says.
        record: its bytes. reply: of the time-stamping authority, or ``None``.
    """

    place: Path
    number: int
    record: bytes
    reply: bytes | None


class AnchorFolderError(FatalError):
    """A folder of anchors that is not the one that the anchors went to before.

    Attributes:
        kind: ``absent``: there is no such folder; ``empty``: it has no anchors and is not new; ``foreign``: it has
            those of another archive; ``gaps``: earlier ones were removed.
        folder: the folder. missing: numbers that it lacks, as text.
    """

    def __init__(self, kind: str, folder: Path, missing: str = "") -> None:
        what, action = _FAULTS[kind]
        begin = f"; only to fill it anew: lienthong anchor --begin {folder}"
        super().__init__(what.format(missing=missing), where=str(folder), action=action + begin)
        self.kind = kind
        self.folder = folder
        self.missing = missing

    def __reduce__(self) -> tuple[object, ...]:
        """How it travels from a worker process."""
        return type(self), (self.kind, self.folder, self.missing)


_FAULTS = {
    "absent": ("the folder of anchors is not there", "mount the share, or make the folder"),
    "empty": (
        "the folder of anchors is empty, though anchors were made before",
        "mount the share; if it is mounted, find out who emptied it",
    ),
    "foreign": ("the folder of anchors has those of another archive", "name this archive's folder"),
    "gaps": (
        "anchors that were in the folder are gone: {missing}",
        "find out who removed them: lienthong audit",
    ),
}


def publish(engine: sa.Engine, objects: ObjectStore, folder: Path, *, begin: bool = False) -> int:
    """Add to ``folder`` the anchors that are newer than those it holds; returns how many files.

    Args:
        engine: of the archive's database. objects: holds records and replies.
        folder: of anchors; it must be there unless it begins.
        begin: a person says that it is new, or to be filled anew: it is made, and gets all anchors that it lacks.

    Raises:
        AnchorFolderError: it is not the folder that the anchors went to before. Of one with gaps the newest anchors
            were added all the same.
        RetriableError: the folder cannot be written to; the next call adds what is missing.
        FatalError: an anchor's object is missing, or the database refuses.
    """
    rows = _rows(engine)
    if not rows:
        return 0
    try:
        if begin:
            folder.mkdir(0o700, exist_ok=True)
        fault = _fault(folder, rows)
        if fault is not None and begin and fault.kind != "foreign":
            fault = None
        if fault is not None and fault.kind != "gaps":
            raise fault
        # The newest again, which a crash may have left incomplete.
        newest = 0 if begin else max((number for number, _ in _files(folder)), default=0)
        added = 0
        for number, record, token in rows:
            path = folder / _name(number)
            if number < newest:
                continue
            if token is not None:  # before the record, whose name says that the anchor is here
                write_once(path.with_suffix(".tsr"), _bytes(objects, token))
            added += write_once(path, _bytes(objects, record))
        write_once(folder / MARKER, _marker(rows))
    except OSError as error:
        raise RetriableError(
            f"the folder of anchors {folder} cannot be written: {error.strerror}",
            action="look at the share; the next anchoring adds what is missing",
        ) from error
    if fault is not None:
        raise fault
    return added


def folder_fault(engine: sa.Engine, folder: Path) -> AnchorFolderError | None:
    """What ``publish`` would refuse ``folder`` for; ``None`` while there are no anchors.

    Raises:
        RetriableError: it cannot be read.
    """
    rows = _rows(engine)
    try:
        return _fault(folder, rows) if rows else None
    except OSError as error:
        raise RetriableError(f"the folder of anchors {folder} cannot be read: {error.strerror}") from error


def has_begun(folder: Path) -> bool:
    """Whether ``folder`` has taken anchors: on a share that is not mounted nothing else tells."""
    return (folder / MARKER).is_file()


def _fault(folder: Path, rows: Sequence[_Row]) -> AnchorFolderError | None:
    if not folder.is_dir():
        return AnchorFolderError("absent", folder)
    held = dict(_files(folder))
    if _is_foreign(folder, held, rows):
        return AnchorFolderError("foreign", folder)
    if not held:
        is_new = rows[-1][0] == 1 and not has_begun(folder)
        return None if is_new else AnchorFolderError("empty", folder)
    missing = [number for number, _, _ in rows if number < max(held) and number not in held]
    return AnchorFolderError("gaps", folder, _numbers(missing)) if missing else None


def _is_foreign(folder: Path, held: Mapping[int, Path], rows: Sequence[_Row]) -> bool:
    if has_begun(folder):
        return not _marker(rows).startswith((folder / MARKER).read_bytes())
    # From before there were markers: the first anchor tells, unless it is the last one, which may be cut short.
    whole = 1 in held and max(held) > 1
    return whole and hashlib.sha256(held[1].read_bytes()).hexdigest() != rows[0][1]


def _marker(rows: Sequence[_Row]) -> bytes:
    """Whose anchors these are: the archive's first anchor is its name."""
    told = {"lienthong_anchors": 1, "about": _ABOUT, "first_record_sha256": rows[0][1]}
    return json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"


def _numbers(missing: Sequence[int]) -> str:
    return ", ".join(map(str, missing[:_TOLD])) + ("…" if len(missing) > _TOLD else "")


def write_once(path: Path, data: bytes) -> bool:
    """Make the file ``path`` with ``data``, or complete one that a crash cut short; False where it was whole.

    A file that holds something else is left alone. Raises ``OSError``.
    """
    present = path.read_bytes() if path.exists() else None
    if present == data or (present is not None and not data.startswith(present)):
        return False
    with path.open("xb" if present is None else "ab") as stream:
        stream.write(data[len(present or b"") :])
        stream.flush()
        os.fsync(stream.fileno())
    sync_folder(path.parent)
    return True


def outside_anchors(folder: Path) -> list[OutsideAnchor]:
    """The anchors in ``folder`` in order of their numbers; none where there is no such folder.

    Raises:
        RetriableError: it cannot be read.
    """
    try:
        return [
            OutsideAnchor(path, number, path.read_bytes(), _reply(path))
            for number, path in sorted(_files(folder))
        ]
    except OSError as error:
        raise RetriableError(f"the folder of anchors {folder} cannot be read: {error.strerror}") from error


def _reply(path: Path) -> bytes | None:
    reply = path.with_suffix(".tsr")
    return reply.read_bytes() if reply.exists() else None


def _files(folder: Path) -> Iterator[tuple[int, Path]]:
    for path in folder.iterdir() if folder.is_dir() else ():
        if match := _NAME.fullmatch(path.name):
            yield int(match[1]), path


def _name(number: int) -> str:
    return f"anchor-{number:06}.json"


def _rows(engine: sa.Engine) -> list[_Row]:
    """Number, record and token of every anchor, in order."""
    columns = (anchor_table.c.number, anchor_table.c.record_sha256, anchor_table.c.token_sha256)
    wanted = sa.select(*columns).order_by(anchor_table.c.number)
    with database_errors("reading the anchors"), engine.connect() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(wanted)]


def _bytes(objects: ObjectStore, sha256: str) -> bytes:
    with objects.open(sha256) as stream:
        return stream.read()
