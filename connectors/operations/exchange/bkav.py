"""The Bkav eDoc service: who asks stands in headers, and only what nobody has confirmed is listed.

``confirmReceived`` is never called: it would take documents off the list of the system that works with them. What that
system has confirmed is no longer listed, so the archive must ask before it, or with an account of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from connectors.operations.exchange.asking import Asking
from connectors.operations.exchange.caller import Caller, Headers, Request
from connectors.operations.exchange.dialect import Agency, Days, Delivery, Endpoint, Endpoints, Kind, Mailbox
from connectors.operations.exchange.json_reply import get
from connectors.operations.exchange.packages import take_package
from connectors.operations.exchange.rows import Row, member, rows_in
from connectors.operations.spool import Spool
from schemas.connection import ServiceConnection
from schemas.exchange_config import ExchangeService, Operation

ENDPOINTS: Mapping[Operation, Endpoint] = MappingProxyType(
    {
        "list": Endpoint("GET", "/EdocService/getPendingDocIds"),
        "get": Endpoint("POST", "/EdocService/getDocument"),
        "agencies": Endpoint("GET", "/EdocService/getOrganizations"),
    }
)


class BkavDialect:
    """The mailbox of one organ.

    Args:
        connection: with the extras ``organ_id`` and ``authorization`` (the header's whole value).
        endpoints: of the site.
        settings: of the source.
        caller: the way there.
    """

    def __init__(
        self, connection: ServiceConnection, endpoints: Endpoints, settings: ExchangeService, caller: Caller
    ) -> None:
        self._organ = connection.required("organ_id")
        self._authorization = connection.required("authorization")
        self._endpoints = endpoints
        self._settings = settings
        self._caller = caller
        self._asking = Asking(caller, settings.errors)

    def needs_days(self) -> bool:
        """False: the list has no dates."""
        return False

    def rows(self, mailbox: Mailbox, days: Days) -> Iterator[Row]:
        """See ``Dialect.rows``; a document stands there once for each of its receivers."""
        reply = self._asking.ask(lambda: self._request("list", mailbox.kind))
        yield from rows_in(reply, self._settings.fields.rows)

    def deliver(self, message: str, kind: Kind, spool: Spool) -> Delivery:
        """See ``Dialect.deliver``."""
        most = self._settings.megabytes * 1_000_000
        reply = self._asking.ask_for_message(lambda: self._request("get", kind, message, most))
        package = next((value for name in self._settings.fields.package if (value := get(reply, name))), None)
        return Delivery(take_package(package if isinstance(reply, dict) else reply, spool))

    def agencies(self) -> Iterator[Agency]:
        """Every organ."""
        reply = self._asking.ask(lambda: self._request("agencies", "edoc"))
        for row in rows_in(reply, self._settings.fields.rows):
            yield Agency(
                member(row, ("OrganId", "domain", "code")),
                member(row, ("OrganName", "name")),
                member(row, ("OrganizationInCharge", "inCharge")),
            )

    def count(self, kind: Kind) -> int | None:
        """``None``: the service counts nothing."""
        return None

    def clock_skew(self) -> float:
        """See ``Dialect.clock_skew``."""
        return self._caller.clock.skew.total_seconds()

    def _request(
        self, operation: Operation, kind: Kind, message: str = "", max_bytes: int = 64 << 20
    ) -> Request:
        endpoint = self._endpoints[operation]
        fields = [
            ("organId", self._organ),
            ("Authorization", self._authorization),
            ("messagetype", kind.upper()),
        ]
        fields += [("docId", message)] if message else []
        names = self._settings.names
        sent: Headers = [
            *((names.get(name, name), value) for name, value in fields),
            ("Accept", "application/json"),
        ]

        def headers(_: datetime) -> Headers:
            return sent

        return Request(
            endpoint.method, endpoint.path, headers=headers, max_bytes=max_bytes, bare=operation == "get"
        )
