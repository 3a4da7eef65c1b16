"""Random choices that repeat: each place that chooses has its own stream of the seed."""

from __future__ import annotations

import hashlib
import random


def stream(seed: int, *names: object) -> random.Random:
    """A generator of random choices for the place called ``names``.

    Streams do not disturb each other: a choice added in one place changes nothing elsewhere.
    """
    return random.Random(int.from_bytes(token(seed, *names), "big"))  # noqa: S311  repeatable by design


def token(seed: int, *names: object) -> bytes:
    """32 bytes that stand for ``names`` under ``seed``: material for identifiers, serials and keys."""
    return hashlib.sha256("\x1f".join(map(str, (seed, *names))).encode()).digest()
