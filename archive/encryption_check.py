"""Trying a key ring: does it open what it must, and could it be made again from the safe?"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.encryption_format import BrokenSealError, examine, seal
from archive.encryption_keys import KeyRing, ids_in, opens_with


@dataclass(frozen=True, slots=True)
class RingCheck:
    """The answers.

    Attributes:
        work: an object encrypted with each data key is read again.
        kept: the store holds the ring's data keys, locked, so that the safe's sheet is enough to open it.
        complete: the ring has every data key that the store holds a locked copy of.
        recoverable: the recovery key opens every data key; ``None`` when it was not asked.
    """

    work: bool
    kept: bool
    complete: bool
    recoverable: bool | None


def check_ring(ring: KeyRing, copies: Sequence[bytes], recovery: Path | None = None) -> RingCheck:
    """Try ``ring`` against the ``copies`` that lie in the store, and ``recovery`` where given.

    Raises:
        ConfigurationError: ``recovery`` is no recovery key. FatalError: a copy is no key ring.
    """
    kept = {key_id for copy in copies for key_id in ids_in(copy)}
    own = {key.id for key in ring.keys}
    return RingCheck(
        work=all(_works(ring, bytes.fromhex(key_id)) for key_id in own),
        kept=own <= kept,
        complete=kept <= own,
        recoverable=None if recovery is None else opens_with(ring, recovery) == len(own),
    )


def _works(ring: KeyRing, key_id: bytes) -> bool:
    data = b"Li\xc3\xaan th\xc3\xb4ng" * 10_000
    name = hashlib.sha256(data).hexdigest()
    stored = b"".join(seal([data], name, len(data), key_id, ring.key(key_id)))
    try:
        return examine(io.BytesIO(stored), len(stored), name, ring.key) == "content"
    except BrokenSealError:
        return False
