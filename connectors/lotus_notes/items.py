"""One ``<item>`` of a Notes document as a ``Field``, with the file that it may carry."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from xml.etree.ElementTree import Element

from connectors.lotus_notes.attachments import File, file_of
from connectors.lotus_notes.cd_items import CdItem
from connectors.lotus_notes.cd_records import fonts_of
from connectors.lotus_notes.cd_richtext import SILENT
from connectors.lotus_notes.item_data import HOST_ORDER, READERS
from connectors.lotus_notes.mime_parts import LARGEST, MimePart, part_of
from connectors.lotus_notes.nodes import Node
from connectors.lotus_notes.record_xml import RecordXml
from connectors.lotus_notes.rfc822_text import MailHeader, header_of
from connectors.lotus_notes.richtext import runs_of
from connectors.lotus_notes.richtext_model import RAW_RECORDS
from connectors.lotus_notes.richtext_plain import plain_runs
from connectors.lotus_notes.values import iso_of, pair_of, text_of, unids_of
from schemas.record import BytesContent, Content, Defect, Field, TextRun

_RAW_IN_FIELD = 1 << 16
_COMPOSITE, _NOTEREFS, _MIME_PART, _MAIL_HEADER = "1", "4", "19", "502"
# Notes keeps at most 64 KB in one item; what is far beyond that is not read into memory.
_LARGEST_COMPOSITE = 16 << 20


class Item(NamedTuple):
    """What an item says.

    Attributes:
        field: always one, so that the order and the number of fields are the items'.
        files: what it carries: a ``<file>``, or the bytes of a raw item that a field does not hold.
        defects: what was wrong with it.
        mail: the header or the part of a MIME message that it is, if it is one.
        composite: the rich text in raw data that it is, if it is such; its text is read with the others of the record.
    """

    field: Field
    files: tuple[File, ...] = ()
    defects: tuple[Defect, ...] = ()
    mail: MailHeader | MimePart | None = None
    composite: CdItem | None = None


@dataclass(frozen=True, slots=True)
class _Value:
    values: tuple[str, ...] = ()
    runs: tuple[TextRun, ...] = ()
    marks: tuple[Field, ...] = ()
    files: tuple[File, ...] = ()
    defects: tuple[tuple[str, str], ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    mail: MailHeader | MimePart | None = None
    composite: CdItem | None = None


_NOTHING = _Value()


def item_in(xml: RecordXml, element: Element, line: int) -> Item:
    """The ``<item>`` at ``element``, as ``item_of`` has it. Raises ``XmlError`` when it is nested too deep."""
    if len(element) == 1:
        inner = element[0]
        kind = xml.name(inner)
        # Most items by far: one text of one piece, or plain rich text, for which no tree is built.
        if kind == "text" and not len(inner) and element.get("sealed") != "true":
            attributes = dict(xml.attributes(element))
            name = attributes.pop("name", "")
            return Item(Field(name, kind, (inner.text or "",), (), (), attributes, line))
        if kind == "richtext" and element.get("sealed") != "true":
            runs = plain_runs(xml, inner)
            if runs is not None:
                attributes = dict(xml.attributes(element))
                name = attributes.pop("name", "")
                return Item(Field(name, kind, (), runs, (), attributes, line))
    return item_of(xml.node(element, line))


def item_of(node: Node) -> Item:
    """The ``<item>`` element ``node``.

    The field's ``type`` is the name of the element inside (``text``, ``datetimelist``, ``richtext``,
    ``rawitemdata`` …; ``""`` for an empty item) and its ``attributes`` are the item's own (``sealed``,
    ``names``, ``readers``, ``authors``, ``sign`` …). Raw data also has its item ``type``; of a mail header the
    ``header`` and, where its value is a date-time, what was ``printed``; of a part of a message which ``part`` it
    is. Defects: ``item_sealed``, ``item_empty``, ``item_type_unknown``, ``datetime_unparsed``,
    ``richtext_as_raw_data``, ``richtext_record_raw``, ``raw_data_invalid``.
    """
    children = node.children
    inner = children[0] if children else None
    attributes = dict(node.attributes)
    name = attributes.pop("name", "")
    sealed = attributes.get("sealed") == "true"
    value = _NOTHING if inner is None else _reader(inner, sealed)(inner, name)
    attributes.update(value.attributes)
    kind = "" if inner is None else inner.name
    field = Field(name, kind, value.values, value.runs, value.marks, attributes, node.line)
    wrong = value.defects + _faults(children, sealed)
    where = f"item {name}, line {node.line}" if wrong else ""
    defects = tuple(Defect(code, said, where) for code, said in wrong)
    return Item(field, value.files, defects, value.mail, value.composite)


def _reader(inner: Node, sealed: bool) -> Callable[[Node, str], _Value]:
    return (
        _sealed
        if sealed and inner.name in {"itemdata", "rawitemdata"}
        else _READERS.get(inner.name, _unknown)
    )


def _faults(children: list[Node], sealed: bool) -> tuple[tuple[str, str], ...]:
    """What is wrong with the item around its value."""
    faults: tuple[tuple[str, str], ...] = ()
    if not children:
        faults = (("item_empty", "the item has no value element"),)
    elif len(children) > 1:
        extra = ", ".join(child.name for child in children[1:])
        faults = (("item_type_unknown", f"the item has more than one value element ({extra})"),)
    if sealed:
        said = "the item is encrypted by Notes; its content cannot be read here"
        faults = (*faults, ("item_sealed", said))
    return faults


def datetimes_of(nodes: list[Node]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Values of ``<datetime>`` and ``<datetimepair>``, and what could not be understood (kept as printed)."""
    values: list[str] = []
    wrong: list[tuple[str, str]] = []

    def one(printed: str) -> str:
        iso = iso_of(printed)
        if iso is None:
            wrong.append(("datetime_unparsed", f"{printed.strip()!r} is no date-time of DXL"))
            return printed.strip()
        return iso

    for node in nodes:
        if node.name == "datetimepair":
            values.append("/".join(one(printed) for printed in pair_of(node)))
        elif node.name == "datetime":
            values.append(one(node.text))
    return tuple(values), tuple(wrong)


