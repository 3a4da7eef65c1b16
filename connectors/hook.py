"""What the hooks of all connectors share: an Airflow connection as a ``ServiceConnection``.

Only modules named ``hook`` import Airflow, and nothing but ``pipeline.sources`` imports them, when a source needs one.
"""

from __future__ import annotations

import json
from typing import ClassVar, NamedTuple
from urllib.parse import urlsplit

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from schemas.connection import ServiceConnection
from schemas.errors import ConfigurationError


class ServiceHook(BaseHook):
    """A hook over one Airflow connection.

    In a task the connection comes from Airflow; elsewhere (``lienthong``) from the configured secrets backends and
    from ``AIRFLOW_CONN_<ID>`` in the environment.

    Args:
        connection_id: of the Airflow connection.
    """

    conn_name_attr: ClassVar[str] = "connection_id"
    conn_type: ClassVar[str]
    default_conn_name: ClassVar[str]
    hook_name: ClassVar[str]

    def __init__(self, connection_id: str) -> None:
        super().__init__()
        self.connection_id = connection_id

    def get_conn(self) -> ServiceConnection:
        """The connection.

        Raises:
            ConfigurationError: there is none of that id, it names no host, or its extra fields are no JSON object.
        """
        where = f"connection {self.connection_id}"
        try:
            found = self.get_connection(self.connection_id)
        except AirflowNotFoundException as error:
            raise ConfigurationError(
                f"there is no connection {self.connection_id!r}",
                where=where,
                expected=f"a connection of type {self.conn_type} in Airflow",
                action="add it in Airflow (Admin > Connections), or for the command line set "
                f"AIRFLOW_CONN_{self.connection_id.upper()}",
            ) from error
        address = _address(found.host or "")
        scheme = (address.scheme or found.schema or "https").lower()
        if not address.host or scheme not in {"http", "https"}:
            raise ConfigurationError(
                "the connection names no server that can be reached by HTTP",
                where=where,
                expected="a host name, and as scheme http or https",
                action="correct the host in Airflow (Admin > Connections)",
            )
        if address.path not in {"", "/"}:
            raise ConfigurationError(
                f"the host of the connection has a path, {address.path}",
                where=where,
                expected="the server only",
                action="take it out of the host; paths of the service belong into the source's YAML",
            )
        return ServiceConnection(
            id=self.connection_id,
            host=address.host,
            scheme=scheme,
            port=address.port or found.port,
            login=found.login or "",
            password=found.password or "",
            extras=_extras(found.extra, where),
        )


class _Address(NamedTuple):
    host: str
    scheme: str = ""
    port: int | None = None
    path: str = ""


def _address(host: str) -> _Address:
    """What people put into the host field: a name, a name with a port, or a whole address."""
    parts = urlsplit(host.strip() if "://" in host else f"//{host.strip()}")
    try:
        return _Address(parts.hostname or "", parts.scheme, parts.port, parts.path)
    except ValueError:
        return _Address("")


def _extras(text: str | None, where: str) -> dict[str, object]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        # The text itself is not shown: it may hold a password.
        raise ConfigurationError("the extra fields of the connection are not a JSON object", where=where)
    return found
