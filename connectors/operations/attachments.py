"""The files that a package carries, and whether its manifest and its labels tell the truth about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from connectors.operations.checks import check
from connectors.operations.declared_type import contradicts, ending_contradicts
from connectors.operations.defects import defect, sentence
from connectors.operations.element_path import find_all, first_text
from connectors.operations.elements import EncodedAttachment, bare_content_id
from connectors.operations.payload import Unwrapped, unwrap_payload
from connectors.operations.payload_text import Problem
from connectors.operations.scan import Refusal, Scan, scan
from connectors.operations.spool import Spool
from schemas.media_type import EDXML, ZIP, sniff
from schemas.record import Attachment, BytesContent, Defect, Field

MAX_NESTING = 4
"""Packages within packages that are opened: the file itself and three levels inside."""

_REFERENCES = ("edXMLManifest/Reference", "Manifest/Reference")
_NOTHING = Unwrapped(
    BytesContent(b""), None, sniff(b""), (("payload_missing", sentence("payload_missing")),), False
)


class ReadAttachment(NamedTuple):
    """An attachment; for each of its defects the sentence and the place; the package that it is, if it was opened."""

    attachment: Attachment
    defects: tuple[Defect, ...] = ()
    nested: Scan | None = None


def read_attachments(found: Scan, spool: Spool, outer: str = "", level: int = 1) -> Iterator[ReadAttachment]:
    """Every attachment of a package in order, each followed by those of a package inside it.

    Args:
        found: the package's scan.
        spool: keeps the decoded bytes.
        outer: item of the attachment that holds this package, with a final ``/``.
        level: 1 for the file itself.
    """
    references = None if all(map(_labelled, found.attachments)) else _references(found)
    for encoded in found.attachments:
        item = outer + encoded.item
        name, declared = _labels(encoded, references.get(encoded.content_id) if references else None)
        taken = unwrap_payload(encoded.payload, name, spool) if encoded.payload else _NOTHING
        inner = scan(taken.content) if taken.type == EDXML and level < MAX_NESTING else None
        problems = (*taken.problems, *_lies(name, declared, taken), *_unopened(taken, inner, level))
        where = item if encoded.line is None else f"{item}, line {encoded.line}"
        defects = tuple(Defect(code, f"attachment {name!r}: {said}", where) for code, said in problems)
        nested = inner if isinstance(inner, Scan) else None
        if nested is not None:
            defects += tuple(_defects_inside(nested, item))
        codes = tuple(code for code, _ in problems)
        attachment = Attachment(name, taken.content, declared, item, taken.wrapped, codes)
        yield ReadAttachment(attachment, defects, nested)
        if nested is not None:
            yield from read_attachments(nested, spool, f"{item}/", level + 1)


def match_manifest(found: Scan) -> Iterator[Defect]:
    """What the manifest names and the package lacks, and the other way round."""
    references = [(_referred(field), field) for path in _REFERENCES for field in find_all(found.fields, path)]
    named = {identifier for identifier, _ in references if identifier}
    present: dict[str, int] = {}
    for encoded in found.attachments:
        present[encoded.content_id] = present.get(encoded.content_id, 0) + 1
    for identifier, reference in references:
        name = first_text(reference.children, "AttachmentName")
        if not identifier and name is None:
            continue  # an empty Reference is how some senders say that there is no file
        if identifier not in present:
            yield defect(
                "attachment_missing", f"edXMLManifest, line {reference.line}", name=name or identifier
            )
    for encoded in found.attachments:
        where = encoded.item if encoded.line is None else f"AttachmentEncoded, line {encoded.line}"
        if encoded.content_id not in named:
            yield defect("attachment_not_in_manifest", where, name=encoded.content_id)
        elif present[encoded.content_id] > 1:
            yield defect("duplicate_content_id", where, name=encoded.content_id)


def _labelled(encoded: EncodedAttachment) -> bool:
    """True when the attachment says of itself what the manifest could say of it."""
    return bool(encoded.name and encoded.declared and encoded.line is not None)


def _labels(encoded: EncodedAttachment, reference: Field | None) -> tuple[str, str]:
    """(name, declared type). A MIME part's own name is often made up, so the manifest goes before it."""
    if reference is None or _labelled(encoded):
        return encoded.name or (encoded.content_id if encoded.line is None else ""), encoded.declared
    named = first_text(reference.children, "AttachmentName") or ""
    typed = first_text(reference.children, "ContentType") or ""
    if encoded.line is not None:
        return encoded.name or named, encoded.declared or typed
    return named or encoded.name or encoded.content_id, typed or encoded.declared


def _lies(name: str, declared: str, taken: Unwrapped) -> Iterator[Problem]:
    if not taken.decoded:
        return
    # A sender that names the wrapping's type tells the truth about what travels.
    transported = (taken.type, ZIP) if taken.wrapped else (taken.type,)
    if all(contradicts(declared, media) for media in transported):
        yield (
            "declared_type_wrong",
            sentence("declared_type_wrong", declared=declared, type=taken.type),
        )
    if ending_contradicts(name, taken.type):
        yield "name_ending_wrong", sentence("name_ending_wrong", type=taken.type)


def _unopened(taken: Unwrapped, inner: Scan | Refusal | None, level: int) -> Iterator[Problem]:
    if isinstance(inner, Refusal):
        why = f"{inner.message} ({inner.where})"
        yield "nested_unreadable", sentence("nested_unreadable", why=why)
    elif taken.type == EDXML and inner is None:
        yield "nested_too_deep", sentence("nested_too_deep", level=level)


def _defects_inside(nested: Scan, item: str) -> Iterator[Defect]:
    for found in (
        *nested.defects,
        *check(nested.fields, nested.version, nested.texts),
        *match_manifest(nested),
    ):
        yield Defect(found.code, found.message, f"{item}/{found.where}")


def _references(found: Scan) -> Mapping[str, Field]:
    references: dict[str, Field] = {}
    for path in _REFERENCES:
        for field in find_all(found.fields, path):
            references.setdefault(_referred(field), field)
    return references


def _referred(field: Field) -> str:
    return bare_content_id(first_text(field.children, "ContentId") or field.attributes.get("href", ""))
