"""A run's account: the numbers add up, or the run failed and says which numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from archive.loader import Archive, Batch, LoadReport
from archive.objects import ObjectStore
from archive.runs import account, record_listed, run_clock, run_summary, runs, start_run
from schemas.errors import ConfigurationError, FatalError
from schemas.record import Window
from tests.archive.office_records import CLOCK, archived, quarantined

pytestmark = pytest.mark.postgres
SOURCE = "notes_van_ban_di"
NIGHT = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))


def test_a_run_that_adds_up_is_finished(archive: Archive, objects: ObjectStore, engine: sa.Engine) -> None:
    run = start_run(engine, SOURCE, "sync", NIGHT, "sync__notes/2026-03-01", now=CLOCK)
    record_listed(engine, run, listed=10, unchanged_at_plan=6, batches=2)
    archive.load(Batch(SOURCE, run, 1, "x"), [archived(objects, "A1"), archived(objects, "A2")])
    archive.load(Batch(SOURCE, run, 2, "y"), [archived(objects, "A1"), quarantined("A3")])
    summary = account(engine, run, now=CLOCK + timedelta(minutes=5))
    assert (summary.source, summary.kind, summary.run_key) == (SOURCE, "sync", "sync__notes/2026-03-01")
    assert (summary.started, summary.finished) == (CLOCK, CLOCK + timedelta(minutes=5))
    assert (summary.window_start, summary.window_end) == (NIGHT.start, NIGHT.end)
    assert (summary.state, summary.failure) == ("finished", None)
    assert (summary.listed, summary.archived, summary.unchanged) == (10, 2, 7)
    assert (summary.quarantined, summary.withheld) == (1, 0)
    assert account(engine, run, now=CLOCK + timedelta(days=1)) == summary
    with engine.connect() as connection:
        events = connection.execute(
            sa.text(
                "SELECT outcome, CAST(payload AS json) ->> 'step' AS step FROM archive.event"
                " WHERE type = 'accounting' ORDER BY seq"
            )
        )
        assert [tuple(row) for row in events] == [
            ("success", step) for step in ("started", "planned", "loaded", "loaded", "closed")
        ]


def test_a_record_that_is_in_no_state_fails_the_run_by_its_numbers(
    archive: Archive, objects: ObjectStore, engine: sa.Engine
) -> None:
    run = start_run(engine, SOURCE, "sync", NIGHT, "dem-1", now=CLOCK)
    record_listed(engine, run, listed=3, unchanged_at_plan=0, batches=1)
    archive.load(Batch(SOURCE, run, 1), [archived(objects, "A1"), quarantined("A2")])
    numbers = r"listed 3, but archived 1 \+ unchanged 0 \+ quarantined 1 \+ withheld 0 = 2"
    with pytest.raises(FatalError, match=numbers):
        account(engine, run)
    failed = run_summary(engine, run)
    assert failed.state == "failed"
    assert failed.failure == "listed 3, but archived 1 + unchanged 0 + quarantined 1 + withheld 0 = 2"


def test_a_missing_batch_fails_the_run_until_it_is_loaded(
    archive: Archive, objects: ObjectStore, engine: sa.Engine
) -> None:
    run = start_run(engine, SOURCE, "sync", NIGHT, "dem-1", now=CLOCK)
    record_listed(engine, run, listed=2, unchanged_at_plan=0, batches=2)
    archive.load(Batch(SOURCE, run, 1), [archived(objects, "A1")])
    loaded = run_summary(engine, run)
    assert loaded.last_batch is not None
    assert loaded.silent_since() == loaded.last_batch
    with pytest.raises(FatalError, match="1 of 2 batches are loaded"):
        account(engine, run)
    assert run_summary(engine, run).silent_since() is None, "it ended"
    archive.load(Batch(SOURCE, run, 2), [archived(objects, "A2")])
    assert account(engine, run).state == "finished"


def test_a_run_without_a_finished_inventory_fails(engine: sa.Engine) -> None:
    run = start_run(engine, SOURCE, "sync", NIGHT, "dem-1", now=CLOCK)
    assert run_summary(engine, run).silent_since() == CLOCK
    with pytest.raises(FatalError, match="its inventory was never finished"):
        account(engine, run)


def test_a_retried_start_goes_on_with_the_same_run_and_clock(engine: sa.Engine) -> None:
    first = start_run(engine, SOURCE, "sync", NIGHT, "dem-1", now=CLOCK)
    again = start_run(engine, SOURCE, "sync", NIGHT, "dem-1", now=CLOCK + timedelta(hours=1))
    assert again == first
    assert run_clock(engine, again) == CLOCK


def test_a_run_that_ended_is_not_opened_again(engine: sa.Engine) -> None:
    first = start_run(engine, SOURCE, "sync", NIGHT, "dem-1", now=CLOCK)
    record_listed(engine, first, 0, 0, 0)
    account(engine, first)
    later = CLOCK + timedelta(hours=1)
    second = start_run(engine, SOURCE, "sync", NIGHT, "dem-1", now=later)
    assert second != first
    assert (run_summary(engine, second).attempt, run_clock(engine, second)) == (2, later)


def test_a_plan_made_again_counts_its_own_batches_only(
    archive: Archive, objects: ObjectStore, engine: sa.Engine
) -> None:
    run = start_run(engine, SOURCE, "backfill", Window(), "nam-2010", now=CLOCK)
    record_listed(engine, run, listed=2, unchanged_at_plan=0, batches=2)
    assert archive.load(Batch(SOURCE, run, 1), [archived(objects, "A1")]) == LoadReport(1, 0, 0, 0)
    record_listed(engine, run, listed=2, unchanged_at_plan=1, batches=1)
    assert archive.load(Batch(SOURCE, run, 1), [archived(objects, "A2")]) == LoadReport(1, 0, 0, 0)
    summary = account(engine, run)
    assert (summary.listed, summary.archived, summary.unchanged) == (2, 1, 1)


def test_a_run_that_never_ended_is_seen_as_such(engine: sa.Engine) -> None:
    for day, source in enumerate([SOURCE, "truc_tinh", SOURCE]):
        start_run(engine, source, "sync", NIGHT, f"dem-{day}", now=CLOCK + timedelta(days=day))
    assert [(run.run_key, run.state, run.finished) for run in runs(engine, 2)] == [
        ("dem-2", "running", None),
        ("dem-1", "running", None),
    ]
    assert [run.run_key for run in runs(engine, source=SOURCE)] == ["dem-2", "dem-0"]


def test_a_source_name_that_would_confuse_identities_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(ConfigurationError, match="cannot name a source"):
        start_run(engine, "a|b", "sync", NIGHT, "dem-1")


def test_an_unknown_run_says_so(engine: sa.Engine) -> None:
    nowhere = "00000000-0000-0000-0000-000000000000"
    calls: list[Callable[[], object]] = [
        lambda: account(engine, nowhere),
        lambda: run_clock(engine, nowhere),
        lambda: record_listed(engine, nowhere, 1, 0, 1),
    ]
    for call in calls:
        with pytest.raises(FatalError, match=f"knows no run {nowhere}"):
            call()
