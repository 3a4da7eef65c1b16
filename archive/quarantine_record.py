"""The record of a failure: what a quarantined record said, as an object of the store.

The ledger names it, and keeps no words itself: an event can never be taken back, and the words of a record that turns
out to be secret must be. Canonical JSON, version 2::

    {"context": {…}, "files": [SHA-256, …], "key": …, "lienthong_quarantine": 2, "location": …, "message": …,
     "original_sha256": …, "reason": …, "revision": …, "source": …, "stage": …}
"""

from __future__ import annotations

import json

from archive.canonical import canonical_bytes
from archive.manifest import refuse_newer
from archive.outcomes import Quarantined
from schemas.errors import FatalError

QUARANTINE_VERSION = 2
"""Version 1 had no ``files``."""
QUARANTINE_TYPE = "application/vnd.lienthong.quarantine+json"
"""Media type under which these objects stand in the table of objects."""
QUARANTINE_MARK = "lienthong_quarantine"


def quarantine_bytes(source: str, record: Quarantined) -> bytes:
    """The object of ``record``; equal values give equal bytes."""
    return canonical_bytes(
        {
            QUARANTINE_MARK: QUARANTINE_VERSION,
            "source": source,
            "key": record.key,
            "revision": record.revision,
            "stage": record.stage,
            "reason": record.reason,
            "message": record.message,
            "location": record.where,
            "original_sha256": record.original_sha256,
            "context": dict(record.context),
            "files": list(record.files),
        }
    )


def read_quarantine(data: bytes) -> tuple[str, Quarantined]:
    """The source, and what ``quarantine_bytes`` wrote.

    Raises:
        FatalError: it was written by a newer program, or is no such object.
    """
    try:
        fields = json.loads(data)
        refuse_newer("quarantine record", fields[QUARANTINE_MARK], QUARANTINE_VERSION)
        return str(fields["source"]), Quarantined(
            key=fields["key"],
            revision=fields["revision"],
            stage=fields["stage"],
            reason=fields["reason"],
            message=fields["message"],
            where=fields["location"],
            original_sha256=fields["original_sha256"],
            context=fields["context"],
            files=tuple(fields.get("files", ())),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise FatalError(
            f"the record of a failure cannot be read: {type(error).__name__}",
            expected=f"JSON with {QUARANTINE_MARK!r}: {QUARANTINE_VERSION}",
            action="check the object against its SHA-256 and restore it from the backup if they differ",
        ) from None
