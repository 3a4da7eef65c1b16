"""Files of a Notes document: ``$FILE`` items, and OLE objects that Notes stores in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.lotus_notes.file_coding import CODINGS, plain_file
from connectors.lotus_notes.nodes import Node
from connectors.lotus_notes.spool import Spool
from schemas.record import Attachment, BytesContent, Content, chunks

OLE_TYPE = "application/x-ole-storage"
"""``declared_type`` of an embedded object: an OLE2 compound file."""

_OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_EXT_HEADER = 32
_EXT_ENTRY = 10


@dataclass(frozen=True, slots=True)
class File:
    """A ``<file>`` as the export prints it.

    Attributes:
        name: its internal name, by which rich text refers to it.
        host: ``hosttype``: ``msdos``, ``bytearraypage``, ``link`` …
        content: decoded bytes.
        defects: of the decoding, the size, the storage.
        item: the item that carried it.
        line: of the element.
        wrapped: the bytes as exported, where a transfer encoding was taken off.
    """

    name: str
    host: str
    content: Content
    defects: tuple[str, ...]
    item: str
    line: int
    wrapped: Content | None = None


def file_of(node: Node, item: str) -> File:
    """The ``<file>`` element ``node`` of ``item``, with the named defects of what cannot be taken as it is.

    Defects: ``no_data`` (no ``filedata``), ``size_mismatch`` (``size`` is printed and another one found),
    ``compressed_huffman``, ``compressed_lz1`` (neither format is public), ``encoded_quotedprintable`` … (not
    provably decoded, see ``file_coding``), ``linked_file`` (the bytes lie elsewhere), and those of the base64.
    """
    data = node.child("filedata")
    content: Content = BytesContent(b"")
    defects: list[str] = []
    if data is None or data.content is None:
        defects.append("no_data")
    else:
        content = data.content
        defects.extend(data.defects)
    host = node.attributes.get("hosttype", "unknown")
    compression = node.attributes.get("compression", "none")
    coding = node.attributes.get("encoding", "none")
    printed = node.attributes.get("size", "")
    size = int(printed) if printed.isascii() and printed.isdecimal() else None
    if host == "link":
        defects.append("linked_file")
    if compression != "none":
        defects.append(f"compressed_{_word(compression)}")
    wrapped: Content | None = None
    if coding in CODINGS and not defects:
        plain = plain_file(content, coding, size)
        if plain is not None and plain is not content:
            content, wrapped = plain, content
        elif plain is None and not (coding == "base64" and size is None):
            defects.append(f"encoded_{_word(coding)}")
    elif coding not in CODINGS | {"none"}:
        defects.append(f"encoded_{_word(coding)}")
    if compression == "none" and data is not None and size is not None and size != content.size:
        defects.append("size_mismatch")
    name = node.attributes.get("name", "")
    return File(name, host, content, tuple(defects), item, node.line, wrapped)


def joined(files: Sequence[File]) -> list[Attachment]:
    """The attachments that ``files`` are: OLE pages joined in the order of their index, others as they are.

    Domino prints the first page of an object last; only the ``bytearrayext`` item knows the order. A page
    that no index names, and an index whose pages are not all there, are delivered as they are with a defect.
    """
    pages: dict[str, list[File]] = {}
    for file in files:
        if file.host == "bytearraypage":
            pages.setdefault(file.name, []).append(file)
    attachments: list[Attachment] = []
    used: set[int] = set()
    for file in files:
        if file.host == "bytearrayext":
            attachment, parts = _object(file, pages)
            used.update(id(part) for part in parts)
            attachments.append(attachment)
        elif file.host != "bytearraypage":
            attachments.append(_plain(file))
    for file in files:
        if file.host == "bytearraypage" and id(file) not in used:
            attachments.append(_plain(file, "ole_page_without_index"))
    return attachments


def _object(index: File, pages: dict[str, list[File]]) -> tuple[Attachment, list[File]]:
    names = _page_names(index.content)
    parts = [pages[name].pop(0) for name in names if pages.get(name)]
    if not names or len(parts) != len(names):
        for part in reversed(parts):
            pages[part.name].insert(0, part)
        return _plain(index, "ole_pages_missing"), []
    spool = Spool()
    for part in parts:
        for piece in chunks(part.content):
            spool.write(piece)
    content = spool.content()
    with content.open() as stream:
        magic = stream.read(len(_OLE_MAGIC))
    found = dict.fromkeys(defect for part in (index, *parts) for defect in part.defects)
    if magic != _OLE_MAGIC:
        found["ole_not_compound_file"] = None
    return Attachment(index.name, content, OLE_TYPE, index.item, defects=tuple(found)), parts


def _page_names(index: Content) -> list[str]:
    """Names of an object's pages in order.

    The index holds DWORD 1, page count, page size, padding to 32 bytes, then 10 bytes a name.
    """
    with index.open() as stream:
        head = stream.read(_EXT_HEADER)
        count = int.from_bytes(head[4:8], "little")
        if len(head) < _EXT_HEADER or count * _EXT_ENTRY > index.size - _EXT_HEADER:
            return []
        table = stream.read(count * _EXT_ENTRY)
    return [
        table[at : at + _EXT_ENTRY].partition(b"\0")[0].decode("latin-1")
        for at in range(0, len(table), _EXT_ENTRY)
    ]


def _plain(file: File, *more: str) -> Attachment:
    defects = (*file.defects, *more)
    return Attachment(file.name, file.content, item=file.item, wrapped=file.wrapped, defects=defects)


def _word(printed: str) -> str:
    """A printed attribute value as part of a defect's name."""
    return "".join(letter if letter.isalnum() else "_" for letter in printed.lower())[:30]
