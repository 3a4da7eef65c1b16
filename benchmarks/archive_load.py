"""Loading into the archive, and loading the same again, against bare COPY of the same rows.

    python -m benchmarks.archive load [--documents 100000] [--batch 500] [--json]

The shape: a document with two files, one signature verdict and half a relation; seven objects' and events' rows with
them. Batch by batch: the loader loads one (one transaction), then COPY puts the rows that this left behind into an
empty copy of the same tables (``benchmarks.copy_floor``), so that both meet the same machine. Afterwards all batches
come once more, in another run, which leaves an event a batch and nothing else.

On a temporary embedded server with durability on. Making and storing the records is in no figure. ``load_to_copy`` and
``rerun_to_copy`` are ratios of rows a second; ``…_cpu`` the same by processor time of client and server, which a busy
machine changes less. Where dlt can be imported, its merge (upsert) of 10,000 of the documents stands beside.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import sqlalchemy as sa

from archive.database import create_engine
from archive.embedded import EmbeddedServer
from archive.loader import Archive, Archived, Batch
from archive.objects import ObjectStore
from archive.runs import account
from benchmarks.copy_floor import NewRows, copy_batch, rows_in
from benchmarks.dlt_merge import dlt_is_here, merged_rows_per_s
from benchmarks.generated_records import SOURCE, generated_batches, placing, planned_run
from benchmarks.measured_server import Taken, clocked, fresh_archive, measured_server

Figures = dict[str, float | str]

_DLT_DOCUMENTS = 10_000  # it is slow, and its rows a second do not depend on how many there are


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand ``load``."""
    parser = subparsers.add_parser(
        "load",
        help="loading, and loading the same again, against bare COPY",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the phases and print the figures."""
    with measured_server() as server, tempfile.TemporaryDirectory() as folder:
        figures = _measured(server, Path(folder), options.documents, options.batch)
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:24}{value:>14}" for name, value in figures.items()))


def _measured(server: EmbeddedServer, folder: Path, documents: int, size: int) -> Figures:
    url, floor_url = fresh_archive(server, "bench_archive"), fresh_archive(server, "bench_floor")
    objects = ObjectStore(folder / "objects")
    spool = Spool(folder / "batches", objects, documents, size)
    engine = create_engine(url)
    postmaster = server.status().pid or 0
    with psycopg.connect(_plain(url)) as archive, psycopg.connect(_plain(floor_url)) as floor:
        loaded, copied, memory = _load_and_copy(postmaster, engine, objects, spool, archive, floor)
        rows = rows_in(archive)
        if rows_in(floor) != rows:
            raise SystemExit(f"the floor holds {rows_in(floor)} instead of {rows}")
        before = _wal(archive)
        again = _load_again(postmaster, engine, objects, spool)
        wal = _wal(archive) - before
        left = rows_in(archive)
        events = left["event"] - rows["event"]
        if left != {**rows, "event": left["event"]}:
            raise SystemExit(f"the second load left {left} instead of {rows}")
    engine.dispose()
    total = sum(rows.values())
    return {
        "documents": documents,
        "batch": size,
        "rows": total,
        "copy_rows_per_s": round(total / copied.clock),
        "load_rows_per_s": round(total / loaded.clock),
        "rerun_rows_per_s": round(total / again.clock),
        "load_to_copy": round(copied.clock / loaded.clock, 3),
        "rerun_to_copy": round(copied.clock / again.clock, 2),
        "load_to_copy_cpu": round(copied.processor / loaded.processor, 3),
        "rerun_to_copy_cpu": round(copied.processor / again.processor, 2),
        **_seconds("copy", copied),
        **_seconds("load", loaded),
        **_seconds("rerun", again),
        "rerun_wal_kb": round(wal / 1024),
        "rerun_events": events,
        "extra_memory_mb": memory,
        **_against_dlt(server, folder, total / loaded.clock, documents),
    }


def _against_dlt(server: EmbeddedServer, folder: Path, rows_per_s: float, documents: int) -> Figures:
    if not dlt_is_here():
        return {"dlt": "not installed"}
    server.ensure_database("bench_dlt")
    archive, target = (server.url(name, "postgresql") for name in ("bench_archive", "bench_dlt"))
    merged = merged_rows_per_s(archive, target, folder / "dlt", min(documents, _DLT_DOCUMENTS))
    return {"dlt_rows_per_s": round(merged), "load_to_dlt": round(rows_per_s / merged, 2)}


def _load_and_copy(
    postmaster: int,
    engine: sa.Engine,
    objects: ObjectStore,
    spool: Spool,
    archive_rows: psycopg.Connection[tuple[object, ...]],
    floor: psycopg.Connection[tuple[object, ...]],
) -> tuple[Taken, Taken, int]:
    loaded, copied = Taken(), Taken()
    archive, new = Archive(engine, objects), NewRows(archive_rows)
    run_id = planned_run(engine, "lan-1", spool.documents, spool.size)
    peak = 0
    for number, outcomes in enumerate(spool.made(), start=1):
        peak = peak or _peak()
        with clocked(loaded, postmaster):
            archive.load(Batch(SOURCE, run_id, number, "bench"), outcomes)
        rows = new.take()
        with clocked(copied, postmaster):
            copy_batch(floor, rows)
    account(engine, run_id)
    # The account is an event of the archive; the floor gets it for the counts, outside of the clock.
    copy_batch(floor, new.take())
    return loaded, copied, _peak() - peak


def _load_again(postmaster: int, engine: sa.Engine, objects: ObjectStore, spool: Spool) -> Taken:
    taken, archive = Taken(), Archive(engine, objects)
    run_id = planned_run(engine, "lan-2", spool.documents, spool.size)
    for number, outcomes in enumerate(spool.again(), start=1):
        with clocked(taken, postmaster):
            archive.load(Batch(SOURCE, run_id, number, "bench"), outcomes)
    return taken


class Spool:
    """The batches, made one at a time and kept on disk for the second time: few records are in memory at once."""

    def __init__(self, folder: Path, objects: ObjectStore, documents: int, size: int) -> None:
        folder.mkdir()
        self._folder, self._put = folder, placing(objects)
        self.documents, self.size = documents, size

    def made(self) -> Iterator[Sequence[Archived]]:
        """Each batch, new."""
        for number, records in enumerate(generated_batches(self.documents, self.size, self._put)):
            (self._folder / str(number)).write_bytes(pickle.dumps(records))
            yield records

    def again(self) -> Iterator[Sequence[Archived]]:
        """Each batch that was made, read back."""
        for number in range(-(-self.documents // self.size)):
            records: Sequence[Archived] = pickle.loads((self._folder / str(number)).read_bytes())
            yield records


def _seconds(name: str, taken: Taken) -> Figures:
    return {
        f"{name}_s": round(taken.clock, 2),
        f"{name}_client_cpu_s": round(taken.client, 2),
        f"{name}_server_cpu_s": round(taken.server, 2),
    }


def _wal(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    row = connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
    connection.commit()
    assert row is not None
    return int(str(row[0]))


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
