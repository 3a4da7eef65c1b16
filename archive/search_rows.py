"""A document as search sees it: its row of ``search_entry`` and of ``search_body``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from archive.search_vectors import Vector, fact
from archive.searching import issuer_norm, symbol_norm, words_of
from archive.stored_text import column_text, maybe_key
from mappings.file_text import short_type
from mappings.organs import present_code
from mappings.vietnamese import nfc
from schemas.document import OfficialDocument

FORMAT = 2
"""Of the entries; raised when the same document gives others, so that the index is made anew."""

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_LONGEST_HEAD = 4_000  # characters of a subject that go into the head, which lies in the row
_LONGEST_BODY = 2_000_000  # characters


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database knows of a document beside its manifest.

    Attributes:
        document: identity. version: the current one. received_at: when that came. changed_at: as the source says.
        recalled: whether its content is hidden, because its issuer recalled it or because it repeats what it recalls.
        verdict: the worst in force; ``None``: nothing was judged. certificates: names of those who signed.
    """

    document: UUID
    version: int
    received_at: datetime
    changed_at: datetime | None
    recalled: bool
    verdict: str | None
    certificates: tuple[str, ...]


def search_entry(
    document: OfficialDocument, standing: Standing, files: Sequence[str]
) -> Mapping[str, object]:
    """The row of ``search_entry``; ``files`` are the texts that were read out of the attached files."""
    facts = _facts(document, standing)
    head, whole = Vector(), Vector()
    for vector in (head, whole):
        _add_head(vector, document, standing.certificates)
        for name, values in facts.items():
            for value in values:
                vector.mark(fact(name, value))
    for text in (*_texts(document), *files):
        whole.add(words_of(text))
    return {
        "document_id": standing.document,
        "version": standing.version,
        "recalled": standing.recalled,
        "source": document.source,
        "kind": document.kind.value,
        "direction": document.direction.value,
        "symbol_norm": maybe_key(_symbol(document)),
        "type_code": maybe_key(_type(document)),
        "type_name": _stored(document.type_name),
        "organ": maybe_key(_organ(document)),
        "organ_name": _stored(document.issuer.name if document.issuer else None),
        "issued_date": document.issued_date,
        "sort_date": _sort_date(document, standing),
        "verdict": standing.verdict,
        "file_types": list(facts["file"]),
        "left_out": whole.left_out,
        "head": head.literal(),
        "words": whole.literal(),
    }


def search_body(document: OfficialDocument, standing: Standing) -> Mapping[str, object]:
    """The row of ``search_body``: the text as it was written, composed."""
    body = "\n".join(filter(None, (document.abstract, document.body, document.note)))
    return {
        "document_id": standing.document,
        "subject": column_text(nfc(document.subject)) if document.subject else None,
        "body": column_text(nfc(body))[:_LONGEST_BODY] or None,
    }


def type_value(code: str | None, name: str | None) -> str | None:
    """What a type is filtered and counted by: its code, or its folded name where it has none."""
    return code.casefold() if code else issuer_norm(name)


def organ_value(code: str | None, name: str | None) -> str | None:
    """What an organ is filtered and counted by: its present code, or its folded name where it has none."""
    return present_code(code) if code else issuer_norm(name)


def _add_head(vector: Vector, document: OfficialDocument, certificates: Sequence[str]) -> None:
    symbol = _symbol(document)
    vector.add(words_of(document.symbol or " ".join(filter(None, (document.number, document.notation)))), "A")
    if symbol:
        vector.add(words_of(symbol), "A")  # without leading zeros
    if document.arrival_number:
        vector.add(words_of(document.arrival_number), "A")
    vector.add(words_of((document.subject or "")[:_LONGEST_HEAD]), "B")
    vector.add(words_of(document.type_name), "B")
    for name in (*(signer.full_name for signer in document.signers), *certificates):
        vector.add(words_of(name), "C")
    if document.issuer:
        vector.add(words_of(document.issuer.name))


def _texts(document: OfficialDocument) -> list[str | None]:
    return [
        document.subject if document.subject and len(document.subject) > _LONGEST_HEAD else None,
        document.abstract,
        *document.keywords,
        *(organ.name for organ in document.recipients),
        document.body,
        *document.appendixes,
        document.note,
        document.file_title,
        *(attachment.name for attachment in document.attachments),
    ]


def _facts(document: OfficialDocument, standing: Standing) -> dict[str, tuple[str, ...]]:
    files = sorted({short_type(attachment.media_type) for attachment in document.attachments})
    single = {
        "source": document.source,
        "kind": document.kind.value,
        "direction": document.direction.value,
        "type": _type(document),
        "typename": issuer_norm(document.type_name),
        "organ": _organ(document),
        "verdict": standing.verdict,
    }
    return {name: (value,) if value else () for name, value in single.items()} | {"file": tuple(files)}


def _symbol(document: OfficialDocument) -> str | None:
    joined = f"{document.number}/{document.notation}" if document.number and document.notation else None
    return symbol_norm(document.symbol) or symbol_norm(joined or document.number)


def _type(document: OfficialDocument) -> str | None:
    return type_value(document.type_code, document.type_name)


def _organ(document: OfficialDocument) -> str | None:
    issuer = document.issuer
    return organ_value(issuer.organ_id, issuer.name) if issuer else None


def _sort_date(document: OfficialDocument, standing: Standing) -> date:
    known = document.issued_date or document.arrival_date
    moment = standing.changed_at or document.created_at or standing.received_at
    return known or moment.astimezone(LOCAL).date()


def _stored(text: str | None) -> str | None:
    return column_text(text) if text else None
