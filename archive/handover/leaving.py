"""Handing something over: written aside, checked, entered into the ledger, and only then given its name.

Who is stopped at any instruction leaves a hidden ``.partial`` folder that nobody takes for a package, or an event for
something whose name was not yet given: never a package that left without a trace.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from archive import ledger
from archive.canonical import Json
from archive.cursors import psycopg_cursor
from archive.failures import database_errors
from archive.folders import sync_folder
from archive.ledger import Event, EventType
from schemas.errors import ConfigurationError, FatalError


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that leaves: a package or a register.

    Attributes:
        object: identity of the document or dossier, or the register's name.
        source: the source concerned; ``""`` for none.
        path: below the target. sha256: of the file, or of the package's METS. files, size: of its bytes.
    """

    object: str
    source: str
    path: str
    sha256: str
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was asked for and does not leave.

    Attributes:
        object: its identity. reason: ``access`` (its class may not be read), ``disposed`` (its content was
            destroyed), ``recalled``, ``undated`` or ``undirected``.
    """

    object: str
    reason: str


@dataclass(frozen=True, slots=True)
class Handover:
    """What was asked for, and what became of it: ``selected`` is ``handed_over`` plus all that was left out.

    Attributes:
        kind: ``register``, ``sip``, ``hsltcq`` or ``bag``.
        selected: how many documents (or entries of a register) were asked for. handed_over: how many leave.
        items: what leaves. documents: identities of the documents in them whose history is to say so.
        left_out: how many do not leave, by reason (see ``LeftOut``).
        notices: what the person should know, counted by code.
        seal: SHA-256 that vouches for the whole: of a bag's tag manifest; ``""`` where only the items have one.
    """

    kind: str
    selected: int
    handed_over: int
    items: Sequence[Item]
    documents: Sequence[str] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    notices: Mapping[str, int] = field(default_factory=dict)
    seal: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """The person who hands over and their account, as the ledger keeps them, and why."""

    by: str
    account: str
    why: str


@contextlib.contextmanager
def aside(target: Path) -> Iterator[Path]:
    """A private folder beside ``target`` to write in; removed when it was not given its name.

    Raises:
        ConfigurationError: ``target`` is there already, or its place cannot be written to.
    """
    if target.exists():
        raise ConfigurationError(
            f"{target} is there already",
            expected="a name that is not taken: nothing handed over is ever overwritten",
            action="choose another folder, or move the old one away",
        )
    partial = target.parent / f".{target.name}.{secrets.token_hex(4)}.partial"
    try:
        partial.mkdir(mode=0o700, parents=True)
        yield partial
    except OSError as error:
        raise FatalError(
            f"cannot write what is handed over: {error.strerror or error}",
            where=str(target),
            action="look at the target's disk and rights; nothing was handed over",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def hand_over(
    engine: sa.Engine,
    partial: Path,
    target: Path,
    handover: Handover,
    who: Who,
    at: datetime | None = None,
) -> None:
    """Enter ``handover`` into the ledger, then give ``partial`` its name ``target``.

    One event for each item, so that an object's history says that it left, and one for the whole with the counts;
    the same again as failures when the name could not be given.

    Raises:
        FatalError: the counts do not add up, or the database refuses; nothing was handed over.
    """
    left = sum(handover.left_out.values())
    if handover.selected != handover.handed_over + left:
        raise FatalError(
            f"{handover.selected} selected, but {handover.handed_over} handed over and {left} left out",
            action="report this; nothing was handed over",
        )
    _sync(partial)
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    events = _events(handover, target, who)
    _append(engine, events, moment)
    try:
        partial.rename(target)
        sync_folder(target.parent)
    except OSError:
        _append(engine, [replace(event, outcome="failure") for event in events], moment)
        raise


def _append(engine: sa.Engine, events: Sequence[Event], moment: datetime) -> None:
    with database_errors("entering what leaves into the ledger"), engine.begin() as connection:
        cursor = psycopg_cursor(connection)
        ledger.lock(cursor)
        ledger.append(cursor, events, moment)


def sha256_of_file(path: Path) -> str:
    """SHA-256 of the file at ``path``."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _events(handover: Handover, target: Path, who: Who) -> list[Event]:
    digest = hashlib.sha256()
    for item in handover.items:
        digest.update(f"{item.sha256}  {item.path}\n".encode("utf-8", "backslashreplace"))
    export = digest.hexdigest()
    events = [_event(export, handover.kind, item) for item in handover.items]
    events += [
        Event(EventType.EXPORT, "success", "", identity, payload={"export": export, "kind": handover.kind})
        for identity in sorted(set(handover.documents) - {item.object for item in handover.items})
    ]
    payload: dict[str, Json] = {
        "kind": handover.kind,
        "name": target.name,
        "seal": handover.seal,
        "by": who.by,
        "account": who.account,
        "why": who.why,
        "selected": handover.selected,
        "handed_over": handover.handed_over,
        "left_out": dict(handover.left_out),
        "items": len(handover.items),
        "files": sum(item.files for item in handover.items),
        "bytes": sum(item.size for item in handover.items),
    }
    return [*events, Event(EventType.EXPORT, "success", "", export, payload=payload)]


def _event(export: str, kind: str, item: Item) -> Event:
    payload: dict[str, Json] = {
        "export": export,
        "kind": kind,
        "path": item.path,
        "sha256": item.sha256,
        "files": item.files,
        "bytes": item.size,
    }
    return Event(EventType.EXPORT, "success", item.source, item.object, payload=payload)


def _sync(folder: Path) -> None:
    """Bring every file below ``folder`` to the disk, then the folders' names."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            sync_folder(path)
            continue
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_folder(folder)
