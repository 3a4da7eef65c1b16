"""What a person decides about the archive: one shape, kept as an event of the ledger.

The event carries all that is needed to do it again, so that the tables of decisions can be rebuilt from the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from archive.canonical import Json


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision (quyết định của người có thẩm quyền).

    Attributes:
        kind: which, a key of ``archive.decisions.KINDS``.
        object: identity of what it is about: a document, a dossier, a quarantine row, a number series.
        by: the person's name, as they gave it.
        account: the account of the system under which it was done.
        why: the reason in the person's words.
        values: the particulars, whole: who applies them needs no other source.
        source: the source system concerned; ``""`` for none.
    """

    kind: str
    object: str
    by: str
    account: str
    why: str
    values: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))
    source: str = ""
