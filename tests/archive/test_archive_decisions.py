from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from archive.decision import Decision
from archive.decisions import decide, read_decision
from archive.ledger import verify_chain
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from archive.queries import find_with_recalled
from archive.same_as import link_decision
from schemas.errors import ConfigurationError
from tests.archive.office_records import CLOCK, archived


@pytest.fixture
def pair(archive: Archive, batch: Callable[..., Batch], objects: ObjectStore) -> tuple[str, str]:
    """One conclusion, seen in Notes and in the exchange with the same number, date and issuer."""
    archive.load(batch(), [archived(objects, "A1")])
    archive.load(batch(source="dieu_hanh"), [archived(objects, "B1", source="dieu_hanh")])
    first, second = sorted(view.document for view in find_with_recalled(archive.engine, "160-KL/TU"))
    return first, second


def decided(pair: tuple[str, str], state: str) -> Decision:
    return link_decision(pair, state, by="Trần Thị Mẫu", account="vanthu", why="Đã đối chiếu bản giấy")


def test_a_person_takes_a_found_link_back_and_both_documents_stay(
    archive: Archive, pair: tuple[str, str], select: Callable[..., list[tuple[object, ...]]]
) -> None:
    decide(archive.engine, decided(pair, "refused"), CLOCK)
    assert select("SELECT grade, state, decided_by, decided_why FROM archive.same_as") == [
        ("B", "refused", "Trần Thị Mẫu", "Đã đối chiếu bản giấy")
    ]
    assert [view.same_as[0].state for view in find_with_recalled(archive.engine, "160-KL/TU")] == [
        "refused"
    ] * 2


def test_a_decision_is_read_back_from_its_event_whole(
    archive: Archive, pair: tuple[str, str], select: Callable[..., list[tuple[object, ...]]]
) -> None:
    decide(archive.engine, decided(pair, "confirmed"), CLOCK)
    ((source, object_, payload),) = select(
        "SELECT source, object, payload FROM archive.event WHERE type = 'metadata modification'"
    )
    assert read_decision(str(source), str(object_), json.loads(str(payload))) == decided(pair, "confirmed")
    assert verify_chain(archive.engine) == []


def test_a_person_links_what_nobody_found(
    archive: Archive,
    batch: Callable[..., Batch],
    objects: ObjectStore,
    select: Callable[..., list[tuple[object, ...]]],
) -> None:
    archive.load(batch(), [archived(objects, "A1"), archived(objects, "A2", number="161")])
    pair = tuple(str(row[0]) for row in select("SELECT id FROM archive.document ORDER BY id::text"))
    decide(archive.engine, decided((pair[0], pair[1]), "confirmed"), CLOCK)
    assert select("SELECT grade, evidence, state FROM archive.same_as") == [("C", "person", "confirmed")]


@pytest.mark.parametrize("missing", ["by", "why"])
def test_nobody_decides_without_name_and_reason(
    archive: Archive, pair: tuple[str, str], missing: str
) -> None:
    with pytest.raises(ConfigurationError, match="without a person or a reason"):
        decide(archive.engine, replace(decided(pair, "refused"), **{missing: " "}))


def test_a_link_to_what_is_not_there_changes_nothing(
    archive: Archive, pair: tuple[str, str], select: Callable[..., list[tuple[object, ...]]]
) -> None:
    events = select("SELECT count(*) FROM archive.event")
    with pytest.raises(ConfigurationError, match="does not hold both"):
        decide(archive.engine, decided((pair[0], "00000000-0000-0000-0000-000000000001"), "confirmed"))
    assert select("SELECT count(*) FROM archive.event") == events


def test_the_loader_leaves_a_decided_link_as_it_is(
    archive: Archive,
    batch: Callable[..., Batch],
    objects: ObjectStore,
    pair: tuple[str, str],
    engine: sa.Engine,
    select: Callable[..., list[tuple[object, ...]]],
) -> None:
    decide(engine, decided(pair, "refused"), CLOCK)
    archive.load(batch("dem-2"), [archived(objects, "A1", revision="2")])
    assert select("SELECT grade, state FROM archive.same_as") == [("B", "refused")]
