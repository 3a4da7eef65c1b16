"""Builds the mailbox that a connection and a source's settings describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from connectors.clock import Clock
from connectors.operations.exchange import bkav, lgsp, vxp
from connectors.operations.exchange.caller import Caller
from connectors.operations.exchange.dialect import Dialect, Endpoint, Endpoints
from connectors.operations.exchange.source import ExchangeMailbox
from connectors.pace import Pace
from connectors.read_only_session import ReadOnlySession
from schemas.connection import ServiceConnection
from schemas.errors import ConfigurationError
from schemas.exchange_config import ExchangeService, Operation

_Build = Callable[[ServiceConnection, Endpoints, ExchangeService, Caller], Dialect]


class _Known(NamedTuple):
    endpoints: Mapping[Operation, Endpoint]
    build: _Build


DIALECTS: Mapping[str, _Known] = MappingProxyType(
    {
        "vxp": _Known(vxp.ENDPOINTS, vxp.VxpDialect),
        "lgsp": _Known(lgsp.ENDPOINTS, lgsp.LgspDialect),
        "lgsp_token": _Known(lgsp.TOKEN_ENDPOINTS, partial(lgsp.LgspDialect, token_in_query=True)),
        "bkav": _Known(bkav.ENDPOINTS, bkav.BkavDialect),
    }
)
"""What a connection's extra ``dialect`` may say."""


def open_mailbox(
    name: str,
    connection: ServiceConnection,
    settings: ExchangeService,
    zone: ZoneInfo,
    clock: Clock | None = None,
) -> ExchangeMailbox:
    """The mailbox of source ``name``; nothing is asked of the service yet.

    Raises:
        ConfigurationError: the connection names no dialect, or lacks what its dialect needs.
    """
    dialect = connection.required("dialect")
    known = DIALECTS.get(dialect)
    if known is None:
        raise ConfigurationError(
            f"the dialect {dialect!r} is not known",
            where=f"connection {connection.id}",
            expected=" or ".join(DIALECTS),
            action="correct it in Airflow: Admin > Connections",
        )
    endpoints = Endpoints(known.endpoints, settings)
    pace = Pace(settings.politeness, zone, clock)
    session = ReadOnlySession(connection, endpoints.allow)
    caller = Caller(connection, session, pace, settings.politeness)
    return ExchangeMailbox(name, known.build(connection, endpoints, settings, caller), settings, pace.clock)
