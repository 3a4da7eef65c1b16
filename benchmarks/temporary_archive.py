"""An installation for one measurement: an empty archive in a PostgreSQL server of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from archive.database import DATABASE
from archive.embedded import EmbeddedServer
from pipeline.settings import Settings, load_settings
from pipeline.stages import Stores, open_stores

_FAST_NOT_SAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def temporary_archive() -> Iterator[tuple[Settings, Stores]]:
    """Its settings and its stores; the environment names it while it lasts."""
    with tempfile.TemporaryDirectory(prefix="lienthong-benchmark-") as place:
        folder = Path(place)
        folder.chmod(0o711)  # as root the server runs as nobody, who must come through
        server = EmbeddedServer(folder / "postgres", settings=_FAST_NOT_SAFE)
        server.start()
        try:
            server.ensure_database(DATABASE)
            chosen = {"LIENTHONG_HOME": str(folder / "home"), "LIENTHONG_DATABASE_URL": server.url(DATABASE)}
            with patch.dict(os.environ, chosen):
                settings = load_settings()
                stores = open_stores(settings)
                yield settings, stores
                stores.engine.dispose()
        finally:
            server.stop()
