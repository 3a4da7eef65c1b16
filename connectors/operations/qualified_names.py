"""Names as lxml gives them: ``{namespace}local``, or ``prefix:local`` where the prefix is declared nowhere."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def local_name(qualified: str) -> str:
    """The name without its namespace, and without a prefix that is declared nowhere."""
    return qualified.rpartition("}")[2].rpartition(":")[2]


def namespace_of(qualified: str) -> str:
    """The namespace of a name; ``""`` when it has none, or a prefix that is declared nowhere."""
    return qualified[1:].partition("}")[0] if qualified.startswith("{") else ""


def unbound_prefix(qualified: str) -> str:
    """The prefix that is declared nowhere, ``""`` for any other name."""
    return qualified.rpartition("}")[2].rpartition(":")[0]
