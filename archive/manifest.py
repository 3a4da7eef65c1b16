"""The manifest: one canonical JSON file a version of a document; the database can be made again from them.

A manifest holds all that the stages found out about one record: the document, its verdicts, where its bytes
    are.
It is itself an object of the store, so its SHA-256 vouches for it. Version 1::

    {"changed_at": …, "context": {…}, "document": {… "extra": [[name, [value, …]], …]},
     "lienthong_manifest": 1, "original": {"sha256": …, "size": …, "type": …}, "received_at": …,
     "verdicts": [{"attachment": 1, "name": …, "sha256": …, "verdict": {…}}, …]}

``extra`` is a list because its order is the source's own. Times are ISO 8601 and keep their offset.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import cast

from pydantic import TypeAdapter, ValidationError

from archive.canonical import Json, canonical_bytes
from schemas.document import SCHEMA_VERSION, OfficialDocument
from schemas.errors import FatalError
from signatures.verdict import Verdict

MANIFEST_VERSION = 1
"""Version of the layout above; raised when a reader of version 1 would misread a new manifest."""

_MARK = "lienthong_manifest"


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """A verdict with the file that it is about.

    Attributes:
        sha256: the judged bytes, as held by the object store.
        attachment: ordinal of the attachment, from 1; ``None`` when the original record itself was judged.
        name: the file's name as the source prints it.
        verdict: what was found.
    """

    sha256: str
    attachment: int | None
    name: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Processed:
    """A record that passed every stage and may enter the archive.

    Attributes:
        document: what the record says, in the shared shape.
        original_sha256, original_type, original_size: the untouched bytes, held by the object store.
        context: facts of the record's container, needed to parse it again.
        changed_at: when the source says that this revision came to be; aware, or ``None``.
        verdicts: on every signature of every file, in the order of the files.
        received_at: the run's clock, aware; a repeated batch gives the same manifest.
    """

    document: OfficialDocument
    original_sha256: str
    original_type: str
    original_size: int
    context: Mapping[str, str]
    changed_at: datetime | None
    verdicts: tuple[FileVerdict, ...]
    received_at: datetime


def manifest_bytes(processed: Processed) -> bytes:
    """The manifest of ``processed``; equal values give equal bytes."""
    document = processed.document.model_dump(mode="json")
    document["extra"] = [[name, list(values)] for name, values in processed.document.extra.items()]
    return canonical_bytes(
        {
            _MARK: MANIFEST_VERSION,
            "document": document,
            "original": {
                "sha256": processed.original_sha256,
                "type": processed.original_type,
                "size": processed.original_size,
            },
            "context": dict(processed.context),
            "changed_at": processed.changed_at.isoformat() if processed.changed_at else None,
            "received_at": processed.received_at.isoformat(),
            "verdicts": [file_verdict_json(found) for found in processed.verdicts],
        }
    )


def read_manifest(data: bytes) -> Processed:
    """What ``manifest_bytes`` wrote.

    Raises:
        FatalError: it was written by a newer program, or is no manifest.
    """
    try:
        fields = json.loads(data)
        version = fields[_MARK]
        refuse_newer("manifest", version, MANIFEST_VERSION)
        refuse_newer("document in it", fields["document"]["schema_version"], SCHEMA_VERSION)
        return Processed(
            document=_document(fields["document"]),
            original_sha256=fields["original"]["sha256"],
            original_type=fields["original"]["type"],
            original_size=fields["original"]["size"],
            context=fields["context"],
            changed_at=datetime.fromisoformat(fields["changed_at"]) if fields["changed_at"] else None,
            verdicts=tuple(read_file_verdict(found) for found in fields["verdicts"]),
            received_at=datetime.fromisoformat(fields["received_at"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        # Neither the text nor pydantic's message is repeated: both quote the document.
        place = _place(error)
        raise FatalError(
            "a manifest cannot be read",
            where=place,
            expected=f"JSON with {_MARK!r}: {MANIFEST_VERSION}",
            action="check the object against its SHA-256 and restore it from the backup if they differ",
        ) from None


def verdict_json(verdict: Verdict) -> Mapping[str, Json]:
    """``verdict`` as JSON values, every axis present."""
    return cast("Mapping[str, Json]", _verdicts().dump_python(verdict, mode="json"))


def verdict_text(verdict: Verdict) -> str:
    """``verdict_json`` as JSON text, made in one step.

    Raises:
        ValueError: it holds a lone surrogate.
    """
    return _verdicts().dump_json(verdict).decode()


def file_verdict_json(found: FileVerdict) -> Mapping[str, Json]:
    """``found`` as JSON values."""
    return {
        "sha256": found.sha256,
        "attachment": found.attachment,
        "name": found.name,
        "verdict": verdict_json(found.verdict),
    }


def read_file_verdict(fields: Mapping[str, object]) -> FileVerdict:
    """What ``file_verdict_json`` wrote. Raises ``KeyError`` or ``ValueError`` for anything else."""
    return FileVerdict(
        sha256=cast("str", fields["sha256"]),
        attachment=cast("int | None", fields["attachment"]),
        name=cast("str", fields["name"]),
        verdict=read_verdict(fields["verdict"]),
    )


def read_verdict(fields: object) -> Verdict:
    """What ``verdict_json`` gave. Raises ``ValueError`` for anything else."""
    return _verdicts().validate_python(fields)


def _document(fields: dict[str, object]) -> OfficialDocument:
    extra = cast("list[tuple[str, list[str]]]", fields["extra"])
    return OfficialDocument.model_validate(
        {**fields, "extra": {name: tuple(values) for name, values in extra}}
    )


@cache
def _verdicts() -> TypeAdapter[Verdict]:
    return TypeAdapter(Verdict)


def refuse_newer(what: str, version: object, known: int) -> None:
    """Raise ``FatalError`` unless ``version`` is one that this program can read."""
    if not isinstance(version, int) or version > known:
        raise FatalError(
            f"the {what} has version {version!r}",
            expected=f"version {known} or older",
            action="use the program that wrote it, or a newer one",
        )


def _place(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
    if isinstance(error, json.JSONDecodeError):
        return f"character {error.pos}"
    return f"the key {error.args[0]!r}" if isinstance(error, KeyError) else ""
