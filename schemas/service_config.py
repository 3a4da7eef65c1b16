"""The ``service`` block of a source's YAML: which part of a live system is read, and how gently.

It stands here because both the configuration (``mappings``) and the connectors need it. Addresses and secrets are
in the Airflow connection, never here.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DatabasePath = Annotated[str, Field(pattern=r"^[^/\\?#%&][^\\?#%&]*\.(nsf|ntf|NSF|NTF)$", max_length=250)]
DesignName = Annotated[str, Field(pattern=r"^[^/?#&%]+$", max_length=120)]
Unid = Annotated[str, Field(pattern=r"^[0-9A-F]{32}$")]


class ServiceSettings(BaseModel):
    """Shared by every block: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True, populate_by_name=True)


class OfficeHours(ServiceSettings):
    """When people work on the server, in the source's time zone.

    Attributes:
        days: of the week.
        start, end: time of day (``from``, ``to`` in YAML); ``to`` is not included any more.
        requests_per_second: the rate in these hours; without one nothing is asked until they are over.
    """

    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    start: time = Field(default=time(7, 30), alias="from")
    end: time = Field(default=time(17, 0), alias="to")
    requests_per_second: float | None = Field(default=None, gt=0, le=1000)

    @property
    def pause(self) -> timedelta:
        """How long a task may have to wait for their end: nothing where they only are slower."""
        if self.requests_per_second is not None:
            return timedelta(0)
        return datetime.combine(date.min, self.end) - datetime.combine(date.min, self.start)

    @field_validator("start", "end", mode="before")
    @classmethod
    def _sexagesimal(cls, value: object) -> object:
        # YAML 1.1 reads 17:00 as a number to the base of 60.
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
            return time(*divmod(value, 60))
        return value

    @model_validator(mode="after")
    def _ordered(self) -> OfficeHours:
        if self.start >= self.end:
            raise ValueError(f"office hours end at {self.end:%H:%M}, before they begin at {self.start:%H:%M}")
        return self


class Politeness(ServiceSettings):
    """How a service is treated.

    Attributes:
        requests_per_second: never more than this, over all connections of one process.
        office_hours: slower, or not at all, while people work.
        connect_timeout, read_timeout: seconds until a connection is made, and between two pieces of an answer. The
            export agent may look at documents for 240 seconds before it says anything.
        tries: of one request, the first included, before the run gives up and is retried later.
    """

    requests_per_second: float = Field(default=5.0, gt=0, le=1000)
    office_hours: OfficeHours | None = None
    connect_timeout: float = Field(default=10.0, gt=0, le=600)
    read_timeout: float = Field(default=300.0, gt=0, le=3600)
    tries: int = Field(default=6, ge=1, le=20)


class AttachmentLimits(ServiceSettings):
    """What a record may carry before it is set aside instead of fetched.

    Attributes:
        count: attachments of one record.
        megabytes: of one attachment (1 MB is 1,000,000 bytes).
    """

    count: int = Field(default=1_000, ge=0)
    megabytes: int = Field(default=2_000, ge=1)


class ViewColumns(ServiceSettings):
    """Names of the view's columns (programmatic names, ``$17`` or ``NgaySua``) that say when a document changed.

    Attributes:
        revised: when it was last edited anywhere: the formula ``@Modified``, all that a view of Domino 8.5 can say.
            A document that replicates in late carries an old one, so with this column alone every document is
            listed whatever the window; what has not changed is not fetched again all the same.
        modified: when it was modified in this file; added: when it was added to it (``@ModifiedInThisFile``,
            ``@AddedToThisFile`` of Domino 9.0.1 FP8). With one of them a window can be kept to.
        sequence: number of its revisions.
    """

    modified: str | None = None
    revised: str | None = None
    added: str | None = None
    sequence: str | None = None

    @model_validator(mode="after")
    def _dated(self) -> ViewColumns:
        if self.modified is None and self.revised is None:
            raise ValueError(
                "a view without a `modified` or `revised` column cannot say that a document changed"
            )
        return self


class DominoService(ServiceSettings):
    """A database on a Domino server, read over HTTP.

    Attributes:
        database: its path on the server, ``vanban/vbden.nsf``.
        agent: name of the export agent (``connectors/lotus_notes/agent``), which every document is read through.
        inventory: who lists the documents: the ``agent``; ``views`` by ``ReadViewEntries``; or ``data_service``,
            ``api/data`` of Domino 8.5.3, over ``views`` or, without any, over all documents.
        views: names of the views, for the latter two.
        columns: which of their columns date a document; needed with ``views``.
        view_format: what ``ReadViewEntries`` is asked for.
        views_hold_everything: every document of the database stands in one of the views. Only then may a
            document that is in none of them be taken as deleted.
        page: rows asked for at once; a server may give fewer.
        passes: how often a list that changes while it is read is read at most.
        documents_per_request: of the export agent; more than one only where documents are small.
        skip: UNIDs of documents that are never asked for, because exporting them brings the server down; each is
            listed and counted as quarantined.
        attachments, politeness: limits.
    """

    kind: Literal["domino"]
    database: DatabasePath
    agent: DesignName = "LienthongExport"
    inventory: Literal["agent", "views", "data_service"] = "agent"
    views: tuple[DesignName, ...] = ()
    columns: ViewColumns | None = None
    view_format: Literal["xml", "json"] = "xml"
    views_hold_everything: bool = False
    page: int = Field(default=1_000, ge=1, le=10_000)
    passes: int = Field(default=4, ge=2, le=20)
    documents_per_request: int = Field(default=1, ge=1, le=50)
    skip: tuple[Unid, ...] = ()
    attachments: AttachmentLimits = AttachmentLimits()
    politeness: Politeness = Politeness()

    @field_validator("database")
    @classmethod
    def _inside(cls, value: str) -> str:
        if ".." in value.split("/"):
            raise ValueError("the path of a database has no `..`")
        return value

    @model_validator(mode="after")
    def _views_are_described(self) -> DominoService:
        if self.inventory == "views" and not self.views:
            raise ValueError("`inventory: views` needs the names of `views`")
        if self.views and self.inventory == "agent":
            raise ValueError("`views` are not used by `inventory: agent`")
        if self.views and self.columns is None:
            raise ValueError("`views` need `columns`: which of them say when a document changed")
        return self
