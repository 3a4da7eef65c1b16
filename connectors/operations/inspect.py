"""What a package file says, as plain values for ``lienthong inspect``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from connectors.operations.edxml import NESTED, VERSION
from connectors.operations.element_path import find_all, first_text
from connectors.operations.folder import EdxmlFolder, place_of
from connectors.operations.folder_files import (
    EDXML_ENDING,
    ZIP_ENDING,
    FolderFiles,
    is_zip,
    package_files,
)
from connectors.operations.identity import identify, status_header
from connectors.operations.scan import looks_like_package
from connectors.operations.spool import head_of
from connectors.operations.strict import breaches
from connectors.operations.zipped_packages import OpenZip, ZipFaultError
from schemas.media_type import sniff
from schemas.record import (
    Attachment,
    Defect,
    Field,
    FileContent,
    SourceRecord,
    Unreadable,
    Window,
    sha256_of,
)

_HEAD = 8192
_LISTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "MessageHeader": frozenset({"To", "ResponseFor"}),
        "Status": frozenset({"To", "ResponseFor"}),
        "ToPlaces": frozenset({"Place"}),
        "Appendixes": frozenset({"Appendix"}),
        "ReceiverList": frozenset({"Receiver"}),
        "ReplacementInfoList": frozenset({"ReplacementInfo"}),
        "OrganIdList": frozenset({"OrganId"}),
    }
)
"""Elements that the standard lets repeat, by parent: always lists, so that one and many look the same."""
_SHOWN_APART = frozenset(
    {
        *("MessageHeader", "TraceHeaderList", "TraceHeader", "Bussiness", "ErrorList", "Signature", NESTED),
        *("edXMLManifest", "Manifest", "AttachmentEncoded", "Attachment"),
    }
)


def inspect_edxml(path: Path, *, strict: bool = False) -> Iterator[dict[str, object]]:
    """One dictionary for each package at ``path``: a file, a ZIP or a folder.

    A readable package has ``file``, ``key``, ``revision``, ``changed_at``, ``kind``, ``version`` (``2`` or
    ``1``), ``business_type``, ``header`` (elements below MessageHeader by their printed names, nested as they
    are), ``trace``, ``business``, ``errors`` (v1's ErrorList), ``other`` (elements beside these), ``signed``
    (there is a ``Signature``, nothing more), ``attachments``, ``nested`` (packages inside it) and ``defects``;
    any other has ``file``, ``key``, ``revision``, ``unreadable`` (the reason), ``message`` and ``where``. With
    ``strict`` both have ``strict``: every reason for which the standard would refuse it.

    Raises:
        RetriableError: nothing is there, or it cannot be read now.
        FatalError: no permission for it.
    """
    source = EdxmlFolder("inspect", path)
    for listing in source.inventory(Window()):
        for answer in source.fetch([listing]):
            shown = _unreadable(answer) if isinstance(answer, Unreadable) else _package(answer)
            if strict:
                shown["strict"] = [breach._asdict() for breach in breaches(answer)]
            yield shown


def holds_packages(path: Path) -> bool:
    """True when the file, ZIP or folder at ``path`` holds an edXML package, told by bytes rather than names."""
    if path.is_file():
        if path.suffix.lower() == ZIP_ENDING:
            return _zip_holds_packages(path)
        return path.suffix.lower() == EDXML_ENDING or looks_like_package(FileContent(path))
    files = FolderFiles(path)
    return any(
        name.lower().endswith(EDXML_ENDING) or looks_like_package(FileContent(files.path(name)))
        for name in package_files(path)
        if not is_zip(name)
    )


def _zip_holds_packages(path: Path) -> bool:
    zips = OpenZip()
    try:
        return any(name.lower().endswith(EDXML_ENDING) for name in zips.members(path))
    except ZipFaultError:
        return False
    finally:
        zips.close()


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
        "version": record.context[VERSION],
        "business_type": record.form,
        **_parts(record.fields),
        "attachments": [_attachment(attachment) for attachment in record.attachments],
        "nested": [_nested(field) for field in record.fields if field.name == NESTED],
        "defects": [_defect(defect) for defect in record.defects],
    }


def _nested(package: Field) -> dict[str, object]:
    version = package.attributes[VERSION]
    identity = identify(package.children, version)
    return {
        "item": package.attributes["item"],
        "kind": identity.kind,
        "version": version,
        "business_type": identity.form,
        **_parts(package.children),
    }


def _parts(fields: Sequence[Field]) -> dict[str, object]:
    header = status_header(fields) or next(find_all(fields, "MessageHeader"), None)
    business = next(find_all(fields, "TraceHeaderList/Bussiness"), None)
    return {
        "header": _value(header) if header else {},
        "trace": [
            {
                "organ_id": first_text(trace.children, "OrganId"),
                "timestamp": first_text(trace.children, "Timestamp")
                or first_text(trace.children, "TimeStamp"),
            }
            for trace in find_all(fields, "TraceHeaderList/TraceHeader")
        ],
        "business": _value(business) if business else {},
        "errors": [_value(error) for error in find_all(fields, "ErrorList/Error")],
        "other": _by_name(_others(fields, header)),
        "signed": any(field.name == "Signature" for field in fields),
    }


def _others(fields: Sequence[Field], header: Field | None) -> Iterator[Field]:
    for field in fields:
        if field.name == "TraceHeaderList":
            yield from _others(field.children, header)
        elif field.name not in _SHOWN_APART and field is not header:
            yield field


def _value(field: Field) -> object:
    """The text of a leaf as printed; of any other its parts by name, repeated ones as a list."""
    if not field.children:
        return field.text
    value = _by_name(field.children, _LISTS.get(field.name, frozenset()))
    if text := field.text.strip():
        value["#text"] = text
    return value


def _by_name(fields: Iterable[Field], lists: frozenset[str] = frozenset()) -> dict[str, object]:
    grouped: dict[str, list[object]] = {}
    for field in fields:
        grouped.setdefault(field.name, []).append(_value(field))
    return {name: parts if len(parts) > 1 or name in lists else parts[0] for name, parts in grouped.items()}


def _attachment(attachment: Attachment) -> dict[str, object]:
    return {
        "name": attachment.name,
        "item": attachment.item,
        "declared_type": attachment.declared_type,
        "type": sniff(head_of(attachment.content, _HEAD)),
        "size": attachment.content.size,
        "sha256": sha256_of(attachment.content),
        "wrapped_size": attachment.wrapped.size if attachment.wrapped else None,
        "defects": list(attachment.defects),
    }


def _defect(defect: Defect) -> dict[str, str]:
    return {"code": defect.code, "message": defect.message, "where": defect.where}
