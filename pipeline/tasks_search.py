"""Keeping the search index up, as the DAGs and ``lienthong sync`` do it after each run."""

from __future__ import annotations

import logging
from dataclasses import asdict

from archive.indexing import Indexed, index
from archive.search_missing import Missing
from pipeline.quiet import quiet_libraries
from pipeline.settings import load_settings
from pipeline.stages import Stores, open_stores
from pipeline.wording import Wording

_log = logging.getLogger(__name__)


def update_index() -> dict[str, object]:
    """Bring the index up to the ledger's end; returns what was done. What another task is doing is not done twice."""
    quiet_libraries()
    stores = open_stores(load_settings())
    try:
        done = index_after_run(stores)
    finally:
        stores.engine.dispose()
    return asdict(done)


def index_after_run(stores: Stores) -> Indexed:
    """The same with opened stores."""
    done = index(stores.engine, stores.objects)
    _log.info("Chỉ mục tìm kiếm: %d văn bản, %d tệp được đọc chữ.", done.documents, done.files)
    if done.missing != Missing():
        _log.warning("%s", Wording("vi")("index_unreadable", **asdict(done.missing)))
    return done
