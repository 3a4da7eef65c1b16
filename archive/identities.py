"""The identities of rows, made in Python: the same record gets the same identity in every database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from unicodedata import normalize
from uuid import UUID, uuid5

from archive.stored_text import key_text

NAMESPACE = UUID("6f2b1c1e-5a0f-5b57-9d0a-3c9f6f0f7a11")
"""Of all identities below. Never changed: a database rebuilt from its manifests must have the same rows."""


def document_id(source: str, key: str) -> UUID:
    """Identity of the document that ``source`` knows as ``key``: uuid5 of ``source|key``."""
    return uuid5(NAMESPACE, f"{source}|{key_text(key)}")


def document_ids(source: str, keys: Iterable[str]) -> list[str]:
    """``document_id`` of each key, as text: for whole batches, in a fifth of the time."""
    return _texts(f"{source}|", map(key_text, keys))


def quarantine_ids(source: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    """``quarantine_id`` of each (key, revision), as text."""
    return _texts(
        f"quarantine|{source}|", (f"{key_text(key)}|{key_text(revision)}" for key, revision in pairs)
    )


def quarantine_id(source: str, key: str, revision: str) -> UUID:
    """Identity of the quarantined state of a record."""
    return uuid5(NAMESPACE, f"quarantine|{source}|{key_text(key)}|{key_text(revision)}")


def run_id(source: str, run_key: str, attempt: int) -> UUID:
    """Identity of a run: the ``attempt``-th under the caller's ``run_key``."""
    return uuid5(NAMESPACE, f"run|{source}|{run_key}|{attempt}")


def verification_run_id(run_key: str) -> UUID:
    """Identity of a run of later verification: the caller's ``run_key``."""
    return uuid5(NAMESPACE, f"verification|{run_key}")


def dossier_id(source: str, code: str, term: str) -> UUID:
    """Identity of the dossier that records of ``source`` name by ``code`` in the term of office ``term``.

    Codes start anew in each term, so equal codes of two terms are two dossiers.
    """
    return uuid5(NAMESPACE, f"dossier|{source}|{_one_spelling(code)}|{_one_spelling(term)}")


def made_dossier_id(fonds: str, catalogue: str, code: str) -> UUID:
    """Identity of a dossier that a person makes: its place in the fonds."""
    place = "|".join(_one_spelling(part) for part in (fonds, catalogue, code))
    return uuid5(NAMESPACE, f"made dossier|{place}")


def fonds_id(code: str) -> UUID:
    """Identity of a fonds."""
    return uuid5(NAMESPACE, f"fonds|{_one_spelling(code)}")


def organ_id(system: str, code: str, valid_from: date | None) -> UUID:
    """Identity of an organ in the span of time that begins on ``valid_from``."""
    return uuid5(NAMESPACE, f"organ|{system}|{code}|{valid_from or ''}")


def decided_id(kind: str, object_: str, at: datetime) -> UUID:
    """Identity of what a person's decision at ``at`` brings into being: a hold, a request, a known gap."""
    return uuid5(
        NAMESPACE, f"{kind}|{key_text(object_)}|{at.astimezone(UTC).isoformat(timespec='microseconds')}"
    )


def key_sha256(text: str) -> str:
    """How a withheld record's key and revision are kept: nobody reads from it what they said."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def lock_key(*parts: str | int) -> int:
    """Key of a PostgreSQL advisory lock (a signed 64-bit number) named by ``parts``."""
    name = "\0".join(str(part) for part in ("lienthong", *parts))
    return int.from_bytes(
        hashlib.sha256(name.encode("utf-8", "backslashreplace")).digest()[:8], "big", signed=True
    )


def _texts(prefix: str, names: Iterable[str]) -> list[str]:
    """uuid5 (RFC 9562 §5.5) of ``prefix`` and each name, in the identities' namespace."""
    start = hashlib.sha1(NAMESPACE.bytes + prefix.encode(), usedforsecurity=False)
    made = []
    for name in names:
        digest = start.copy()
        digest.update(name.encode())
        h = digest.hexdigest()
        made.append(f"{h[:8]}-{h[8:12]}-5{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:32]}")
    return made


_VARIANT = {digit: f"{int(digit, 16) & 0b0011 | 0b1000:x}" for digit in "0123456789abcdef"}


def _one_spelling(text: str) -> str:
    """Letter case and spaces tell no two codes apart."""
    return key_text(" ".join(normalize("NFC", text).casefold().split()))
