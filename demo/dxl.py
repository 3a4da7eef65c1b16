"""Prints Notes documents as Domino 8.5 exports them in DXL: single quotes, line breaks inside tags.

The shape follows the DXL DTD; only what a document export of an application holds is here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from xml.sax.saxutils import escape

NAMESPACE = "http://www.lotus.com/dxl"

_WIDTH = 72
_TAG = re.compile(r"<[^<>]*>")
_ATTRIBUTE_GAP = re.compile(r" (?=[\w:]+=')")


@dataclass(frozen=True, slots=True)
class Item:
    """A field of a note: its name and the DXL of its value."""

    name: str
    value: str
    attributes: Mapping[str, str] = field(default_factory=lambda: {"summary": "true"})


@dataclass(frozen=True, slots=True)
class Note:
    """A document of a database; moments are local, without zone.

    Attributes:
        unid: 32 hexadecimal digits. note_id: hexadecimal number in the file. sequence: count of revisions.
        modified: in this file. added: when it came into this file. revised: its last edit anywhere; ``modified`` unless
            it came by replication.
        parent: UNID of the document that it responds to, or ``""``. conflict: True for a replication conflict.
    """

    form: str
    unid: str
    note_id: int
    created: datetime
    modified: datetime
    added: datetime
    updated_by: str
    items: tuple[Item, ...]
    sequence: int = 1
    parent: str = ""
    conflict: bool = False
    revised: datetime | None = None

    @property
    def last_edit(self) -> datetime:
        """When someone last edited it, in whichever replica."""
        return self.revised or self.modified


def database(
    notes: Iterable[str], *, replica_id: str, path: str, title: str, doctype: bool, numbers: int
) -> bytes:
    """A whole export: ``notes`` are printed elements, ``numbers`` how many documents the database counts."""
    head = "<?xml version='1.0' encoding='utf-8'?>\n"
    if doctype:
        head += "<!DOCTYPE database SYSTEM 'xmlschemas/domino_8_5_3.dtd'>\n"
    opening = element_start(
        "database",
        {
            "xmlns": NAMESPACE,
            "version": "8.5",
            "maintenanceversion": "3.0",
            "replicaid": replica_id,
            "path": path,
            "title": title,
        },
    )
    facts = element_start(
        "databaseinfo",
        {"dbid": replica_id, "odsversion": "51", "numberofdocuments": str(numbers)},
    )
    body = "\n".join([opening, facts + "</databaseinfo>", *notes, "</database>", ""])
    return (head + broken_in_tags(body)).encode("utf-8")


def document(note: Note) -> str:
    """The ``document`` element of ``note``."""
    attributes = {"form": note.form}
    if note.parent:
        attributes |= {"parent": note.parent, "response": "true"}
    if note.conflict:
        attributes["conflict"] = "true"
    return "\n".join(
        [
            element_start("document", attributes),
            note_info(note),
            f"<updatedby><name>{escape(note.updated_by)}</name></updatedby>",
            f"<revisions>{moment(note.last_edit)}</revisions>",
            *map(_item, note.items),
            "</document>",
        ]
    )


def form_design(name: str, unid: str, note_id: int, made: datetime, fields: Mapping[str, str]) -> str:
    """A design note between documents: a form whose ``fields`` are shown in the given fonts.

    Behind ``|`` in ``name`` stands its alias.
    """
    main, _, alias = name.partition("|")
    named = {"name": main, **({"alias": alias} if alias else {})}
    stamp = moment(made)
    info = element_start("noteinfo", {"noteid": f"{note_id:x}", "unid": unid, "sequence": "1"})
    rows = [
        f"<par def='1'><run><font name='{font}'/></run><run><font name='{font}'/>"
        f"<field name='{field_name}' type='text' kind='editable'/></run></par>"
        for field_name, font in fields.items()
    ]
    return "\n".join(
        [
            element_start("form", {**named, "publicaccess": "false", "designerversion": "8.5"}),
            f"{info}<created>{stamp}</created><modified>{stamp}</modified></noteinfo>",
            "<body><richtext><pardef id='1'/>",
            *rows,
            "</richtext></body>",
            "</form>",
        ]
    )


def text_item(name: str, text: str) -> Item:
    """An item with one text."""
    return Item(name, f"<text>{_text(text)}</text>")


def text_list_item(name: str, texts: Sequence[str]) -> Item:
    """An item with several texts."""
    return Item(name, "<textlist>" + "".join(f"<text>{_text(text)}</text>" for text in texts) + "</textlist>")


def number_item(name: str, number: int) -> Item:
    """An item with a number."""
    return Item(name, f"<number>{number}</number>")


def date_item(name: str, value: date | datetime) -> Item:
    """An item with a day, or with a moment at UTC+7."""
    return Item(name, moment(value))


def rich_text_item(name: str, content: str) -> Item:
    """An item with rich text; ``content`` is DXL."""
    return Item(name, f"<richtext>\n{content}\n</richtext>", {})


def file_item(name: str, data: bytes, made: datetime) -> Item:
    """An attachment, in the item ``$FILE`` where Notes keeps it."""
    facts = {
        "hosttype": "msdos",
        "compression": "none",
        "flags": "storedindoc",
        "encoding": "none",
        "name": name,
        "size": str(len(data)),
    }
    stamp = moment(made)
    lines = base64.encodebytes(data).decode("ascii")
    value = (
        f"<object>{element_start('file', facts)}<created>{stamp}</created><modified>{stamp}</modified>"
        f"<filedata>\n{lines}</filedata></file></object>"
    )
    return Item("$FILE", value, {"summary": "true", "sign": "true"})


def note_info(note: Note) -> str:
    """The ``noteinfo`` element: identity and moments."""
    opening = element_start(
        "noteinfo", {"noteid": f"{note.note_id:x}", "unid": note.unid, "sequence": str(note.sequence)}
    )
    return (
        f"{opening}\n<created>{moment(note.created)}</created>\n<modified>{moment(note.modified)}</modified>\n"
        f"<revised>{moment(note.last_edit)}</revised>\n<lastaccessed>{moment(note.modified)}</lastaccessed>\n"
        f"<addedtofile>{moment(note.added)}</addedtofile></noteinfo>"
    )


def moment(value: date | datetime) -> str:
    """The ``datetime`` element of a day or of a local moment at UTC+7."""
    printed = f"{value:%Y%m%d}"
    if isinstance(value, datetime):
        printed += f"T{value:%H%M%S},{value.microsecond // 10_000:02d}+07"
    return f"<datetime>{printed}</datetime>"


def element_start(name: str, attributes: Mapping[str, str]) -> str:
    """A start tag with its attributes in single quotes."""
    return f"<{name}" + "".join(f" {key}='{_attribute(value)}'" for key, value in attributes.items()) + ">"


def broken_in_tags(xml: str) -> str:
    """``xml`` with lines broken before attributes and before ``>``, as Domino does; text is left alone."""
    return "\n".join(_broken(line) for line in xml.split("\n"))


def _broken(line: str) -> str:
    if len(line) <= _WIDTH:
        return line
    out: list[str] = []
    column = position = 0
    for tag in _TAG.finditer(line):
        column += tag.start() - position
        out.append(line[position : tag.start()])
        for piece in _ATTRIBUTE_GAP.split(tag.group()):
            if piece.startswith("<"):
                out.append(piece)
            elif column + len(piece) > _WIDTH:
                out.append("\n " + piece)
                column = 1
            else:
                out.append(" " + piece)
                column += 1
            column += len(piece)
        if column > _WIDTH and not tag.group().startswith(("</", "<?", "<!")):
            end = out.pop()
            cut = len(end) - (2 if end.endswith("/>") else 1)
            out.append(f"{end[:cut]}\n{end[cut:]}")
            column = len(end) - cut
        position = tag.end()
    out.append(line[position:])
    return "".join(out)


def _item(item: Item) -> str:
    return f"{element_start('item', {'name': item.name, **item.attributes})}{item.value}</item>"


def _text(text: str) -> str:
    return "<break/>".join(escape(line) for line in text.split("\n"))


def _attribute(value: str) -> str:
    return escape(value, {"'": "&apos;"})
