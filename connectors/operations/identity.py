"""Who a package is: kind, business type, identity and moment, from its fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.operations.element_path import find_all, first_text
from connectors.operations.moments import read_moment
from schemas.record import Field

DOCUMENT = "document"
STATUS = "status"
_HEADER = "MessageHeader"
_TRACES = "TraceHeaderList/TraceHeader/Timestamp"
_BUSINESS = "TraceHeaderList/Bussiness/BussinessDocType"
_MAX_KEY = 400


@dataclass(frozen=True, slots=True)
class Identity:
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


def identify(fields: Sequence[Field]) -> Identity:
    """The identity of the package with ``fields``."""
    is_status = next(find_all(fields, f"{_HEADER}/StatusCode"), None) is not None
    form = STATUS if is_status else first_text(fields, _BUSINESS) or ""
    sender = first_text(fields, f"{_HEADER}/From/OrganId")
    if is_status:
        answered = first_text(fields, f"{_HEADER}/ResponseFor/DocumentId")
        code = first_text(fields, f"{_HEADER}/StatusCode")
        key = _key(STATUS, sender, answered, code, first_text(fields, f"{_HEADER}/Timestamp"))
    else:
        # A document without a business type is as common as one with; its place in the key stays empty.
        key = _key(sender, first_text(fields, f"{_HEADER}/DocumentId"), form)
    return Identity(STATUS if is_status else DOCUMENT, form, key, _changed_at(fields))


def _key(*parts: str | None) -> str | None:
    joined = []
    for part in parts:
        if part is None or part.lower() == "null":
            return None
        joined.append(part.replace("%", "%25").replace("|", "%7C"))
    key = "|".join(joined)
    return key if len(key) <= _MAX_KEY else None


def _changed_at(fields: Sequence[Field]) -> datetime | None:
    traces = [read_moment(field.text) for field in find_all(fields, _TRACES)]
    for moment in reversed(traces):
        if moment is not None:
            return moment
    status = read_moment(first_text(fields, f"{_HEADER}/Timestamp"))
    return status or read_moment(first_text(fields, f"{_HEADER}/PromulgationInfo/PromulgationDate"))
