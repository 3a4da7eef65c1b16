"""What a source deleted stays archived and is marked; what comes back is unmarked; each change is an event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from archive import ledger
from archive.identities import document_id
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from archive.presence import Presence, mark_presence
from archive.queries import find_document
from tests.archive.conftest import SOURCE
from tests.archive.office_records import CLOCK, archived

pytestmark = pytest.mark.postgres
NIGHT = timedelta(days=1)
Select = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def loaded(archive: Archive, objects: ObjectStore, batch: Callable[..., Batch]) -> Batch:
    """Three documents of one source, and one of another."""
    first = batch()
    archive.load(first, [archived(objects, key) for key in ("UNID1", "UNID2", "UNID3")])
    archive.load(batch(source="truc_tinh"), [archived(objects, "GOI1", source="truc_tinh")])
    return first


def events(select: Select) -> list[tuple[object, ...]]:
    return select("SELECT type, object FROM archive.event WHERE type LIKE '%source' ORDER BY seq")


def test_what_is_not_listed_any_more_is_marked_once_and_kept(
    engine: sa.Engine, loaded: Batch, select: Select
) -> None:
    tonight = CLOCK + NIGHT
    listed = ["UNID3", "UNID1", "UNID1"]
    assert mark_presence(engine, SOURCE, loaded.run, listed, tonight) == Presence(gone=1, back=0)
    assert mark_presence(engine, SOURCE, loaded.run, listed, tonight + NIGHT) == Presence(gone=0, back=0)

    document = find_document(engine, "UNID2")[0]
    assert document.gone_from_source_at == tonight
    assert [version.version for version in document.versions] == [1]
    assert find_document(engine, "GOI1")[0].gone_from_source_at is None
    assert events(select) == [("gone from source", str(document_id(SOURCE, "UNID2")))]
    assert ledger.verify_chain(engine) == []


def test_what_comes_back_is_unmarked(engine: sa.Engine, loaded: Batch, select: Select) -> None:
    mark_presence(engine, SOURCE, loaded.run, ["UNID1"], CLOCK + NIGHT)
    everything = ["UNID1", "UNID2", "UNID3"]
    assert mark_presence(engine, SOURCE, loaded.run, everything, CLOCK + 2 * NIGHT) == Presence(0, 2)
    assert find_document(engine, "UNID2")[0].gone_from_source_at is None
    assert [kind for kind, _ in events(select)] == ["gone from source"] * 2 + ["back at source"] * 2


def test_a_document_received_after_the_inventory_is_not_gone(engine: sa.Engine, loaded: Batch) -> None:
    before = CLOCK - timedelta(hours=1)
    assert mark_presence(engine, SOURCE, loaded.run, [], before) == Presence(0, 0)
