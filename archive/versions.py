"""Writing new versions, with all that belongs to them, in the loader's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import NamedTuple

import psycopg
from psycopg.rows import TupleRow

from archive.copying import MadeRows, array_text, copy_made, copy_rows, made_rows, word_array
from archive.objects import ObjectStore
from archive.outcomes import Archived
from archive.rows import (
    Version,
    attachment_rows,
    handling_rows,
    stated_access,
    verdict_rows,
    version_row,
)
from archive.stored_text import key_text, moment
from schemas.access import AccessClass, strictest
from signatures.verdict import Verdict

MANIFEST_TYPE = "application/vnd.lienthong.manifest+json"
"""Media type under which manifests stand in the table of objects."""

_UNDATED = datetime.min.replace(tzinfo=UTC)


class StoredFile(NamedTuple):
    """A file of the batch as the object store holds it."""

    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class _Known:
    number: int
    revision: str
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """The files of some records.

    Attributes:
        every: each file once, in order of hash.
        evidence: those of them that only verdicts name, in order: the others follow from the manifests.
    """

    every: Sequence[StoredFile]
    evidence: Sequence[str]


def stored_files(objects: ObjectStore, records: Iterable[Archived]) -> StoredFiles:
    """Every file that ``records`` name, and what of their verdicts' evidence the store holds.

    Raises:
        FatalError: the object store lacks one: an index over missing bytes would be worth nothing.
    """
    types, evidence = named_files(records)
    kept = {sha256: evidence[sha256] for sha256 in sorted(evidence.keys() - types) if objects.exists(sha256)}
    types = {**kept, **types}
    names = sorted(types)
    sizes = objects.sizes(names)
    return StoredFiles(
        [StoredFile(name, size, types[name]) for name, size in zip(names, sizes, strict=True)], list(kept)
    )


def named_files(records: Iterable[Archived]) -> tuple[dict[str, str], dict[str, str]]:
    """Media types by SHA-256: of the files that belong to ``records``, and of their verdicts' evidence."""
    types: dict[str, str] = {}
    evidence: dict[str, str] = {}
    for record in records:
        types.setdefault(record.manifest_sha256, MANIFEST_TYPE)
        types.setdefault(record.processed.original_sha256, record.processed.original_type)
        for file in record.processed.document.attachments:
            types.setdefault(file.sha256, file.media_type)
            if file.wrapped_sha256:
                types.setdefault(file.wrapped_sha256, "application/octet-stream")
        for found in record.processed.verdicts:
            evidence |= evidence_types(found.verdict)
    return types, evidence


def evidence_types(verdict: Verdict) -> dict[str, str]:
    """What a verdict rests on, by SHA-256: the store holds it, but for what lies inside the judged file."""
    lists = dict.fromkeys(verdict.evidence, "application/octet-stream")
    return lists | dict.fromkeys(verdict.chain, "application/pkix-cert")


def write_versions(
    cursor: psycopg.Cursor[TupleRow],
    source: str,
    run_id: str,
    records: Sequence[tuple[str, Archived]],
    numbers: Mapping[str, int] | None = None,
    sent: Callable[[Sequence[Version]], None] = lambda _: None,
) -> list[Version]:
    """Write ``records``, each after its document's identity, as new versions; returns them, numbered, in the
    order given. What belongs to them is not yet written (``write_parts``).

    Their documents stay locked until the transaction ends. A record whose revision another loader committed
    meanwhile is left out. ``numbers`` are the versions' own by SHA-256 of their manifests, where they had them before:
    in a database that is made again. ``sent`` is called with
    the versions before the database is done with them.
    """
    if not records:
        sent([])
        return []
    by_document: dict[str, list[Archived]] = {}
    for document, record in records:
        by_document.setdefault(document, []).append(record)
    known = _locked_documents(cursor, source, by_document)
    written: list[Version] = []
    current: dict[str, int] = {}
    stated: dict[str, AccessClass] = {}
    for document, candidates in by_document.items():
        had = known.get(document, [])
        fresh = _numbered(document, run_id, candidates, had)
        if numbers is not None:
            fresh = [replace(one, number=numbers[one.archived.manifest_sha256]) for one in fresh]
        written += fresh
        if fresh and (had or numbers is not None):
            current[document] = _latest([*had, *map(_known, fresh)])
            stated[document] = _strictest([version.archived for version in fresh])
    copy_rows(cursor, "document_version", map(version_row, written), lambda: sent(written))
    _set_current(cursor, current)
    _restrict(cursor, stated)
    place = {id(record): position for position, (_, record) in enumerate(records)}
    return sorted(written, key=lambda version: place[id(version.archived)])


