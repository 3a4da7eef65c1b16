"""Rows of the lists of a dossier's documents and of dossiers (Decree 30/2020/NĐ-CP, Appendix V)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archive.handover.register_entries import day_text, printed_symbol, title_and_subject
from archive.holdings import DossierView


def dossier_document_rows(dossier: DossierView) -> Iterator[tuple[str, ...]]:
    """Mục lục văn bản trong hồ sơ: the pages of each document run on, as far as every page count is known."""
    page: int | None = 1
    for document in dossier.documents:
        place, page = _pages(page, document.page_count)
        yield (
            str(document.ordinal),
            printed_symbol(document.symbol, document.number, document.notation),
            day_text(document.issued_date),
            title_and_subject(document.type_name, document.subject),
            document.issuer_name or "",
            place,
            "Nội dung đã tiêu hủy theo quyết định" if document.disposed else "",
        )


def dossier_rows(dossiers: Iterable[DossierView]) -> Iterator[tuple[str, ...]]:
    """Mục lục hồ sơ."""
    for number, dossier in enumerate(dossiers, start=1):
        yield (
            str(number),
            dossier.code or "",
            dossier.title or "",
            _span(dossier),
            dossier.retention or "",
            _size(dossier),
            dossier.note or "",
        )


def _pages(first: int | None, count: int | None) -> tuple[str, int | None]:
    """Where a document stands, and where the next one begins; nothing once a count is not known."""
    if first is None or not count or count < 1:
        return "", None
    last = first + count - 1
    return (str(first) if last == first else f"{first}-{last}"), last + 1


def _span(dossier: DossierView) -> str:
    days = [day_text(day) for day in (dossier.start_date, dossier.end_date) if day is not None]
    return " – ".join(dict.fromkeys(days))


def _size(dossier: DossierView) -> str:
    """Tờ/trang as far as somebody counted them."""
    counts = ((dossier.paper_count, "tờ"), (dossier.page_count, "trang"))
    return ", ".join(f"{count} {word}" for count, word in counts if count is not None)
