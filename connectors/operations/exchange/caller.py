"""Asks one exchange service: each request at its pace, again where a failure may pass, never more than allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

import requests

from connectors.operations.exchange.server_clock import ServerClock
from connectors.operations.spool import Spool
from connectors.pace import Pace
from schemas.connection import ServiceConnection
from schemas.errors import ConfigurationError, FatalError, RetriableError
from schemas.record import Content
from schemas.service_config import Politeness

Headers = Sequence[tuple[str, str]]

BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed a moment later."""

_PIECE = 1 << 16


class ServiceAwayError(RetriableError):
    """Every try of one request failed for a reason that may pass."""


class AnswerTooLargeError(Exception):
    """An answer has more bytes than the request allows."""


class UnwritableRequestError(ConfigurationError):
    """What the request is to say cannot be said in HTTP."""


def no_headers(_: datetime) -> Headers:
    """No headers beside those that HTTP itself needs."""
    return ()


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        method: ``GET`` or ``POST``.
        path: from the root of the server.
        query: parameters behind the ``?``, in order.
        headers: made anew for each try from the server's time: a signature holds the moment of sending.
        body: bytes sent with it.
        max_bytes: of the answer, unpacked.
        bare: the answer may also be the text that is asked for, without JSON around it.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    headers: Callable[[datetime], Headers] = no_headers
    body: bytes | None = None
    max_bytes: int = 64 << 20
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered: an HTTP status that is not one of ``BUSY``, and the body."""

    status: int
    content: Content


class Caller:
    """One process's way to one service.

    Args:
        connection: where it answers.
        session: sends what it allows.
        pace: when.
        politeness: timeouts and number of tries.

    Attributes:
        clock: the service's time.
    """

    def __init__(
        self,
        connection: ServiceConnection,
        session: requests.Session,
        pace: Pace,
        politeness: Politeness,
    ) -> None:
        self._connection = connection
        self._session = session
        self._pace = pace
        self._politeness = politeness
        self.clock = ServerClock(pace.clock)

    def send(self, request: Request) -> Answer:
        """The service's answer, after as many tries as politeness allows.

        Raises:
            ServiceAwayError: no try got through. RetriableError: it asks to be left alone for long.
            AnswerTooLargeError: the answer is larger than the request allows.
            FatalError: the request may not leave, or the server is not trusted.
        """
        failures = 0
        while True:
            self._pace.wait()
            outcome = self._try(request)
            if isinstance(outcome, Answer):
                return outcome
            failures += 1
            if failures >= self._politeness.tries:
                raise ServiceAwayError(
                    f"the service does not answer {request.method} {request.path}: {outcome.reason}",
                    where=self.where(request),
                    action="see that it runs and is reached from here; the run is tried again by itself",
                )
            self._pace.back_off(failures, outcome.retry_after)

    def where(self, request: Request) -> str:
        """The connection and the address, without the query, which may hold a token."""
        return f"connection {self._connection.id}, {self._connection.base_url}{request.path}"

    def _try(self, request: Request) -> Answer | _Failure:
        sent = self._pace.clock.now()
        timeout = (self._politeness.connect_timeout, self._politeness.read_timeout)
        try:
            headers = {name: value.encode("utf-8") for name, value in request.headers(self.clock.now())}
            with self._session.request(
                request.method,
                self._connection.base_url + request.path,
                params=dict(request.query) or None,
                headers=headers,
                data=request.body,
                timeout=timeout,
                stream=True,
            ) as response:
                self.clock.observe(response.headers.get("Date"), sent, self._pace.clock.now())
                if response.status_code in BUSY:
                    asked = response.headers.get("Retry-After", "")
                    return _Failure(f"HTTP {response.status_code}", asked)
                if 300 <= response.status_code < 400:
                    raise self._redirected(request)
                return Answer(response.status_code, Spool().keep(_limited(response, request.max_bytes)))
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, UnicodeError) as error:
            # Not chained: the library's own words repeat the header, which may be the secret.
            raise UnwritableRequestError(
                f"the request cannot be written: {type(error).__name__}",
                where=self.where(request),
                expected="identities, codes and secrets without control characters",
            ) from None
        except requests.exceptions.ProxyError:
            return _Failure("the proxy does not let it through")
        except requests.exceptions.ConnectTimeout:
            return _Failure(f"no connection within {timeout[0]:g} s")
        except requests.exceptions.ReadTimeout:
            return _Failure(f"silence for {timeout[1]:g} s")
        except requests.exceptions.RequestException as error:
            return _Failure(f"the connection was lost ({type(error).__name__})")

    def _redirected(self, request: Request) -> FatalError:
        return ConfigurationError(
            "the service sends us to another address, which is not followed",
            where=self.where(request),
            expected="the answer itself",
            action="correct scheme (http, https), host or paths of the connection and the source's YAML",
        )


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    retry_after: str = ""


def _limited(response: requests.Response, most: int) -> Iterator[bytes]:
    size = 0
    for piece in response.iter_content(_PIECE):
        size += len(piece)
        if size > most:
            raise AnswerTooLargeError(f"more than {most} bytes")
        yield piece
