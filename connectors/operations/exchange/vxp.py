"""The VXP exchange (XRoad, ``Trục liên thông văn bản``): every call is a POST whose parameters are signed headers.

Read with a system code of the archive's own, or from a copy: ``updateStatus``, by which an account takes documents off
its list, is never called, and another reader's calls are not seen by us.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from connectors.operations.exchange.asking import Asking
from connectors.operations.exchange.caller import Caller, Headers, Request
from connectors.operations.exchange.dialect import Agency, Days, Delivery, Endpoint, Endpoints, Kind, Mailbox
from connectors.operations.exchange.json_reply import get, text_of
from connectors.operations.exchange.packages import take_package
from connectors.operations.exchange.rows import Row, all_pages, member, row_identity, rows_in
from connectors.operations.exchange.vxp_signature import CONTENT_TYPE, signed_headers, timestamp
from connectors.operations.spool import Spool
from schemas.connection import ServiceConnection
from schemas.exchange_config import ExchangeService, Operation

ENDPOINTS: Mapping[Operation, Endpoint] = MappingProxyType(
    {
        "list": Endpoint("POST", "/getReceivedEdocList"),
        "get": Endpoint("POST", "/getEdoc"),
        "sent": Endpoint("POST", "/getSentEdocList"),
        "agencies": Endpoint("POST", "/getAgenciesList"),
        "count_edoc": Endpoint("POST", "/countReceiveEdoc"),
        "count_status": Endpoint("POST", "/countReceiveStatus"),
    }
)

_JSON = (CONTENT_TYPE, "application/json")
_DAY = "%Y/%m/%d"


class VxpDialect:
    """A mailbox on VXP.

    Args:
        connection: with the extras ``system_id`` and ``secret_key``.
        endpoints: of the site.
        settings: of the source.
        caller: the way there.
    """

    def __init__(
        self, connection: ServiceConnection, endpoints: Endpoints, settings: ExchangeService, caller: Caller
    ) -> None:
        self._system = connection.required("system_id")
        self._secret = connection.required("secret_key")
        self._endpoints = endpoints
        self._settings = settings
        self._caller = caller
        self._signed_with = timedelta(0)
        self._asking = Asking(caller, settings.errors, self._clock_was_wrong)

    def needs_days(self) -> bool:
        """False: without days everything is listed."""
        return False

    def rows(self, mailbox: Mailbox, days: Days) -> Iterator[Row]:
        """See ``Dialect.rows``."""
        settings = self._settings
        fields = [("servicetype", "eDoc"), ("messagetype", mailbox.kind)]
        fields += [("fromDate", f"{days.first:{_DAY}}")] if days.first else []
        fields += [("toDate", f"{days.last:{_DAY}}")] if days.last else []
        fields += [("status", mailbox.status)] if mailbox.status else []
        receiver = [("to", settings.receiver)] if settings.receiver else []

        def page(number: int) -> list[Row]:
            paging = [("pageSize", str(settings.page)), ("pageIndex", str(number))]
            operation: Operation = "sent" if mailbox.sent else "list"
            reply = self._asking.ask(lambda: self._request(operation, [*fields, *paging, *receiver]))
            return rows_in(reply, settings.fields.rows)

        return all_pages(page, settings.first_page, lambda row: row_identity(row, settings.fields))

    def deliver(self, message: str, kind: Kind, spool: Spool) -> Delivery:
        """See ``Dialect.deliver``."""
        fields = [("docId", message), ("filePath", self._settings.file_path)]
        most = self._settings.megabytes * 1_000_000
        reply = self._asking.ask_for_message(lambda: self._request("get", fields, b"{}", most))
        package = next((value for name in self._settings.fields.package if (value := get(reply, name))), None)
        return Delivery(take_package(package, spool))

    def agencies(self) -> Iterator[Agency]:
        """Every organ."""
        reply = self._asking.ask(lambda: self._request("agencies", []))
        for row in rows_in(reply, self._settings.fields.rows):
            yield Agency(
                member(row, ("code",)),
                member(row, ("name",)),
                member(row, ("pid",)),
                member(row, ("oldCode",)),
            )

    def count(self, kind: Kind) -> int | None:
        """What ``countReceiveEdoc`` and ``countReceiveStatus`` say."""
        operation: Operation = "count_edoc" if kind == "edoc" else "count_status"
        reply = self._asking.ask(lambda: self._request(operation, []))
        counted = text_of(get(reply, "count")) or text_of(get(reply, "data"))
        return int(counted) if counted.isdecimal() else None

    def clock_skew(self) -> float:
        """See ``Dialect.clock_skew``."""
        return self._caller.clock.skew.total_seconds()

    def _request(
        self,
        operation: Operation,
        fields: list[tuple[str, str]],
        body: bytes | None = None,
        max_bytes: int = 64 << 20,
    ) -> Request:
        endpoint = self._endpoints[operation]
        return Request(
            endpoint.method, endpoint.path, MappingProxyType({}), self._signed(fields), body, max_bytes
        )

    def _signed(self, fields: list[tuple[str, str]]) -> Callable[[datetime], Headers]:
        names = self._settings.names

        def headers(moment: datetime) -> Headers:
            self._signed_with = self._caller.clock.skew
            signed = [("systemid", self._system), *fields, ("timestamp", timestamp(moment)), _JSON]
            return signed_headers([(names.get(name, name), value) for name, value in signed], self._secret)

        return headers

    def _clock_was_wrong(self) -> bool:
        """True when the refusal itself told us that our clock was wrong; the next signature has the right time."""
        return self._caller.clock.skew != self._signed_with
