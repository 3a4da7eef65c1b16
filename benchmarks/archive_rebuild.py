"""Making the database again from the object store, comparing it, and backing the archive up.

    python -m benchmarks.archive rebuild [--documents 10000] [--batch 500] [--json]

A document has two files, one signature verdict and half a relation. On a temporary embedded server with durability on.
``…_per_cpu_s`` are by processor time of client and server, which a busy machine changes less.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from archive.anchors import make_anchor
from archive.backup import make_backup, restore_backup
from archive.database import create_engine
from archive.dossiers import refresh
from archive.embedded import EmbeddedServer
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from archive.rebuild import rebuild
from archive.rebuild_compare import compare
from archive.runs import account
from benchmarks.generated_records import SOURCE, generated_batches, placing, planned_run
from benchmarks.measured_server import Taken, clocked, fresh_archive, measured_server


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand ``rebuild``."""
    parser = subparsers.add_parser(
        "rebuild",
        help="making the database again, comparing it, and backing up",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the phases and print the figures; 1 where what was made again is not equal."""
    with measured_server() as server, tempfile.TemporaryDirectory() as folder:
        figures = _measured(server, Path(folder), options.documents, options.batch)
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:32}{value:>14}" for name, value in figures.items()))
    return 0 if figures["equal"] else 1


def _measured(server: EmbeddedServer, folder: Path, documents: int, size: int) -> dict[str, float]:
    objects = ObjectStore(folder / "objects")
    living = create_engine(fresh_archive(server, "bench_living"))
    made = create_engine(fresh_archive(server, "bench_made"))
    restored = create_engine(fresh_archive(server, "bench_restored"))
    postmaster = server.status().pid or 0
    loaded, again, compared, saved, back = (Taken() for _ in range(5))

    run_id = planned_run(living, "lan-1", documents, size)
    for number, records in enumerate(generated_batches(documents, size, placing(objects)), start=1):
        with clocked(loaded, postmaster):
            Archive(living, objects).load(Batch(SOURCE, run_id, number, "bench"), records)
    account(living, run_id)
    make_anchor(living, objects)
    refresh(living)
    with clocked(again, postmaster):
        whole = rebuild(made, objects).whole
    with clocked(compared, postmaster), living.connect() as one, made.connect() as other:
        equal = whole and all(table.equal for table in compare(one, other))
    pool = ObjectStore(folder / "backup" / "objects")
    with clocked(saved, postmaster):
        done = make_backup(living, objects, folder / "backup", pool)
    with clocked(back, postmaster):
        restore_backup(restored, ObjectStore(folder / "restored"), folder / "backup", done.backup, pool)
    for engine in (living, made, restored):
        engine.dispose()
    return {
        "documents": documents,
        "equal": equal,
        "load_documents_per_s": round(documents / loaded.clock),
        "rebuild_documents_per_s": round(documents / again.clock),
        "rebuild_documents_per_cpu_s": round(documents / again.processor),
        "rebuild_to_load_cpu": round(loaded.processor / again.processor, 2),
        "compare_s": round(compared.clock, 2),
        "backup_objects": done.copied,
        "backup_mb": round(done.copied_bytes / 1e6, 1),
        "backup_objects_per_s": round(done.copied / saved.clock),
        "backup_mb_per_s": round(done.copied_bytes / 1e6 / saved.clock, 1),
        "restore_objects_per_s": round(done.copied / back.clock),
    }