def parts_of(versions: Sequence[Version]) -> list[MadeRows]:
    """The rows of what belongs to ``versions``: files, handling and verdicts. Relations follow (``archive.links``)."""
    return [
        made_rows("attachment", chain.from_iterable(map(attachment_rows, versions))),
        made_rows("handling_step", chain.from_iterable(map(handling_rows, versions))),
        made_rows("signature_verdict", chain.from_iterable(map(verdict_rows, versions))),
    ]


def write_parts(cursor: psycopg.Cursor[TupleRow], parts: Iterable[MadeRows]) -> None:
    """Write what belongs to versions that are written."""
    for part in parts:
        copy_made(cursor, part)


def write_objects(cursor: psycopg.Cursor[TupleRow], files: Sequence[StoredFile], at: datetime) -> None:
    """Enter ``files``, sorted by hash, where they are new."""
    if not files:
        return
    cursor.execute(
        """INSERT INTO archive.object (sha256, size, media_type, stored_at)
        SELECT sha256, size, media_type, %s FROM unnest(%s::text[], %s::bigint[], %s::text[])
        AS f(sha256, size, media_type) ORDER BY sha256 COLLATE "C" ON CONFLICT DO NOTHING""",
        (
            at,
            word_array(file.sha256 for file in files),
            word_array(str(file.size) for file in files),
            array_text(file.media_type for file in files),
        ),
    )


def _locked_documents(
    cursor: psycopg.Cursor[TupleRow], source: str, by_document: Mapping[str, list[Archived]]
) -> dict[str, list[_Known]]:
    """Insert the new documents, lock the others; returns the versions that the others have."""
    ids = sorted(by_document)
    firsts = [by_document[document][0].processed for document in ids]
    cursor.execute(
        """INSERT INTO archive.document (id, source, source_key, kind, current_version, first_received_at, access)
        SELECT id, %s, source_key, kind, current_version, received_at, access
        FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::int[], %s::timestamptz[], %s::text[])
        AS d(id, source_key, kind, current_version, received_at, access) ORDER BY id
        ON CONFLICT DO NOTHING RETURNING id::text""",
        (
            source,
            word_array(ids),
            array_text(key_text(first.document.source_key) for first in firsts),
            word_array(first.document.kind.value for first in firsts),
            word_array(str(len(by_document[document])) for document in ids),
            array_text(str(moment(first.received_at)) for first in firsts),
            word_array(_strictest(by_document[document]).value for document in ids),
        ),
    )
    new = {row[0] for row in cursor.fetchall()}
    old = [document for document in ids if document not in new]
    if not old:
        return {}
    asked = (word_array(old),)
    cursor.execute(
        "SELECT FROM archive.document WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE", asked
    )
    # Only now: a statement sees what was committed before it began, so also what the lock waited for.
    cursor.execute(
        """SELECT document_id::text, version, revision, changed_at FROM archive.document_version
        WHERE document_id = ANY(%s::uuid[])""",
        asked,
    )
    versions: dict[str, list[_Known]] = {}
    for document, number, revision, changed_at in cursor.fetchall():
        versions.setdefault(document, []).append(_Known(number, revision, changed_at))
    return versions


def _numbered(
    document: str, run_id: str, candidates: Sequence[Archived], known: Sequence[_Known]
) -> list[Version]:
    if not known and len(candidates) == 1:  # almost every document
        return [Version(document, 1, run_id, candidates[0])]
    revisions = {version.revision for version in known}
    fresh = [record for record in candidates if key_text(record.revision) not in revisions]
    fresh.sort(key=lambda record: moment(record.processed.changed_at) or _UNDATED)
    start = max((version.number for version in known), default=0) + 1
    return [Version(document, number, run_id, record) for number, record in enumerate(fresh, start)]


def _known(version: Version) -> _Known:
    return _Known(version.number, "", moment(version.processed.changed_at))


def _latest(versions: Sequence[_Known]) -> int:
    return max(versions, key=lambda version: (version.changed_at or _UNDATED, version.number)).number


def _set_current(cursor: psycopg.Cursor[TupleRow], current: Mapping[str, int]) -> None:
    if current:
        cursor.execute(
            """UPDATE archive.document d SET current_version = c.version
            FROM unnest(%s::uuid[], %s::int[]) AS c(id, version)
            WHERE d.id = c.id AND d.current_version <> c.version""",
            (word_array(current), word_array(map(str, current.values()))),
        )


def _strictest(records: Sequence[Archived]) -> AccessClass:
    if len(records) == 1:
        return stated_access(records[0].processed.document)
    return strictest(stated_access(record.processed.document) for record in records)


def _restrict(cursor: psycopg.Cursor[TupleRow], stated: Mapping[str, AccessClass]) -> None:
    """A new version can make access to its document stricter, never wider: that takes a person."""
    restricted = [document for document, found in stated.items() if found is not AccessClass.OPEN]
    if restricted:
        cursor.execute("SELECT archive.settle_access(%s::uuid[])", (word_array(restricted),))