def _text(node: Node, name: str) -> _Value:
    return _Value((text_of(node),))


def _number(node: Node, name: str) -> _Value:
    return _Value((node.text.strip(),))


def _text_list(node: Node, name: str) -> _Value:
    return _Value(tuple(text_of(child) for child in node.children))


def _number_list(node: Node, name: str) -> _Value:
    return _Value(tuple(child.text.strip() for child in node.children))


def _datetime(node: Node, name: str) -> _Value:
    values, wrong = datetimes_of([node])
    return _Value(values, defects=wrong, attributes=_dst([node]))


def _datetime_list(node: Node, name: str) -> _Value:
    values, wrong = datetimes_of(node.children)
    return _Value(values, defects=wrong, attributes=_dst(node.children))


def _dst(nodes: list[Node]) -> tuple[tuple[str, str], ...]:
    """``dst`` of date-times: information only, the printed offset has it in already."""
    return (("dst", "true"),) if any(node.attributes.get("dst") == "true" for node in nodes) else ()


def _formula(node: Node, name: str) -> _Value:
    return _Value((text_of(node),), attributes=tuple(node.attributes.items()))


def _richtext(node: Node, name: str) -> _Value:
    runs, marks = runs_of(node)
    raw = [mark for mark in marks if mark.name in RAW_RECORDS]
    if not raw or all(_holds_no_text(record) for record in _raw_records(node)):
        return _Value(runs=runs, marks=marks)
    said = f"{len(raw)} pieces of this rich text the exporter printed as bytes; they may hold text that is not read"
    return _Value(runs=runs, marks=marks, defects=(("richtext_record_raw", said),))


def _raw_records(node: Node) -> Iterator[Node]:
    for child in node.children:
        if child.name in RAW_RECORDS:
            yield child
        yield from _raw_records(child)


def _holds_no_text(record: Node) -> bool:
    """True for a record of composite data of a kind that only draws, places or runs something."""
    with (record.content or BytesContent(b"")).open() as stream:
        signature = stream.read(1)
    return bool(signature) and signature[0] in SILENT


def _object(node: Node, name: str) -> _Value:
    files = tuple(file_of(child, name) for child in node.children if child.name == "file")
    said = tuple(pair for child in node.children for pair in child.attributes.items())
    return _Value(tuple(file.name for file in files), files=files, attributes=said)


