"""Who a package is: kind, business type, identity and moment, from its fields."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from connectors.operations.element_path import find_all, first, first_text
from connectors.operations.moments import read_moment
from schemas.record import Field

DOCUMENT = "document"
STATUS = "status"
STATUS_HEADERS = ("MessageHeader", "Status")
"""Where a status message may stand: v1 has an element of its own for it."""

_HEADER = "MessageHeader"
_TRACES = "TraceHeaderList/TraceHeader"
_BUSINESS = "TraceHeaderList/Bussiness/BussinessDocType"
_MAX_KEY = 400


class Identity(NamedTuple):
    """What the inventory says of a package.

    Attributes:
        kind: ``document`` or ``status``.
        form: business type as printed (``0`` to ``3``), ``""`` when absent; ``status`` for a status message.
        key: sender, document and business type; for a status sender, document, code and moment; ``None``
            when a part of it is absent.
        changed_at: the last trace's moment, else the status's, else the day of promulgation.
    """

    kind: str
    form: str
    key: str | None
    changed_at: datetime | None


def identify(fields: Sequence[Field], version: str) -> Identity:
    """The identity of the package with ``fields`` of edXML ``version``.

    v1 has no ``DocumentId``: there the day, number and notation, unique with the sender, take its place.
    """
    changed_at = _last_trace(fields)
    status = status_header(fields)
    if status is not None:
        parts = status.children
        moment = first_text(parts, "Timestamp") or first_text(parts, "TimeStamp")
        key = _key(STATUS, _sender(parts), _answered(parts), first_text(parts, "StatusCode"), moment)
        return Identity(STATUS, STATUS, key, changed_at or read_moment(moment))
    parts = next((field.children for field in fields if field.name == _HEADER), ())
    form = first_text(fields, _BUSINESS) or ""
    issued = first_text(parts, "PromulgationInfo/PromulgationDate")
    # A document without a business type is as common as one with; its place in the key stays empty.
    document_id = first_text(parts, "DocumentId")
    if document_id is None and version == "1":
        document_id = _symbol(parts, issued)
    key = _key(_sender(parts), document_id, form)
    return Identity(DOCUMENT, form, key, changed_at or read_moment(issued))


def status_header(fields: Sequence[Field]) -> Field | None:
    """The element that holds a status message's fields; ``None`` for any other package."""
    for field in fields:
        if field.name in STATUS_HEADERS and first(field.children, "StatusCode") is not None:
            return field
    return None


def _sender(parts: Sequence[Field]) -> str | None:
    return first_text(parts, "From/OrganId")


def _symbol(parts: Sequence[Field], issued: str | None) -> str | None:
    number, notation = first_text(parts, "Code/CodeNumber"), first_text(parts, "Code/CodeNotation")
    return f"{issued},{number}/{notation}" if issued and number and notation else None


def _answered(parts: Sequence[Field]) -> str | None:
    given = first_text(parts, "ResponseFor/DocumentId")
    if given is not None:
        return given
    organ, code = first_text(parts, "ResponseFor/OrganId"), first_text(parts, "ResponseFor/Code")
    return f"{organ},{code}" if organ and code else None


def _key(*parts: str | None) -> str | None:
    joined = []
    for part in parts:
        if part is None or part.lower() == "null":
            return None
        joined.append(part.replace("%", "%25").replace("|", "%7C"))
    key = "|".join(joined)
    return key if len(key) <= _MAX_KEY else None


def _last_trace(fields: Sequence[Field]) -> datetime | None:
    for trace in reversed(list(find_all(fields, _TRACES))):
        moment = read_moment(first_text(trace.children, "Timestamp")) or read_moment(
            first_text(trace.children, "TimeStamp")
        )
        if moment is not None:
            return moment
    return None
