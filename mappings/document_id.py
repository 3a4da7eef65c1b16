"""Document identifiers of the exchange: ``{OrganId},{yyyy/MM/dd},{number}/{notation}`` or any other text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from mappings.dates import parse_date
from mappings.notation import parse_symbol


@dataclass(frozen=True, slots=True)
class DocumentIdParts:
    """What a structured DocumentId says; ``problem`` is a date's (``impossible_date`` …) or ``""``."""

    organ_id: str
    issued_date: date | None
    number: str | None
    notation: str | None
    symbol: str | None = None
    problem: str = ""


def parse_document_id(uid: str) -> DocumentIdParts | None:
    """The parts of a structured identifier; ``None`` for a UUID or any other form."""
    parts = [part.strip() for part in uid.split(",", 2)]
    if len(parts) != 3 or not all(parts):
        return None
    day = parse_date(parts[1])
    symbol = parse_symbol(parts[2])
    if symbol is None:
        number, slash, notation = parts[2].partition("/")
        return DocumentIdParts(
            parts[0], day.value, number or None, notation if slash else None, None, day.problem
        )
    return DocumentIdParts(parts[0], day.value, symbol.number, symbol.notation, symbol.printed, day.problem)
