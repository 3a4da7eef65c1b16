"""The whole archive as one BagIt bag (RFC 8493), and a fresh archive made of it.

The payload is every object under its SHA-256, ``data/sha256/ab/abcd…``: originals, manifests, later checks, and the
ledger's segments and anchors. From these alone ``archive.rebuild`` makes the database, so that rows, files, verdicts
and the ledger with its Merkle root are those of the archive that was exported. The bag is not encrypted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import bagit
import sqlalchemy as sa

from archive import ledger
from archive.anchors import make_anchor
from archive.canonical import Json
from archive.cursors import psycopg_cursor
from archive.disposal_trace import keep_objects
from archive.failures import database_errors
from archive.folders import make_folder, sync_folder
from archive.kept_objects import is_kept, listed_and_kept
from archive.ledger import Event, EventType, Head
from archive.migrate import migrate
from archive.objects import ObjectStore
from archive.rebuild import Rebuilt, rebuild
from schemas.errors import ConfigurationError, FatalError
from schemas.record import FileContent, chunks

_PARTIAL = ".partial"
_HEAD, _SIZE, _ROOT = "Lienthong-Ledger-Head", "Lienthong-Ledger-Size", "Lienthong-Ledger-Root"
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class BaggedArchive:
    """What a bag says of the archive in it.

    Attributes:
        objects: how many. tree_size, head, root: of the ledger at its last anchor.
    """

    objects: int
    tree_size: int
    head: str
    root: str


@dataclass(frozen=True, slots=True)
class Imported:
    """An import. ``made`` is ``None`` where the archive of the bag was here already and nothing was done."""

    bag: BaggedArchive
    made: Rebuilt | None


def export_archive(
    engine: sa.Engine, objects: ObjectStore, folder: Path, *, on_progress: Progress = lambda _: None
) -> BaggedArchive:
    """Write the archive into the new folder ``folder``, a bag, whole or not at all, and read it again.

    Raises:
        ConfigurationError: the folder is there already, or the archive is empty.
        FatalError: an object is missing or holds other bytes, or the bag does not validate.
    """
    if folder.exists():
        raise ConfigurationError("the folder is there already", where=str(folder), action="name a new one")
    partial = folder.with_name(f"{folder.name}{_PARTIAL}")
    if partial.exists():  # of an export that was killed
        shutil.rmtree(partial)
    make_folder(partial, 0o700)
    with database_errors("exporting the archive"), engine.connect() as guard:
        keep_objects(psycopg_cursor(guard))
        anchored = make_anchor(engine, objects)
        if anchored is None:
            raise ConfigurationError("the archive is empty", action="sync a source first")
        for count, (name, listed) in enumerate(listed_and_kept(guard, objects), start=1):
            if not listed and not is_kept(guard, name):  # what the secrecy gate takes back
                continue
            _copy_out(objects, name, partial / "sha256" / name[:2] / name)
            on_progress(count)
        guard.rollback()
    anchor = anchored.anchor
    about = {
        "Bagging-Date": anchor.at.date().isoformat(),
        "Bag-Software-Agent": "Lienthong",
        _HEAD: anchor.head,
        _SIZE: str(anchor.tree_size),
        _ROOT: anchor.root,
    }
    bagit.make_bag(str(partial), about, checksums=["sha256"])
    told = _validated(partial)
    partial.rename(folder)
    sync_folder(folder.parent)
    _note(engine, EventType.EXPORT, told)
    return told


def import_archive(
    engine: sa.Engine, objects: ObjectStore, folder: Path, *, on_progress: Progress = lambda _: None
) -> Imported:
    """Make a fresh archive of the bag ``folder``; an import that was killed is gone on with.

    Nothing enters before all of the bag's hashes are checked. The event of the import follows the imported ledger.

    Args:
        engine: of the database, as its owner. objects: the store.

    Raises:
        ConfigurationError: database or store hold another archive.
        FatalError: the bag is damaged, or its objects do not give the ledger that it tells of.
    """
    told = _validated(folder)
    migrate(engine)
    if _holds(engine, told):
        return Imported(told, None)
    names = sorted(path.name for path in _payload(folder))
    foreign = sorted(set(objects) - set(names))
    if foreign:
        raise ConfigurationError(
            "the object store holds another archive",
            where=f"{objects.location}: {foreign[0]}",
            expected="an empty store, or one that an import of this bag began",
            action="name another data folder: --home",
        )
    for count, path in enumerate(_payload(folder), start=1):
        stored = objects.put(FileContent(path))
        if stored.sha256 != path.name:
            raise FatalError("an object of the bag has another name than its SHA-256", where=str(path))
        on_progress(count)
    made = rebuild(engine, objects, head=told.head, go_on=True)
    if made.head != Head(told.tree_size, told.head) or not made.whole:
        first = made.troubles[0] if made.troubles else None
        raise FatalError(
            "the bag's objects do not give the archive that it tells of",
            where=f"{first.where}: {first.message}" if first else f"event {made.head.seq}",
            expected=f"a ledger of {told.tree_size} events",
            action="export the archive again",
        )
    _check_root(engine, told)
    _note(engine, EventType.IMPORT, told)
    return Imported(told, made)


def _copy_out(objects: ObjectStore, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as stream:
        for piece in chunks(objects.content(name)):
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())


def _payload(folder: Path) -> Iterator[Path]:
    for held in sorted((folder / "data" / "sha256").iterdir()):
        yield from sorted(held.iterdir())


def _validated(folder: Path) -> BaggedArchive:
    """What the bag says, after every byte of it was checked, and every name against the bytes."""
    try:
        bag = bagit.Bag(str(folder))
        bag.validate(processes=1)
        told = BaggedArchive(
            objects=len(bag.payload_entries()),
            tree_size=int(bag.info[_SIZE]),
            head=str(bag.info[_HEAD]),
            root=str(bag.info[_ROOT]),
        )
        wrong = [name for name, sums in bag.payload_entries().items() if sums["sha256"] != Path(name).name]
    except (bagit.BagError, KeyError, ValueError, OSError) as error:
        raise FatalError(
            "the bag is damaged, or holds no archive",
            where=f"{folder}: {str(error)[:400]}",
            action="export the archive again, or take another copy of the bag; nothing was imported",
        ) from error
    if wrong:
        raise FatalError(
            "an object has another name than its SHA-256",
            where=f"{folder}: {wrong[0]}",
            action="take another copy of the bag",
        )
    return told


def _holds(engine: sa.Engine, told: BaggedArchive) -> bool:
    """Whether the database has the bag's whole ledger, and the event of its import or export after it."""
    with database_errors("looking at the database"), engine.connect() as connection:
        found = connection.execute(_HELD, {"size": told.tree_size}).one()
    return found.hash == told.head and bool(found.noted)


def _check_root(engine: sa.Engine, told: BaggedArchive) -> None:
    with database_errors("looking at the anchors"), engine.connect() as connection:
        root = connection.scalar(
            sa.text("SELECT root FROM archive.anchor WHERE tree_size = :size"), {"size": told.tree_size}
        )
    if root != told.root:
        raise FatalError("the Merkle root is not that of the bag", expected=told.root, where=str(root))


def _note(engine: sa.Engine, kind: EventType, told: BaggedArchive) -> None:
    payload: dict[str, Json] = {
        "objects": told.objects,
        "tree_size": told.tree_size,
        "head": told.head,
        "root": told.root,
    }
    with database_errors("noting an export or import"), engine.begin() as connection:
        cursor = psycopg_cursor(connection)
        ledger.lock(cursor)
        event = Event(kind, "success", "", f"archive {told.root}", payload=payload)
        ledger.append(cursor, [event], datetime.now(UTC))


_HELD = sa.text(
    """SELECT (SELECT hash FROM archive.event WHERE seq = :size) AS hash,
      EXISTS (SELECT FROM archive.event WHERE seq > :size) AS noted"""
)
