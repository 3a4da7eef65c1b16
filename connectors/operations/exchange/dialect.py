"""What every exchange service can be asked, and the only requests that may leave for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol
from urllib.parse import urlsplit

import requests

from connectors.operations.exchange.json_reply import Json
from connectors.operations.spool import Spool
from schemas.errors import ConfigurationError
from schemas.exchange_config import ExchangeService, Operation, writes
from schemas.record import Content

Kind = Literal["edoc", "status"]
"""A document, or what became of one."""
KINDS: tuple[Kind, ...] = ("edoc", "status")


@dataclass(frozen=True, slots=True)
class Days:
    """Civil days in Viet Nam, both included; ``None`` leaves that end open."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One list that is read to its end.

    Attributes:
        kind: of its messages.
        sent: what the office sent, instead of what it received.
        status: only messages in this transport status; ``""``: in any.
    """

    kind: Kind
    sent: bool = False
    status: str = ""


@dataclass(frozen=True, slots=True)
class SentApart:
    """A file that a service delivers beside the package; ``defects`` as of ``Attachment``."""

    name: str
    content: Content
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A package as delivered.

    Attributes:
        package: its bytes, after the transport's base64.
        files: what came beside it.
    """

    package: Content
    files: tuple[SentApart, ...] = ()


class UndeliveredError(Exception):
    """One message cannot be had; the others can.

    Attributes:
        reason: stable snake_case class. message: one sentence.
        received: the bytes that did come.
        passing: another try may bring it.
        strange: nothing is known of this refusal, so that several in a row concern the service and not a message.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        received: Content | None = None,
        *,
        passing: bool = False,
        strange: bool = False,
    ) -> None:
        self.reason, self.message, self.received = reason, message, received
        self.passing, self.strange = passing, strange
        super().__init__(reason, message)


@dataclass(frozen=True, slots=True)
class Agency:
    """An organ that exchanges documents.

    Attributes:
        code, name: of the organ. parent: code or id of its superior. old_code: from before QĐ 20/2020/QĐ-TTg.
    """

    code: str
    name: str
    parent: str = ""
    old_code: str = ""


class Dialect(Protocol):
    """How one kind of exchange service is asked. No method acknowledges, updates or sends."""

    def needs_days(self) -> bool:
        """True when a list cannot be asked for without a first and a last day."""
        ...

    def rows(self, mailbox: Mailbox, days: Days) -> Iterator[dict[str, Json]]:
        """Every row of a list, repeats included.

        Raises:
            RetriableError: the service is away, or its list is not complete. FatalError: it refuses us.
        """
        ...

    def deliver(self, message: str, kind: Kind, spool: Spool) -> Delivery:
        """The message of that identity.

        Raises:
            UndeliveredError: this one cannot be had.
            RetriableError, FatalError: as for ``rows``.
        """
        ...

    def agencies(self) -> Iterator[Agency]:
        """The organs that the service knows."""
        ...

    def count(self, kind: Kind) -> int | None:
        """How many messages the service itself counts; ``None`` when it cannot say."""
        ...

    def clock_skew(self) -> float:
        """Seconds by which the service's clock goes before ours, as last measured."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Method and path of one operation."""

    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The operations of a dialect at a site.

    Args:
        known: the dialect's own.
        settings: what the site does otherwise.

    Raises:
        ConfigurationError: the site's settings name a path that changes something.
    """

    known: Mapping[Operation, Endpoint]
    settings: ExchangeService
    found: Mapping[Operation, Endpoint] = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        found = {
            name: Endpoint(
                settings.methods.get(name, default.method),
                settings.base_path + settings.paths.get(name, default.path),
            )
            for name, default in self.known.items()
        }
        for endpoint in found.values():
            if writes(endpoint.path):
                raise ConfigurationError(
                    f"the path {endpoint.path} would change something at the source",
                    where="service, paths",
                    expected="an operation that only reads",
                )
        object.__setattr__(self, "found", found)

    def __getitem__(self, operation: Operation) -> Endpoint:
        return self.found[operation]

    def allow(self, request: requests.PreparedRequest) -> bool:
        """True for a request to one of the operations, and for nothing else: the guard of the HTTP session."""
        path = urlsplit(request.url or "").path
        return Endpoint(request.method or "", path) in self.found.values()
