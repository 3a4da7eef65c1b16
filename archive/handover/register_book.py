"""Making a register or list in all its formats at once, from one stream of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from archive.handover.register_forms import Ending, Heading
from archive.handover.register_pdf import RegisterBook
from archive.handover.register_xlsx import RegisterSheet

FORMATS = ("xlsx", "pdf")


@dataclass(frozen=True, slots=True)
class Printed:
    """A register that was written.

    Attributes:
        files: the written files.
        entries: rows of it.
        cut: cells of the spreadsheet that were longer than a cell can be.
        unknown_letters: letters that the printed typeface lacks; the spreadsheet has them.
    """

    files: tuple[Path, ...]
    entries: int
    cut: int = 0
    unknown_letters: int = 0


def write_register(
    heading: Heading,
    rows: Iterable[tuple[str, ...]],
    folder: Path,
    name: str,
    made: datetime,
    *,
    formats: Sequence[str] = FORMATS,
    left_out: Mapping[str, int] = MappingProxyType({}),
) -> Printed:
    """Write ``rows`` under ``heading`` into ``folder`` as ``<name>.<format>``.

    Args:
        heading: what it says of itself.
        rows: one tuple of texts an entry, as many as the form has columns.
        folder: exists.
        name: of the files, without extension; safe as a name.
        made: time of making, aware; the PDF keeps it.
        formats: of ``FORMATS``.
        left_out: how many entries are not in it, by reason in words.
    """
    sheet = RegisterSheet(heading) if "xlsx" in formats else None
    book = RegisterBook(heading, made) if "pdf" in formats else None
    entries = 0
    for row in rows:
        entries += 1
        for writer in (sheet, book):
            if writer is not None:
                writer.add(row)
    ending = Ending(entries, left_out)
    written = []
    for writer, extension in ((sheet, "xlsx"), (book, "pdf")):
        if writer is not None:
            path = folder / f"{name}.{extension}"
            writer.finish(ending, path)
            written.append(path)
    return Printed(tuple(written), entries, sheet.cut if sheet else 0, book.unknown if book else 0)
