"""Handing over registers and lists: made, entered into the ledger, and given their name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from archive.handover.holdings_lists import dossier_document_rows, dossier_rows
from archive.handover.leaving import Handover, Item, Who, aside, hand_over, sha256_of_file
from archive.handover.register_book import FORMATS, Printed, write_register
from archive.handover.register_entries import Wanted, day_text, entry_row, register_entries
from archive.handover.register_forms import DOSSIER_DOCUMENTS, DOSSIERS, Form, Heading
from archive.handover.selection import Store, select
from archive.holdings import DossierView

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_RECALLED = "(đã thu hồi)"
_REASONS = {
    "access": "chế độ sử dụng không cho phép",
    "undated": "không có ngày, không thuộc thời gian nào",
    "undirected": "nguồn không cho biết là văn bản đi hay đến",
}


@dataclass(frozen=True, slots=True)
class Printing:
    """How a register is made.

    Attributes:
        organ: whose register it is, as printed. made: now, aware.
        target: the new folder. who: who makes it. formats: of ``FORMATS``.
    """

    organ: str
    made: datetime
    target: Path
    who: Who
    formats: Sequence[str] = FORMATS

    def heading(self, form: Form, period: str) -> Heading:
        """What the register says of itself."""
        return Heading(form, self.organ, period, day_text(self.made.astimezone(_ZONE).date()))


def hand_over_register(store: Store, wanted: Wanted, printing: Printing) -> tuple[Printed, Handover]:
    """A register of documents.

    Raises:
        ConfigurationError: the target is there already. FatalError: an object or the database fails.
    """
    name = f"{wanted.form.name}-{wanted.period.first.isoformat()}-{wanted.period.last.isoformat()}"
    heading = printing.heading(wanted.form, str(wanted.period))
    with aside(printing.target) as partial:
        with register_entries(store.engine, store.objects, wanted) as (counts, entries):
            left_out = {
                "access": counts.closed,
                "undated": counts.undated,
                "undirected": counts.undirected,
            }
            printed = write_register(
                heading,
                (entry_row(wanted, entry) for entry in entries),
                partial,
                name,
                printing.made,
                formats=printing.formats,
                left_out={_REASONS[reason]: count for reason, count in left_out.items()},
            )
        handover = _handover(counts.selected, printed, f"{wanted.source}/{name}", wanted.source, left_out)
        hand_over(store.engine, partial, printing.target, handover, printing.who, printing.made)
    return printed, handover


def hand_over_dossier_list(
    store: Store,
    dossier: DossierView,
    readable: frozenset[str],
    printing: Printing,
    *,
    whole: bool = False,
) -> tuple[Printed, Handover]:
    """The list of a dossier's documents: those that may be read, destroyed ones by their trace. Raises as above.

    The subjects of recalled ones are printed only where ``whole``, for a clerk.
    """
    chosen = select(store.engine, [found.document for found in dossier.documents], readable, recalled=whole)
    closed = {left.object for left in chosen.left_out if left.reason == "access"}
    recalled = {left.object for left in chosen.left_out if left.reason == "recalled"}
    shown = replace(
        dossier,
        documents=tuple(
            replace(found, subject=_RECALLED) if found.document in recalled else found
            for found in dossier.documents
            if found.document not in closed
        ),
    )
    heading = printing.heading(DOSSIER_DOCUMENTS, f"Hồ sơ: {dossier.title or dossier.code or dossier.id}")
    with aside(printing.target) as partial:
        printed = write_register(
            heading,
            dossier_document_rows(shown),
            partial,
            DOSSIER_DOCUMENTS.name,
            printing.made,
            formats=printing.formats,
            left_out={_REASONS["access"]: len(closed)},
        )
        left_out = {"access": len(closed)}
        handover = _handover(len(dossier.documents), printed, dossier.id, dossier.source, left_out)
        hand_over(store.engine, partial, printing.target, handover, printing.who, printing.made)
    return printed, handover


def hand_over_dossiers_list(
    store: Store,
    dossiers: Sequence[DossierView],
    readable: Collection[str],
    what: str,
    printing: Printing,
) -> tuple[Printed, Handover]:
    """The list of those of ``dossiers``, the ones of ``what``, whose identities are ``readable``. Raises as above."""
    heading = printing.heading(DOSSIERS, what)
    shown = [dossier for dossier in dossiers if dossier.id in readable]
    left_out = {"access": len(dossiers) - len(shown)}
    with aside(printing.target) as partial:
        printed = write_register(
            heading,
            dossier_rows(shown),
            partial,
            DOSSIERS.name,
            printing.made,
            formats=printing.formats,
            left_out={_REASONS["access"]: left_out["access"]},
        )
        handover = _handover(len(dossiers), printed, what, "", left_out)
        hand_over(store.engine, partial, printing.target, handover, printing.who, printing.made)
    return printed, handover


def _handover(selected: int, printed: Printed, of: str, source: str, left_out: dict[str, int]) -> Handover:
    items = [
        Item(of, source, path.name, sha256_of_file(path), 1, path.stat().st_size) for path in printed.files
    ]
    left = {reason: count for reason, count in left_out.items() if count}
    return Handover("register", selected, printed.entries, items, left_out=left)
