"""How far a server's clock is from ours, measured from the ``Date`` of its answers (RFC 9110, 6.6.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from connectors.clock import Clock

TOLERANCE = timedelta(seconds=2)
"""Smaller differences cannot be told from the way of an answer."""

_SLOW = timedelta(seconds=20)
_RESOLUTION = timedelta(milliseconds=500)
"""``Date`` has whole seconds; on the average half a second was cut off."""


class ServerClock:
    """The server's time, as well as its answers tell it.

    Attributes:
        skew: server's clock minus ours, at the last answer that told it; zero below the tolerance.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.skew = timedelta(0)

    def now(self) -> datetime:
        """What the server's clock shows now."""
        return self._clock.now() + self.skew

    def observe(self, date: str | None, sent: datetime, received: datetime) -> None:
        """Take the ``Date`` header of an answer; one that came slowly, or says no date, tells nothing."""
        if date is None or received - sent > _SLOW:
            return
        try:
            said = parsedate_to_datetime(date)
        except ValueError:
            return
        if said.tzinfo is None:
            return
        skew = said + _RESOLUTION - (sent + (received - sent) / 2)
        self.skew = skew if abs(skew) >= TOLERANCE else timedelta(0)
