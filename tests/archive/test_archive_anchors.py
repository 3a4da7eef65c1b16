"""Anchoring: what it leaves in the store, that a killed one is finished with the same bytes, and what stops it."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from archive import anchors
from archive.anchor_record import MARK as ANCHOR_MARK
from archive.anchor_record import anchor_bytes, read_anchor
from archive.anchors import Anchored, make_anchor
from archive.ledger import Chain, entries, head, verify_chain
from archive.ledger_segment import MARK as SEGMENT_MARK
from archive.ledger_segment import read_segment
from archive.loader import Archive, Batch
from archive.merkle import leaf_hash, root_of
from archive.objects import ObjectStore
from schemas.errors import FatalError, RetriableError
from tests.archive.office_records import CLOCK, archived

pytestmark = pytest.mark.postgres

Night = Callable[..., Anchored | None]


@pytest.fixture
def load(archive: Archive, objects: ObjectStore, batch: Callable[..., Batch]) -> Callable[[int], None]:
    """Load two documents as batch ``number``: two events."""

    def load(number: int) -> None:
        archive.load(batch(number=number), [archived(objects, f"{side}{number}") for side in "AB"])

    return load


@pytest.fixture
def night(engine: sa.Engine, objects: ObjectStore) -> Night:
    def anchored(day: int = 0, **options: object) -> Anchored | None:
        return make_anchor(engine, objects, now=CLOCK + timedelta(days=day), **options)  # type: ignore[arg-type]

    return anchored


def read(objects: ObjectStore, sha256: str) -> bytes:
    with objects.open(sha256) as stream:
        return stream.read()


def rows(engine: sa.Engine) -> list[dict[str, object]]:
    with engine.connect() as connection:
        return [
            dict(row)
            for row in connection.execute(sa.text("SELECT * FROM archive.anchor ORDER BY number")).mappings()
        ]


def test_an_empty_ledger_has_no_anchor(night: Night, objects: ObjectStore) -> None:
    assert night() is None
    assert list(objects) == []


def test_each_anchor_covers_all_events_and_the_store_alone_gives_the_ledger(
    night: Night, load: Callable[[int], None], engine: sa.Engine, objects: ObjectStore
) -> None:
    for day in range(5):
        for number in range(day + 1):
            load(day * 10 + number + 1)
        done = night(day)
        assert done is not None
        assert done.anchor.tree_size == head(engine).seq
        assert done.anchor.at == CLOCK + timedelta(days=day)

    found = [read(objects, sha256) for sha256 in objects]
    records = sorted(
        (read_anchor(data) for data in found if data.startswith(ANCHOR_MARK)), key=lambda one: one.number
    )
    assert len([data for data in found if data.startswith(SEGMENT_MARK)]) == 5
    assert [record.number for record in records] == [1, 2, 3, 4, 5]

    with engine.connect() as connection:
        ledger = list(entries(connection))
    leaves = [leaf_hash(bytes.fromhex(event.hash)) for event in ledger]
    held, chain, before = [], Chain(), None
    for record in records:
        with objects.open(record.segment_sha256) as stream:
            first, events = read_segment(stream)
            assert (first.number, first.previous) == (record.number, chain.head)
            for event in events:
                assert chain.follow(event) == ()
                held.append(event)
        assert record.root == root_of(leaves[: record.tree_size]).hex()
        assert record.head == ledger[record.tree_size - 1].hash
        assert record.continues(before)
        before = record
    assert held == ledger
    kept = {row["sha256"] for row in _objects(engine)}
    assert {
        sha256 for row in rows(engine) for sha256 in (row["record_sha256"], row["segment_sha256"])
    } <= kept


def _objects(engine: sa.Engine) -> list[sa.RowMapping]:
    with engine.connect() as connection:
        return list(connection.execute(sa.text("SELECT sha256 FROM archive.object")).mappings())


def test_a_record_says_what_its_row_says(
    night: Night, load: Callable[[int], None], engine: sa.Engine, objects: ObjectStore
) -> None:
    load(1)
    first = night()
    load(2)
    second = night(1)
    assert first is not None
    assert second is not None
    data = read(objects, second.record_sha256)
    assert data == anchor_bytes(second.anchor)
    assert json.loads(data)["previous"] == {"anchor": first.record_sha256, "token": None, "tree_size": 5}
    [_, row] = rows(engine)
    assert row == {
        "number": 2,
        "at": CLOCK + timedelta(days=1),
        "tree_size": 9,
        "root": second.anchor.root,
        "head": head(engine).hash,
        "segment_sha256": second.anchor.segment_sha256,
        "record_sha256": second.record_sha256,
        "token_sha256": None,
        "previous": first.record_sha256,
    }


def test_anchoring_again_with_nothing_new_changes_nothing(
    night: Night, load: Callable[[int], None], engine: sa.Engine, objects: ObjectStore
) -> None:
    load(1)
    first = night()
    before = rows(engine), head(engine), list(objects)
    again = night(1)
    assert first is not None
    assert again is not None
    assert (again.anchor, again.made) == (first.anchor, False)
    assert (rows(engine), head(engine), list(objects)) == before


@pytest.mark.parametrize("step", ["_finish", "_segment", "_stamped", "copy_rows"])
def test_a_killed_anchoring_is_finished_by_the_next_with_the_same_bytes(
    night: Night,
    load: Callable[[int], None],
    engine: sa.Engine,
    objects: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    load(1)
    night()
    load(2)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(anchors, step, killed)
        with pytest.raises(KeyboardInterrupt):
            night(1)
    load(3)
    done = night(2)
    assert done is not None
    assert [(row["number"], row["tree_size"]) for row in rows(engine)] == [(1, 5), (2, 9)]
    assert done.anchor.at == CLOCK + timedelta(days=1)
    last = night(3)
    assert last is not None
    assert (last.anchor.number, last.anchor.tree_size) == (3, 13)
    assert verify_chain(engine) == []


def test_a_time_stamp_is_over_the_record_and_the_next_anchor_names_it(
    night: Night, load: Callable[[int], None], objects: ObjectStore
) -> None:
    stamped: list[bytes] = []

    def stamp(record: bytes) -> bytes:
        stamped.append(record)
        return b"reply to " + record

    load(1)
    first = night(stamp=stamp)
    assert first is not None
    assert first.token_sha256 is not None
    assert stamped == [anchor_bytes(first.anchor)]
    assert read(objects, first.token_sha256) == b"reply to " + stamped[0]
    again = night(1, stamp=stamp, renew=True)
    assert again is not None
    assert again.anchor.previous is not None
    assert (again.anchor.number, again.anchor.previous.token) == (2, first.token_sha256)


def test_an_authority_that_is_away_does_not_stop_the_anchor(
    night: Night, load: Callable[[int], None], engine: sa.Engine
) -> None:
    def away(_: bytes) -> bytes:
        raise RetriableError("the time-stamping authority does not answer")

    load(1)
    done = night(stamp=away)
    assert done is not None
    assert "does not answer" in done.stamp_failure
    assert [row["token_sha256"] for row in rows(engine)] == [None]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE archive.event SET outcome = 'failure' WHERE seq = 7", "was changed after it was written"),
        ("DELETE FROM archive.event WHERE seq = 6", "events 6 to 6 are missing"),
        ("DELETE FROM archive.event WHERE seq > 2", "the ledger has 2 events"),
        ("UPDATE archive.anchor SET root = repeat('0', 64)", "says something else than its record"),
    ],
)
def test_what_was_tampered_with_is_not_anchored(
    night: Night, load: Callable[[int], None], engine: sa.Engine, statement: str, message: str
) -> None:
    load(1)
    night()
    load(2)
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text(statement))
    before = rows(engine)
    with pytest.raises(FatalError, match=message):
        night(1)
    assert rows(engine) == before


def test_anchors_of_many_workers_at_once_are_one(
    load: Callable[[int], None], engine: sa.Engine, objects: ObjectStore
) -> None:
    load(1)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: make_anchor(engine, objects), range(4)))
    assert len(rows(engine)) == 1
    assert len({one.record_sha256 for one in done if one}) == 1
