"""Handing over packages: of single documents, of dossiers, as folders, files or one bag."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from archive.handover.bag import make_bag
from archive.handover.containers import contain
from archive.handover.hsltcq import write_hsltcq
from archive.handover.leaving import Handover, Item, Who, aside, hand_over, sha256_of_file
from archive.handover.originals import write_originals
from archive.handover.package_content import Holder, Package, document_package, dossier_package
from archive.handover.selection import Selection, Store, select
from archive.handover.sip import write_sip
from archive.holdings import DossierView
from archive.reading import Reader, Reading, record_readings
from schemas.errors import ConfigurationError

PAYLOADS = ("sip", "originals")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be handed over.

    Attributes:
        documents: identities of single documents. dossiers: with their documents.
        readable: classes of access that may leave. recalled: recalled documents too.
        holder: who hands over.
    """

    documents: Sequence[str]
    dossiers: Sequence[DossierView]
    readable: frozenset[str]
    holder: Holder
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class _Lot:
    """One package to be, and what of it was left out."""

    dossier: DossierView | None
    selection: Selection


def hand_over_sips(store: Store, asked: Asked, target: Path, container: str, who: Who) -> Handover:
    """A package a document and a dossier below ``target``, each as a folder, ZIP or TAR.

    Raises:
        ConfigurationError: nothing was asked for, nothing of it may leave, or ``target`` is there already.
        FatalError: an object is gone or changed; nothing was handed over.
    """
    lots = _lots(store, asked)
    with aside(target) as partial:
        made = _write_each(store, asked, lots, partial, _sip_writer(store, container))
        return _leave(store, "sip", lots, made, (partial, target, who))


def hand_over_bag(store: Store, asked: Asked, target: Path, payload: str, who: Who) -> Handover:
    """One bag (RFC 8493) at ``target``, of packages or of originals with their manifests. Raises as above."""
    lots = _lots(store, asked)
    writer = _sip_writer(store, "folder") if payload == "sip" else _originals_writer(store)
    with aside(target) as partial:
        made = _write_each(store, asked, lots, partial, writer)
        make_bag(partial, asked.holder, _newest(store, lots))
        inside = [replace(one, item=replace(one.item, path=f"data/{one.item.path}")) for one in made]
        seal = sha256_of_file(partial / "tagmanifest-sha256.txt")
        return _leave(store, "bag", lots, inside, (partial, target, who), seal)


def hand_over_hsltcq(store: Store, asked: Asked, target: Path, who: Who) -> Handover:
    """The Party's spreadsheet with its files, a folder for each dossier. Raises as above."""
    if asked.documents:
        raise ConfigurationError(
            "the template HSLTCQ describes dossiers", expected="--dossier or --fonds, and no single documents"
        )
    lots = _lots(store, asked)

    def write(package: Package, parent: Path) -> _Made:
        folder, notices = write_hsltcq(package, store.objects, parent)
        digest = sha256_of_file(folder / "MetaDuLieu.xlsx")
        return _Made(_measured(folder, package, digest), notices, _readings(package))

    with aside(target) as partial:
        made = _write_each(store, asked, lots, partial, write)
        return _leave(store, "hsltcq", lots, made, (partial, target, who))


def _lots(store: Store, asked: Asked) -> list[_Lot]:
    def chosen(documents: Sequence[str]) -> Selection:
        return select(store.engine, documents, asked.readable, recalled=asked.recalled)

    lots = [_Lot(None, chosen([document])) for document in dict.fromkeys(asked.documents)]
    lots += [_Lot(found, chosen([part.document for part in found.documents])) for found in asked.dossiers]
    if not any(lot.selection.out for lot in lots):
        reasons = Counter(left.reason for lot in lots for left in lot.selection.left_out)
        told = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
        raise ConfigurationError(
            "nothing of what was asked for may leave" + (f": {told}" if told else ""),
            expected="at least one document that this role may read, not destroyed and not recalled",
            action="name documents or dossiers; for personal ones work under the clerk's role",
        )
    return lots


