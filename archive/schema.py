"""All tables of the archive: importing this module makes ``metadata`` whole."""

from __future__ import annotations

from archive import fixity_tables, holdings_tables, search_tables, tables
from archive.columns import SCHEMA, metadata

__all__ = ["SCHEMA", "fixity_tables", "holdings_tables", "metadata", "search_tables", "tables"]
