"""What a night asks of the holdings: dossiers refreshed, what is due, and the whole reconciliation.

    python -m benchmarks.archive holdings [--documents 100000] [--json]

An office of 20 documents a dossier, a tenth of the numbers missing, one in a thousand given twice, every second
document citing another, every tenth waiting for a reply; half of the documents come from a second source. Rows are made
in the database itself: what is measured reads. Seconds by the clock, and memory that the client adds.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from archive.database import create_engine
from archive.dossiers import refresh
from archive.reconciliation import reconcile
from archive.retention import due_list
from benchmarks.measured_server import fresh_archive, measured_server
from mappings.office_settings import Numbering
from pipeline.table_files import write_csv, write_xlsx
from pipeline.wording import Wording

_DOCUMENTS = sa.text(
    """INSERT INTO archive.document (id, source, source_key, kind, current_version, first_received_at, access)
    SELECT md5('d' || n)::uuid, CASE WHEN n % 2 = 0 THEN 'so_di' ELSE 'truc' END, n::text, 'document', 1, now(), 'open'
    FROM generate_series(1, :documents) n"""
)
_VERSIONS = sa.text(
    """INSERT INTO archive.document_version (document_id, version, revision, received_at, run_id, manifest_sha256,
      original_sha256, original_type, original_size, kind, form, direction, signers, recipients, flags, access, uid,
      number, notation, symbol, symbol_norm, issued_date, issuer_name, issuer_norm, type_code, subject, arrival_number,
      arrival_date, due_date, file_code, file_title, retention, term, page_count)
    SELECT md5('d' || n)::uuid, 1, '1', now(), md5('run')::uuid, sha256((n || 'm')::bytea)::text,
      sha256((n || 'o')::bytea)::text, 'application/xml', 1000, 'document', 'VanBan',
      CASE WHEN n % 4 = 0 THEN 'outgoing' ELSE 'incoming' END, '{}', '{}', '[]', 'open', 'U' || n,
      number, notation, number || '-' || notation, number || '-' || lower(notation), day,
      'Tỉnh ủy Sông Hương ' || n % 40, 'tinh uy song huong ' || n % 40, 'KL',
      'Về việc triển khai thực hiện nghị quyết ' || n, (n / 2 * 10 / 9)::text, day,
      CASE WHEN n % 10 = 1 THEN day + 15 END, 'HS.' || n / 20, 'Hồ sơ về việc ' || n / 20,
      CASE n / 20 % 3 WHEN 0 THEN '10 năm' WHEN 1 THEN 'Vĩnh viễn' END, 'NK ' || n / 20000, n % 12 + 1
    FROM generate_series(1, :documents) n, LATERAL (
      SELECT (CASE WHEN n % 1000 = 0 THEN n - 4 ELSE n END / 4 * 10 / 9)::text AS number,
        CASE n % 8 WHEN 0 THEN 'KL/TU' ELSE 'QĐ/TU' END AS notation, date '2005-01-01' + n % 5000 AS day) x"""
)
_RELATIONS = sa.text(
    """INSERT INTO archive.relation (document_id, version, ordinal, kind, target_uid, evidence, target_document)
    SELECT md5('d' || n)::uuid, 1, 1, CASE WHEN n % 4 = 0 THEN 'replies_to' ELSE 'cites' END, 'U' || n - 1, '',
      CASE WHEN n % 5 <> 0 THEN md5('d' || n - 1)::uuid END
    FROM generate_series(2, :documents, 2) n"""
)
_SOURCES = sa.text("INSERT INTO archive.source VALUES ('so_di', now()), ('truc', now())")
_POLICIES = {"so_di": Numbering(restart="per_term", whole_series=True, arrivals=True), "truc": Numbering()}

Figures = dict[str, float]
_T = TypeVar("_T")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand ``holdings``."""
    parser = subparsers.add_parser(
        "holdings",
        help="dossiers, what is due, and the reconciliation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Fill an archive, run the phases, and print the figures."""
    with measured_server() as server, tempfile.TemporaryDirectory() as folder:
        engine = create_engine(fresh_archive(server, "bench_holdings"))
        with engine.begin() as connection:
            connection.execute(_SOURCES)
            for statement in (_DOCUMENTS, _VERSIONS, _RELATIONS):
                connection.execute(statement, {"documents": options.documents})
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
        figures = _measured(engine, Path(folder))
        engine.dispose()
    figures = {"documents": options.documents, **figures}
    print(json.dumps(figures) if options.json else "\n".join(f"{k:24}{v:>12}" for k, v in figures.items()))


def _measured(engine: sa.Engine, folder: Path) -> Figures:
    before = _peak()
    figures: Figures = {}
    dossiers = _clocked(figures, "refresh_s", lambda: refresh(engine)).dossiers
    if (again := _clocked(figures, "refresh_again_s", lambda: refresh(engine))).dossiers:
        raise SystemExit(f"an unchanged refresh changed {again}")
    due = _clocked(figures, "due_s", lambda: due_list(engine, date(2026, 11, 27)))
    found = _clocked(figures, "reconcile_s", lambda: reconcile(engine, _POLICIES))
    words = Wording("vi")
    _clocked(figures, "xlsx_s", lambda: write_xlsx(folder / "doi-chieu.xlsx", found.tables, words))
    _clocked(figures, "csv_s", lambda: write_csv(folder / "csv", found.tables, words))
    for table in ("gaps", "duplicates", "cited", "awaited"):
        if not (rows := len(found.table(table).rows)):
            raise SystemExit(f"nothing was found for {table}")
        figures[table] = rows
    return {"dossiers": dossiers, "due": len(due), **figures, "extra_memory_mb": _peak() - before}


def _clocked(figures: Figures, name: str, work: Callable[[], _T]) -> _T:
    begun = time.perf_counter()
    result = work()
    figures[name] = round(time.perf_counter() - begun, 2)
    return result


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
