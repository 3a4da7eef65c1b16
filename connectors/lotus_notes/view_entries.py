"""What ``ReadViewEntries`` and the Domino Data Service answer: rows of a view.

Domino prints neither XML nor JSON as the standards have them: characters outside the BMP are two references to
surrogates in XML, JSON has escapes of its own (``\\>``), a single entry is an object instead of a list, and past the
end the list is missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from lxml import etree

from connectors.lotus_notes.domino_session import BrokenAnswerError


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One row of a view.

    Attributes:
        position: ``3``, ``3.5.1`` in a hierarchical view; ``""`` where it is not printed.
        unid: of the document, upper case; ``""`` for a category or a total.
        noteid: hexadecimal.
        columns: first value of each column by its programmatic name, as printed.
    """

    position: str
    unid: str
    noteid: str = ""
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_top_level(self) -> bool:
        """True for what ``toplevelentries`` counts."""
        return "." not in self.position


@dataclass(frozen=True, slots=True)
class ViewPage:
    """One answer.

    Attributes:
        rows: in the order printed; empty past the end.
        top_level: how many entries the server says that the top level has; ``None`` where it does not say.
    """

    rows: tuple[ViewRow, ...]
    top_level: int | None = None


def read_xml(data: bytes) -> ViewPage:
    """The answer to ``ReadViewEntries``.

    Raises:
        BrokenAnswerError: it is cut off or no such XML.
    """
    # Entities and DTDs have no place in it: none are resolved, nothing is fetched.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(_well_formed(data.strip()), parser)
    except etree.XMLSyntaxError as error:
        raise BrokenAnswerError(f"no well-formed XML: {error}") from error
    if root.getroottree().docinfo.doctype or etree.QName(root).localname != "viewentries":
        raise BrokenAnswerError(
            f"the root element is <{etree.QName(root).localname}>, expected <viewentries>"
        )
    rows = [_xml_row(entry) for entry in root.iterchildren("{*}viewentry")]
    return ViewPage(tuple(rows), _number(root.get("toplevelentries")))


def read_json(data: bytes) -> ViewPage:
    """The answer to ``ReadViewEntries&OutputFormat=JSON``.

    Raises:
        BrokenAnswerError: it is cut off or no such JSON.
    """
    found = _loaded(data)
    if not isinstance(found, dict) or not any(key.startswith("@") for key in found):
        raise BrokenAnswerError("no JSON object of view entries")
    rows = [_json_row(entry) for entry in _members(found.get("viewentry"))]
    return ViewPage(tuple(rows), _number(found.get("@toplevelentries")))


def read_collection(data: bytes) -> ViewPage:
    """The answer to ``api/data/collections/name/<view>`` or ``api/data/documents``.

    ``@modified``, which the latter prints, is a column like the others.

    Raises:
        BrokenAnswerError: it is cut off or no such JSON.
    """
    found = _loaded(data)
    if not isinstance(found, list):
        raise BrokenAnswerError("no JSON array of entries")
    return ViewPage(
        tuple(
            ViewRow(
                position=_text(entry.get("@position")),
                unid=_text(entry.get("@unid")).upper(),
                noteid=_text(entry.get("@noteid")),
                columns={name: _first(value) for name, value in entry.items()},
            )
            for entry in _members(found)
        )
    )


_REFERENCES = re.compile(rb"(?:&#(?:x[0-9a-fA-F]{1,6}|[0-9]{1,7});)+")
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def _well_formed(data: bytes) -> bytes:
    """``data`` with pairs of surrogate references joined, and what XML forbids replaced."""
    return _FORBIDDEN.sub(b" ", _REFERENCES.sub(_allowed, data))


def _allowed(found: re.Match[bytes]) -> bytes:
    digits = [reference[2:] for reference in found[0].split(b";") if reference]
    codes = [int(part[1:], 16) if part.startswith(b"x") else int(part) for part in digits]
    units = b"".join(
        code.to_bytes(2, "little") if code < 0x10000 else chr(code).encode("utf-16-le")
        for code in (min(code, 0x10FFFF) for code in codes)
    )
    text = units.decode("utf-16-le", "replace")
    return b"".join(b"&#%d;" % (ord(letter) if _in_xml(letter) else 0xFFFD) for letter in text)


def _in_xml(letter: str) -> bool:
    return (
        letter in "\t\n\r" or " " <= letter <= "\ud7ff" or "\ue000" <= letter <= "\ufffd" or letter > "\uffff"
    )


def _xml_row(entry: etree._Element) -> ViewRow:
    columns: dict[str, str] = {}
    for column in entry.iterchildren("{*}entrydata"):
        value = next((text for text in column.itertext() if text.strip()), "")
        columns.setdefault(column.get("name", ""), value.strip())
    return ViewRow(
        position=entry.get("position", ""),
        unid=entry.get("unid", "").strip().upper(),
        noteid=entry.get("noteid", ""),
        columns=columns,
    )


# A backslash, and what may follow it in JSON; anything else that follows was escaped by Domino alone.
_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9a-fA-F]{4})|(?=.)|$)', re.DOTALL)


def _loaded(data: bytes) -> object:
    text = data.decode("utf-8", "replace").lstrip("\N{BOM}")
    text = _ESCAPE.sub(lambda found: found[0] if found[1] else "", text)
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise BrokenAnswerError(f"no JSON: {error}") from error


def _members(value: object) -> Iterable[dict[str, object]]:
    """The objects in a list that is missing when empty, and no list when it has one member."""
    members = value if isinstance(value, list) else [] if value is None else [value]
    return (member for member in members if isinstance(member, dict))


def _json_row(entry: dict[str, object]) -> ViewRow:
    columns: dict[str, str] = {}
    for column in _members(entry.get("entrydata")):
        content = next((value for key, value in column.items() if not key.startswith("@")), None)
        columns.setdefault(_text(column.get("@name")), _first(content))
    return ViewRow(
        position=_text(entry.get("@position")),
        unid=_text(entry.get("@unid")).upper(),
        noteid=_text(entry.get("@noteid")),
        columns=columns,
    )


def _first(value: object) -> str:
    """The first simple value inside ``{"0": …}``, ``{"text": [{"0": …}]}`` and their like."""
    while isinstance(value, dict | list):
        inner = list(value.values()) if isinstance(value, dict) else value
        value = inner[0] if inner else ""
    return _text(value)


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _number(value: object) -> int | None:
    text = _text(value)
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else None
