"""The manifest of a later check: one canonical JSON object for each version that was verified again.

It is an object of the store like the manifests of versions, so that the verdicts of every check, and which of
them are in force, can be made again from the store alone. Version 1::

    {"check": 2, "document": {"id": …, "key": …, "source": …}, "lienthong_verification": 1,
     "manifest_sha256": …, "reasons": ["crl"], "run": …, "set_aside": [[1, 1]], "trust_epoch": …,
     "verdicts": [{"attachment": 1, "name": …, "sha256": …, "verdict": {…}}, …], "verified_at": …, "version": 1}

``set_aside`` are [check, position] of verdicts that this check took out of force: earlier ones that it replaced,
and those of its own that came too late to replace a better one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from archive.canonical import canonical_bytes
from archive.manifest import FileVerdict, file_verdict_json, read_file_verdict, refuse_newer
from schemas.errors import FatalError

VERIFICATION_VERSION = 1
VERIFICATION_TYPE = "application/vnd.lienthong.verification+json"
"""Media type under which these objects stand in the table of objects."""

_MARK = "lienthong_verification"


@dataclass(frozen=True, slots=True)
class Verification:
    """A later check of one version of a document.

    Attributes:
        document: its identity. source, key: those of its source.
        version: number of the version. manifest_sha256: of that version's manifest.
        check: number of the check, from 2.
        run: identity of the verification run.
        reasons: why: ``crl``, ``trust``, ``policy``, ``expiry``, ``manual``; sorted.
        trust_epoch: hash of the anchors that were trusted.
        verified_at: validation time, aware.
        verdicts: on the files that were checked.
        set_aside: (check, position) of what is no longer, or never was, in force.
    """

    document: str
    source: str
    key: str
    version: int
    manifest_sha256: str
    check: int
    run: str
    reasons: tuple[str, ...]
    trust_epoch: str
    verified_at: datetime
    verdicts: tuple[FileVerdict, ...]
    set_aside: tuple[tuple[int, int], ...]


def verification_bytes(check: Verification) -> bytes:
    """The object of ``check``; equal values give equal bytes."""
    return canonical_bytes(
        {
            _MARK: VERIFICATION_VERSION,
            "document": {"id": check.document, "source": check.source, "key": check.key},
            "version": check.version,
            "manifest_sha256": check.manifest_sha256,
            "check": check.check,
            "run": check.run,
            "reasons": list(check.reasons),
            "trust_epoch": check.trust_epoch,
            "verified_at": check.verified_at.isoformat(),
            "verdicts": [file_verdict_json(found) for found in check.verdicts],
            "set_aside": [list(place) for place in check.set_aside],
        }
    )


def read_verification(data: bytes) -> Verification:
    """What ``verification_bytes`` wrote.

    Raises:
        FatalError: it was written by a newer program, or is no such object.
    """
    try:
        fields = json.loads(data)
        refuse_newer("verification", fields[_MARK], VERIFICATION_VERSION)
        return Verification(
            document=fields["document"]["id"],
            source=fields["document"]["source"],
            key=fields["document"]["key"],
            version=fields["version"],
            manifest_sha256=fields["manifest_sha256"],
            check=fields["check"],
            run=fields["run"],
            reasons=tuple(fields["reasons"]),
            trust_epoch=fields["trust_epoch"],
            verified_at=datetime.fromisoformat(fields["verified_at"]),
            verdicts=tuple(read_file_verdict(found) for found in fields["verdicts"]),
            set_aside=tuple((place[0], place[1]) for place in fields["set_aside"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise FatalError(
            f"the manifest of a verification cannot be read: {type(error).__name__}",
            expected=f"JSON with {_MARK!r}: {VERIFICATION_VERSION}",
            action="check the object against its SHA-256 and restore it from the backup if they differ",
        ) from None
