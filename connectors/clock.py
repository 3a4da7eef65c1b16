"""The time of day and the passing of time, which tests replace."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What a connector needs of time."""

    def now(self) -> datetime:
        """The moment, aware."""
        ...

    def monotonic(self) -> float:
        """Seconds since some start, never going back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""
        ...


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        """The moment, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of ``time.monotonic``."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep; nothing happens for 0 and less."""
        if seconds > 0:
            time.sleep(seconds)
