"""Backup: the database's rows of one moment, every object, and where the ledger stood; and the way back.

A folder holds any number of backups, which share their objects::

    objects/                      an object store of its own; encrypted with the same key ring as the archive's
    backups/20261127T123000Z/     one backup: backup.json, objects.txt (names of its objects), tables/*.copy.gz
    backups/….partial             one that is being made, or was killed; the next backup removes it

First the ledger is anchored, then the rows are read in one snapshot, then the objects are copied: the archive writes
an object before its row and removes none while the backup runs, so that every row of the snapshot finds its objects.
``backup.json`` is written last and gets its name by a rename, after all that it speaks of is on the disk.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from archive import ledger
from archive.anchors import make_anchor
from archive.canonical import Json, canonical_bytes
from archive.cursors import psycopg_cursor
from archive.disposal_trace import keep_objects
from archive.failures import database_errors
from archive.fixity_check import FixityOutcome, Wanted, check_each
from archive.folders import alone_in, make_folder, sync_folder
from archive.kept_objects import is_kept, listed_and_kept
from archive.ledger import Event, EventType, Head, verify_chain
from archive.manifest import refuse_newer
from archive.migrate import REVISIONS, current_revision, migrate
from archive.objects import ObjectStore, StoredObject
from archive.table_files import TableFile, check_files, file_sha256, read_tables, write_tables
from schemas.errors import ConfigurationError, FatalError, LienthongError

BACKUP_VERSION = 1
_MANIFEST = "backup.json"
_NAMES = "objects.txt"
_PARTIAL = ".partial"
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup.

    Attributes:
        name: of its folder: when it was made, UTC.
        revision: of the database's schema.
        head: the ledger's last event. tree_size, root: of the anchor made with the backup.
        tables: files of the rows. objects: how many. names_sha256: of the list of their names.
        missing: objects of the archive that are not in the backup, because its store lacks them or holds other bytes,
            and no earlier backup has them.
    """

    name: str
    revision: str
    head: Head
    tree_size: int
    root: str
    tables: tuple[TableFile, ...]
    objects: int
    names_sha256: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was made: ``copied`` objects and ``copied_bytes`` were new to the folder."""

    backup: Backup
    copied: int
    copied_bytes: int


def make_backup(
    engine: sa.Engine,
    objects: ObjectStore,
    folder: Path,
    pool: ObjectStore,
    *,
    now: datetime | None = None,
    on_progress: Progress = lambda _: None,
) -> BackedUp:
    """Add a backup to ``folder``; what is there stays usable whatever happens. Of two at once the second waits.

    Args:
        engine: of the archive's database, as its owner. objects: its store.
        pool: the store ``folder/objects``.
        now: names the backup, aware; the present by default.
        on_progress: told how many objects are looked at.

    Raises:
        ConfigurationError: the store cannot be read as it is configured. RetriableError: it, or the database, is away.
        FatalError: the folder's medium is full or refuses.
    """
    at = (now or datetime.now(UTC)).astimezone(UTC)
    with alone_in(_held(folder)):
        return _made(engine, objects, folder, pool, at, on_progress)


def _made(
    engine: sa.Engine,
    objects: ObjectStore,
    folder: Path,
    pool: ObjectStore,
    at: datetime,
    on_progress: Progress,
) -> BackedUp:
    partial = _begin(folder, at)
    with database_errors("backing up"), engine.connect() as guard:
        keep_objects(
            psycopg_cursor(guard)
        )  # no disposal removes an object until the guard's transaction ends
        anchored = make_anchor(engine, objects, now=at)
        reading = engine.connect().execution_options(isolation_level="REPEATABLE READ")
        with reading as connection:
            revision = current_revision(connection)
            row = connection.execute(
                sa.text("SELECT seq, hash FROM archive.event ORDER BY seq DESC LIMIT 1")
            ).first()
            tables = write_tables(connection, partial / "tables")
        copied = _copy_objects(guard, objects, pool, partial / _NAMES, on_progress)
        guard.rollback()
    backup = Backup(
        name=partial.name.removesuffix(_PARTIAL),
        revision=revision or "",
        head=Head(row.seq, row.hash) if row else Head(),
        tree_size=anchored.anchor.tree_size if anchored else 0,
        root=anchored.anchor.root if anchored else "",
        tables=tuple(tables),
        objects=copied.objects,
        names_sha256=file_sha256(partial / _NAMES),
        missing=copied.missing,
    )
    _finish(partial, backup)
    _note(engine, EventType.BACKUP, backup, at)
    return BackedUp(backup, copied.copied, copied.copied_bytes)


def backups(folder: Path) -> list[Backup]:
    """Every finished backup of ``folder``, oldest first.

    Raises:
        FatalError: one cannot be read.
    """
    held = folder / "backups"
    names = (
        sorted(path.name for path in held.iterdir() if (path / _MANIFEST).is_file()) if held.is_dir() else []
    )
    return [read_backup(folder, name) for name in names if not name.endswith(_PARTIAL)]


def read_backup(folder: Path, name: str) -> Backup:
    """The backup ``name`` of ``folder``. Raises ``FatalError`` when it cannot be read."""
    path = folder / "backups" / name / _MANIFEST
    try:
        fields = json.loads(path.read_bytes())
        refuse_newer("backup", fields.pop("lienthong_backup"), BACKUP_VERSION)
        fields["head"] = Head(**fields["head"])
        fields["missing"] = tuple(fields["missing"])
        fields["tables"] = tuple(
            TableFile(**{**table, "columns": tuple(table["columns"])}) for table in fields["tables"]
        )
        return Backup(**fields)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FatalError(
            f"the backup {name} cannot be read: {type(error).__name__}",
            where=str(path),
            action="take another backup of the folder",
        ) from None


def forget_backups(folder: Path, pool: ObjectStore, keep: int) -> int:
    """Remove all but the newest ``keep`` backups, and the objects that none of these names; returns how many of them.

    Words that were found secret leave the backups by this too. Waits for a backup that is being made.
    """
    with alone_in(_held(folder)):
        return _forget(folder, pool, keep)


def _forget(folder: Path, pool: ObjectStore, keep: int) -> int:
    held = backups(folder)
    for backup in held[: max(len(held) - keep, 0)]:
        gone = folder / "backups" / f"{backup.name}{_PARTIAL}"
        (folder / "backups" / backup.name).rename(gone)
        shutil.rmtree(gone)
    kept = [_names(folder, backup) for backup in backups(folder)]
    removed = 0
    for name in list(_without(iter(pool), kept)):
        stored = pool.locate(name)
        if stored is not None:
            (folder / "objects" / stored.key).unlink()
            removed += 1
    return removed


def restore_backup(
    engine: sa.Engine,
    objects: ObjectStore,
    folder: Path,
    backup: Backup,
    pool: ObjectStore,
    *,
    now: datetime | None = None,
    on_progress: Progress = lambda _: None,
) -> None:
    """Bring the archive back as it was: objects, then all rows in one transaction; every hash and count is checked.

    A restore that was killed is gone on with.

    Args:
        engine: of an empty database, as its owner. objects: an empty store.

    Raises:
        ConfigurationError: database or store hold something; the backup is of a newer program.
        FatalError: a file of the backup was changed or is missing: it is named.
    """
    place = folder / "backups" / backup.name
    if backup.revision not in REVISIONS:
        raise ConfigurationError(
            f"the backup is of the database's revision {backup.revision!r}, which this program does not know",
            action="restore it with the program that made it, or a newer one",
        )
    check_files(place, {_NAMES: backup.names_sha256})
    check_files(place / "tables", {table.file: table.sha256 for table in backup.tables})
    _refuse_full(engine, objects, lambda: _names(folder, backup))
    for count, name in enumerate(_names(folder, backup), start=1):
        _restore_object(pool, objects, name)
        on_progress(count)
    migrate(engine, backup.revision)
    with database_errors("restoring the database"), engine.begin() as connection:
        read_tables(psycopg_cursor(connection), place / "tables", backup.tables)
    migrate(engine)
    problems = verify_chain(engine)
    if problems or ledger.head(engine) != backup.head:
        raise FatalError(
            "the restored ledger is not the one that was backed up",
            where=f"event {problems[0].seq}" if problems else "its last event",
            action="take another backup",
        )
    _note(engine, EventType.RESTORE, backup, (now or datetime.now(UTC)).astimezone(UTC))


@dataclass(frozen=True, slots=True)
class _Copied:
    objects: int
    copied: int
    copied_bytes: int
    missing: tuple[str, ...]


def _held(folder: Path) -> Path:
    return make_folder(folder / "backups", 0o700)


def _begin(folder: Path, at: datetime) -> Path:
    held = _held(folder)
    for left in held.glob(f"*{_PARTIAL}"):
        shutil.rmtree(left)
    name = at.strftime("%Y%m%dT%H%M%SZ")
    if (held / name).exists():
        raise ConfigurationError("a backup of this second is there already", where=str(held / name))
    partial = make_folder(held / f"{name}{_PARTIAL}", 0o700)
    make_folder(partial / "tables", 0o700)
    return partial


def _copy_objects(
    connection: sa.Connection, objects: ObjectStore, pool: ObjectStore, names: Path, on_progress: Progress
) -> _Copied:
    """Copy what the store lists. What it has lost stays in the folder where an earlier backup brought it there."""
    held = copied = size = 0
    missing: list[str] = []
    with names.open("w", encoding="ascii") as listing:
        for count, (name, listed) in enumerate(listed_and_kept(connection, objects), start=1):
            on_progress(count)
            if not pool.exists(name):
                stored = _copy(objects, pool, name)
                if stored is None:
                    if objects.exists(name) or is_kept(connection, name):
                        missing.append(name)
                    continue
                copied += 1
                size += stored.size
            elif not listed and not is_kept(connection, name):  # what the secrecy gate takes back
                continue
            held += 1
            listing.write(f"{name}\n")
    return _Copied(held, copied, size, tuple(missing))


def _copy(objects: ObjectStore, pool: ObjectStore, name: str) -> StoredObject | None:
    """The copy; ``None`` where the archive's store is at fault, which stops no backup. Anything else does."""
    try:
        stored = pool.put(objects.content(name))
    except LienthongError:
        if check_each(objects, [Wanted(name, None)])[0].outcome is FixityOutcome.INTACT:
            raise
        return None
    return stored if stored.sha256 == name else None


