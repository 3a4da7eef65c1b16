"""Loading into the archive, and loading the same again, against bare COPY of the same rows.

    python -m benchmarks.archive load [--documents 100000] [--batch 500] [--json]

The floor is COPY of exactly the rows that the loader left behind, batch by batch with a commit each, into an
empty copy of the same tables with the same indexes and constraints, from tuples that are ready in memory: no
checks, no identities, no links, no chain. Rows are those of objects, documents, versions, attachments, relations,
verdicts and events. Runs on a temporary embedded server with durability on. Making and storing the records is in
no figure.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import sql

from archive.database import create_engine
from archive.embedded import EmbeddedServer
from archive.loader import Archive, Archived, Batch
from archive.manifest import FileVerdict, Processed, manifest_bytes
from archive.migrate import migrate
from archive.objects import ObjectStore
from archive.runs import record_listed, start_run
from schemas.document import (
    AttachmentRef,
    Direction,
    OfficialDocument,
    Organ,
    Reference,
    Relation,
    RelationKind,
    Signer,
)
from schemas.record import Window
from signatures.verdict import Indication, Integrity, Verdict

TABLES = (
    "object",
    "document",
    "document_version",
    "attachment",
    "relation",
    "signature_verdict",
    "event",
)
SOURCE = "do_toc_do"
CLOCK = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TEXT = (
    "ban thường vụ tỉnh ủy yêu cầu các cấp ủy chính quyền mặt trận tổ quốc và đoàn thể triển khai thực hiện "
    "nghị quyết về chuyển đổi số cải cách hành chính phát triển kinh tế xã hội bảo đảm quốc phòng an ninh"
)


@dataclass(frozen=True, slots=True)
class Phase:
    """What one phase took: seconds by the clock, and of this process's processor."""

    seconds: float
    cpu: float


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
    with _server() as server, tempfile.TemporaryDirectory() as folder:
        url, floor = _fresh(server, "bench_archive"), _fresh(server, "bench_floor")
        engine = create_engine(url)
        objects = ObjectStore(Path(folder) / "objects")
        batches = _batches(options.documents, options.batch, objects)
        before = _peak()
        first = _load(engine, objects, batches, "lan-1")
        memory = _peak() - before
        rows, size = _rows(url, options.documents, options.batch)
        again = _load(engine, objects, batches, "lan-2")
        if (left := _rows(url, options.documents, options.batch)[1]) != size:
            raise SystemExit(f"the second load left {left} rows instead of {size}")
        copied = _copy(floor, rows)
        engine.dispose()
        _drop(server, "bench_archive", "bench_floor")
    _print(options, size, first, again, copied, memory)


@contextmanager
def _server() -> Iterator[EmbeddedServer]:
    folder = Path(tempfile.mkdtemp(prefix="lienthong-bench-"))
    folder.chmod(0o711)
    server = EmbeddedServer(folder / "postgres", settings={"autovacuum": "off", "max_wal_size": "4GB"})
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _fresh(server: EmbeddedServer, name: str) -> str:
    server.ensure_database(name)
    engine = create_engine(server.url(name))
    migrate(engine)
    engine.dispose()
    return server.url(name)


def _drop(server: EmbeddedServer, *names: str) -> None:
    with psycopg.connect(server.url("postgres", "postgresql"), autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _load(
    engine: sa.Engine, objects: ObjectStore, batches: Sequence[Sequence[Archived]], run_key: str
) -> Phase:
    run = start_run(engine, SOURCE, "backfill", Window(), run_key, now=CLOCK)
    record_listed(engine, run, sum(map(len, batches)), 0, len(batches))
    archive = Archive(engine, objects)
    with _clock() as taken:
        for number, outcomes in enumerate(batches, start=1):
            archive.load(Batch(SOURCE, run, number, "bench"), outcomes)
    return taken[0]


def _copy(url: str, rows: Sequence[Mapping[str, tuple[list[str], list[tuple[object, ...]]]]]) -> Phase:
    with psycopg.connect(url.replace("+psycopg", "")) as connection, _clock() as taken:
        for batch in rows:
            for table, (columns, lines) in batch.items():
                statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                    sql.Identifier("archive", table), sql.SQL(", ").join(map(sql.Identifier, columns))
                )
                with connection.cursor().copy(statement) as copy:
                    for line in lines:
                        copy.write_row(line)
            connection.commit()
    return taken[0]


