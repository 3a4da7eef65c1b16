"""Reads edXML packages of QCVN 102:2016/BTTTT (v2): document and status messages.

Tolerant by rule: each known fault of real packages is survived and named as a ``Defect``; the file itself is
never changed or written anew. Fields keep the printed names without prefix (``Bussiness``,
``TyperNotation``), their order and repeats, and are addressed by path: ``MessageHeader/From/OrganName``.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from connectors.operations.attachments import match_manifest, read_attachments
from connectors.operations.checks import check
from connectors.operations.identity import identify
from connectors.operations.scan import Refusal, scan
from connectors.operations.spool import Spool
from schemas.media_type import EDXML
from schemas.record import Content, Listing, SourceRecord, Unreadable

MAX_GROWTH = 64
"""Times its own size that a package may unpack to in all; scans and office files pack to a tenth at best."""
GROWTH_FREE = 256 << 20
"""Bytes to which any package may unpack."""
MAX_ATTACHMENTS = 1000
"""Attachments of one file, nested ones included."""


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
    identity = identify(found.fields)
    spool = Spool(total_limit=max(GROWTH_FREE, MAX_GROWTH * original.size))
    files = list(islice(read_attachments(original, found, spool), MAX_ATTACHMENTS + 1))
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
        fields=found.fields,
        attachments=tuple(file.attachment for file in files),
        defects=(
            *found.defects,
            *check(found.fields),
            *match_manifest(found),
            *(defect for file in files for defect in file.defects),
        ),
        context=context,
    )


def _where(position: str, context: Mapping[str, str]) -> str:
    return f"{context['file']}, {position}" if "file" in context else position
