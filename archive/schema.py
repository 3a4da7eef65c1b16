"""All tables of the archive: importing this module makes ``metadata`` whole."""

from __future__ import annotations

from archive import anchor_tables, fixity_tables, holdings_tables, search_tables, tables
from archive.columns import SCHEMA, metadata

__all__ = [
    "APPEND_ONLY",
    "SCHEMA",
    "anchor_tables",
    "fixity_tables",
    "holdings_tables",
    "metadata",
    "search_tables",
    "tables",
]

APPEND_ONLY = frozenset(
    {
        "anchor",
        "attachment",
        "document_version",
        "event",
        "handling_step",
        "signature_verdict",
        "verdict_set_aside",
        "verification",
    }
)
"""Tables whose rows are never changed: no role but the owner's may, and a trigger refuses the owner too."""