def _rows(
    url: str, documents: int, batch: int
) -> tuple[list[dict[str, tuple[list[str], list[tuple[object, ...]]]]], int]:
    """What the loader wrote, cut into as many batches, as values that COPY takes; and the number of rows."""
    pieces = -(-documents // batch)
    cut: list[dict[str, tuple[list[str], list[tuple[object, ...]]]]] = [{} for _ in range(pieces)]
    total = 0
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        for table in TABLES:
            described = connection.execute(
                """SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0
                ORDER BY attnum""",
                (f"archive.{table}",),
            )
            columns = [row[0] for row in described]
            # jsonb as text, so that the floor does not pay for turning Python values into JSON.
            shown = [
                sql.SQL("{}::text" if name in ("flags", "verdict") else "{}").format(sql.Identifier(name))
                for name in columns
            ]
            lines = connection.execute(
                sql.SQL("SELECT {} FROM {} ORDER BY ctid").format(
                    sql.SQL(", ").join(shown), sql.Identifier("archive", table)
                )
            ).fetchall()
            total += len(lines)
            share = -(-len(lines) // pieces)
            for number in range(pieces):
                cut[number][table] = (columns, lines[number * share : (number + 1) * share])
    return cut, total


@contextmanager
def _clock() -> Iterator[list[Phase]]:
    taken: list[Phase] = []
    started, busy = time.perf_counter(), time.process_time()
    yield taken
    taken.append(Phase(time.perf_counter() - started, time.process_time() - busy))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _batches(documents: int, size: int, objects: ObjectStore) -> list[list[Archived]]:
    records = [_record(n, objects) for n in range(documents)]
    return [records[start : start + size] for start in range(0, documents, size)]


def _record(n: int, objects: ObjectStore) -> Archived:
    syllables = TEXT.split()
    words = [syllables[(n * 7 + k * k) % len(syllables)] for k in range(220)]
    issued = date(2010, 1, 1) + timedelta(days=n % 5000)
    original = _place(objects, f"original {n}".encode())
    files = [_place(objects, f"file {n} {k}".encode()) for k in range(2)]
    document = OfficialDocument(
        source=SOURCE,
        source_key=f"{n:032X}",
        revision="1",
        form="VanBanDi",
        uid=f"H99.{n}",
        number=str(n % 900 + 1),
        notation="QĐ/TU",
        symbol=f"{n % 900 + 1}-QĐ/TU",
        issued_date=issued,
        issuer=Organ(name=f"Huyện ủy {n % 40}", organ_id=f"000.{n % 40:02}.H99"),
        type_name="Quyết định",
        type_code="QĐ",
        subject=" ".join(words[:20]),
        body=" ".join(words),
        direction=Direction.OUTGOING,
        signers=(Signer(full_name="Nguyễn Văn Mẫu", position="Bí thư"),),
        recipients=(Organ(name="Các chi bộ trực thuộc"), Organ(name="Lưu Văn phòng")),
        attachments=tuple(
            AttachmentRef(
                ordinal=k, name=f"van-ban-{k}.pdf", sha256=sha256, size=size, media_type="application/pdf"
            )
            for k, (sha256, size) in enumerate(files, start=1)
        ),
        relations=(Relation(kind=RelationKind.CITES, target=Reference(uid=f"H99.{n // 2}")),)
        if n % 2
        else (),
    )
    verdict = Verdict("PDF", "Signature1", Indication.INDETERMINATE, "NO_REVOCATION_FOUND", Integrity.INTACT)
    processed = Processed(
        document=document,
        original_sha256=original[0],
        original_type="application/xml",
        original_size=original[1],
        context={"file": "van-ban.dxl"},
        changed_at=CLOCK - timedelta(minutes=n),
        verdicts=(FileVerdict(files[0][0], 1, "van-ban-1.pdf", verdict),),
        received_at=CLOCK,
    )
    return Archived(_place(objects, manifest_bytes(processed))[0], processed)


def _place(objects: ObjectStore, data: bytes) -> tuple[str, int]:
    """Put a file where the store would, without waiting for the disk: the store is not what is measured."""
    sha256 = hashlib.sha256(data).hexdigest()
    (Path(objects.location) / "sha256" / sha256[:2] / sha256).write_bytes(data)
    return sha256, len(data)


def _print(
    options: argparse.Namespace, rows: int, first: Phase, again: Phase, floor: Phase, memory: int
) -> None:
    figures = {
        "documents": options.documents,
        "batch": options.batch,
        "rows": rows,
        "copy_rows_per_s": round(rows / floor.seconds),
        "load_rows_per_s": round(rows / first.seconds),
        "rerun_rows_per_s": round(rows / again.seconds),
        "load_to_copy": round(floor.seconds / first.seconds, 2),
        "rerun_to_copy": round(floor.seconds / again.seconds, 2),
        "load_client_cpu_s": round(first.cpu, 2),
        "copy_client_cpu_s": round(floor.cpu, 2),
        "extra_memory_mb": memory,
    }
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:20}{value:>12}" for name, value in figures.items()))
