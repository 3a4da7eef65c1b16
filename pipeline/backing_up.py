"""Backup and restore, export and import of this installation's archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from archive.anchor_files import publish
from archive.archive_bag import BaggedArchive, Imported, export_archive, import_archive
from archive.backup import BackedUp, Backup, backups, forget_backups, make_backup, restore_backup
from archive.database import create_engine, database_url
from archive.migrate import migrate
from archive.objects import ObjectStore, open_object_store
from pipeline.anchoring import publish_or_warn
from pipeline.auditing import Audited, audit_archive
from pipeline.object_store import configured_object_store
from pipeline.settings import Settings
from pipeline.stages import open_stores
from schemas.errors import ConfigurationError

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and the audit of it."""

    backup: Backup
    audit: Audited


def back_up(settings: Settings, folder: Path, keep: int, on_progress: Progress) -> tuple[BackedUp, int]:
    """Add a backup to ``folder`` and forget all but the newest ``keep``; also how many objects were forgotten."""
    if keep < 1:
        raise ConfigurationError("no backup would be kept", where="--keep", expected="1 or more")
    pool = _pool(settings, folder, make=True)
    with _database() as engine:
        migrate(engine)
        objects = configured_object_store(settings)
        done = make_backup(engine, objects, folder, pool, on_progress=on_progress)
        publish_or_warn(settings, engine, objects)
    return done, forget_backups(folder, pool, keep)


def restore(settings: Settings, folder: Path, name: str, on_progress: Progress) -> Restored:
    """Bring the backup ``name``, or the newest one, back into an empty data folder, and audit all of it."""
    pool = _pool(settings, folder, make=False)
    held = {backup.name: backup for backup in backups(folder)}
    if not held or (name and name not in held):
        raise ConfigurationError(
            f"there is no backup {name!r}" if name else "there is no backup",
            where=str(folder),
            expected=", ".join(held) or "a folder that `lienthong backup` wrote",
        )
    backup = held[name or max(held)]
    with _database() as engine:
        objects = configured_object_store(settings)
        restore_backup(engine, objects, folder, backup, pool, on_progress=on_progress)
        publish(engine, objects, settings.anchors[0], begin=True)
    stores = open_stores(settings)
    try:
        return Restored(backup, audit_archive(settings, stores, full=True))
    finally:
        stores.engine.dispose()


def export_whole(settings: Settings, folder: Path, on_progress: Progress) -> BaggedArchive:
    """Write the whole archive into a new bag."""
    with _database() as engine:
        migrate(engine)
        objects = configured_object_store(settings)
        told = export_archive(engine, objects, folder, on_progress=on_progress)
        publish_or_warn(settings, engine, objects)
        return told


def import_whole(settings: Settings, folder: Path, on_progress: Progress) -> Imported:
    """Make a fresh archive of a bag."""
    with _database() as engine:
        objects = configured_object_store(settings)
        done = import_archive(engine, objects, folder, on_progress=on_progress)
        publish(engine, objects, settings.anchors[0], begin=True)
        return done


@contextmanager
def _database() -> Iterator[sa.Engine]:
    engine = create_engine(database_url())
    try:
        yield engine
    finally:
        engine.dispose()


def _pool(settings: Settings, folder: Path, *, make: bool) -> ObjectStore:
    """The objects of a folder of backups, encrypted as those of the archive are."""
    if not make and not (folder / "objects").is_dir():
        raise ConfigurationError(
            "this is no folder of backups", where=str(folder), expected="one that `lienthong backup` wrote"
        )
    place = str(folder / "objects")
    # A folder whose first backups were not encrypted; one of another archive is refused.
    first = settings.keyring is not None and not open_object_store(place).ring_copies()
    return open_object_store(place, settings.keyring, enroll=first)
