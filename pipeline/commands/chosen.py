"""The one document that a person's words name, for commands that act on it."""

from __future__ import annotations

import sqlalchemy as sa

from archive.queries import find_with_recalled
from archive.views import DocumentView
from schemas.errors import ConfigurationError


def chosen_document(engine: sa.Engine, what: str) -> DocumentView:
    """The document that ``what`` names (see ``archive.queries.find_with_recalled``).

    Raises:
        ConfigurationError: it names none, or more than one; their identities are told.
    """
    found = find_with_recalled(engine, what)
    if len(found) != 1:
        identities = ", ".join(document.document for document in found[:5])
        raise ConfigurationError(
            f"{what!r} names {len(found)} documents" + (f": {identities}" if found else ""),
            expected="exactly one",
            action="use its identity in the archive, as `lienthong show … --json` gives it",
        )
    return found[0]
