"""How a service is treated: a rate, office hours in the source's zone, longer and longer waits after failures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.pace import Pace
from schemas.errors import RetriableError
from schemas.service_config import OfficeHours, Politeness
from tests.connectors.domino_cases import TUESDAY_NIGHT, ZONE, FakeClock

TUESDAY_MORNING = datetime(2026, 11, 24, 9, 0, tzinfo=ZONE)


def pace(clock: FakeClock, hours: OfficeHours | None = None, chance: float = 0.5) -> Pace:
    settings = Politeness(requests_per_second=4, office_hours=hours)
    return Pace(settings, ZONE, clock, lambda: chance)


def test_requests_keep_their_distance() -> None:
    clock = FakeClock()
    keeping = pace(clock)
    for _ in range(5):
        keeping.wait()
    assert clock.slept == [0.25] * 4


def test_time_spent_on_an_answer_counts() -> None:
    clock = FakeClock()
    keeping = pace(clock)
    keeping.wait()
    clock.seconds += 10
    keeping.wait()
    assert clock.slept == []


@pytest.mark.parametrize(
    ("moment", "distance"),
    [
        (TUESDAY_MORNING, 2.0),
        (TUESDAY_MORNING.replace(hour=7, minute=30), 2.0),
        (TUESDAY_MORNING.replace(hour=7, minute=29, second=50), 0.25),
        (TUESDAY_MORNING.replace(hour=17, minute=0), 0.25),
        (TUESDAY_MORNING + timedelta(days=5), 0.25),  # Sunday
        (TUESDAY_MORNING.astimezone(UTC), 2.0),
    ],
)
def test_office_hours_are_slower_in_the_sources_zone(moment: datetime, distance: float) -> None:
    clock = FakeClock(moment)
    keeping = pace(clock, OfficeHours(requests_per_second=0.5))
    keeping.wait()
    keeping.wait()
    assert clock.slept == [distance]


def test_without_a_rate_office_hours_are_waited_out() -> None:
    clock = FakeClock(TUESDAY_MORNING)
    pace(clock, OfficeHours()).wait()
    assert clock.moment == TUESDAY_MORNING.replace(hour=17)
    assert pace(FakeClock(TUESDAY_NIGHT), OfficeHours()).wait() is None


def test_waits_double_up_to_a_minute_and_are_scattered() -> None:
    clock = FakeClock()
    keeping = pace(clock, chance=0.5)
    for failures in range(1, 10):
        keeping.back_off(failures)
    assert clock.slept == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    pace(scattered := FakeClock(), chance=0.0).back_off(5)
    assert scattered.slept == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Tue, 24 Nov 2026 18:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 18:00:00 GMT", 0.0),
        ("sớm", 0.0),
    ],
)
def test_what_the_server_asks_for_is_honoured(header: str, seconds: float) -> None:
    clock = FakeClock()
    pace(clock, chance=0.0).back_off(1, header)
    assert sum(clock.slept) == seconds


def test_who_wants_to_be_left_alone_for_long_is_left_to_the_scheduler() -> None:
    clock = FakeClock()
    with pytest.raises(RetriableError, match="3600 seconds"):
        pace(clock).back_off(1, "3600")
    assert clock.slept == []
