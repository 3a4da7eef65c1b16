"""The ``service`` block of a source that is read from an exchange of edXML packages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import Field, field_validator

from schemas.service_config import Politeness, ServiceSettings

Operation = Literal["login", "list", "get", "sent", "agencies", "count_edoc", "count_status"]
"""What a connector may ask an exchange service to do; nothing among it changes anything there."""

_WRITING = frozenset(
    {"ack", "acknowledge", "add", "confirm", "create", "delete", "edit", "insert", "post", "put", "register"}
    | {"remove", "reset", "save", "send", "set", "submit", "update", "upload"}
)


class ExchangeFields(ServiceSettings):
    """What an exchange service calls the parts of its answers; the first name that is there counts, case does not.

    Attributes:
        rows: the list in an answer that lists.
        id: identity of a message in a row. kind: ``edoc`` or ``status``. created, updated: its moments.
        package: the edXML in an answer that delivers one. files: what comes beside it, with `file_name`, `file`.
        token: what a login gives.
    """

    rows: tuple[str, ...] = ("data", "pendingResult", "docIDs", "organizations")
    id: tuple[str, ...] = ("docId", "senderDocId", "id")
    kind: tuple[str, ...] = ("messageType",)
    created: tuple[str, ...] = ("created_time", "createdTime", "createdDate", "sentTime")
    updated: tuple[str, ...] = ("updated_time", "updatedTime", "updatedDate")
    package: tuple[str, ...] = ("edxml", "data")
    files: tuple[str, ...] = ("attachments",)
    file_name: tuple[str, ...] = ("fileName", "name")
    file: tuple[str, ...] = ("fileContent", "content")
    token: tuple[str, ...] = ("token", "accessToken", "access_token")


class ExchangeService(ServiceSettings):
    """A mailbox on an exchange of edXML packages. The dialect is in the connection, like address and secrets.

    Whatever differs at a site is set here; without it, the dialect's own names and paths are taken.

    Attributes:
        messages: documents (``edoc``), business statuses (``status``), or both.
        sent: also list what the office sent itself (VXP).
        statuses: transport statuses that are listed one by one (``initial``, ``done`` …); none: without a filter.
        receiver: code of the organ whose mail is listed, where an account has several.
        page, first_page: rows asked for at once, and the number of the first page. Servers that count from 1 answer
            page 0 as page 1; repeats are removed.
        dated_by: which moment of a row says when it changed; it must be the one that the site's ``fromDate`` filters.
        first_day: no message is older; an open window begins there.
        days_per_request: a longer window is asked for in parts.
        file_path: value of VXP's ``filePath``, which is part of getting a package; its SDK sends where it stores them.
        base_path: before every path.
        paths, methods: of single operations.
        names: what the site calls a header or parameter (``messagetype: Type``).
        fields: what the site calls the parts of its answers.
        errors: what a code of the site's own means for us.
        check_counts: hold a complete list against the service's own count (VXP).
        megabytes: of the answer that delivers a message (1 MB is 1,000,000 bytes); larger ones are set aside.
        reads: of one package that comes damaged, before it is set aside with its bytes.
        politeness: limits.
    """

    kind: Literal["exchange"]
    messages: tuple[Literal["edoc", "status"], ...] = Field(default=("edoc", "status"), min_length=1)
    sent: bool = False
    statuses: tuple[str, ...] = ()
    receiver: str | None = None
    page: int = Field(default=100, ge=1, le=10_000)
    first_page: int = Field(default=0, ge=0, le=1)
    dated_by: Literal["created", "updated"] = "created"
    first_day: date | None = None
    days_per_request: int | None = Field(default=None, ge=1, le=3_660)
    file_path: str = "store"
    base_path: str = Field(default="", pattern=r"^(/[A-Za-z0-9._~-]+)*$", max_length=200)
    paths: Mapping[Operation, str] = Field(default_factory=dict)
    methods: Mapping[Operation, Literal["GET", "POST"]] = Field(default_factory=dict)
    names: Mapping[str, str] = Field(default_factory=dict)
    fields: ExchangeFields = ExchangeFields()
    errors: Mapping[str, Literal["fatal", "retriable", "record"]] = Field(default_factory=dict)
    check_counts: bool = False
    megabytes: int = Field(default=1_000, ge=1, le=4_000)
    reads: int = Field(default=3, ge=1, le=10)
    politeness: Politeness = Politeness()

    @field_validator("base_path")
    @classmethod
    def _straight(cls, value: str) -> str:
        if ".." in value.split("/") or "." in value.split("/"):
            raise ValueError("the base path has no `.` or `..`")
        return value

    @field_validator("paths")
    @classmethod
    def _reading_paths(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for path in value.values():
            if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path) or ".." in path:
                raise ValueError(f"{path!r} is no path such as /v1/getEdoc")
            if writes(path):
                raise ValueError(f"{path!r} would change something at the source, which is only read")
        return value


def writes(path: str) -> bool:
    """True when a word of the last part of ``path`` says that the call changes something (``/v1/updateStatus``)."""
    last = path.rstrip("/").rpartition("/")[2]
    return any(word.lower() in _WRITING for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", last))