def _raw(node: Node, name: str) -> _Value:
    """An item that the exporter prints as raw bytes: what is known by its type is read, other bytes are kept as they
    are."""
    kind, content = _kind(node), _content(node)
    defects = _unclean(node)
    attributes: tuple[tuple[str, str], ...] = (("type", kind),)
    reader = _RAW_READERS.get(kind)
    if node.name == "itemdata" and kind in HOST_ORDER:
        said = (
            "the bytes are in the order of the machine that exported them, which is not known; they are kept"
        )
        defects.append(("raw_data_host_order", said))
    elif reader is not None:
        read = reader(_bytes(content)) if content.size <= LARGEST else "more bytes than an item can have"
        if isinstance(read, _Value):
            attributes += read.attributes
            return _Value(read.values, attributes=attributes, defects=tuple(defects), mail=read.mail)
        defects.append(("raw_data_invalid", read))
    composite = None
    if kind == _COMPOSITE:
        said = "the exporter could not convert this rich text and printed raw data"
        if content.size > _LARGEST_COMPOSITE:
            said += f", of more than {_LARGEST_COMPOSITE >> 20} MiB, which is not read"
        else:
            composite = CdItem(name, _bytes(content), node.line)
            if composite.is_fonts and (fonts := fonts_of(composite.data)):
                return _Value(tuple(fonts.values()), attributes=attributes, composite=composite)
        defects.append(("richtext_as_raw_data", said))
    values, files = _as_it_is(node, name, kind)
    return _Value(values, files=files, defects=tuple(defects), attributes=attributes, composite=composite)


def _sealed(node: Node, name: str) -> _Value:
    """Raw bytes that Notes encrypted: whatever they look like, they are not what their type says."""
    kind = _kind(node)
    values, files = _as_it_is(node, name, kind)
    return _Value(values, files=files, defects=tuple(_unclean(node)), attributes=(("type", kind),))


def _unclean(node: Node) -> list[tuple[str, str]]:
    return [("raw_data_invalid", f"the raw data is no clean base64 ({each})") for each in node.defects]


def _as_it_is(node: Node, name: str, kind: str) -> tuple[tuple[str, ...], tuple[File, ...]]:
    """The bytes of raw data as a value, or as a file."""
    content = _content(node)
    if kind in {_COMPOSITE, _MIME_PART} or content.size > _RAW_IN_FIELD:
        internal = f"{name}.itemdata-{kind}"
        return (), (File(internal, "itemdata", content, node.defects, name, node.line),)
    return (base64.b64encode(_bytes(content)).decode("ascii"),), ()


def _kind(node: Node) -> str:
    return node.attributes.get("type", "").strip().lower()


def _content(node: Node) -> Content:
    return node.content if node.content is not None else BytesContent(b"")


def _note_references(data: bytes) -> _Value | str:
    unids = unids_of(data)
    return (
        "the length of a list of note references does not fit its count" if unids is None else _Value(unids)
    )


def _mail_header(data: bytes) -> _Value | str:
    header = header_of(data)
    if header is None:
        return "the lengths in a mail header do not fit its bytes"
    printed = (("printed", header.text),) if header.moment else ()
    return _Value(
        (header.moment or header.text,), attributes=(("header", header.name), *printed), mail=header
    )


def _mime_part(data: bytes) -> _Value | str:
    part = part_of(data)
    if part is None:
        return "the lengths in a part of a MIME message do not fit its bytes"
    return _Value(attributes=(("part", part.kind.name.lower()),), mail=part)


def _simple(kind: str) -> Callable[[bytes], _Value | str]:
    def read(data: bytes) -> _Value | str:
        values = READERS[kind](data)
        return f"the bytes are not what an item of type {kind} holds" if values is None else _Value(values)

    return read


_RAW_READERS: dict[str, Callable[[bytes], _Value | str]] = {
    **{kind: _simple(kind) for kind in READERS},
    _NOTEREFS: _note_references,
    _MIME_PART: _mime_part,
    _MAIL_HEADER: _mail_header,
}
"""By item type: the value, or what is wrong with the bytes."""


def _unknown(node: Node, name: str) -> _Value:
    """A value element that the DTD does not have: its text is kept."""
    return _Value(
        (text_of(node),), defects=(("item_type_unknown", f"<{node.name}> is no value element of DXL"),)
    )


def _bytes(content: Content) -> bytes:
    with content.open() as stream:
        return stream.read()


_READERS: dict[str, Callable[[Node, str], _Value]] = {
    "text": _text,
    "number": _number,
    "datetime": _datetime,
    "textlist": _text_list,
    "numberlist": _number_list,
    "datetimelist": _datetime_list,
    "formula": _formula,
    "richtext": _richtext,
    "object": _object,
    "itemdata": _raw,
    "rawitemdata": _raw,
}
