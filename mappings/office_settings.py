"""The part of a source's configuration that is about the office: whose documents these are, how it numbers them, and
when they are fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator


class StrictSettings(BaseModel):
    """Settings that refuse a key they do not know."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        coerce_numbers_to_str=True,
        populate_by_name=True,
        ser_json_timedelta="iso8601",
    )


class Schedule(StrictSettings):
    """When a source is synchronised.

    Attributes:
        cron: five fields, in ``timezone``.
        overlap: how far each run reaches back before its window, ISO 8601 (``P3D``): late arrivals carry old
            dates.
        inventory: ``full``: each run lists everything (right where change dates cannot be trusted);
            ``window``: the window only.
    """

    cron: str = "0 1 * * *"
    timezone: str = "Asia/Ho_Chi_Minh"
    overlap: timedelta = timedelta(days=3)
    inventory: Literal["full", "window"] = "window"

    @field_validator("cron")
    @classmethod
    def _cron(cls, value: str) -> str:
        fields = value.split()
        if len(fields) != 5 or not all(re.fullmatch(r"[\d*/,A-Za-z-]+", part) for part in fields):
            raise ValueError("expected five cron fields: minute hour day month weekday, such as '0 1 * * *'")
        for part, top in zip(fields, (59, 23, 31, 12, 7), strict=True):
            if any(int(number) > top for number in re.findall(r"\d+", part)):
                raise ValueError(f"{part!r} is beyond {top}")
        return value

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                f"no time zone of the name {value!r}; expected one such as Asia/Ho_Chi_Minh"
            ) from error
        return value

    @field_validator("overlap")
    @classmethod
    def _overlap(cls, value: timedelta) -> timedelta:
        if value < timedelta(0):
            raise ValueError("the overlap reaches back; expected a positive duration such as P3D")
        return value


class OrganSettings(StrictSettings):
    """The office whose documents these are.

    Attributes:
        name: its name.
        organ_id: its code; ``former_ids`` are codes that it had before.
        issues_as: organ token of a notation to the organ that issues under it (``TU`` to ``Tỉnh ủy …``).
    """

    name: str
    organ_id: str | None = None
    former_ids: tuple[str, ...] = ()
    issues_as: Mapping[str, str] = Field(default_factory=dict)


class TermOfOffice(StrictSettings):
    """A term of office (nhiệm kỳ), for records that do not name theirs.

    Attributes:
        name: ``2020-2025``. from_: first day on which numbers of this term are given.
    """

    name: str
    from_: date = Field(alias="from")


class Numbering(StrictSettings):
    """How the office numbers: Party organs per term and type, State organs per calendar year.

    Attributes:
        restart: when numbers begin at 1 again.
        per_type: each type of document has a series of its own; else they share one (legal normative types never do).
        whole_series: this source registers every number that the office gives. Only then is a missing number a
            question; of an exchange, which sees what was sent by it, it is none.
        arrivals: it registers every arrival number: one running series a year (Decree 30/2020/NĐ-CP article 22.2).
        secrets_share: secret documents take numbers of the same series (36-HD/VPTW); else they have their own
            (Decree 30 article 15).
        terms: terms of office by their first day.
    """

    restart: Literal["per_year", "per_term"] = "per_year"
    per_type: bool = True
    whole_series: bool = False
    arrivals: bool = False
    secrets_share: bool = True
    terms: tuple[TermOfOffice, ...] = ()

    @field_validator("terms")
    @classmethod
    def _in_order(cls, value: tuple[TermOfOffice, ...]) -> tuple[TermOfOffice, ...]:
        days = [term.from_ for term in value]
        if days != sorted(set(days)):
            raise ValueError("terms of office stand in the order of their first days, each once")
        return value
