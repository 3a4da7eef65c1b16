"""What a package for the next archive carries, read from the archive: documents, their files, verdicts and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

import sqlalchemy as sa

from archive.failures import database_errors
from archive.handover.safe_names import extension, safe_name
from archive.handover.tt05_fields import Fields, document_fields, dossier_fields, lot_fields
from archive.holdings import DossierView
from archive.identities import NAMESPACE
from archive.ledger import EventType
from archive.manifest import Processed, read_manifest
from archive.objects import ObjectStore
from archive.queries import find_with_recalled
from archive.retention import kept
from archive.views import DocumentView
from schemas.errors import FatalError

LEAVING = (EventType.EXPORT, EventType.READING)
"""Events that a package does not tell: with them, no second package could equal the first."""


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file of a document as it goes out.

    Attributes:
        name: ours, below the folder of data. ordinal: 0 for the original record, else that of the attachment.
        original_name: as the source prints it; of an original record its key there.
        sha256, size, media_type: of the bytes, as recognised.
    """

    name: str
    ordinal: int
    original_name: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An event of the ledger about a document."""

    seq: int
    at: datetime
    type: str
    outcome: str
    hash: str


@dataclass(frozen=True, slots=True)
class PackedDocument:
    """A document in a package.

    Attributes:
        ordinal: its place in the package, from 1. stem: what the names of its files begin with.
        view: its verdicts, relations and history. processed: its current version.
        files: original record first, then the attachments in order.
        events: of the ledger, oldest first, without ``LEAVING``.
        fields: those of the Circular. access: its class in the archive, where it has one.
    """

    ordinal: int
    stem: str
    view: DocumentView
    processed: Processed
    files: tuple[PackedFile, ...]
    events: tuple[LedgerEntry, ...]
    fields: Fields
    access: str | None = None

    def manifests(self) -> list[tuple[str, str]]:
        """The manifests of its version and of that version's later checks: our name, SHA-256."""
        current = self.view.current
        checks = [(f"{self.stem}.check-{check.check_no}.json", check.sha256) for check in current.checks]
        return [(f"{self.stem}.manifest.json", current.manifest_sha256), *checks]


@dataclass(frozen=True, slots=True)
class Package:
    """A package: a dossier with its documents (``SIP_hoso``), or one document by itself (``SIP_tailieu``).

    Attributes:
        kind: ``SIP_hoso`` or ``SIP_tailieu``. identity: made from what is in it.
        title: tiêu đề. fields: of the package. dossier: ``None`` for a single document.
        organ, organ_code: whose archive hands over.
        state: the moment of the newest fact in it, which stands for its making: equal content, equal bytes.
    """

    kind: str
    identity: UUID
    title: str
    fields: Fields
    documents: tuple[PackedDocument, ...]
    organ: str
    organ_code: str | None
    state: datetime
    dossier: DossierView | None = None

    @property
    def name(self) -> str:
        """``uuid-{UUID}`` as the Circular writes it: its folder, and its ``OBJID``."""
        return f"uuid-{str(self.identity).upper()}"


@dataclass(frozen=True, slots=True)
class Holder:
    """The office that hands over: its name and code."""

    name: str
    code: str | None = None


def document_package(
    engine: sa.Engine, objects: ObjectStore, document: str, holder: Holder, access: Mapping[str, str]
) -> Package:
    """The package of one document.

    Args:
        engine: of the archive. objects: its store.
        document: identity in the archive.
        holder: who hands over.
        access: class of each document by its identity.

    Raises:
        FatalError: there is no such document, or its manifest is gone.
    """
    packed = _documents(engine, objects, [document], None, access)
    title = packed[0].processed.document.subject or packed[0].view.source_key
    fields = lot_fields(title, [found.processed.document.direction for found in packed], len(packed))
    return _package("SIP_tailieu", document, title, fields, packed, holder, None)


def dossier_package(
    engine: sa.Engine,
    objects: ObjectStore,
    dossier: DossierView,
    documents: Sequence[str],
    holder: Holder,
    access: Mapping[str, str],
) -> Package:
    """The package of ``dossier`` with those of its documents that may leave, in its order. Raises as above."""
    packed = _documents(engine, objects, documents, dossier, access)
    pages = [found.processed.document.page_count for found in packed]
    known = [count for count in pages if count is not None]
    total = sum(known) if known and len(known) == len(pages) else None
    fields = dossier_fields(dossier, len(packed), total)
    title = dossier.title or dossier.code or dossier.id
    return _package("SIP_hoso", dossier.id, title, fields, packed, holder, dossier)


