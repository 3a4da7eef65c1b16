"""An HTTP session that can reach one server only, and send nothing there that its guard does not know."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from schemas.connection import ServiceConnection
from schemas.errors import ConfigurationError, FatalError

Guard = Callable[[requests.PreparedRequest], bool]
"""True for a request that changes nothing at the source."""

_CONNECTIONS = 2
_USER_AGENT = "Lienthong"


class ReadOnlySession(requests.Session):
    """Sends a request only when ``allowed`` says so, and only to the server of ``connection``.

    The guard stands in the only transport that the session has, behind everything that ``requests`` may do by
    itself. Redirects are never followed: one to another server would carry the login there. Proxies, certificates and
    passwords of the environment (``HTTPS_PROXY``, ``.netrc``) are not used; the connection's extra fields are:

    ``proxy``
        URL of a proxy.
    ``ca_file``
        PEM file of the authority that signed the server's certificate, where it is the office's own.
    ``client_certificate``, ``client_key``
        PEM files, where the server asks for a certificate.
    ``legacy_tls``
        true: also TLS 1.0 and old ciphers. Domino 8.5 knows no newer ones.
    """

    def __init__(self, connection: ServiceConnection, allowed: Guard) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.update({"User-Agent": _USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"})
        self.verify = connection.text("ca_file") or True
        certificate, key = connection.text("client_certificate"), connection.text("client_key")
        if certificate:
            self.cert = (certificate, key) if key else certificate
        if proxy := connection.text("proxy"):
            self.proxies = {"http": proxy, "https": proxy}
        self.adapters.clear()
        self.mount(connection.base_url + "/", _GuardedAdapter(allowed, connection.flag("legacy_tls")))
        self._where = f"connection {connection.id}"

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # noqa: ANN401 - requests' own
        """As ``requests`` does, but never following a redirect.

        Raises:
            FatalError: the guard does not allow the request.
            ConfigurationError: a certificate file is missing or wrong, or the server's certificate is not trusted.
        """
        options["allow_redirects"] = False
        try:
            return super().send(request, **options)
        except requests.exceptions.SSLError as error:
            if "EOF" in str(error):
                raise  # a connection that was cut; it is tried again as such
            raise ConfigurationError(
                f"no trusted TLS connection to the server: {error}",
                where=self._where,
                expected="a certificate of a public authority, or of the one in `ca_file`",
                action="put the authority's PEM file into `ca_file`; for Domino 8.5 itself see also `legacy_tls`",
            ) from error
        except OSError as error:
            if isinstance(error, requests.RequestException):
                raise
            raise ConfigurationError(
                f"a certificate file of the connection cannot be used: {error}", where=self._where
            ) from error


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, allowed: Guard, legacy_tls: bool) -> None:
        self._allowed = allowed
        self._legacy_tls = legacy_tls
        super().__init__(pool_connections=1, pool_maxsize=_CONNECTIONS, max_retries=0, pool_block=True)

    def init_poolmanager(self, *positions: Any, **options: Any) -> None:  # noqa: ANN401 - requests' own
        if self._legacy_tls:
            options["ssl_context"] = _legacy_context()
        super().init_poolmanager(*positions, **options)

    def send(self, request: requests.PreparedRequest, *positions: Any, **options: Any) -> requests.Response:  # noqa: ANN401
        if not self._allowed(request):
            # The query may hold what must not be logged.
            raise FatalError(
                "a request that might change the source was about to be sent, and was not",
                where=f"{request.method} {(request.url or '').partition('?')[0]}",
                action="report this: it is a fault of the connector",
            )
        return super().send(request, *positions, **options)


def _legacy_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context
