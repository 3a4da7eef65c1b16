"""Reads edXML packages: QCVN 102:2016/BTTTT (v2) and the dialect before it (v1, SOAP), documents and statuses.

Tolerant by rule: each known fault of real packages is survived and named as a ``Defect``; the file itself is
never changed or written anew. Fields keep the printed names without prefix (``Bussiness``,
``TyperNotation``), their order and repeats, and are addressed by path: ``MessageHeader/From/OrganName``.
A package within the package is a field ``NestedPackage``, whose attribute ``item`` names the attachment.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType

from connectors.operations.attachments import ReadAttachment, match_manifest, read_attachments
from connectors.operations.checks import check
from connectors.operations.identity import identify
from connectors.operations.scan import Refusal, Scan, scan
from connectors.operations.spool import Spool
from schemas.media_type import EDXML
from schemas.record import Content, Field, Listing, SourceRecord, Unreadable

MAX_GROWTH = 64
"""Times its own size that a package may unpack to in all; scans and office files pack to a tenth at best."""
GROWTH_FREE = 256 << 20
"""Bytes to which any package may unpack."""
MAX_ATTACHMENTS = 1000
"""Attachments of one file, nested ones included."""

VERSION = "edxml_version"
"""What the record's context calls the version: ``2`` (QCVN 102:2016) or ``1`` (SOAP, before 2016)."""
NESTED = "NestedPackage"


def parse_edxml(listing: Listing, original: Content, context: Mapping[str, str]) -> SourceRecord | Unreadable:
    """Read the package ``original``.

    Args:
        listing: the inventory line that it answers.
        original: the bytes as received; they become the record's original, untouched.
        context: facts of where it lay, passed on; ``file`` is named where something cannot be read.

    Returns:
        The record, or why it cannot be read. Attachments of a package inside the package follow the one that
        holds them, with its item as the beginning of theirs.
    """
    found = scan(original)
    if isinstance(found, Refusal):
        return Unreadable(listing, found.reason, found.message, _where(found.where, context), original)
    identity = identify(found.fields, found.version)
    spool = Spool(total_limit=max(GROWTH_FREE, MAX_GROWTH * original.size))
    files = list(islice(read_attachments(found, spool), MAX_ATTACHMENTS + 1))
    if len(files) > MAX_ATTACHMENTS:
        message = f"the package holds more than {MAX_ATTACHMENTS} attachments"
        where = _where("AttachmentEncoded", context)
        return Unreadable(listing, "too_many_attachments", message, where, original)
    return SourceRecord(
        listing=listing,
        kind=identity.kind,
        form=identity.form,
        original=original,
        original_type=EDXML,
        fields=(*found.fields, *(_nested(file, file.nested) for file in files if file.nested)),
        attachments=tuple(file.attachment for file in files),
        defects=(
            *found.defects,
            *check(found.fields, found.version, found.texts),
            *match_manifest(found),
            *(defect for file in files for defect in file.defects),
        ),
        context=MappingProxyType({**context, VERSION: found.version}),
    )


def _nested(file: ReadAttachment, package: Scan) -> Field:
    marks = MappingProxyType({"item": file.attachment.item, VERSION: package.version})
    return Field(NESTED, "package", children=package.fields, attributes=marks)


def _where(position: str, context: Mapping[str, str]) -> str:
    return f"{context['file']}, {position}" if "file" in context else position
