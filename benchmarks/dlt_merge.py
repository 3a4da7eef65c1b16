"""dlt's merge of the same documents, files and signatures, as the nearest thing that others would use.

dlt is no dependency: with it comes a loader of tables, without identities, versions, links, events or an object store.
It gets plain rows that are ready in memory, in one pipeline run, three tables with their keys, upsert.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

TABLES: Mapping[str, list[str]] = {
    "document_version": ["document_id", "version"],
    "attachment": ["document_id", "version", "ordinal"],
    "signature_verdict": ["document_id", "version", "check_no", "position"],
}


def dlt_is_here() -> bool:
    """Whether dlt can be imported."""
    return importlib.util.find_spec("dlt") is not None


def merged_rows_per_s(archive_url: str, target_url: str, folder: Path, documents: int) -> float:
    """Rows a second of dlt's merge into an empty database, of what the archive has of its first ``documents``.

    Args:
        archive_url: of the loaded archive. target_url: of the empty database, with a password.
        folder: for dlt's own files.
    """
    import dlt

    os.environ["DLT_TELEMETRY_DISABLED"] = os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    rows = {table: list(_rows(archive_url, table, documents)) for table in TABLES}
    # dlt wants a host in the URL; libpq then takes the socket's folder from the query.
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(folder),
        destination=dlt.destinations.postgres(target_url.replace("@/", "@localhost/")),
        dataset_name="merged",
    )
    resources = [
        dlt.resource(
            rows[table],
            name=table,
            primary_key=keys,
            write_disposition={"disposition": "merge", "strategy": "upsert"},
        )
        for table, keys in TABLES.items()
    ]
    started = time.perf_counter()
    pipeline.run(resources)
    return sum(map(len, rows.values())) / (time.perf_counter() - started)


def _rows(url: str, table: str, documents: int) -> Iterator[dict[str, object]]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        yield from connection.execute(
            sql.SQL(
                """SELECT t.* FROM archive.{} t JOIN (SELECT id FROM archive.document ORDER BY id LIMIT %s) d
                ON d.id = t.document_id"""
            ).format(sql.Identifier(table)),
            (documents,),
        )
