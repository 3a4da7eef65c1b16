"""Search: what is found, in which order, by whom, and how pages follow each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest
import sqlalchemy as sa

from archive.indexing import index
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from archive.search import search
from archive.search_query import Filters, Query
from tests.archive.office_records import archived

pytestmark = pytest.mark.postgres


def test_first(engine: sa.Engine, objects: ObjectStore, archive: Archive, batch: Callable[..., Batch]) -> None:
    archive.load(batch(), [archived(objects, "k1"), archived(objects, "k2", number="161", body="Căn cứ Kết luận 160-KL/TU")])
    index(engine, objects)
    for text in ("160-KL/TU", "chuyển đổi số", '"chuyển đổi số"', "chuyen*", "-luận chuyen", "", "số: 0160 kl tu"):
        q = Query(text)
        found = search(engine, q, facets=True)
        print(text, [(h.source_key, h.level, [e.text for e in h.excerpts]) for h in found.hits], found.facets, found.behind)
    assert 0
