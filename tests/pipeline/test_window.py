from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from pipeline.window import civil_days, window
from schemas.errors import ConfigurationError
from schemas.record import Window

NIGHT = {
    "data_interval_start": datetime(2026, 11, 20, 19, tzinfo=UTC),
    "data_interval_end": datetime(2026, 11, 21, 19, tzinfo=UTC),
}


def config(inventory: str, overlap: timedelta = timedelta(days=1)):
    return SimpleNamespace(source="thu", schedule=SimpleNamespace(inventory=inventory, overlap=overlap))


def run(run_type: str, **interval):
    return {"dag_run": SimpleNamespace(run_type=SimpleNamespace(value=run_type)), **interval}


def test_days_are_vietnamese_days_and_both_are_included():
    assert civil_days("2026-11-05", "2026-11-05") == Window(
        datetime(2026, 11, 4, 17, tzinfo=UTC), datetime(2026, 11, 5, 17, tzinfo=UTC)
    )


def test_an_empty_day_leaves_that_end_open():
    assert civil_days(None, "") == Window()
    assert civil_days("2010-01-01", None).end is None


@pytest.mark.parametrize(("first", "last"), [("2026-11-06", "2026-11-05"), ("05/11/2026", None)])
def test_days_that_make_no_sense_are_refused(first, last):
    with pytest.raises(ConfigurationError):
        civil_days(first, last)


def test_a_night_of_a_drop_folder_lists_everything():
    assert window(run("scheduled", **NIGHT), config("full")) == Window()


def test_a_night_of_a_server_takes_its_interval_reached_back_over_the_overlap():
    assert window(run("scheduled", **NIGHT), config("window")) == Window(
        datetime(2026, 11, 19, 19, tzinfo=UTC), NIGHT["data_interval_end"]
    )


@pytest.mark.parametrize("inventory", ["full", "window"])
def test_a_scheduler_managed_backfill_takes_its_interval_exactly(inventory):
    assert window(run("backfill", **NIGHT), config(inventory)) == Window(
        NIGHT["data_interval_start"], NIGHT["data_interval_end"]
    )


@pytest.mark.parametrize(
    "interval",
    [
        {},
        {"data_interval_start": None, "data_interval_end": None},
        {
            "data_interval_start": NIGHT["data_interval_end"],
            "data_interval_end": NIGHT["data_interval_end"],
        },
    ],
)
def test_a_run_without_an_interval_is_refused_where_one_is_needed(interval):
    with pytest.raises(ConfigurationError, match="backfill__thu"):
        window(run("manual", **interval), config("window"))
    assert window(run("manual", **interval), config("full")) == Window()