@dataclass(frozen=True, slots=True)
class _Made:
    """A package that was written: what leaves, what is to be known of it, and which files can be read in it."""

    item: Item
    notices: Counter[str]
    readings: tuple[Reading, ...]


_Writer = Callable[[Package, Path], _Made]


def _write_each(
    store: Store, asked: Asked, lots: Sequence[_Lot], partial: Path, write: _Writer
) -> list[_Made]:
    return [write(_package(store, asked, lot), partial) for lot in lots if lot.selection.out]


def _package(store: Store, asked: Asked, lot: _Lot) -> Package:
    out, access = lot.selection.out, lot.selection.access
    if lot.dossier is None:
        return document_package(store.engine, store.objects, out[0], asked.holder, access)
    return dossier_package(store.engine, store.objects, lot.dossier, out, asked.holder, access)


def _sip_writer(store: Store, container: str) -> _Writer:
    def write(package: Package, parent: Path) -> _Made:
        folder = write_sip(package, store.objects, parent)
        item = _measured(folder, package, sha256_of_file(folder / "METS.xml"))
        path = contain(folder, container)
        if path != folder:
            item = replace(item, path=path.name, sha256=sha256_of_file(path))
        return _Made(item, _notices(package), _readings(package))

    return write


def _originals_writer(store: Store) -> _Writer:
    def write(package: Package, parent: Path) -> _Made:
        folder = write_originals(package, store.objects, parent)
        return _Made(_measured(folder, package, _listing(folder)), Counter(), _readings(package))

    return write


def _readings(package: Package) -> tuple[Reading, ...]:
    """The files of a package's documents: whoever receives it can read them."""
    return tuple(
        Reading(document.view.document, file.sha256)
        for document in package.documents
        for file in document.files
    )


def _listing(folder: Path) -> str:
    """SHA-256 of the list of a folder's files with theirs."""
    digest = hashlib.sha256()
    for path in sorted(found for found in folder.rglob("*") if found.is_file()):
        digest.update(f"{sha256_of_file(path)}  {path.relative_to(folder).as_posix()}\n".encode())
    return digest.hexdigest()


def _measured(folder: Path, package: Package, sha256: str) -> Item:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    dossier, first = package.dossier, package.documents[0].view
    object_, source = (dossier.id, dossier.source) if dossier else (first.document, first.source)
    return Item(object_, source, folder.name, sha256, len(sizes), sum(sizes))


def _notices(package: Package) -> Counter[str]:
    told = Counter(notice.code for notice in package.fields.notices)
    for document in package.documents:
        told.update(notice.code for notice in document.fields.notices)
    return told


def _newest(store: Store, lots: Sequence[_Lot]) -> str:
    """The day of the newest version that leaves: equal content is bagged on an equal day."""
    ids = [identity for lot in lots for identity in lot.selection.out]
    query = sa.text(
        """SELECT to_char(max(v.received_at AT TIME ZONE 'Asia/Ho_Chi_Minh'), 'YYYY-MM-DD')
        FROM archive.document d JOIN archive.document_version v
          ON v.document_id = d.id AND v.version = d.current_version WHERE d.id = ANY(CAST(:ids AS uuid[]))"""
    )
    with store.engine.connect() as connection:
        return str(connection.scalar(query, {"ids": ids}))


def _leave(
    store: Store,
    kind: str,
    lots: Sequence[_Lot],
    made: Sequence[_Made],
    places: tuple[Path, Path, Who],
    seal: str = "",
) -> Handover:
    partial, target, who = places
    out = [identity for lot in lots for identity in lot.selection.out]
    notices: Counter[str] = Counter()
    for one in made:
        notices.update(one.notices)
    handover = Handover(
        kind,
        selected=sum(lot.selection.selected for lot in lots),
        handed_over=len(out),
        items=tuple(one.item for one in made),
        documents=tuple(out),
        left_out=Counter(left.reason for lot in lots for left in lot.selection.left_out),
        notices=notices,
        seal=seal,
    )
    files = list(dict.fromkeys(reading for one in made for reading in one.readings))
    record_readings(store.engine, files, Reader(who.by, who.account, who.why))
    hand_over(store.engine, partial, target, handover, who)
    return handover
