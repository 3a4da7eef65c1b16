"""A Notes database in memory, as the Domino simulator serves it: documents that change, go and arrive late.

Moments are local at UTC+7 and without zone, as in ``demo.dxl``.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from xml.sax.saxutils import unescape

from lxml import etree

from demo.chance import token
from demo.dxl import NAMESPACE, Item, Note, document, rich_text_item, text_item

LOCAL = timezone(timedelta(hours=7))

_FILE = "$FILE"
_SUBJECTS = ("TrichYeu", "Subject", "NoiDungDon", "Title")
_BREAK = re.compile(r"<break\s*/>")
_MARKUP = re.compile(r"<[^>]*>")
_FIRST_NOTE = 0x8F6
_FIRST_MOMENT = datetime(2014, 1, 6, 7, 30)  # noqa: DTZ001 - local, see the module


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An attachment: its internal name and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document of the database.

    Attributes:
        note: identity and moments; its items too, unless ``content`` makes them when they are asked for.
        subject: what views show of it.
        attachments: files that have a ``$FILE`` URL.
        objects: ``$FILE`` items that are no attachments: pages of OLE objects, large MIME parts.
        readers: accounts that may read it; empty: all may.
        content: makes the items of ``note``.
    """

    note: Note
    subject: str = ""
    attachments: tuple[StoredFile, ...] = ()
    objects: tuple[Item, ...] = ()
    readers: frozenset[str] = frozenset()
    content: Callable[[Note], tuple[Item, ...]] | None = None

    @property
    def unid(self) -> str:
        """Its UNID, 32 hexadecimal digits."""
        return self.note.unid

    def readable_by(self, account: str) -> bool:
        """True when its Readers fields, if any, name ``account``."""
        return not self.readers or account in self.readers

    def items(self) -> tuple[Item, ...]:
        """Its items without ``$FILE``."""
        return self.content(self.note) if self.content else self.note.items

    def dxl(self, files: Iterable[Item] = ()) -> str:
        """Its ``document`` element; ``files`` are the ``$FILE`` items to print in it."""
        return document(replace(self.note, items=(*self.items(), *files)))


@dataclass(slots=True)
class NotesDatabase:
    """Documents by UNID, and what their database says of itself. Its methods may be called from any thread.

    Attributes:
        path: of its URL, without the leading slash. replica_id: 16 hexadecimal digits.
        forms: its form designs, printed.
    """

    path: str
    replica_id: str
    title: str = "Văn bản đến - đi"
    forms: tuple[str, ...] = ()
    _documents: dict[str, StoredDocument] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def add(self, documents: Iterable[StoredDocument]) -> None:
        """Take ``documents`` in as they are."""
        with self._lock:
            self._documents |= {found.unid: found for found in documents}

    def all(self) -> list[StoredDocument]:
        """Every document, ascending by note id."""
        with self._lock:
            return sorted(self._documents.values(), key=lambda found: found.note.note_id)

    def get(self, unid: str) -> StoredDocument | None:
        """The document ``unid``; ``None`` when it is deleted or never was."""
        with self._lock:
            return self._documents.get(unid)

    def edit(self, unid: str, at: datetime, subject: str) -> None:
        """Someone saves the document with another subject."""
        with self._lock:
            old = self._documents[unid]
            note = replace(old.note, modified=at, revised=None, sequence=old.note.sequence + 1)
            items = tuple(
                text_item(item.name, subject) if item.name in _SUBJECTS else item for item in note.items
            )
            self._documents[unid] = replace(old, note=replace(note, items=items), subject=subject)

    def delete(self, unid: str) -> None:
        """Leave a deletion stub, which no reader sees; fine when there is no such document."""
        with self._lock:
            self._documents.pop(unid, None)

    def replicate_in(self, arrived: StoredDocument, at: datetime) -> None:
        """``arrived`` comes from another replica: old dates of its own, new ones in this file."""
        with self._lock:
            free = max((found.note.note_id for found in self._documents.values()), default=_FIRST_NOTE)
            note = replace(
                arrived.note, note_id=free + 4, modified=at, added=at, revised=arrived.note.last_edit
            )
            self.add([replace(arrived, note=note)])

    def save_conflict(self, unid: str, at: datetime) -> str:
        """Two people saved the document at once: gives the UNID of the conflict document below it."""
        with self._lock:
            winner = self._documents[unid]
            other = token(0, "conflict", unid).hex()[:32].upper()
            note = replace(winner.note, unid=other, parent=unid, conflict=True)
            self.replicate_in(replace(winner, note=note), at)
            return other


def documents_in(dxl: bytes) -> Iterator[StoredDocument]:
    """The whole documents of an export, their attachments taken out; an export that is cut ends early."""
    parser = etree.XMLPullParser(
        events=("end",),
        tag=f"{{{NAMESPACE}}}document",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
    )
    try:
        parser.feed(dxl)
    except etree.XMLSyntaxError:
        pass  # what stood before the cut has been read
    for _, element in parser.read_events():
        yield _stored(element)


