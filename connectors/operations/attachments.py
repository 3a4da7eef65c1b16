"""The files that a package carries, and whether its manifest and its labels tell the truth about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connectors.operations.declared_type import contradicts, ending_contradicts
from connectors.operations.element_path import find_all, first_text
from connectors.operations.payload import Unwrapped, unwrap_payload
from connectors.operations.scan import Refusal, Scan, scan
from connectors.operations.scan_elements import EncodedAttachment
from connectors.operations.spool import Spool
from schemas.media_type import EDXML, ZIP, sniff
from schemas.record import Attachment, BytesContent, Content, Defect, Field

MAX_NESTING = 2
"""Packages within packages that are opened: the file itself and one level inside."""

_REFERENCES = ("edXMLManifest/Reference", "Manifest/Reference")


@dataclass(frozen=True, slots=True)
class ReadAttachment:
    """An attachment and, for each of its defects, the sentence and the place."""

    attachment: Attachment
    defects: tuple[Defect, ...] = ()


def read_attachments(
    original: Content, found: Scan, spool: Spool, outer: str = "", level: int = 1
) -> Iterator[ReadAttachment]:
    """Every attachment of the package ``original`` in order, each followed by those of a package inside it.

    Args:
        original: the package's bytes.
        found: its scan.
        spool: keeps the decoded bytes.
        outer: item of the attachment that holds this package, with a final ``/``.
        level: 1 for the file itself.
    """
    references = _references(found)
    for position, encoded in enumerate(found.attachments, start=1):
        item = f"{outer}AttachmentEncoded/Attachment[{position}]"
        reference = references.get(_content_id(encoded.field))
        name = _fact("AttachmentName", encoded.field, reference)
        declared = _fact("ContentType", encoded.field, reference)
        if encoded.payload is None:
            empty = Unwrapped(
                BytesContent(b""), None, sniff(b""), (("payload_missing", "has no payload"),), False
            )
            yield _made(name, declared, item, encoded, empty, empty.problems)
            continue
        taken = unwrap_payload(original, encoded.payload, found.encoding, name, spool)
        inner = scan(taken.content) if taken.type == EDXML and level < MAX_NESTING else None
        problems = (*taken.problems, *_lies(name, declared, taken), *_unopened(taken, inner, level))
        yield _made(name, declared, item, encoded, taken, problems)
        if isinstance(inner, Scan):
            yield from read_attachments(taken.content, inner, spool, f"{item}/", level + 1)


def match_manifest(found: Scan) -> Iterator[Defect]:
    """What the manifest names and the package lacks, and the other way round."""
    references = [field for path in _REFERENCES for field in find_all(found.fields, path)]
    named = Counter(filter(None, map(_content_id, references)))
    present = Counter(_content_id(encoded.field) for encoded in found.attachments)
    for reference in references:
        identifier = _content_id(reference)
        if not identifier and first_text([reference], "Reference/AttachmentName") is None:
            continue  # an empty Reference is how some senders say that there is no file
        if identifier not in present:
            name = first_text(reference.children, "AttachmentName") or identifier
            message = f"the manifest names {name!r}, which the package does not hold"
            yield Defect("attachment_missing", message, f"edXMLManifest, line {reference.line}")
    for encoded in found.attachments:
        identifier = _content_id(encoded.field)
        where = f"AttachmentEncoded, line {encoded.field.line}"
        if identifier not in named:
            yield Defect("attachment_not_in_manifest", f"the manifest does not name {identifier!r}", where)
        elif present[identifier] > 1:
            yield Defect("duplicate_content_id", f"{identifier!r} belongs to several attachments", where)


def _made(
    name: str,
    declared: str,
    item: str,
    encoded: EncodedAttachment,
    taken: Unwrapped,
    problems: tuple[tuple[str, str], ...],
) -> ReadAttachment:
    codes = tuple(code for code, _ in problems)
    where = f"{item}, line {encoded.field.line}"
    return ReadAttachment(
        Attachment(name, taken.content, declared, item, taken.wrapped, codes),
        tuple(Defect(code, f"attachment {name!r}: {message}", where) for code, message in problems),
    )


def _lies(name: str, declared: str, taken: Unwrapped) -> Iterator[tuple[str, str]]:
    if not taken.decoded:
        return
    # A sender that names the wrapping's type tells the truth about what travels.
    transported = (taken.type, ZIP) if taken.wrapped else (taken.type,)
    if all(contradicts(declared, media) for media in transported):
        yield "declared_type_wrong", f"declared as {declared}, but the bytes are {taken.type}"
    if ending_contradicts(name, taken.type):
        yield "name_ending_wrong", f"its name ends otherwise, but the bytes are {taken.type}"


def _unopened(taken: Unwrapped, inner: Scan | Refusal | None, level: int) -> Iterator[tuple[str, str]]:
    if isinstance(inner, Refusal):
        yield "nested_unreadable", f"a package that cannot be read: {inner.message} ({inner.where})"
    elif taken.type == EDXML and inner is None:
        yield "nested_too_deep", f"a package inside {level} other(s) is kept but not opened"


def _references(found: Scan) -> Mapping[str, Field]:
    references: dict[str, Field] = {}
    for path in _REFERENCES:
        for field in find_all(found.fields, path):
            references.setdefault(_content_id(field), field)
    return references


def _content_id(field: Field) -> str:
    """ContentId, or a Reference's href, without ``cid:``, which some senders write on one side only."""
    identifier = first_text(field.children, "ContentId") or field.attributes.get("href", "")
    return identifier.strip().removeprefix("cid:")


def _fact(name: str, field: Field, reference: Field | None) -> str:
    own = first_text(field.children, name)
    if own is None and reference is not None:
        own = first_text(reference.children, name)
    return own or ""
