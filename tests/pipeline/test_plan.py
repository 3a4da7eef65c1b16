from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.batch_lines import read_planned, read_present
from pipeline.plan import MAX_BATCHES, Counts, count_only, write_plan
from pipeline.workspace import Workspace
from schemas.record import Listing, Window

MOMENT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


class ListedSource:
    name = "thu"
    lists_everything = False

    def __init__(self, listings):
        self.listings = listings

    def inventory(self, window):
        return iter(self.listings)


class ArchiveThatKnows:
    def __init__(self, known=()):
        self.pairs = set(known)

    def known(self, source, pairs):
        assert source == "thu"
        return self.pairs.intersection(pairs)


def listing(number: int, revision: str = "1") -> Listing:
    return Listing(f"văn bản {number}", revision, f"tệp#{number}", MOMENT)


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "work", "run-1")


def test_known_and_repeated_listings_are_unchanged_and_the_rest_is_cut_into_batches(workspace):
    source = ListedSource([listing(1), listing(2), listing(1), listing(3), listing(2, "2")])
    archive = ArchiveThatKnows({("văn bản 3", "1")})

    counts, batches = write_plan(source, archive, Window(), workspace, batch_size=2)

    assert counts == Counts(listed=5, unchanged=2)
    assert counts.pending == 3
    assert batches == 2
    planned = [[line.listing() for line in read_planned(workspace.file(n, "planned"))] for n in (1, 2)]
    assert planned == [[listing(1), listing(2)], [listing(2, "2")]]


def test_nothing_new_means_no_batch(workspace):
    archive = ArchiveThatKnows({("văn bản 1", "1")})
    assert write_plan(ListedSource([listing(1)]), archive, Window(), workspace, 500) == (Counts(1, 1), 0)


def test_batches_grow_rather_than_exceed_what_airflow_maps(workspace):
    source = ListedSource([listing(number) for number in range(1, 1002)])
    counts, batches = write_plan(source, ArchiveThatKnows(), Window(), workspace, batch_size=1)
    assert counts == Counts(1001, 0)
    assert batches <= MAX_BATCHES
    planned = [line.key for n in range(1, batches + 1) for line in read_planned(workspace.file(n, "planned"))]
    assert planned == [f"văn bản {number}" for number in range(1, 1002)]


def test_a_dry_run_counts_the_same_and_writes_nothing(workspace):
    source = ListedSource([listing(1), listing(2), listing(1)])
    assert count_only(source, ArchiveThatKnows({("văn bản 2", "1")}), Window()) == Counts(3, 2)
    assert not workspace.folder.exists()


def test_planning_again_forgets_the_earlier_plan(workspace):
    write_plan(ListedSource([listing(n) for n in range(9)]), ArchiveThatKnows(), Window(), workspace, 1)
    write_plan(ListedSource([listing(1)]), ArchiveThatKnows(), Window(), workspace, 1)
    assert sorted(path.name for path in workspace.folder.iterdir()) == ["batch-00001.planned.jsonl"]


@pytest.mark.parametrize(
    ("complete", "window", "kept"),
    [
        (True, Window(), ["văn bản 1", "văn bản 2", "văn bản 1"]),
        (False, Window(), None),  # a part of it could not be listed, or it did not hold still
        (True, Window(start=MOMENT), None),  # what did not change is not listed
    ],
)
def test_the_keys_of_an_inventory_are_kept_only_if_it_is_of_everything(workspace, complete, window, kept):
    source = ListedSource([listing(1), listing(2), listing(1, "2")])
    source.lists_everything = complete
    write_plan(source, ArchiveThatKnows(), window, workspace, 500)
    found = list(read_present(workspace.present)) if workspace.present.exists() else None
    assert found == kept
