"""What a package file says, as plain values for ``lienthong inspect``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from connectors.operations.element_path import find_all, first_text, walk
from connectors.operations.folder import EdxmlFolder, place_of
from schemas.media_type import sniff
from schemas.record import Attachment, Content, Defect, Field, SourceRecord, Unreadable, Window, sha256_of

_HEAD = 8192


def inspect_edxml(path: Path) -> Iterator[dict[str, object]]:
    """One dictionary for each package at ``path``: a file, a ZIP or a folder.

    A readable package has ``file``, ``key``, ``revision``, ``changed_at``, ``kind``, ``business_type``,
    ``header`` (path to list of texts, in document order), ``trace``, ``business``, ``signed`` (there is a
    ``Signature``, nothing more), ``attachments`` and ``defects``; any other has ``file``, ``key``,
    ``revision``, ``unreadable`` (the reason), ``message`` and ``where``.

    Raises:
        RetriableError: nothing is there, or it cannot be read now.
        FatalError: no permission for it.
    """
    source = EdxmlFolder("inspect", path)
    for listing in source.inventory(Window()):
        for answer in source.fetch([listing]):
            yield _unreadable(answer) if isinstance(answer, Unreadable) else _package(answer)


def _unreadable(answer: Unreadable) -> dict[str, object]:
    return {
        "file": place_of(answer.listing),
        "key": answer.listing.key,
        "revision": answer.listing.revision,
        "unreadable": answer.reason,
        "message": answer.message,
        "where": answer.where,
    }


def _package(record: SourceRecord) -> dict[str, object]:
    changed_at = record.listing.changed_at
    return {
        "file": record.context.get("file", ""),
        "key": record.listing.key,
        "revision": record.listing.revision,
        "changed_at": changed_at.isoformat() if changed_at else None,
        "kind": record.kind,
        "business_type": record.form,
        "header": _texts(record.fields, "MessageHeader"),
        "trace": [
            {
                "organ_id": first_text(trace.children, "OrganId"),
                "timestamp": first_text(trace.children, "Timestamp"),
            }
            for trace in find_all(record.fields, "TraceHeaderList/TraceHeader")
        ],
        "business": _texts(record.fields, "TraceHeaderList/Bussiness"),
        "signed": any(field.name == "Signature" for field in record.fields),
        "attachments": [_attachment(attachment) for attachment in record.attachments],
        "defects": [_defect(defect) for defect in record.defects],
    }


def _texts(fields: Sequence[Field], path: str) -> dict[str, list[str]]:
    """Texts below ``path`` by their path from there."""
    found: dict[str, list[str]] = {}
    for parent in find_all(fields, path):
        for below, field in walk(parent.children):
            if field.values:
                found.setdefault(below, []).append(field.text)
    return found


def _attachment(attachment: Attachment) -> dict[str, object]:
    return {
        "name": attachment.name,
        "item": attachment.item,
        "declared_type": attachment.declared_type,
        "type": _type(attachment.content),
        "size": attachment.content.size,
        "sha256": sha256_of(attachment.content),
        "wrapped_size": attachment.wrapped.size if attachment.wrapped else None,
        "defects": list(attachment.defects),
    }


def _type(content: Content) -> str:
    with content.open() as stream:
        return sniff(stream.read(_HEAD))


def _defect(defect: Defect) -> dict[str, str]:
    return {"code": defect.code, "message": defect.message, "where": defect.where}