def _finish(partial: Path, backup: Backup) -> None:
    fields: dict[str, Json] = {"lienthong_backup": BACKUP_VERSION, **asdict(backup)}
    (partial / _MANIFEST).write_bytes(canonical_bytes(fields))
    for path in (partial / _MANIFEST, partial / _NAMES):
        with path.open("rb+") as stream:
            os.fsync(stream.fileno())
    for folder in (partial / "tables", partial):
        sync_folder(folder)
    partial.rename(partial.with_name(backup.name))
    sync_folder(partial.parent)


def _names(folder: Path, backup: Backup) -> Iterator[str]:
    with (folder / "backups" / backup.name / _NAMES).open(encoding="ascii") as listed:
        for line in listed:
            yield line.rstrip("\n")


def _without(names: Iterator[str], kept: list[Iterator[str]]) -> Iterator[str]:
    """Those of ``names`` that none of ``kept`` has; all are in order."""
    heads = [next(one, None) for one in kept]
    for name in names:
        for number, one in enumerate(kept):
            while (known := heads[number]) is not None and known < name:
                heads[number] = next(one, None)
        if name not in heads:
            yield name


def _refuse_full(engine: sa.Engine, objects: ObjectStore, own: Callable[[], Iterator[str]]) -> None:
    migrated = _has_rows(engine)
    foreign = next(_without(iter(objects), [own()]), None)
    if migrated or foreign is not None:
        raise ConfigurationError(
            "there is an archive already: nothing is restored over it",
            where="its database" if migrated else f"its object store holds {foreign}",
            expected="an empty database and an empty object store",
            action="name another data folder: --home",
        )


