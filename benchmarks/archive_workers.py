"""Several loaders at once, in processes of their own.

    python -m benchmarks.archive workers [--documents 10000] [--batch 500] [--workers 1 2 4 8] [--json]

Twice for each number of workers, each time into an empty archive: every worker has batches of its own; and all workers
have all batches, each in its own order, as after a task that was thought dead and started again. Rows a second count
what is in the archive in the end. Deadlocks are those that PostgreSQL's statistics report; the counts must add up and
the ledger must hold.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import pickle
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psycopg

from archive.database import create_engine
from archive.embedded import EmbeddedServer
from archive.ledger import verify_chain
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from archive.runs import account
from benchmarks.copy_floor import rows_in
from benchmarks.generated_records import SOURCE, generated_batches, placing, planned_run
from benchmarks.measured_server import fresh_archive, measured_server

_FORK = multiprocessing.get_context("fork")
Line = dict[str, int | str]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand ``workers``."""
    parser = subparsers.add_parser(
        "workers",
        help="two to eight loaders at once",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure and print; 1 if there was a deadlock or a count that does not add up."""
    lines: list[Line] = []
    with measured_server() as server, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _spool(folder, options.documents, options.batch)
        for workers in options.workers:
            for same in (False, True):
                lines.append(_measured(server, folder, options.documents, options.batch, workers, same))
    if options.json:
        print(json.dumps(lines))
    else:
        print("  ".join(f"{name:>12}" for name in lines[0]))
        print("\n".join("  ".join(f"{value:>12}" for value in line.values()) for line in lines))
    return int(any(line["deadlocks"] or line["missing"] or line["chain"] for line in lines))


def _spool(folder: Path, documents: int, size: int) -> None:
    batches = generated_batches(documents, size, placing(ObjectStore(folder / "objects")))
    for number, records in enumerate(batches, start=1):
        (folder / f"batch-{number}").write_bytes(pickle.dumps(records))


def _measured(
    server: EmbeddedServer, folder: Path, documents: int, size: int, workers: int, same: bool
) -> Line:
    name = f"workers_{workers}_{'same' if same else 'own'}"
    url = fresh_archive(server, name)
    engine = create_engine(url)
    run_id = planned_run(engine, "lan-1", documents, size)
    numbers = list(range(1, -(-documents // size) + 1))
    shares = [
        numbers[worker:] + numbers[:worker] if same else numbers[worker::workers] for worker in range(workers)
    ]
    seconds = _together(url, folder, run_id, shares)
    summary = account(engine, run_id)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rows = rows_in(connection)
        row = connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    problems = len(verify_chain(engine))
    engine.dispose()
    return {
        "workers": workers,
        "batches": "the same" if same else "their own",
        "rows_per_s": round(sum(rows.values()) / seconds),
        "rows": sum(rows.values()),
        "deadlocks": int(row[0]),
        "missing": abs(documents - rows["document"]) + abs(documents - summary.archived),
        "chain": problems,
    }


def _together(url: str, folder: Path, run_id: str, shares: Sequence[Sequence[int]]) -> float:
    ready = _FORK.Barrier(len(shares) + 1)
    children: list[BaseProcess] = [
        _FORK.Process(target=_work, args=(url, folder, run_id, share, ready)) for share in shares
    ]
    for child in children:
        child.start()
    ready.wait()
    started = time.perf_counter()
    for child in children:
        child.join()
    if any(child.exitcode for child in children):
        raise SystemExit(f"loaders ended with {[child.exitcode for child in children]}")
    return time.perf_counter() - started


def _work(url: str, folder: Path, run_id: str, numbers: Sequence[int], ready: Barrier) -> None:
    archive = Archive(create_engine(url), ObjectStore(folder / "objects"))
    ready.wait()
    for number in numbers:
        outcomes = pickle.loads((folder / f"batch-{number}").read_bytes())
        archive.load(Batch(SOURCE, run_id, number, "bench"), outcomes)
