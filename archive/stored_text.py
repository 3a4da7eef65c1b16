"""Values as PostgreSQL can hold them: manifests have them exactly, and one odd record must stop no batch."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

_LONGEST_KEY = 300  # characters of up to 4 bytes; an index row of two such keys must stay below 2,704 bytes
_INT4 = 2**31
# Of a moment: one whose zone moves it out of the years 1 to 9999 could not be read back.
_FIRST_YEAR, _LAST_YEAR = 2, 9998


def column_text(text: str) -> str:
    """``text`` with NUL and lone surrogates, which PostgreSQL's text cannot hold, as visible escapes."""
    if "\0" not in text:
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def key_text(text: str) -> str:
    """``text`` for an indexed column: as ``column_text``, but what no index can hold is cut and ends in its
    SHA-256.

    Equal texts stay equal, different ones different.
    """
    if len(text) <= _LONGEST_KEY and text.isascii() and "\0" not in text:
        return text
    kept = column_text(text)
    if len(kept) <= _LONGEST_KEY:
        return kept
    return f"{kept[:100]}… sha256:{hashlib.sha256(kept.encode()).hexdigest()}"


def maybe_key(text: str | None) -> str | None:
    """``key_text`` of a text that may be missing."""
    return None if text is None else key_text(text)


def whole(number: int | None) -> int | None:
    """``number`` if an ``integer`` column can hold it. No real year or count of pages is larger."""
    return number if number is not None and -_INT4 <= number < _INT4 else None


def moment(time: datetime | None) -> datetime | None:
    """``time`` in UTC; a naive one is taken as UTC. ``None`` outside of the years that can be read back."""
    if time is None or not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        return None
    if time.tzinfo is UTC:
        return time
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
