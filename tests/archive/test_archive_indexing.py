"""The search index follows the ledger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from archive.indexing import index
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from tests.archive.office_records import archived, passed
from tests.mappings.page_files import docx

pytestmark = pytest.mark.postgres


def test_a_load_is_indexed_once(
    engine: sa.Engine,
    objects: ObjectStore,
    archive: Archive,
    batch: Callable[..., Batch],
    select: Callable[..., list[tuple[object, ...]]],
) -> None:
    files = {"Phụ lục.docx": docx("Bảng kê đê điều"), "ảnh.png": b"\x89PNG\r\n\x1a\nx"}
    archive.load(
        batch(), [archived(objects, "k1", files=files, verdicts=(passed(),)), archived(objects, "k2")]
    )
    first = index(engine, objects)
    assert (first.documents, first.files, first.outcomes) == (2, 2, {"text": 1, "unsupported": 1})
    assert index(engine, objects).documents == 0
    rows = select(
        """SELECT source_key, e.verdict, e.file_types, e.words @@ '''+de dieu'' & ''=kê'''::tsquery, e.symbol_norm
        FROM archive.search_entry e JOIN archive.document d ON d.id = e.document_id ORDER BY 1"""
    )
    assert rows == [
        ("k1", "TOTAL_PASSED", ["pdf"], True, "160-kl-tu"),
        ("k2", None, [], False, "160-kl-tu"),
    ]
