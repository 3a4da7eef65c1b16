"""All tables of the archive: importing this module makes ``metadata`` whole."""

from __future__ import annotations

from archive import tables
from archive.columns import SCHEMA, metadata

__all__ = ["SCHEMA", "metadata", "tables"]
