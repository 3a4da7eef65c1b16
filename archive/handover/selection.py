"""What of the documents that are asked for may leave the archive, and why the others may not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from archive.failures import database_errors
from archive.handover.leaving import LeftOut
from archive.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Store:
    """Where it is taken from: the database, by a login that sees all documents and may add events, and the objects."""

    engine: sa.Engine
    objects: ObjectStore


@dataclass(frozen=True, slots=True)
class Selection:
    """Documents to hand over.

    Attributes:
        out: identities of those that leave, in the order in which they were asked for.
        left_out: the others. access: class of access of each that leaves.
    """

    out: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    access: Mapping[str, str]

    @property
    def selected(self) -> int:
        """How many were asked for."""
        return len(self.out) + len(self.left_out)


def select(
    engine: sa.Engine, documents: Sequence[str], readable: Collection[str], *, recalled: bool = False
) -> Selection:
    """Sort ``documents``; one named twice counts once.

    Args:
        engine: sees all documents, whatever their class.
        documents: identities in the archive.
        readable: classes of access that may leave.
        recalled: hand recalled ones over too.
    """
    asked = list(dict.fromkeys(documents))
    with database_errors("choosing what may leave"), engine.connect() as connection:
        rows = {row.id: row for row in connection.execute(_STATES, {"ids": asked})}
    out, left = [], []
    for identity in asked:
        row = rows[identity]
        if row.access not in readable:
            left.append(LeftOut(identity, "access"))
        elif row.disposed:
            left.append(LeftOut(identity, "disposed"))
        elif row.recalled and not recalled:
            left.append(LeftOut(identity, "recalled"))
        else:
            out.append(identity)
    return Selection(tuple(out), tuple(left), {identity: rows[identity].access for identity in out})


def readable_classes(engine: sa.Engine) -> frozenset[str]:
    """The classes of access that the role of ``engine`` may read."""
    with database_errors("asking what may be read"), engine.connect() as connection:
        return frozenset(connection.scalar(sa.text("SELECT archive.readable_classes()")) or ())


def readable_dossiers(engine: sa.Engine) -> frozenset[str]:
    """Identities of the dossiers that the role of ``engine`` may read: a title tells what the documents are about."""
    with database_errors("asking which dossiers may be read"), engine.connect() as connection:
        return frozenset(connection.scalars(sa.text("SELECT id::text FROM archive.dossier")))


_STATES = sa.text(
    """SELECT d.id::text AS id, d.access,
      EXISTS (SELECT FROM archive.disposed_version z
        WHERE z.document_id = d.id AND z.version = d.current_version) AS disposed,
      EXISTS (SELECT FROM archive.relation_in_force f
        WHERE f.target_document = d.id AND f.kind = 'recalls' AND f.by_issuer) AS recalled
    FROM archive.document d WHERE d.id = ANY(CAST(:ids AS uuid[]))"""
)
