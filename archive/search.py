"""Search: what a person asks, the documents that the index finds, excerpts, counts by facet, and the next page.

Found documents stand in one order for everybody who may read them: first those whose number and notation is the one
asked for, then those named so that the words stand side by side and spelled as typed, then those named with the words
anywhere, then both again for the whole text; each newest first. A page ends in a cursor that names its last document,
so that documents which arrive meanwhile move nothing: none is shown twice, none is left out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import sqlalchemy as sa

from archive.excerpts import Excerpt, excerpt
from archive.failures import database_errors
from archive.search_query import Query
from schemas.errors import ConfigurationError

MOST = 200
"""Documents on one page, at most."""
COUNTED = 2_000
"""How many documents facets count, at most: of a search that finds more, so many of them."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found, in its current version.

    Attributes:
        level: which question it answered, 1 the best.
        verdict: the worst in force over its files; ``None``: nothing was judged.
        excerpts: pieces of its text with the words marked.
    """

    document: str
    level: int
    source: str
    source_key: str
    kind: str
    symbol: str | None
    subject: str | None
    issuer_name: str | None
    type_name: str | None
    issued_date: date | None
    direction: str
    signers: tuple[str, ...]
    verdict: str | None
    file_types: tuple[str, ...]
    access: str
    recalled: bool
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True, slots=True)
class Facet:
    """How many documents have a value; ``label`` is what the documents call it, where that is another word."""

    value: str | None
    label: str | None
    documents: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search.

    Attributes:
        hits: in order. after: the cursor for the next page; ``None`` on the last one.
        facets: by name, the most frequent first; empty unless asked for.
        counted: how many documents the facets count. is_all: whether these are all that match.
        behind: events of the ledger that the index does not know yet.
    """

    hits: tuple[Hit, ...]
    after: str | None
    facets: Mapping[str, tuple[Facet, ...]] = field(default_factory=dict)
    counted: int | None = None
    is_all: bool = True
    behind: int = 0


def search(
    engine: sa.Engine,
    query: Query,
    *,
    limit: int = 20,
    after: str | None = None,
    facets: bool = False,
    excerpts: bool = True,
) -> Found:
    """A page of what ``query`` finds for the role that ``engine`` works under.

    Args:
        engine: as reader or clerk.
        query: the words and filters.
        limit: documents on the page, at most ``MOST``.
        after: the cursor of the page before, of the same query.
        facets: count by facet, too.
        excerpts: cut excerpts.

    Raises:
        ConfigurationError: the cursor is none of this search's.
        RetriableError: the database is away. FatalError: it refuses.
    """
    size = max(1, min(limit, MOST))
    criteria = query.criteria()
    place = _read_cursor(after, criteria) if after else (None, None, None)
    asked = {"criteria": json.dumps(criteria), "most": size + 1}
    with database_errors("searching"), engine.connect() as plain:
        # One state of the archive for all questions of a page.
        connection = plain.execution_options(isolation_level="REPEATABLE READ")
        rows = connection.execute(
            _SEARCH, asked | dict(zip(("level", "date", "document"), place, strict=True))
        ).all()
        page = rows[:size]
        cut = _excerpts(connection, query, [row.document_id for row in page]) if excerpts else {}
        counts = connection.execute(_FACETS, asked | {"most": COUNTED + 1}).all() if facets else []
        behind = connection.scalar(_BEHIND) or 0
    counted, by_name = _facets(counts)
    more = len(rows) > size
    return Found(
        tuple(_hit(row, cut.get(row.document_id, ())) for row in page),
        _cursor(page[-1], criteria) if more else None,
        by_name,
        min(counted, COUNTED) if facets else None,
        counted <= COUNTED,
        behind,
    )


def _hit(row: sa.Row[tuple[object, ...]], cut: Sequence[Excerpt]) -> Hit:
    fields = {name: getattr(row, name) for name in _SHOWN}
    return Hit(
        document=str(row.document_id),
        **fields,
        signers=tuple(row.signers),
        file_types=tuple(row.file_types),
        excerpts=tuple(cut),
    )


_SHOWN = (
    *(
        "level",
        "source",
        "source_key",
        "kind",
        "symbol",
        "subject",
        "issuer_name",
        "type_name",
        "issued_date",
    ),
    *("direction", "verdict", "access", "recalled"),
)


def _excerpts(
    connection: sa.Connection, query: Query, documents: Sequence[UUID]
) -> Mapping[UUID, Sequence[Excerpt]]:
    """The subject where it shows a word, and the first other text that does.

    The database gives no more of a text than a piece around the words: who wants all of it reads the file.
    """
    words = query.marked_words()
    found: dict[UUID, list[Excerpt]] = defaultdict(list)
    if not words or not documents:
        return found
    folded, beginnings = (list(column) for column in zip(*words, strict=True))
    asked = {"documents": list(documents), "words": folded, "beginnings": beginnings}
    for row in connection.execute(_PIECES, asked):
        cut = excerpt(row.place, row.name, row.text, words)
        if cut is not None:
            found[row.document_id].append(cut)
    return found


def _facets(rows: Sequence[sa.Row[tuple[object, ...]]]) -> tuple[int, dict[str, tuple[Facet, ...]]]:
    total = 0
    found: dict[str, list[Facet]] = defaultdict(list)
    for row in rows:
        if row.facet == "total":
            total = row.documents
        else:
            found[row.facet].append(Facet(row.value, row.label, row.documents))
    return total, {
        name: tuple(sorted(values, key=lambda facet: (-facet.documents, facet.value or "")))
        for name, values in found.items()
    }


def _cursor(row: sa.Row[tuple[object, ...]], criteria: Mapping[str, object]) -> str:
    place = [row.level, row.sort_date.isoformat(), str(row.document_id), _digest(criteria)]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read_cursor(after: str, criteria: Mapping[str, object]) -> tuple[int, date, UUID]:
    try:
        padded = after + "=" * (-len(after) % 4)
        level, day, document, digest = json.loads(base64.urlsafe_b64decode(padded))
        place = (int(level), date.fromisoformat(day), UUID(document))
    except (binascii.Error, ValueError, TypeError, AttributeError):
        place, digest = None, ""
    levels = criteria["levels"]
    assert isinstance(levels, list)
    if place is None or digest != _digest(criteria) or not 1 <= place[0] <= len(levels):
        raise ConfigurationError(
            "the page cannot be continued from there",
            where=after[:80],
            expected="the cursor that the page before ended with, and the same search",
        )
    return place


def _digest(criteria: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(criteria, sort_keys=True).encode()).hexdigest()[:12]


_SEARCH = sa.text(
    """SELECT * FROM archive.search(CAST(:criteria AS jsonb), CAST(:most AS int), CAST(:level AS int),
      CAST(:date AS date), CAST(:document AS uuid))"""
)
_FACETS = sa.text("SELECT * FROM archive.search_facets(CAST(:criteria AS jsonb), CAST(:most AS int))")
_PIECES = sa.text(
    """SELECT * FROM archive.search_pieces(CAST(:documents AS uuid[]), CAST(:words AS text[]),
      CAST(:beginnings AS boolean[]))
    ORDER BY document_id, CASE place WHEN 'subject' THEN 1 ELSE 2 END"""
)
_BEHIND = sa.text("SELECT archive.search_behind()")
