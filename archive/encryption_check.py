"""Trying a key ring: does it open what it must, and could it be made again from the safe?"""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.encryption_format import BrokenSealError, examine, seal
from archive.encryption_keys import KeyRing, ids_in, opened_in, read_recovery


@dataclass(frozen=True, slots=True)
class RingCheck:
    """The answers.

    Attributes:
        work: an object encrypted with each data key is read again.
        kept: the store holds every data key of the ring, locked, and the ring opens them there to the same bytes.
        complete: the ring has every data key that the store holds a locked copy of.
        recoverable: the recovery key opens every data key of the ring from what the store holds; ``None`` when it
            was not asked.
    """

    work: bool
    kept: bool
    complete: bool
    recoverable: bool | None


def check_ring(ring: KeyRing, copies: Sequence[bytes], recovery: Path | None = None) -> RingCheck:
    """Try ``ring`` against the ``copies`` that lie in the store, and ``recovery`` where given.

    Args:
        ring: the ring. recovery: file of the recovery key.
        copies: as they lay there before the store was opened with ``ring``, which may add one.

    Raises:
        ConfigurationError: ``recovery`` is no recovery key, or a copy is no key ring.
    """
    own = {key.id for key in ring.keys}
    return RingCheck(
        work=all(_works(ring, bytes.fromhex(key_id)) for key_id in own),
        kept=_same(ring, opened_in(copies, ring.private)),
        complete={key_id for copy in copies for key_id in ids_in(copy)} <= own,
        recoverable=None if recovery is None else _same(ring, opened_in(copies, read_recovery(recovery))),
    )


def _same(ring: KeyRing, found: Mapping[str, bytes]) -> bool:
    """Whether every data key of the ring was found, and no other bytes under its id."""
    return all(secrets.compare_digest(key, found.get(key_id, b"")) for key_id, key in ring.opened.items())


def _works(ring: KeyRing, key_id: bytes) -> bool:
    data = b"Li\xc3\xaan th\xc3\xb4ng" * 10_000
    name = hashlib.sha256(data).hexdigest()
    stored = b"".join(seal([data], name, len(data), key_id, ring.key(key_id)))
    try:
        return examine(io.BytesIO(stored), len(stored), name, ring.key) == "content"
    except BrokenSealError:
        return False
