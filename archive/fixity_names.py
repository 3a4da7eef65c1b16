"""The names in the store against the names in the database: what is missing, and what nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from archive.objects import ObjectStore

_PAGE = 1_000
_NAMED = 1_000


class NameComparison:
    """Both lists side by side, each in order, so that neither is ever held whole.

    Args:
        engine: of the database, whose table ``fixity`` names all that it keeps.
        objects: the store.
        young_since: an orphan written later is young: whoever wrote it may be about to enter it.

    Attributes:
        orphans: the first 1,000 orphans that are not young.
        orphan_count, young: how many orphans there are of either age.
    """

    def __init__(self, engine: sa.Engine, objects: ObjectStore, young_since: datetime) -> None:
        self._engine = engine
        self._objects = objects
        self._young_since = young_since.timestamp()
        self.orphans: list[str] = []
        self.orphan_count = 0
        self.young = 0

    def missing(self) -> Iterator[list[tuple[str, int | None]]]:
        """Names and sizes that the store did not list, in pages; when it is exhausted the orphans are counted too."""
        missing: list[tuple[str, int | None]] = []
        unknown: list[str] = []
        for name, known, size in self._differences():
            if known:
                missing.append((name, size))
                if len(missing) == _PAGE:
                    yield missing
                    missing = []
            else:
                unknown.append(name)
                if len(unknown) == _PAGE:
                    self._count(unknown)
                    unknown = []
        self._count(unknown)
        if missing:
            yield missing

    def _differences(self) -> Iterator[tuple[str, bool, int | None]]:
        """(name, the database knows it, size) of what only one of the two has."""
        with self._engine.connect() as connection:
            rows = iter(connection.execute(_KNOWN.execution_options(yield_per=5_000)))
            known = next(rows, None)
            for name in self._objects:
                while known is not None and known[0] < name:
                    yield known[0], True, known[1]
                    known = next(rows, None)
                if known is not None and known[0] == name:
                    known = next(rows, None)
                else:
                    yield name, False, None
            while known is not None:
                yield known[0], True, known[1]
                known = next(rows, None)

    def _count(self, names: list[str]) -> None:
        """Count as orphans what was not entered meanwhile."""
        with self._engine.connect() as connection:
            entered = set(connection.scalars(_ENTERED, {"names": names}))
        for name in names:
            stored = None if name in entered else self._objects.locate(name)
            if stored is None:
                continue
            if stored.modified >= self._young_since:
                self.young += 1
                continue
            self.orphan_count += 1
            if len(self.orphans) < _NAMED:
                self.orphans.append(name)


_KNOWN = sa.text(
    """SELECT f.sha256, o.size FROM archive.fixity f LEFT JOIN archive.object o USING (sha256)
    ORDER BY f.sha256"""
)
_ENTERED = sa.text(
    """SELECT sha256 FROM archive.object WHERE sha256 = ANY(CAST(:names AS text[]))
    UNION SELECT original_sha256 FROM archive.quarantine WHERE original_sha256 = ANY(CAST(:names AS text[]))
    UNION SELECT name FROM archive.quarantine, unnest(files) AS name WHERE name = ANY(CAST(:names AS text[]))
    -- given up by a disposal, and about to be removed
    UNION SELECT sha256 FROM archive.disposed_object
      WHERE sha256 = ANY(CAST(:names AS text[])) AND removed_at IS NULL"""
)
