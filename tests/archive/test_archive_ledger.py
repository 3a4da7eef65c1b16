"""The ledger: the database refuses changes, and what its owner does all the same is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from archive.ledger import START, Head, Problem, head, verify_chain
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from tests.archive.office_records import archived

pytestmark = pytest.mark.postgres


@pytest.fixture
def ledger(archive: Archive, objects: ObjectStore, batch: Callable[..., Batch]) -> sa.Engine:
    """Six events in three batches."""
    for number in range(1, 4):
        archive.load(batch(number=number), [archived(objects, f"{side}{number}") for side in "AB"])
    return archive.engine


def as_owner(engine: sa.Engine, statement: str) -> None:
    """What the database's owner can do: switch the guard off."""
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE archive.event DISABLE TRIGGER append_only"))
        connection.execute(sa.text(statement))
        connection.execute(sa.text("ALTER TABLE archive.event ENABLE TRIGGER append_only"))


def test_an_untouched_ledger_is_whole(ledger: sa.Engine) -> None:
    assert verify_chain(ledger) == []
    assert head(ledger).seq == 6


def test_an_empty_ledger_is_whole(engine: sa.Engine) -> None:
    assert verify_chain(engine) == []
    assert head(engine) == Head(0, START)


@pytest.mark.parametrize("table", ["event", "document_version", "attachment", "signature_verdict"])
@pytest.mark.parametrize(
    "change", ["UPDATE archive.{} SET sha256 = ''", "DELETE FROM archive.{}", "TRUNCATE archive.{} CASCADE"]
)
def test_the_database_refuses_every_change(ledger: sa.Engine, table: str, change: str) -> None:
    if table in ("event", "document_version"):
        change = change.replace("sha256", "run_id").replace("''", "NULL")
    with (
        pytest.raises(sa.exc.ProgrammingError, match="what is archived is never changed"),
        ledger.begin() as connection,
    ):
        connection.execute(sa.text(change.format(table)))


CHANGED = "was changed after it was written"
LOOSE = "does not follow the event before it"


@pytest.mark.parametrize(
    ("statement", "problems"),
    [
        ("UPDATE archive.event SET outcome = 'failure' WHERE seq = 3", [(3, CHANGED)]),
        ("UPDATE archive.event SET payload = '{}' WHERE seq = 6", [(6, CHANGED)]),
        ("UPDATE archive.event SET at = at + interval '1 microsecond' WHERE seq = 1", [(1, CHANGED)]),
        ("DELETE FROM archive.event WHERE seq = 4", [(4, "events 4 to 4 are missing"), (5, LOOSE)]),
        ("DELETE FROM archive.event WHERE seq <= 2", [(1, "events 1 to 2 are missing"), (3, LOOSE)]),
    ],
)
def test_a_change_is_found_where_it_is(
    ledger: sa.Engine, statement: str, problems: list[tuple[int, str]]
) -> None:
    as_owner(ledger, statement)
    assert verify_chain(ledger) == [Problem(*problem) for problem in problems]


def test_a_swap_of_two_events_is_found(ledger: sa.Engine) -> None:
    as_owner(ledger, "UPDATE archive.event SET seq = -seq WHERE seq IN (2, 5)")
    as_owner(ledger, "UPDATE archive.event SET seq = CASE seq WHEN -2 THEN 5 ELSE 2 END WHERE seq < 0")
    assert {problem.seq for problem in verify_chain(ledger)} == {2, 3, 5, 6}


def test_cutting_off_the_end_shows_in_the_head_only(ledger: sa.Engine) -> None:
    kept_outside = head(ledger)
    as_owner(ledger, "DELETE FROM archive.event WHERE seq > 4")
    assert verify_chain(ledger) == []
    assert head(ledger) != kept_outside
