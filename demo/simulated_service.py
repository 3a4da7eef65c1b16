"""What the simulators of HTTP services share: a server on localhost that remembers every request, answers by rule, and
goes wrong on demand."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar
from urllib.parse import parse_qsl, urlsplit

HOST = "127.0.0.1"

_MAX_BODY = 64 << 20


@dataclass(frozen=True, slots=True)
class Received:
    """A request that came in.

    Attributes:
        number: from 1, in order of arrival. path: as sent, without the query.
        query: its parameters. headers: names in lower case, values read as UTF-8.
    """

    number: int
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """A header's value, ``""`` without one."""
        return self.headers.get(name.lower(), "")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    body: bytes
    status: int = 200
    content_type: str = "application/json;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(value: object, status: int = 200) -> Reply:
    """``value`` as JSON."""
    return Reply(json.dumps(value, ensure_ascii=False).encode("utf-8"), status)


class Fault:
    """Something that goes wrong with one request."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Refused(Fault):
    """An HTTP error instead of an answer; ``retry_after`` (seconds or a date) goes into the header of that name."""

    status: int = 503
    retry_after: str | int = ""


@dataclass(frozen=True, slots=True)
class Cut(Fault):
    """The connection breaks after ``sent`` (0 to 1) of the body; ``None``: before the headers."""

    sent: float | None = None


@dataclass(frozen=True, slots=True)
class Truncated(Fault):
    """The answer ends early and looks whole to HTTP: a program that ran out of time. ``kept`` 0 to 1."""

    kept: float = 0.5


@dataclass(frozen=True, slots=True)
class Stalled(Fault):
    """Half of the answer goes out, then nothing until the client hangs up."""


@dataclass(frozen=True, slots=True)
class Changed(Fault):
    """Another answer goes out than the right one."""

    change: Callable[[Reply], Reply]


R = TypeVar("R", bound=Received)


@dataclass(slots=True)
class _Planned(Generic[R]):
    condition: Callable[[R], bool]
    fault: Fault
    left: int


class FaultPlan(Generic[R]):
    """Which requests meet which fault; may be extended while the service runs."""

    def __init__(self) -> None:
        self._planned: list[_Planned[R]] = []
        self._lock = threading.Lock()

    def when(self, condition: Callable[[R], bool], fault: Fault, times: int = 1) -> None:
        """``fault`` meets the next ``times`` requests for which ``condition`` holds."""
        with self._lock:
            self._planned.append(_Planned(condition, fault, times))

    def on(self, path: str, fault: Fault, times: int = 1) -> None:
        """``fault`` meets the next ``times`` requests whose path ends in ``path``."""
        self.when(lambda request: request.path.endswith(path), fault, times)

    def at(self, number: int, fault: Fault) -> None:
        """``fault`` meets the request of that number."""
        self.when(lambda request: request.number == number, fault)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._planned.clear()

    def meeting(self, request: R) -> Fault | None:
        """What goes wrong with ``request``: the first fault planned for it that is left."""
        with self._lock:
            for planned in self._planned:
                if planned.left and planned.condition(request):
                    planned.left -= 1
                    return planned.fault
        return None


class SimulatedService(ABC, Generic[R]):
    """A service on a port of this machine, for the length of a ``with`` block or until the process ends.

    Attributes:
        faults: what goes wrong.
        requests: everything that was asked, in order of arrival.
        violations: what would have changed something, and was refused.
        now: the service's clock, aware.

    Args:
        port: 0 for any that is free. tls: makes it an HTTPS server.
    """

    program: ClassVar[str] = "Simulator"

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.faults: FaultPlan[R] = FaultPlan()
        self.requests: list[R] = []
        self.violations: list[R] = []
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._lock = threading.Lock()
        self._http: _Http[R] = _Http((HOST, port), self)
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @abstractmethod
    def read(self, number: int, method: str, target: str, headers: Mapping[str, str], body: bytes) -> R:
        """The request ``number`` as this service understands it; header names are in lower case."""

    @abstractmethod
    def respond(self, request: R) -> Reply:
        """The right answer to ``request``."""

    def meet(self, fault: Fault) -> None:
        """A fault of the service's own happens, before the request that meets it is answered."""

    def refusal(self, fault: Refused) -> Reply:
        """The answer that ``fault`` gives instead."""
        wait = {"Retry-After": str(fault.retry_after)} if fault.retry_after != "" else {}
        return Reply(b"<html>busy</html>", fault.status, "text/html", wait)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"{self._scheme}://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def serve_forever(self) -> None:
        """Serve in this thread, until the process ends."""
        self._http.serve_forever()

    def violation(self, request: R) -> None:
        """Remember that ``request`` would have changed something."""
        with self._lock:
            self.violations.append(request)

    def received(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> R:
        """Number and remember a request."""
        with self._lock:
            request = self.read(len(self.requests) + 1, method, target, headers, body)
            self.requests.append(request)
        return request

    def answer(self, request: R, fault: Fault | None) -> Reply:
        """What goes out for ``request``, as far as ``fault`` lets it."""
        if isinstance(fault, Refused):
            return self.refusal(fault)
        if fault is not None:
            self.meet(fault)
        reply = self.respond(request)
        if isinstance(fault, Changed):
            return fault.change(reply)
        if isinstance(fault, Truncated):
            return replace(reply, body=reply.body[: int(len(reply.body) * fault.kept)])
        return reply


class HttpService(SimulatedService[Received]):
    """A service whose requests are read as HTTP has them."""

    def read(
        self, number: int, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Received:
        """The request: its path as sent, its parameters decoded."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return Received(number, method, parts.path, query, headers, body)


class _Http(ThreadingHTTPServer, Generic[R]):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], service: SimulatedService[R]) -> None:
        self.service = service
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is not worth a traceback."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: _Http[Received]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_one_request(self) -> None:
        """Read one request of whatever method and answer it."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        length = min(int(self.headers.get("Content-Length") or 0), _MAX_BODY)
        headers = {name.lower(): _utf8(value) for name, value in self.headers.items()}
        service = self.server.service
        request = service.received(self.command, self.path, headers, self.rfile.read(length))
        fault = service.faults.meeting(request)
        self._send(service.answer(request, fault), fault)

    def version_string(self) -> str:
        """What the service calls itself."""
        return self.server.service.program

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The service's own clock, as the ``Date`` header."""
        return format_datetime(self.server.service.now().astimezone(UTC), usegmt=True)

    def _send(self, reply: Reply, fault: Fault | None) -> None:
        if isinstance(fault, Cut) and fault.sent is None:
            self._break()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if isinstance(fault, Cut | Stalled):
            sent = fault.sent if isinstance(fault, Cut) and fault.sent is not None else 0.5
            self.wfile.write(reply.body[: int(len(reply.body) * sent)])
            self.wfile.flush()
            if isinstance(fault, Stalled):
                self.connection.recv(1)  # until the client gives up
            self._break()
            return
        self.wfile.write(reply.body)
        self.wfile.flush()

    def _break(self) -> None:
        """Reset the connection, so that the client cannot take what came for all there is."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """The service keeps its own record."""


def last_part(path: str) -> str:
    """The last part of a path: the name of the call."""
    return path.rstrip("/").rpartition("/")[2]


def names_of(requests: Sequence[Received]) -> list[str]:
    """The calls that were made, in order."""
    return [last_part(request.path) for request in requests]


def _utf8(value: str) -> str:
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
