"""Which documents a command lists that has to compute with all of them."""

from __future__ import annotations

import sqlalchemy as sa

from archive.failures import database_errors
from pipeline.access_accounts import open_for_reading
from pipeline.settings import load_settings


def listed_classes() -> list[str]:
    """The classes of access that the acting account may read.

    Raises:
        ConfigurationError: it may read none.
    """
    engine = open_for_reading(load_settings()).engine
    try:
        with database_errors("asking what may be listed"), engine.connect() as connection:
            return list(connection.scalar(sa.text("SELECT archive.readable_classes()")) or [])
    finally:
        engine.dispose()
