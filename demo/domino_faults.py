"""What is asked of the Domino simulator, and what goes wrong at it beside what goes wrong at any HTTP service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from demo.domino_database import NotesDatabase
from demo.simulated_service import Changed, Cut, Fault, Received, Refused, Stalled, Truncated

__all__ = [
    "Changed",
    "Condition",
    "Cut",
    "Fault",
    "LoggedOut",
    "Meanwhile",
    "Refused",
    "Request",
    "Stalled",
    "Truncated",
]


@dataclass(frozen=True, slots=True)
class Request(Received):
    """A request that came in: its path decoded, ``command`` the URL command behind ``?`` in lower case.

    ``query`` has the parameters behind the command, with names in lower case; ``target`` is the address as sent.
    """

    command: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class LoggedOut(Fault):
    """Every session ends before the request is answered."""


@dataclass(frozen=True, slots=True)
class Meanwhile(Fault):
    """Somebody works in the database before the request is answered."""

    change: Callable[[NotesDatabase], object]


Condition = Callable[[Request], bool]
