"""Anchors outside of the database: one file for each in a folder to which files are only ever added.

The folder may be on a share that refuses to change or remove what is there; files are therefore made under their final
name, and one that a crash left incomplete is completed at its end::

    anchor-000003.json      the record (``archive.anchor_record``), the bytes that its object has
    anchor-000003.tsr       the reply of the time-stamping authority, where there was one
    report-….txt            the nightly messages (written by ``pipeline.night_message``)

``openssl ts -verify -in anchor-000003.tsr -data anchor-000003.json -CAfile …`` needs nothing of ours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from archive.anchor_tables import anchor as anchor_table
from archive.failures import database_errors
from archive.folders import sync_folder
from archive.objects import ObjectStore
from schemas.errors import RetriableError

_NAME = re.compile(r"anchor-([0-9]{6,})\.json")


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


def publish(engine: sa.Engine, objects: ObjectStore, folder: Path) -> int:
    """Add to ``folder`` the anchors that are newer than those it holds; returns how many.

    What is missing between older ones is not filled: ``archive.audit`` reports it.

    Raises:
        RetriableError: the folder cannot be written to; the next call adds what is missing.
        FatalError: an anchor's object is missing, or the database refuses.
    """
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        newest = max((number for number, _ in _files(folder)), default=0)
        added = 0
        for number, record, token in _rows(engine, newest):
            path = folder / _name(number)
            if token is not None:  # before the record, whose name says that the anchor is here
                write_once(path.with_suffix(".tsr"), _bytes(objects, token))
            added += write_once(path, _bytes(objects, record))
    except OSError as error:
        raise RetriableError(
            f"the folder of anchors {folder} cannot be written: {error.strerror}",
            action="look at the share; the next anchoring adds what is missing",
        ) from error
    return added


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


def _rows(engine: sa.Engine, newest: int) -> list[tuple[int, str, str | None]]:
    """Number, record and token of the anchors from ``newest`` on, which a crash may have left incomplete."""
    columns = (anchor_table.c.number, anchor_table.c.record_sha256, anchor_table.c.token_sha256)
    wanted = sa.select(*columns).where(anchor_table.c.number >= newest).order_by(anchor_table.c.number)
    with database_errors("reading the anchors"), engine.connect() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(wanted)]


def _bytes(objects: ObjectStore, sha256: str) -> bytes:
    with objects.open(sha256) as stream:
        return stream.read()
