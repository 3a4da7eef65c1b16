"""The nightly message: what the archive was this night, for people, and for who compares it in twenty years.

It carries the size and root of the ledger: printed or kept in a mailbox, it is an anchor that no one can reach.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from archive.anchor_files import MARKER, has_begun, write_once
from pipeline.auditing import audit_lines
from pipeline.window import LOCAL_ZONE
from pipeline.wording import Wording
from schemas.errors import RetriableError

Told = Mapping[str, object]


def night_message(anchored: Told | None, audited: Told | None, at: datetime) -> str:
    """The message, in Vietnamese with every problem, then in English in short.

    Args:
        anchored: what ``pipeline.anchoring.anchored_value`` gave; ``None`` when the ledger was not anchored.
        audited: what ``pipeline.auditing.audit_value`` gave; ``None`` when the audit did not come to an end.
        at: the night, aware.
    """
    parts = []
    for language in ("vi", "en"):
        words = Wording(language)
        shown = audited if language == "vi" or audited is None else {**audited, "problems": (), "notices": ()}
        lines = [words("night_title", at=at.astimezone(ZoneInfo(LOCAL_ZONE)).strftime("%d/%m/%Y %H:%M"))]
        lines += _anchor_lines(anchored, words)
        lines += audit_lines(shown, words) if shown is not None else [words("night_no_audit")]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def night_subject(anchored: Told | None, audited: Told | None) -> str:
    """Its subject: whether all is well, and whether something waits for a person nevertheless."""
    good = bool(anchored and not anchored["failures"] and audited and audited["clean"])
    noticed = good and audited and audited["notice_count"]
    return Wording("vi")(
        "night_subject_notice" if noticed else "night_subject_good" if good else "night_subject_bad"
    )


def keep_message(folders: Sequence[Path], text: str, at: datetime) -> list[Path]:
    """Write the message beside the anchors; returns the files. The same message again changes nothing.

    The first folder, the archive's own, is made where it is missing. Another one must have taken anchors: one that
    has not is a share that is not mounted.

    The name has the night and the beginning of the text's SHA-256: of two messages of one second both are kept.

    Raises:
        RetriableError: a folder cannot be written to; the others have it.
    """
    data = text.encode()
    name = f"report-{at:%Y%m%dT%H%M%SZ}-{hashlib.sha256(data).hexdigest()[:8]}.txt"
    kept, failures = [], []
    for number, folder in enumerate(folders):
        if number and not has_begun(folder):
            failures.append(f"the folder {folder} has no {MARKER}: it is not the one that takes the anchors")
            continue
        try:
            if number == 0:
                folder.mkdir(0o700, parents=True, exist_ok=True)
            write_once(folder / name, data)
        except OSError as error:
            failures.append(f"the folder {folder} cannot be written: {error.strerror}")
        else:
            kept.append(folder / name)
    if failures:
        raise RetriableError("; ".join(failures), action="look at the share")
    return kept


def _anchor_lines(anchored: Told | None, words: Wording) -> list[str]:
    if anchored is None:
        return [words("night_not_anchored")]
    if anchored["number"] is None:
        return [words("anchor_nothing")]
    stamped = words("night_stamped" if anchored["time_stamped"] else "night_not_stamped")
    failures = anchored["failures"]
    assert isinstance(failures, Sequence)
    return [
        words("night_anchor", **anchored),
        words("anchor_root", **anchored),
        words("night_head", **anchored),
        words("night_record", **anchored),
        stamped,
        *(words("anchor_failure", failure=failure) for failure in failures),
    ]
