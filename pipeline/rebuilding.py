"""Where a database is made again: in one of its own, for comparing, or in one that is to stay."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import sqlalchemy as sa
from psycopg import sql

from archive.anchor_files import publish
from archive.anchors import make_anchor
from archive.database import create_engine, database_url, normalised_url
from archive.dossiers import refresh
from archive.failures import database_errors
from archive.migrate import migrate
from archive.objects import ObjectStore
from archive.rebuild import Rebuilt, rebuild
from archive.rebuild_compare import TableComparison, compare
from pipeline.anchoring import publish_or_warn
from pipeline.object_store import configured_object_store
from pipeline.settings import Settings
from schemas.errors import RetriableError

_TRIES = 5
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Compared:
    """A database made again, and how it compares with the living one; no ``tables`` where nothing was compared."""

    made: Rebuilt
    tables: tuple[TableComparison, ...] = ()

    @property
    def equal(self) -> bool:
        """Nothing is missing, and no compared row differs."""
        return self.made.whole and all(table.equal for table in self.tables)


def rebuild_and_compare(settings: Settings, into: str, head: str, on_progress: Progress) -> Compared:
    """Make the living archive's database again and compare the two.

    The ledger is anchored first: events that are not in the store yet go there.

    Args:
        into: URL of an empty database that keeps what is made; ``""``: one beside the living one, dropped afterwards.
        head: hash of an event of the true ledger, where the store holds more than one.
    """
    url = database_url()
    living = create_engine(url)
    objects = configured_object_store(settings)
    try:
        migrate(living)
        refresh(living)
        with _target(url, into) as made, _still(living, objects) as connection:
            done = rebuild(made, objects, head=head, on_progress=on_progress)
            with made.connect() as other:
                compared = Compared(done, tuple(compare(connection, other)))
        publish_or_warn(settings, living, objects)
        return compared
    finally:
        living.dispose()


def rebuild_into(settings: Settings, into: str, head: str, on_progress: Progress) -> Compared:
    """Make the database again at the URL ``into``, from the store alone: the living one may be gone."""
    with _target("", into) as made:
        objects = configured_object_store(settings)
        done = rebuild(made, objects, head=head, on_progress=on_progress)
        if not settings.anchors[0].exists():  # a new data folder, after a loss
            publish(made, objects, settings.anchors[0], begin=True)
        return Compared(done)


@contextmanager
def _still(living: sa.Engine, objects: ObjectStore) -> Iterator[sa.Connection]:
    """A view of the database at a moment at which the store held the whole ledger."""
    for _ in range(_TRIES):
        make_anchor(living, objects)
        with living.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            state = connection.execute(_ANCHORED).one()
            if state.events == state.anchored:
                yield connection
                return
    raise RetriableError("the archive is being written to", action="wait until the runs under way have ended")


@contextmanager
def _target(living: str, into: str) -> Iterator[sa.Engine]:
    if into:
        engine = create_engine(normalised_url(into))
        try:
            yield engine
        finally:
            engine.dispose()
        return
    name = f"lienthong_rebuild_{secrets.token_hex(6)}"
    server = sa.make_url(living).set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        database_errors("making a database for the comparison"),
        psycopg.connect(server, autocommit=True) as connection,
    ):
        # TEMPLATE template0: another session in template1 must not stand in the way.
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        engine = create_engine(sa.make_url(living).set(database=name).render_as_string(hide_password=False))
        try:
            yield engine
        finally:
            engine.dispose()
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


_ANCHORED = sa.text(
    """SELECT (SELECT coalesce(max(seq), 0) FROM archive.event) AS events,
      (SELECT coalesce(max(tree_size), 0) FROM archive.anchor) AS anchored"""
)
