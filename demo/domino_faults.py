"""What goes wrong at the Domino simulator, and when: said beforehand, by request number or by what is asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from demo.domino_database import NotesDatabase


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came in.

    Attributes:
        number: from 1, in order of arrival. path: decoded, without the query. command: the URL command after ``?``.
        query: the parameters behind it, names in lower case.
    """

    number: int
    method: str
    path: str
    command: str = ""
    query: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks.

    Attributes:
        sent: how much of the answer's body goes out before it does, 0 to 1; ``None``: not even the headers.
    """

    sent: float | None = None


@dataclass(frozen=True, slots=True)
class Truncated:
    """The answer ends early and looks whole to HTTP: an agent that reached the server's time limit. ``kept`` 0 to 1."""

    kept: float = 0.5


@dataclass(frozen=True, slots=True)
class Refused:
    """An error instead of an answer; ``retry_after`` in seconds goes into the header of that name."""

    status: int = 503
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Stalled:
    """Half of the answer goes out, then nothing more until the client hangs up: a server that is too slow."""


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """Every session ends before the request is answered."""


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Somebody works in the database before the request is answered."""

    change: Callable[[NotesDatabase], object]


Fault = Cut | Truncated | Refused | Stalled | LoggedOut | Meanwhile
Condition = Callable[[Request], bool]


@dataclass(slots=True)
class _Planned:
    condition: Condition
    fault: Fault
    left: int


class FaultPlan:
    """Which requests meet which faults. May be extended while the server runs."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()

    def at(self, number: int, fault: Fault) -> None:
        """``fault`` meets the request of that number."""
        self.when(lambda request: request.number == number, fault)

    def when(self, condition: Condition, fault: Fault, times: int = 1) -> None:
        """``fault`` meets the first ``times`` requests for which ``condition`` holds."""
        with self._lock:
            self._planned.append(_Planned(condition, fault, times))

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._planned.clear()

    def meeting(self, request: Request) -> list[Fault]:
        """What goes wrong with ``request``, in the order planned."""
        found = []
        with self._lock:
            for planned in self._planned:
                if planned.left and planned.condition(request):
                    planned.left -= 1
                    found.append(planned.fault)
        return found
