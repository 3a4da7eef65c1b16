"""Pages of HTML, one for each record of an export, for somebody to look at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from connectors.lotus_notes.dxl import read_record
from connectors.lotus_notes.folder import DxlFolder
from connectors.lotus_notes.record_page import record_page
from mappings.field_paths import leaves, members
from mappings.vietnamese import RecordText
from schemas.record import Content, Listing, SourceRecord, TextRun, Window

_BATCH = 64


def write_pages(export: Path, folder: Path) -> int:
    """Writes a page of every readable record of a DXL export into ``folder``, which is made where it is missing.

    Legacy Vietnamese text is decoded by the fonts of its runs and the votes of its record. A page is called after the
    record's key; a later record of the same key gets a number.

    Returns:
        How many pages were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = DxlFolder("inspect", export)
    listings = source.inventory(Window())
    written: dict[str, int] = {}
    while batch := list(islice(listings, _BATCH)):
        for record in source.fetch(batch):
            if isinstance(record, SourceRecord):
                (folder / _name(record.listing, written)).write_text(_page(record), encoding="utf-8")
    return sum(written.values())


def page_of(original: Content, context: Mapping[str, str]) -> str | None:
    """The page of one archived record of DXL, read again from its original; ``None`` where it cannot be read."""
    answer = read_record(Listing("", "", ""), original, context)
    return _page(answer) if isinstance(answer, SourceRecord) else None


def _page(record: SourceRecord) -> str:
    text = RecordText(member for _, field in leaves(record.fields) for member in members(field))

    def decode(shown: str, font: str | None) -> str:
        return text.decode_runs([TextRun(shown, font)]).text

    return record_page(record, decode)


def _name(listing: Listing, written: dict[str, int]) -> str:
    stem = re.sub(r"[^0-9A-Za-z]+", "-", listing.key).strip("-")[:120] or "record"
    written[stem] = written.get(stem, 0) + 1
    return f"{stem}.html" if written[stem] == 1 else f"{stem}-{written[stem]}.html"
