"""The ledger: the database refuses changes, and what its owner does all the same is found."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from archive.canonical import canonical_bytes
from archive.ledger import START, Entry, Head, chain_problems, entries, entry_hash, head, verify_chain
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from archive.schema import APPEND_ONLY, metadata
from tests.archive.office_records import archived

pytestmark = pytest.mark.postgres


@pytest.fixture
def ledger(archive: Archive, objects: ObjectStore, batch: Callable[..., Batch]) -> sa.Engine:
    """Ten events: the run's start, and three batches of two documents, each with its account."""
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
    assert head(ledger).seq == 10


def test_an_empty_ledger_is_whole(engine: sa.Engine) -> None:
    assert verify_chain(engine) == []
    assert head(engine) == Head(0, START)


def test_every_append_only_table_has_its_guard(engine: sa.Engine) -> None:
    guarded = sa.text(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only' AND tgenabled = 'O' ORDER BY 1"
    )
    with engine.connect() as connection:
        assert set(connection.scalars(guarded)) >= {f"archive.{name}" for name in APPEND_ONLY}


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE archive.{table} SET {column} = {column}",
        "DELETE FROM archive.{table}",
        "TRUNCATE archive.{table} CASCADE",
    ],
)
def test_the_database_refuses_every_change(ledger: sa.Engine, table: str, change: str) -> None:
    statement = change.format(
        table=table, column=next(iter(metadata.tables[f"archive.{table}"].columns)).name
    )
    refused = pytest.raises(sa.exc.ProgrammingError, match="what is archived is never changed")
    with refused, ledger.begin() as connection:
        connection.execute(sa.text(statement))


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
    assert [(found.seq, found.message) for found in verify_chain(ledger)] == problems


def test_a_swap_of_two_events_is_found(ledger: sa.Engine) -> None:
    as_owner(ledger, "UPDATE archive.event SET seq = -seq WHERE seq IN (2, 5)")
    as_owner(ledger, "UPDATE archive.event SET seq = CASE seq WHEN -2 THEN 5 ELSE 2 END WHERE seq < 0")
    assert {problem.seq for problem in verify_chain(ledger)} == {2, 3, 5, 6}


def test_cutting_off_the_end_shows_in_the_head_only(ledger: sa.Engine) -> None:
    kept_outside = head(ledger)
    as_owner(ledger, "DELETE FROM archive.event WHERE seq > 4")
    assert verify_chain(ledger) == []
    assert head(ledger) != kept_outside


STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.builds(dict, type=STORABLE, source=STORABLE, payload=STORABLE), st.none() | st.just("0" * 36))
def test_what_is_hashed_is_canonical_json(texts: dict[str, str], run: str | None) -> None:
    at = datetime(2026, 3, 2, 1, 30, 0, 7, UTC)
    entry = Entry(START, 5, at, texts["type"], "success", texts["source"], "o", run, texts["payload"], "")
    fields = [
        START, 5, "2026-03-02T01:30:00.000007+00:00", entry.type, "success", entry.source, "o", run, entry.payload,
    ]  # fmt: skip
    assert entry_hash(entry) == hashlib.sha256(canonical_bytes(fields)).hexdigest()


def test_a_part_of_the_ledger_is_read_from_any_place(ledger: sa.Engine) -> None:
    with ledger.connect() as connection:
        whole = list(entries(connection))
        assert [entry.seq for entry in whole] == list(range(1, 11))
        assert list(entries(connection, after=2, through=5)) == whole[2:5]
    assert list(chain_problems(whole[2:], Head(2, whole[1].hash))) == []
    assert [problem.kind for problem in chain_problems(whole[2:])] == ["missing", "loose"]


FORGED = """INSERT INTO archive.event (seq, at, type, outcome, source, object, payload, prev_hash, hash)
SELECT {seq}, now(), 'ingestion', 'success', 's', 'o', '{{}}', {previous}, repeat('a', 64)
FROM archive.event WHERE seq = 10"""


@pytest.mark.parametrize(
    ("seq", "previous"), [("12", "hash"), ("11", "prev_hash"), ("0", "repeat('0', 64)"), ("-1", "hash")]
)
def test_an_event_that_does_not_continue_the_ledger_is_refused(
    ledger: sa.Engine, seq: str, previous: str
) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="does not continue the ledger"), ledger.begin() as connection:
        connection.execute(sa.text(FORGED.format(seq=seq, previous=previous)))
    assert head(ledger).seq == 10


def test_an_operator_of_one_s_own_does_not_lead_the_guard_astray(ledger: sa.Engine) -> None:
    statements = f"""CREATE SCHEMA mine;
      CREATE FUNCTION mine.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
      CREATE OPERATOR mine.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = mine.never);
      SET LOCAL search_path = mine, pg_catalog;
      {FORGED.format(seq="11", previous="prev_hash")}"""
    with pytest.raises(sa.exc.DBAPIError, match="does not continue the ledger"), ledger.begin() as connection:
        connection.execute(sa.text(statements))
    assert head(ledger).seq == 10


def test_an_event_does_not_go_back_into_a_gap(ledger: sa.Engine) -> None:
    """Whoever removed an event and wants to put another one in its place must switch this guard off too."""
    as_owner(ledger, "DELETE FROM archive.event WHERE seq = 3")
    with ledger.connect() as connection:
        [before] = connection.scalars(sa.text("SELECT hash FROM archive.event WHERE seq = 2"))
    with pytest.raises(sa.exc.DBAPIError, match="does not continue the ledger"), ledger.begin() as connection:
        connection.execute(sa.text(FORGED.format(seq="3", previous=f"'{before}'")))
