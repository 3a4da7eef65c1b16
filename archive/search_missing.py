"""What search cannot find, because the object store did not give it when it was indexed."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from archive.failures import database_errors


@dataclass(frozen=True, slots=True)
class Missing:
    """Of the current versions that are not destroyed.

    Attributes:
        documents: without an entry: their manifests could not be read.
        files: attached to documents, without an outcome of reading their text.
    """

    documents: int = 0
    files: int = 0


def missing(engine: sa.Engine) -> Missing:
    """What the index lacks, of what it has come to.

    Args:
        engine: as the loader.

    Raises:
        RetriableError: the database is away. FatalError: it refuses.
    """
    with database_errors("asking what search cannot find"), engine.connect() as connection:
        row = connection.execute(_MISSING).one()
    return Missing(row.documents, row.files)


# What has an event that the index has not come to yet is not missing: the last condition asks of the few that are left.
_MISSING = sa.text(
    """WITH standing AS MATERIALIZED (
      SELECT d.id, d.current_version AS version FROM archive.document d
      WHERE NOT EXISTS (SELECT FROM archive.disposed_version x
        WHERE x.document_id = d.id AND x.version = d.current_version)),
    bare AS MATERIALIZED (
      SELECT s.id, NULL AS sha256 FROM standing s
      WHERE NOT EXISTS (SELECT FROM archive.search_entry e WHERE e.document_id = s.id)
      UNION ALL
      SELECT s.id, a.sha256 FROM standing s
      JOIN archive.attachment a ON a.document_id = s.id AND a.version = s.version
      WHERE NOT EXISTS (SELECT FROM archive.extracted_text x WHERE x.sha256 = a.sha256)
        AND NOT EXISTS (SELECT FROM archive.disposed_object o WHERE o.sha256 = a.sha256)),
    missing AS (
      SELECT * FROM bare b WHERE NOT EXISTS (SELECT FROM archive.event e WHERE e.object = b.id::text
        AND e.seq > coalesce((SELECT ledger_seq FROM archive.search_state), 0)))
    SELECT count(*) FILTER (WHERE sha256 IS NULL) AS documents, count(DISTINCT sha256) AS files FROM missing"""
)
