"""All tables of the archive: importing this module makes ``metadata`` whole."""

from __future__ import annotations

from archive import search_tables, tables
from archive.columns import SCHEMA, metadata

__all__ = ["SCHEMA", "metadata", "search_tables", "tables"]
