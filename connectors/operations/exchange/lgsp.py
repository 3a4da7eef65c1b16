"""The provincial LGSP's REST service: a login gives a token for half an hour, lists are asked for by days.

The older variant (``/api/lgspedoc/…``) carries the token in the query.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from connectors.operations.exchange.asking import Asking
from connectors.operations.exchange.caller import Caller, Headers, Request
from connectors.operations.exchange.dialect import (
    Agency,
    Days,
    Delivery,
    Endpoint,
    Endpoints,
    Kind,
    Mailbox,
    SentApart,
    UndeliveredError,
)
from connectors.operations.exchange.json_reply import Json, get
from connectors.operations.exchange.packages import take_package
from connectors.operations.exchange.refusals import LGSP_CODES
from connectors.operations.exchange.rows import Row, member, rows_in
from connectors.operations.spool import Spool
from schemas.connection import ServiceConnection
from schemas.errors import FatalError
from schemas.exchange_config import ExchangeService, Operation

ENDPOINTS: Mapping[Operation, Endpoint] = MappingProxyType(
    {
        "login": Endpoint("POST", "/v1/auth/login"),
        "list": Endpoint("GET", "/v1/syncReceivedEdocList"),
        "get": Endpoint("GET", "/v1/getEdoc"),
        "agencies": Endpoint("GET", "/v1/getAgenciesList"),
    }
)
TOKEN_ENDPOINTS: Mapping[Operation, Endpoint] = MappingProxyType(
    {
        "login": Endpoint("POST", "/api/lgspedoc/login"),
        "list": Endpoint("GET", "/api/lgspedoc/received-edocs"),
        "get": Endpoint("GET", "/api/lgspedoc/get-edoc"),
        "agencies": Endpoint("GET", "/api/lgspedoc/organizations"),
    }
)

_DAY = "%Y/%m/%d"


class LgspDialect:
    """A mailbox on a provincial LGSP.

    Args:
        connection: with the extras ``system_id`` and ``secret_key``, and login, password and ``application_code`` where
            the site asks for a token.
        endpoints: of the site.
        settings: of the source.
        caller: the way there.
        token_in_query: the older variant.
    """

    def __init__(
        self,
        connection: ServiceConnection,
        endpoints: Endpoints,
        settings: ExchangeService,
        caller: Caller,
        *,
        token_in_query: bool = False,
    ) -> None:
        self._connection = connection
        self._endpoints = endpoints
        self._settings = settings
        self._caller = caller
        self._token_in_query = token_in_query
        self._token = ""
        self._asking = Asking(caller, {**LGSP_CODES, **settings.errors}, self._log_in_again)

    def needs_days(self) -> bool:
        """True: the list wants a first and a last day."""
        return True

    def rows(self, mailbox: Mailbox, days: Days) -> Iterator[Row]:
        """See ``Dialect.rows``."""
        query: dict[str, str] = {"messageType": mailbox.kind}
        if days.first:
            query["fromDate"] = f"{days.first:{_DAY}}"
        if days.last:
            query["toDate"] = f"{days.last:{_DAY}}"
        if mailbox.status:
            query["status"] = mailbox.status
        if self._settings.receiver:
            query["to"] = self._settings.receiver
        self._log_in()
        reply = self._asking.ask(lambda: self._request("list", query))
        yield from rows_in(reply, self._settings.fields.rows)

    def deliver(self, message: str, kind: Kind, spool: Spool) -> Delivery:
        """See ``Dialect.deliver``. The files that the answer repeats beside the package are given as well."""
        self._log_in()
        most = self._settings.megabytes * 1_000_000
        reply = self._asking.ask_for_message(lambda: self._request("get", {"docId": message}, most))
        fields = self._settings.fields
        data = get(reply, "data")
        holder = data if isinstance(data, dict) else reply
        package = next((value for name in fields.package if (value := get(holder, name))), None)
        taken = take_package(package, spool)
        listed = next((value for name in fields.files if (value := get(holder, name))), None)
        return Delivery(taken, tuple(self._files(listed, spool)))

    def agencies(self) -> Iterator[Agency]:
        """Every organ."""
        self._log_in()
        reply = self._asking.ask(lambda: self._request("agencies", {}))
        for row in rows_in(reply, self._settings.fields.rows):
            names = (member(row, ("orgCode", "code")), member(row, ("orgName", "name")))
            yield Agency(*names, member(row, ("parentCode", "pid")))

    def count(self, kind: Kind) -> int | None:
        """``None``: lists carry their own count, which is checked."""
        return None

    def clock_skew(self) -> float:
        """See ``Dialect.clock_skew``."""
        return self._caller.clock.skew.total_seconds()

    def _files(self, listed: Json, spool: Spool) -> Iterator[SentApart]:
        for file in listed if isinstance(listed, list) else []:
            content = next((value for name in self._settings.fields.file if (value := get(file, name))), None)
            name = member(file, self._settings.fields.file_name)
            try:
                yield SentApart(name, take_package(content, spool))
            except UndeliveredError as error:
                if error.received is not None:
                    # The package is there; one file that cannot be decoded is kept as it came.
                    yield SentApart(name, error.received, ("invalid_base64",))

    def _request(self, operation: Operation, query: Mapping[str, str], max_bytes: int = 64 << 20) -> Request:
        endpoint = self._endpoints[operation]
        names = self._settings.names
        asked = {names.get(name, name): value for name, value in query.items()}
        if self._token_in_query and self._token:
            asked[names.get("token", "token")] = self._token
        return Request(endpoint.method, endpoint.path, asked, self._headers, None, max_bytes)

    def _headers(self, _: datetime) -> Headers:
        names = self._settings.names
        found = [("Accept", "application/json")]
        for name, key in (("X-SystemId", "system_id"), ("X-SecretKey", "secret_key")):
            if value := self._connection.text(key):
                found.append((names.get(name, name), value))
        if self._token and not self._token_in_query:
            found.append(("Authorization", f"Bearer {self._token}"))
        return found

    def _log_in(self) -> None:
        if self._connection.login and not self._token:
            self._take_token()

    def _log_in_again(self) -> bool:
        """Take another token after a refusal, which may be for the age of ours."""
        if not self._connection.login:
            return False
        self._token = ""
        self._take_token()
        return True

    def _take_token(self) -> None:
        endpoint = self._endpoints["login"]
        credentials = {
            "username": self._connection.login,
            "password": self._connection.password,
            "applicationCode": self._connection.text("application_code"),
            "otp": None,
            "twoFactorProvider": None,
            "typeObjs": [0, 1],
        }
        body = json.dumps(credentials, ensure_ascii=False).encode("utf-8")
        query = {} if self._token_in_query else {"allow_anonymous": "true"}

        def headers(moment: datetime) -> Headers:
            return [*self._headers(moment), ("Content-Type", "application/json")]

        request = Request(endpoint.method, endpoint.path, query, headers, body)
        reply = Asking(self._caller, self._asking.codes).ask(lambda: request)
        names = self._settings.fields.token
        self._token = member(get(reply, "data"), names) or member(reply, names)
        if not self._token:
            raise FatalError(
                "the login gives no token",
                where=self._caller.where(request),
                expected=f"a member named {' or '.join(names)}",
                action="say under fields.token of the source's YAML what the site calls it",
            )