def _has_rows(engine: sa.Engine) -> bool:
    with database_errors("looking at the database"), engine.connect() as connection:
        if current_revision(connection) is None:
            return False
        return bool(connection.scalar(sa.text("SELECT EXISTS (SELECT FROM archive.event)")))


def _restore_object(pool: ObjectStore, objects: ObjectStore, name: str) -> None:
    if not pool.exists(name):
        raise _damaged(pool, name, "is missing")
    try:
        stored = objects.put(pool.content(name))
    except FatalError as error:
        raise _damaged(pool, name, str(error)) from error
    if stored.sha256 != name:
        raise _damaged(pool, name, "was changed")


def _damaged(pool: ObjectStore, name: str, what: str) -> FatalError:
    return FatalError(
        f"the backup's object {name} {what}",
        where=pool.location,
        action="take another copy of the backup, and restore again: what is right already stays",
    )


def _note(engine: sa.Engine, kind: EventType, backup: Backup, at: datetime) -> None:
    payload: dict[str, Json] = {
        "head": asdict(backup.head), "objects": backup.objects, "missing": len(backup.missing),
        "rows": sum(table.rows for table in backup.tables), "revision": backup.revision,
    }  # fmt: skip
    outcome = "failure" if backup.missing else "success"
    with database_errors("noting a backup"), engine.begin() as connection:
        cursor = psycopg_cursor(connection)
        ledger.lock(cursor)
        ledger.append(cursor, [Event(kind, outcome, "", f"backup {backup.name}", payload=payload)], at)
