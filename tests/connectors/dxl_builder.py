"""Writes small DXL exports, as Domino 8.5 prints them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape

REPLICA = "472572A1000FBC01"


def unid(number: int) -> str:
    """A UNID of the test's own."""
    return f"{number:016X}472572A1000FBC01"


def item(name: str, value: str, attributes: str = "") -> str:
    """An item around the XML of its value."""
    return f"<item name='{escape(name)}'{' ' if attributes else ''}{attributes}>{value}</item>"


def text_item(name: str, text: str, attributes: str = "") -> str:
    """A text item; line feeds become ``<break/>``."""
    return item(name, "<text>" + escape(text, quote=False).replace("\n", "<break/>") + "</text>", attributes)


def noteinfo(
    number: int, changed: str = "20120410T080000,00+07", added: str = "", revised: str = "", sequence: int = 1
) -> str:
    """A ``<noteinfo>`` with the dates that are given."""
    dates = {
        "created": "20120401T080000,00+07",
        "modified": changed,
        "revised": revised,
        "addedtofile": added,
    }
    printed = "".join(
        f"<{name}><datetime>{value}</datetime></{name}>" for name, value in dates.items() if value
    )
    return f"<noteinfo noteid='{number:x}' unid='{unid(number)}' sequence='{sequence}'>{printed}</noteinfo>"


def document(
    number: int, *items: str, form: str = "VanBanDen", info: str | None = None, extra: str = ""
) -> str:
    """A ``<document>``; ``extra`` are more attributes."""
    head = noteinfo(number) if info is None else info
    return (
        f"<document form='{form}'{' ' if extra else ''}{extra}>\n{head}\n" + "\n".join(items) + "</document>"
    )


def attachment(name: str, data: bytes, attributes: str = "", size: int | None = None) -> str:
    """A ``$FILE`` item."""
    text = base64.encodebytes(data).decode("ascii")
    size_printed = len(data) if size is None else size
    return item(
        "$FILE",
        f"<object><file hosttype='msdos' compression='none' flags='storedindoc' encoding='none' "
        f"name='{escape(name)}' size='{size_printed}' {attributes}>"
        "<created><datetime>20120410T080000,00+07</datetime></created>"
        "<modified><datetime>20120410T080000,00+07</datetime></modified>"
        f"<filedata>\n{text}</filedata></file></object>",
        "summary='true' sign='true' seal='true'",
    )


def page(name: str, data: bytes, host: str = "bytearraypage") -> str:
    """A ``$FILE`` item of an OLE object."""
    text = base64.encodebytes(data).decode("ascii")
    return item(
        "$FILE",
        f"<object><file hosttype='{host}' compression='none' flags='storedindoc' name='{name}'>"
        f"<created/><modified/><filedata>{text}</filedata></file></object>",
    )


def index(names: Iterable[str], size: int = 8192) -> bytes:
    """The index of an OLE object's pages."""
    listed = list(names)
    head = b"".join(number.to_bytes(4, "little") for number in (1, len(listed), size)).ljust(32, b"\0")
    return head + b"".join(name.encode("ascii").ljust(10, b"\0") for name in listed)


def database(
    *children: str, replica: str = REPLICA, prolog: str = "<?xml version='1.0' encoding='utf-8'?>\n"
) -> str:
    """A ``<database>`` with a little of its furniture."""
    return (
        f"{prolog}<database xmlns='http://www.lotus.com/dxl' version='8.5' maintenanceversion='3.0' "
        f"replicaid='{replica}'\n path='vanban\\congvan.nsf' title='Quản lý công văn'>\n"
        "<databaseinfo dbid='X' odsversion='51'/>\n<acl><logentry>a &gt; b</logentry></acl>\n"
        + "\n".join(children)
        + "</database>\n"
    )