def _package(
    kind: str,
    of: str,
    title: str,
    fields: Fields,
    documents: tuple[PackedDocument, ...],
    holder: Holder,
    dossier: DossierView | None,
) -> Package:
    held = "|".join(f"{found.view.document}:{found.view.current.version}" for found in documents)
    moments = [moment for found in documents for moment in _moments(found)]
    return Package(
        kind=kind,
        identity=uuid5(NAMESPACE, f"package|{kind}|{of}|{held}"),
        title=title,
        fields=fields,
        documents=documents,
        organ=holder.name,
        organ_code=holder.code,
        state=max(moments),
        dossier=dossier,
    )


def _moments(document: PackedDocument) -> list[datetime]:
    current = document.view.current
    return [
        current.received_at,
        *(event.at for event in document.events),
        *(check.verified_at for check in current.checks),
    ]


def _documents(
    engine: sa.Engine,
    objects: ObjectStore,
    identities: Sequence[str],
    dossier: DossierView | None,
    access: Mapping[str, str],
) -> tuple[PackedDocument, ...]:
    events = _events(engine, identities)
    known = {found.document: found.retention for found in kept(engine, identities) if found.said_by}
    told = {
        identity: _Told(access.get(identity), known.get(identity), events.get(identity, ()))
        for identity in identities
    }
    return tuple(
        _document(engine, objects, identity, ordinal, dossier, told[identity])
        for ordinal, identity in enumerate(identities, start=1)
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What the archive, and not the record, says of a document."""

    access: str | None
    retention: str | None
    events: tuple[LedgerEntry, ...]


def _document(
    engine: sa.Engine,
    objects: ObjectStore,
    identity: str,
    ordinal: int,
    dossier: DossierView | None,
    told: _Told,
) -> PackedDocument:
    found = [view for view in find_with_recalled(engine, identity) if view.document == identity]
    if not found:
        raise FatalError(
            f"the archive holds no document {identity}", action="look it up with `lienthong show`"
        )
    view = found[0]
    with objects.open(view.current.manifest_sha256) as stream:
        processed = read_manifest(stream.read())
    fields = document_fields(
        processed.document,
        identity,
        ordinal,
        dossier=dossier,
        access=told.access,
        retention=told.retention,
    )
    stem = f"{ordinal:04d}-{safe_name(fields.values['docId'], identity[:8])}"
    return PackedDocument(
        ordinal=ordinal,
        stem=stem,
        view=view,
        processed=processed,
        files=_files(view, processed, stem),
        events=told.events,
        fields=fields,
        access=told.access,
    )


def _files(view: DocumentView, processed: Processed, stem: str) -> tuple[PackedFile, ...]:
    original = PackedFile(
        name=f"{stem}.00{extension(processed.original_type)}",
        ordinal=0,
        original_name=view.source_key,
        sha256=processed.original_sha256,
        size=processed.original_size,
        media_type=processed.original_type,
    )
    attached = (
        PackedFile(
            name=f"{stem}.{file.ordinal:02d}{extension(file.media_type)}",
            ordinal=file.ordinal,
            original_name=file.name,
            sha256=file.sha256,
            size=file.size,
            media_type=file.media_type,
        )
        for file in processed.document.attachments
    )
    return (original, *attached)


def _events(engine: sa.Engine, identities: Sequence[str]) -> dict[str, tuple[LedgerEntry, ...]]:
    found: dict[str, list[LedgerEntry]] = {}
    asked = {"ids": list(identities), "leaving": [kind.value for kind in LEAVING]}
    with database_errors("reading the events of documents"), engine.connect() as connection:
        for row in connection.execute(_EVENTS, asked):
            entry = LedgerEntry(row.seq, row.at, row.type, row.outcome, row.hash)
            found.setdefault(row.object, []).append(entry)
    return {identity: tuple(entries) for identity, entries in found.items()}


_EVENTS = sa.text(
    """SELECT object, seq, at, type, outcome, hash FROM archive.event
    WHERE object = ANY(:ids) AND type <> ALL(:leaving) ORDER BY seq"""
)
