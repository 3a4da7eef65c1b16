"""Rows of a service's list: pages are read to the end, each row becomes a ``Listing``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from connectors.operations.exchange.dialect import KINDS, Days, Kind
from connectors.operations.exchange.json_reply import Json, get, text_of
from connectors.operations.moments import LOCAL, read_moment
from schemas.errors import RetriableError
from schemas.exchange_config import ExchangeFields
from schemas.record import Listing, Window

Row = dict[str, Json]

MAX_PAGES = 100_000
_MAX_ID = 400
_REVISION = 32
_EPOCH_MILLISECONDS = 13


def all_pages(
    ask: Callable[[int], Sequence[Row]], first: int, identity: Callable[[Row], str]
) -> Iterator[Row]:
    """The rows of every page from number ``first`` on.

    A short page is not the last one: servers cap what they give. The end is an empty page, or two in a row without
    a new row: one may be the first page given twice, by a server that counts from 1.

    Raises:
        RetriableError: the pages have no end.
    """
    seen: set[str] = set()
    stale = 0
    for number in range(first, first + MAX_PAGES):
        rows = ask(number)
        fresh = [row for row in rows if identity(row) not in seen]
        seen.update(map(identity, fresh))
        yield from rows
        stale = 0 if fresh else stale + 1
        if not rows or stale == 2:
            return
    raise RetriableError(f"the service's list has more than {MAX_PAGES} pages")


def rows_in(reply: Json, names: Sequence[str]) -> list[Row]:
    """The list in an answer that said yes; members that are a mere identity become rows of one.

    Raises:
        RetriableError: the answer counts more rows than it holds, or holds none and something else instead.
    """
    if isinstance(reply, list):
        found: Json = reply
    else:
        found = next((value for name in names if (value := get(reply, name)) is not None), None)
    if found is None or found == "":
        found = []  # some leave an empty list out
    if not isinstance(found, list):
        raise RetriableError(
            "the service's answer holds no list", expected=f"a list named {' or '.join(names)}"
        )
    counted = text_of(get(reply, "count"))
    if counted.isdecimal() and int(counted) > len(found):
        raise RetriableError(f"the service counts {counted} rows and gives {len(found)}")
    return [row if isinstance(row, dict) else {"id": row} for row in found]


def member(row: Json, names: Sequence[str]) -> str:
    """The text of the first of ``names`` that has one in ``row``."""
    return next((text for name in names if (text := text_of(get(row, name)))), "")


def row_identity(row: Row, fields: ExchangeFields) -> str:
    """Identity of a row among others: its message's, or the whole row where that is missing."""
    return member(row, fields.id) or _digest(row)


def listing_of(row: Row, kind: Kind, fields: ExchangeFields, dated_by: str) -> Listing:
    """The inventory line of a row of a list of ``kind``, unless the row itself says otherwise.

    The key is the service's own identity of the message: the sender's DocumentId is inside the package only. The
    revision holds what never changes; a status that moves on is no new state of the message.
    """
    identity = member(row, fields.id)
    said = member(row, fields.kind)
    kind = next((known for known in KINDS if known == said.lower()), kind)
    created, updated = member(row, fields.created), member(row, fields.updated)
    if not identity:
        digest = _digest(row)
        return Listing(f"unreadable:{digest}", digest[:_REVISION], json.dumps({"row": digest}))
    revision = _sha256(f"{identity}\0{created}")
    key = identity if len(identity) <= _MAX_ID and identity.isprintable() else f"sha256:{_sha256(identity)}"
    changed = (updated or created) if dated_by == "updated" else (created or updated)
    locator = json.dumps({"id": identity, "kind": kind}, sort_keys=True)
    return Listing(f"{kind}|{key}", revision[:_REVISION], locator, moment_of(changed))


def read_locator(text: str) -> tuple[str, Kind] | None:
    """Identity and kind of the message that a listing names; ``None`` for one without identity."""
    try:
        parts = json.loads(text)
    except ValueError:
        return None
    identity, kind = get(parts, "id"), get(parts, "kind")
    if not isinstance(identity, str):
        return None
    return next(((identity, known) for known in KINDS if kind == known), None)


def moment_of(text: str) -> datetime | None:
    """A moment as services print it: Vietnamese time without a zone, ISO 8601 with one, or milliseconds since 1970."""
    if text.isdecimal() and len(text) == _EPOCH_MILLISECONDS:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    if (found := read_moment(text)) is not None:
        return found
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=LOCAL)


def parts_of(window: Window, first_day: date | None, days: int | None, today: date) -> Iterator[Days]:
    """The spans of days that are asked for to cover ``window``; neighbours share a day.

    Args:
        window: what is wanted.
        first_day: before it there is nothing.
        days: at most so many in one span; ``None``: no limit.
        today: the last day of a window without end, to which one is added for a clock that goes before ours.
    """
    first = window.start.astimezone(LOCAL).date() if window.start else None
    if first_day is not None and (first is None or first < first_day):
        first = first_day
    # A last day may be meant as its first moment: one more covers it.
    last = window.end.astimezone(LOCAL).date() + timedelta(days=1) if window.end else None
    if days is None or first is None:
        yield Days(first, last)
        return
    last = last or today + timedelta(days=1)
    while True:
        upto = min(last, first + timedelta(days=days))
        yield Days(first, upto)
        if upto >= last:
            return
        first = upto


def _digest(row: Row) -> str:
    return _sha256(json.dumps(row, sort_keys=True, ensure_ascii=False, default=repr))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
