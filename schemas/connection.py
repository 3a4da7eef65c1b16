"""Where a service answers and how to log in there: what an Airflow connection says, without Airflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from schemas.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class ServiceConnection:
    """A connection to a service over HTTP. Its text never shows a secret.

    Attributes:
        id: the connection's id, for messages.
        host: name or address of the server.
        scheme: ``http`` or ``https``.
        port: ``None`` for the scheme's own.
        login: account; ``""`` for none.
        password: its secret.
        extras: what else the connection says (certificates, proxy, system codes …), as JSON values.
    """

    id: str
    host: str
    scheme: str = "https"
    port: int | None = None
    login: str = ""
    password: str = field(default="", repr=False)
    extras: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @property
    def base_url(self) -> str:
        """Scheme, host and port, without a slash at the end: ``https://domino.example.vn:8443``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port is not None else "")

    def text(self, key: str, default: str = "") -> str:
        """The extra ``key`` as text; ``default`` where it is missing or empty.

        Raises:
            ConfigurationError: it is a list or an object.
        """
        value = self.extras.get(key)
        if value is None or value == "":
            return default
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._wrong(key, "a text")
        return str(value)

    def required(self, key: str) -> str:
        """The extra ``key`` as text.

        Raises:
            ConfigurationError: it is missing, empty, a list or an object.
        """
        found = self.text(key)
        if not found:
            raise ConfigurationError(
                f"the extra field {key!r} of a connection is missing",
                where=f"connection {self.id}",
                action="fill it in in Airflow: Admin > Connections",
            )
        return found

    def flag(self, key: str, default: bool = False) -> bool:
        """The extra ``key`` as a boolean: JSON's own, or the words ``true`` and ``false``.

        Raises:
            ConfigurationError: it is neither.
        """
        value = self.extras.get(key)
        if value is None or value == "":
            return default
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word not in {"true", "false"}:
            raise self._wrong(key, "true or false")
        return word == "true"

    def _wrong(self, key: str, expected: str) -> ConfigurationError:
        return ConfigurationError(
            f"the extra field {key!r} of a connection has another kind of value",
            where=f"connection {self.id}",
            expected=expected,
            action="correct it in Airflow: Admin > Connections",
        )