def office_documents(folder: Path) -> Iterator[StoredDocument]:
    """The documents of the exports in ``folder``, each once."""
    seen: set[str] = set()
    for export in sorted(folder.glob("*.dxl")):
        for found in documents_in(export.read_bytes()):
            if found.unid not in seen:
                seen.add(found.unid)
                yield found


def small_documents(count: int, seed: int = 0, file_every: int = 0) -> Iterator[StoredDocument]:
    """``count`` small documents in ascending order of note id and time; their items are made when asked for.

    Args:
        file_every: each document whose number this divides has an attachment; 0 for none at all.
    """
    for number in range(count):
        moment = _FIRST_MOMENT + timedelta(minutes=7 * number)
        note = Note(
            form="VanBanDen",
            unid=token(seed, "small", number).hex()[:32].upper(),
            note_id=_FIRST_NOTE + 4 * number,
            created=moment,
            modified=moment,
            added=moment,
            updated_by="CN=Van thu/OU=VPTU/O=ThuongGiang",
            items=(),
        )
        files: tuple[StoredFile, ...] = ()
        if file_every and number % file_every == 0:
            files = (StoredFile(f"phụ lục {number}.txt", f"Phụ lục {number}\r\n".encode() * 20),)
        names = tuple(file.name for file in files)
        content = partial(_small_items, number, names)
        yield StoredDocument(note, f"Về việc báo cáo số {number}", files, content=content)


def _small_items(number: int, files: tuple[str, ...], note: Note) -> tuple[Item, ...]:
    text = f"Văn phòng Tỉnh ủy đề nghị báo cáo, lần lưu {note.sequence}."
    places = "".join(
        f"<par def='1'><attachmentref name='{name}' displayname='{name}'/></par>" for name in files
    )
    return (
        text_item("SoKyHieu", f"{number}-CV/VPTU"),
        text_item("TrichYeu", f"Về việc báo cáo số {number}"),
        text_item("LoaiVanBan", "Công văn"),
        text_item("DoMat", "Thường"),
        text_item("CoQuanBanHanh", "Văn phòng Tỉnh ủy"),
        rich_text_item("NoiDung", f"<pardef id='1'/><par def='1'><run>{text}</run></par>{places}"),
    )


def _stored(element: etree._Element) -> StoredDocument:
    info = element.find(f"{{{NAMESPACE}}}noteinfo")
    created = None if info is None else _moment(info, "created")
    if info is None or created is None:
        raise ValueError("the demo's exports say of every document who it is and when it was made")
    items: list[Item] = []
    objects: list[Item] = []
    files: list[StoredFile] = []
    for found in element.iterfind(f"{{{NAMESPACE}}}item"):
        item = _item(found)
        attached = _attachment(found) if item.name == _FILE else None
        if attached is not None:
            files.append(attached)
        else:
            (objects if item.name == _FILE else items).append(item)
    modified = _moment(info, "modified") or created
    note = Note(
        form=element.get("form", ""),
        unid=info.get("unid", ""),
        note_id=int(info.get("noteid", "0"), 16),
        created=created,
        modified=modified,
        added=_moment(info, "addedtofile") or created,
        updated_by=element.findtext(f"{{{NAMESPACE}}}updatedby/{{{NAMESPACE}}}name", ""),
        items=tuple(items),
        sequence=int(info.get("sequence", "1")),
        parent=element.get("parent", ""),
        conflict=element.get("conflict") == "true",
        revised=_moment(info, "revised") or modified,
    )
    subject = next((_plain(item.value) for item in items if item.name in _SUBJECTS), "")
    return StoredDocument(note, subject, tuple(files), tuple(objects))


def _item(element: etree._Element) -> Item:
    attributes = {name: value for name, value in element.attrib.items() if name != "name"}
    value = (element.text or "") + "".join(
        etree.tostring(child, encoding="unicode").replace(f' xmlns="{NAMESPACE}"', "") for child in element
    )
    return Item(element.get("name", ""), value, attributes)


def _attachment(element: etree._Element) -> StoredFile | None:
    file = element.find(f"{{{NAMESPACE}}}object/{{{NAMESPACE}}}file")
    if file is None or file.get("hosttype", "").startswith("bytearray"):
        return None
    data = file.findtext(f"{{{NAMESPACE}}}filedata", "")
    return StoredFile(file.get("name", ""), base64.b64decode(data))


def _moment(info: etree._Element, name: str) -> datetime | None:
    """A local moment; ``None`` where the export has none."""
    printed = info.findtext(f"{{{NAMESPACE}}}{name}/{{{NAMESPACE}}}datetime", "")
    digits, _, fraction = printed[:18].partition(",")
    if not digits:
        return None
    moment = datetime.strptime(digits, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - the demo prints local time
    return moment.replace(microsecond=10_000 * int(fraction))


def _plain(value: str) -> str:
    return unescape(_MARKUP.sub("", _BREAK.sub(" ", value)))
