"""When the next request to a service may leave: a rate, office hours, and waiting after a failure."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from connectors.clock import Clock, SystemClock
from schemas.errors import RetriableError
from schemas.service_config import OfficeHours, Politeness

_log = logging.getLogger(__name__)

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIRST_BACK_OFF = 1.0
_LONGEST_BACK_OFF = 60.0
_PATIENCE = 900.0
"""Seconds: who asks to be left alone for longer is asked again by the scheduler."""


class Pace:
    """Keeps the requests of one process to one service apart.

    Args:
        politeness: the source's settings.
        zone: in which the office hours are meant.
        clock: of the machine, or of a test.
        chance: a number in ``[0, 1)`` for the jitter.
    """

    def __init__(
        self,
        politeness: Politeness,
        zone: ZoneInfo,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.SystemRandom().random,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self._politeness = politeness
        self._zone = zone
        self._chance = chance
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next request may leave."""
        rate = self._politeness.requests_per_second
        hours = self._politeness.office_hours
        end = hours and _end_of_office_hours(hours, self.clock.now().astimezone(self._zone))
        if hours and end:
            if hours.requests_per_second is None:
                self._pause_until(end)
            else:
                rate = min(rate, hours.requests_per_second)
        self.clock.sleep(self._next - self.clock.monotonic())
        self._next = self.clock.monotonic() + 1 / rate

    def back_off(self, failures: int, retry_after: str = "") -> None:
        """Wait after the ``failures``-th failure of one request: exponentially longer, with full jitter.

        Args:
            failures: from 1.
            retry_after: the header of that name (RFC 9110 §10.2.3), seconds or a date; it is honoured.

        Raises:
            RetriableError: the server asks for more than a quarter of an hour.
        """
        asked = self._seconds(retry_after)
        if asked > _PATIENCE:
            raise RetriableError(
                f"the server asks to be left alone for {asked:.0f} seconds",
                expected=f"at most {_PATIENCE:.0f} seconds",
                action="let the next run try again",
            )
        longest = min(_LONGEST_BACK_OFF, _FIRST_BACK_OFF * 2 ** (failures - 1))
        self.clock.sleep(asked + self._chance() * longest)

    def _pause_until(self, end: datetime) -> None:
        _log.info("office hours: nothing is asked of the server until %s", end.isoformat())
        while (left := end - self.clock.now()) > timedelta(0):
            self.clock.sleep(left.total_seconds())

    def _seconds(self, retry_after: str) -> float:
        given = retry_after.strip()
        if given.isascii() and given.isdecimal():
            return float(given[:9])
        try:
            until = parsedate_to_datetime(given)
        except ValueError:
            return 0.0
        if until.tzinfo is None:
            return 0.0
        return max(0.0, (until - self.clock.now()).total_seconds())


def _end_of_office_hours(hours: OfficeHours, now: datetime) -> datetime | None:
    """When the office hours that ``now`` lies in are over; ``None`` outside them."""
    if _DAYS[now.weekday()] not in hours.days or not hours.start <= now.time() < hours.end:
        return None
    return datetime.combine(now.date(), hours.end, tzinfo=now.tzinfo)
