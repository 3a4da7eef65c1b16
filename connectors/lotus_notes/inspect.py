"""What a DXL export holds, one JSON object a document: what administrators look at and script against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from connectors.lotus_notes.attachments import OLE_TYPE
from connectors.lotus_notes.dxl import PRINTED
from connectors.lotus_notes.folder import DxlFolder
from schemas.record import Attachment, Defect, Field, SourceRecord, Unreadable, sha256_of

_MESSAGE = "message/rfc822"
_SCALARS = (
    "unid",
    "noteid",
    "form",
    "kind",
    "parent",
    "created",
    "modified",
    "revised",
    "added",
    "sequence",
)
_TEXTUAL = frozenset({"text", "textlist", "richtext", "formula"})


def inspect_dxl(path: Path, skipped: Counter[str] | None = None) -> Iterator[dict[str, object]]:
    """The documents of an export, an archive or a folder of them, in their order; each loss in its place.

    Every object has the same keys, and only JSON values::

        {"unid", "noteid", "form", "kind", "parent", "created", "modified", "revised", "added", "sequence",
         "items": [{"name", "type", "values", "text", "sealed"}],
         "attachments": [{"name", "size", "sha256", "item"}],
         "ole": [{"name", "size", "sha256", "item", "class", "description"}],
         "mime": null | {"size", "sha256"},
         "unreadable": [{"reason", "message", "where"}]}

    ``kind`` is the element (``document``, ``note``, ``profiledocument``), ``null`` for a piece that cannot
    be read at all; date-times are ISO 8601 with the printed offset; ``text`` is the plain text of text and
    rich text items (also of rich text in raw data), else ``null``; ``unreadable`` names everything of the
    document that was not read as it should be. What is not printed is ``null``. Where parents lead back to a
    document (``parent_loop``), the last one of the loop says so.

    Args:
        path: an export, an archive, or a folder of them.
        skipped: receives how many design elements and notes that hold no data were passed, by name.

    Raises:
        RetriableError: there is nothing at ``path``.
    """
    source = DxlFolder("inspect", path)
    parents: dict[str, str] = {}
    for answer in source.records():
        if isinstance(answer, Unreadable):
            yield _loss(answer)
            continue
        document = _document(answer)
        loop = _closes_loop(document["unid"], document["parent"], parents)
        document["unreadable"] = [_defect(defect) for defect in (*answer.defects, *loop)]
        yield document
    if skipped is not None:
        skipped.update(source.skipped)


def _document(record: SourceRecord) -> dict[str, object]:
    printed, items = _parted(record.fields)
    ole = [file for file in record.attachments if file.declared_type == OLE_TYPE]
    plain = [file for file in record.attachments if file.declared_type not in {OLE_TYPE, _MESSAGE}]
    message = next((file for file in record.attachments if file.declared_type == _MESSAGE), None)
    return {
        "unid": _first(printed, "$noteinfo.unid"),
        "noteid": _first(printed, "$noteinfo.noteid"),
        "form": record.form or None,
        "kind": printed["$document"].type,
        "parent": _first(printed, "$parent"),
        "created": _first(printed, "$noteinfo.created"),
        "modified": _first(printed, "$noteinfo.modified"),
        "revised": _first(printed, "$noteinfo.revised"),
        "added": _first(printed, "$noteinfo.addedtofile"),
        "sequence": _number(_first(printed, "$noteinfo.sequence")),
        "items": [_item(field) for field in items],
        "attachments": [_file(file) for file in plain],
        "ole": [_file(file) | _ole_class(file, items) for file in ole],
        "mime": None if message is None else _bytes(message),
    }


def _closes_loop(unid: object, parent: object, parents: dict[str, str]) -> list[Defect]:
    """Notes the parent of a document in ``parents``; a defect when the way up from it leads back to it."""
    if not isinstance(unid, str) or not isinstance(parent, str):
        return []
    above, start = parent.strip().upper(), unid.strip().upper()
    parents[start] = above
    seen = {start}
    while above and above not in seen:
        seen.add(above)
        above = parents.get(above, "")
    if above != start:
        return []
    said = f"its parents lead back to it over {len(seen) - 1} other documents; none of them is the first"
    return [Defect("parent_loop", said, "parent")]


def _defect(defect: Defect) -> dict[str, str]:
    return {"reason": defect.code, "message": defect.message, "where": defect.where}


def _loss(loss: Unreadable) -> dict[str, object]:
    empty: dict[str, object] = dict.fromkeys(_SCALARS)
    told = {"reason": loss.reason, "message": loss.message, "where": loss.where}
    return empty | {"items": [], "attachments": [], "ole": [], "mime": None, "unreadable": [told]}


def _parted(fields: Iterable[Field]) -> tuple[dict[str, Field], list[Field]]:
    """What DXL prints outside items, by name, and the items: the former come first, each once."""
    printed: dict[str, Field] = {}
    items: list[Field] = []
    for field in fields:
        if not items and field.name in PRINTED and field.name not in printed:
            printed[field.name] = field
        else:
            items.append(field)
    return printed, items


def _item(field: Field) -> dict[str, object]:
    return {
        "name": field.name,
        "type": field.type,
        "values": list(field.values),
        "text": field.text if field.type in _TEXTUAL or field.runs else None,
        "sealed": field.attributes.get("sealed") == "true",
    }


def _file(file: Attachment) -> dict[str, object]:
    return {"name": file.name, **_bytes(file), "item": file.item}


def _bytes(file: Attachment) -> dict[str, object]:
    return {"size": file.content.size, "sha256": sha256_of(file.content)}


def _ole_class(file: Attachment, items: Iterable[Field]) -> dict[str, object]:
    """Class and description of an object, from the reference in rich text that names it."""
    marks = (mark for item in items for mark in item.children if mark.name == "objectref")
    mark = next((mark for mark in marks if mark.attributes.get("name") == file.name), None)
    said = mark.attributes if mark is not None else {}
    return {"class": said.get("class"), "description": said.get("description")}


def _first(printed: dict[str, Field], name: str) -> str | None:
    field = printed.get(name)
    return field.values[0] or None if field is not None and field.values else None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
