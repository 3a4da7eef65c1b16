"""Dates and times as edXML prints them: local, without a zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from types import MappingProxyType

LOCAL = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Viet Nam has kept UTC+07:00 since 1975; a fixed offset needs no zone database."""

STANDARD_FORMS: Mapping[str, str] = MappingProxyType({"1": "dd/MM/yyyy", "2": "yyyy/MM/dd"})
"""How each version prints a day; ``HH:mm:ss`` may follow."""

_TIME = r"(?:[ T]+(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:\.\d+)?)?)?"
_OLD = re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})" + _TIME)
_NEW = re.compile(r"(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})" + _TIME)
_ISO = re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})" + _TIME)
_FORMS = (_NEW, _OLD, _ISO)
_STANDARD = {"1": _OLD, "2": _NEW}


@lru_cache(maxsize=1024)
def is_standard_moment(text: str, version: str) -> bool:
    """True for a day that exists, with or without a time, in the form of edXML ``version``."""
    return _STANDARD[version].fullmatch(text) is not None and read_moment(text) is not None


def known_form(text: str) -> bool:
    """True for a date in one of the forms that real senders write, whether or not the day exists."""
    return any(form.fullmatch(text) for form in _FORMS)


@lru_cache(maxsize=1024)
def read_moment(text: str | None) -> datetime | None:
    """The moment at +07:00, midnight for a bare date; ``None`` when there is none or it cannot exist."""
    if text is None:
        return None
    found = next((match for form in _FORMS if (match := form.fullmatch(text.strip()))), None)
    if found is None:
        return None
    parts = {name: int(value) for name, value in found.groupdict(default="0").items()}
    try:
        return datetime(parts["y"], parts["m"], parts["d"], parts["H"], parts["M"], parts["S"], tzinfo=LOCAL)
    except ValueError:
        return None
