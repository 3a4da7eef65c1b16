"""The errors of Lienthong, divided by what the scheduler or the operator can do about them.

Retry policies follow from the class: ``RetriableError`` is tried again, every other class is not.
``RecordError`` concerns one record and ends in quarantine; the others stop the run.
"""

from __future__ import annotations

from functools import partial

__all__ = [
    "ConfigurationError",
    "FatalError",
    "LienthongError",
    "MappingError",
    "RecordError",
    "RetriableError",
]


class LienthongError(Exception):
    """Any failure that Lienthong reports.

    Args:
        what: what went wrong, and what was being read or written.
        where: position: a file and line, a field, a byte offset. Empty when it has none.
        expected: what would have been right. Empty when ``what`` says it.
        action: what the operator can do. Empty when nothing but reading the message helps.
    """

    def __init__(self, what: str, *, where: str = "", expected: str = "", action: str = "") -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.action = action
        super().__init__(what, where, expected, action)

    def __reduce__(self) -> tuple[object, ...]:
        """How it travels from a worker process: the exception's own way would call it with positions alone."""
        told = {"where": self.where, "expected": self.expected, "action": self.action}
        return partial(type(self), self.what, **told), ()

    @property
    def explanation(self) -> str:
        """Everything but the position."""
        expected = f"expected {self.expected}" if self.expected else ""
        action = f"to do: {self.action}" if self.action else ""
        return "; ".join(part for part in (self.what, expected, action) if part)

    def __str__(self) -> str:
        return f"{self.explanation}; at {self.where}" if self.where else self.explanation


class FatalError(LienthongError):
    """The run cannot go on: wrong credentials, a full disk, a schema of another version, counts that do not add up."""


class ConfigurationError(FatalError):
    """A setting is missing or wrong; ``where`` names the file, the line and the key."""


class RetriableError(LienthongError):
    """The source or the database is busy or away; the same call may succeed later."""


class RecordError(LienthongError):
    """One record cannot be read or understood; it goes to quarantine with its bytes, and the batch goes on."""


class MappingError(RecordError):
    """A record lacks what its mapping requires; ``where`` names the mapping's file, line and field."""
