"""Which changes a run is about: civil days where a person types, instants everywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mappings.config import SourceConfig
from schemas.errors import ConfigurationError
from schemas.record import Window

LOCAL_ZONE = "Asia/Ho_Chi_Minh"


def civil_days(first: date | str | None, last: date | str | None, zone: str = LOCAL_ZONE) -> Window:
    """The window from the start of ``first`` to the end of ``last``, both included, as days in ``zone``.

    Days are dates or ``YYYY-MM-DD``; ``None`` or an empty text leaves that end open.

    Raises:
        ConfigurationError: a day is no date, or the last comes before the first.
    """
    start, end = _day(first), _day(last)
    if start and end and end < start:
        raise ConfigurationError(
            f"the last day {end} comes before the first day {start}", action="swap the two days"
        )
    return Window(
        _midnight(start, zone) if start else None,
        _midnight(end + timedelta(days=1), zone) if end else None,
    )


def window(context: Mapping[str, object], config: SourceConfig) -> Window:
    """The window of an Airflow run of ``sync__<source>``.

    A scheduler-managed backfill works on its data interval exactly. A nightly run lists everything where the
    source says ``inventory: full``, and otherwise its data interval, reached back over the configured overlap.

    Raises:
        ConfigurationError: the run has no data interval (it was triggered by hand) and the source needs one.
    """
    dag_run = context.get("dag_run")
    kind = str(getattr(getattr(dag_run, "run_type", ""), "value", getattr(dag_run, "run_type", "")))
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if kind == "backfill" and isinstance(start, datetime) and isinstance(end, datetime):
        return Window(start, end)
    if config.schedule.inventory == "full":
        return Window()
    if not isinstance(start, datetime) or not isinstance(end, datetime) or start >= end:
        raise ConfigurationError(
            f"this run of source {config.source} has no data interval",
            where="the Airflow run",
            expected="a run by the schedule, or a trigger with a data interval",
            action=f"start backfill__{config.source} with its form, which asks for days",
        )
    return Window(start - config.schedule.overlap, end)


def _day(given: date | str | None) -> date | None:
    if given is None or isinstance(given, date):
        return given
    if not given.strip():
        return None
    try:
        return date.fromisoformat(given.strip())
    except ValueError as error:
        raise ConfigurationError(f"{given!r} is no day", expected="YYYY-MM-DD") from error


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone))
