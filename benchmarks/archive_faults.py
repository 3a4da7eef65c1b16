"""What goes wrong at night, on purpose, many times; and what the archive holds afterwards.

    python -m benchmarks.archive faults [--times 200] [--seed 1] [--only NAME …] [--json]

Loaders store the files of their records and load them, night after night, while they are killed (``kill -9``) at random
points, the server stops at once without a checkpoint, a disk fills up, two loaders take the same batches, or the clock
moves back. Then the interrupted night is completed and the whole is compared: records listed, documents, versions,
events, counts, a full audit, and every row with those of an archive that was filled without a fault. Full disks are
small file systems in memory, for which the program must be root; else that line says so.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import psycopg
from psycopg import sql

from archive.embedded import EmbeddedServer
from archive.embedded.account import server_account
from benchmarks.fault_scene import Aftermath, Scene
from benchmarks.generated_records import CLOCK
from benchmarks.measured_server import measured_server
from schemas.errors import FatalError

_FORK = multiprocessing.get_context("fork")
_ROOM = "256m"
_HEADING = "fault            times  nights  lost  twice  unaccounted  different  audit"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand ``faults``."""
    parser = subparsers.add_parser(
        "faults",
        help="kill, stop, fill up, double and turn back; then count",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--times", type=int, default=200, help="kills; the other faults a tenth of it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=sorted(FAULTS), default=list(FAULTS))
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do each fault and print the table; 1 if an archive was not what it should be."""
    found: dict[str, tuple[int, Aftermath] | None] = {}
    if not options.json:
        print(_HEADING, flush=True)
    with measured_server() as server, tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # the server's account must come through to its small disk
        for name in options.only:
            times = options.times if name == "killed" else max(1, options.times // 10)
            found[name] = suffered(name, server, Path(folder), times, random.Random(options.seed))
            if not options.json:
                _print(name, found[name])
    if options.json:
        print(json.dumps({name: _value(*row) if row else None for name, row in found.items()}))
    return int(any(row is not None and not row[1].clean for row in found.values()))


def suffered(
    name: str, server: EmbeddedServer, folder: Path, times: int, chance: random.Random
) -> tuple[int, Aftermath] | None:
    """How often the fault ``name`` struck, and what is left; ``None`` where it cannot be made here."""
    return FAULTS[name](server, folder, times, chance)


def _killed(server: EmbeddedServer, folder: Path, times: int, chance: random.Random) -> tuple[int, Aftermath]:
    scene = Scene(server, "killed", folder / "killed")
    night = _first_night(scene)
    for _ in range(times):
        child = _started(scene.fill)
        time.sleep(chance.uniform(0, 1.2 * night))
        _kill(child)
    return times, scene.aftermath()


def _server_stopped(
    server: EmbeddedServer, folder: Path, times: int, chance: random.Random
) -> tuple[int, Aftermath]:
    scene = Scene(server, "stopped", folder / "stopped")
    night = _first_night(scene)
    child = _started(scene.fill)
    for _ in range(times):
        time.sleep(chance.uniform(0.2, 1.2) * night)
        _stop_at_once(server)
        server.start()
    time.sleep(night)
    if not child.is_alive():
        raise SystemExit("the loader gave up while the server was away")
    _kill(child)
    return times, scene.aftermath()


def _store_full(
    server: EmbeddedServer, folder: Path, times: int, chance: random.Random
) -> tuple[int, Aftermath] | None:
    with _small_disk(folder / "full_store", "1m") as disk:
        if disk is None:
            return None
        scene = Scene(server, "full_store", disk / "objects")
        struck = _until_full(scene, disk, times, lambda step: f"{1024 + 300 * step + chance.randrange(200)}k")
        return struck, scene.aftermath()


def _database_full(
    server: EmbeddedServer, folder: Path, times: int, chance: random.Random
) -> tuple[int, Aftermath] | None:
    with _small_disk(folder / "full_database", _ROOM) as disk:
        if disk is None:
            return None
        scene = Scene(server, "full_database", folder / "full_database_objects")
        _move(server, scene.name, disk)
        used = int(subprocess.check_output(["df", "--output=used", "-k", str(disk)]).split()[-1])
        struck = _until_full(scene, disk, times, lambda step: f"{used + 400 * step + chance.randrange(300)}k")
        found = scene.aftermath()
        _drop(server, scene.name)
        return struck, found


def _two_loaders(server: EmbeddedServer, folder: Path, times: int, _: random.Random) -> tuple[int, Aftermath]:
    scene = Scene(server, "two_loaders", folder / "two_loaders")
    for night in range(times):
        scene.plan(night)
        children = [_started(lambda night=night: scene.load_night(night)) for _ in range(2)]  # type: ignore[misc]
        for child in children:
            child.join()
            if child.exitcode:
                raise SystemExit(f"one of two loaders ended with {child.exitcode}")
        scene.close(night)
    return times, scene.aftermath()


def _clock_back(server: EmbeddedServer, folder: Path, times: int, _: random.Random) -> tuple[int, Aftermath]:
    scene = Scene(
        server, "clock_back", folder / "clock_back", clock=lambda night: CLOCK - timedelta(hours=7 * night)
    )
    scene.fill(times)
    return times, scene.aftermath()


FAULTS: Mapping[str, Callable[[EmbeddedServer, Path, int, random.Random], tuple[int, Aftermath] | None]] = {
    "killed": _killed,
    "server_stopped": _server_stopped,
    "store_full": _store_full,
    "database_full": _database_full,
    "two_loaders": _two_loaders,
    "clock_back": _clock_back,
}


def _until_full(scene: Scene, disk: Path, times: int, size: Callable[[int], str]) -> int:
    """Load until there is no room, ``times`` times with a little more room each; how often it was refused."""
    struck = 0
    for step in range(1, times + 1):
        _resize(disk, size(step))
        try:
            scene.fill(10 * step)
        except FatalError:
            struck += 1
    _resize(disk, _ROOM)
    return struck


def _first_night(scene: Scene) -> float:
    """Load one undisturbed; returns how long it takes on this machine, for blows that fall all over it."""
    started = time.monotonic()
    scene.fill(1)
    return time.monotonic() - started


def _started(work: Callable[[], None]) -> BaseProcess:
    child = _FORK.Process(target=work)
    child.start()
    return child


def _kill(child: BaseProcess) -> None:
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()


def _stop_at_once(server: EmbeddedServer) -> None:
    """An immediate shutdown (PostgreSQL manual 18.5): sessions are cut, and the next start recovers."""
    pid = server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)
    while server.status().running:
        time.sleep(0.01)


@contextmanager
def _small_disk(place: Path, size: str) -> Iterator[Path | None]:
    """A file system in memory; ``None`` where it may not be made."""
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if made.returncode:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _resize(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


def _move(server: EmbeddedServer, database: str, disk: Path) -> None:
    """Put the database's tables on ``disk``; the server's log stays where it is."""
    folder = disk / "tables"
    folder.mkdir(0o700)
    server_account().own(folder)
    with psycopg.connect(server.url("postgres", "postgresql"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(folder))))
        connection.execute(sql.SQL("ALTER DATABASE {} SET TABLESPACE small").format(sql.Identifier(database)))


def _drop(server: EmbeddedServer, database: str) -> None:
    with psycopg.connect(server.url("postgres", "postgresql"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))
        connection.execute("DROP TABLESPACE small")


def _value(times: int, left: Aftermath) -> dict[str, int | bool]:
    return {
        "times": times,
        "documents_lost": left.lost,
        "twice": left.twice,
        "unaccounted": left.unaccounted,
        "rows_different": left.different,
        "audit_findings": left.findings,
        "nights": left.nights,
    }


def _print(name: str, row: tuple[int, Aftermath] | None) -> None:
    if row is None:
        print(f"{name:16}  not tried: it takes root to make a small file system")
        return
    times, left = row
    state = "clean" if not left.findings else f"{left.findings} findings"
    print(
        f"{name:16}{times:>6}{left.nights:>8}{left.lost:>6}{left.twice:>7}{left.unaccounted:>13}"
        f"{left.different:>11}  {state}",
        flush=True,
    )
