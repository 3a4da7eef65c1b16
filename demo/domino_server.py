"""A Domino 8.5 server on localhost that only ever is read: ``python -m demo.domino_server --office FOLDER``.

It speaks what Lienthong reads with: login, ``?ReadViewEntries``, the export agent, ``$FILE`` URLs and the data service,
with the quirks of 8.5. It remembers every request, refuses whatever could write, and goes wrong on demand.
"""

from __future__ import annotations

import argparse
import mimetypes
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from demo.domino_agent import Agent
from demo.domino_data_service import NotServedError, data_service
from demo.domino_database import LOCAL, NotesDatabase, office_documents, small_documents
from demo.domino_faults import (
    Cut,
    Fault,
    FaultPlan,
    LoggedOut,
    Meanwhile,
    Refused,
    Request,
    Stalled,
    Truncated,
)
from demo.domino_sessions import LoginMode, Sessions, error_page, login_page
from demo.domino_views import View, ViewOptions, read_view_entries, standard_views
from demo.petitions import FAILURE, failing_unid, petitions_database
from demo.report import NOTES

HOST = "127.0.0.1"
AGENT = "LienthongExport"
ACCOUNT, PASSWORD = "CN=Lienthong/O=ThuongGiang", "chi-doc"
DATABASE_PATH = "vanban/vbdendi.nsf"
REPLICA_ID = "47257A3C002E91B5"

_READING = frozenset(
    {"", "login", "logout", "openserver", "opendatabase", "openview", "readviewentries", "opendocument"}
    | {"openelement", "openagent", "readdesign"}
)
_HTML = "text/html; charset=US-ASCII"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    body: bytes
    content_type: str = _HTML
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Settings:
    """How the simulated server is set up.

    Attributes:
        accounts: password by user name. login: the kind of session authentication.
        idle_seconds, request_limit: when a session ends.
        urls_open: false when the database has *Don't allow URL open*.
        data_service: the Domino Data Service is switched on for the database and its views.
        lists_hidden, failing, agent_says_charset: see ``demo.domino_agent.Agent``.
        tls: makes it an HTTPS server.
        now: local time without zone. clock: seconds, for sessions.
    """

    accounts: Mapping[str, str] = field(default_factory=lambda: {ACCOUNT: PASSWORD})
    login: LoginMode = LoginMode.SINGLE
    idle_seconds: float = 1800
    request_limit: int | None = None
    views: ViewOptions = field(default_factory=ViewOptions)
    urls_open: bool = True
    data_service: bool = False
    lists_hidden: bool = False
    failing: dict[str, str] = field(default_factory=dict)
    agent_says_charset: bool = True
    agent: str = AGENT
    tls: ssl.SSLContext | None = None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(LOCAL).replace(tzinfo=None))
    clock: Callable[[], float] = time.monotonic


class DominoServer:
    """The simulator; a context manager that serves ``database`` on a port of this machine.

    Attributes:
        faults: what goes wrong.
        requests: everything that was asked, in order of arrival.
        violations: what could have written, and was refused.
        served: bytes of the bodies sent.
    """

    def __init__(self, database: NotesDatabase, settings: Settings | None = None, port: int = 0) -> None:
        self.database = database
        self.settings = settings or Settings()
        self.faults = FaultPlan()
        self.requests: list[Request] = []
        self.violations: list[Request] = []
        self.served = 0
        self._lock = threading.Lock()
        self._sessions = Sessions(
            self.settings.accounts,
            self.settings.login,
            self.settings.clock,
            self.settings.idle_seconds,
            self.settings.request_limit,
        )
        self._views = {view.name: view for view in standard_views()}
        self._http = _Http((HOST, port), self)
        if self.settings.tls is not None:
            self._http.socket = self.settings.tls.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        scheme = "https" if self.settings.tls is not None else "http"
        return f"{scheme}://{HOST}:{self._http.server_address[1]}"

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

    def asked(self, part: str) -> int:
        """How many requests had ``part`` in their path, command or ``cmd`` parameter."""
        return sum(
            part in request.path or part == request.command or part == request.query.get("cmd")
            for request in list(self.requests)
        )

    def answer(
        self, method: str, target: str, cookies: str, basic: str, form: str
    ) -> tuple[Answer, list[Fault]]:
        """The answer to one request, and the faults that it is to meet on its way."""
        request = self._received(method, target)
        faults = self.faults.meeting(request)
        for fault in faults:
            if isinstance(fault, LoggedOut):
                self._sessions.end_all()
            elif isinstance(fault, Meanwhile):
                fault.change(self.database)
            elif isinstance(fault, Refused):
                wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
                page = error_page(fault.status, "Service Unavailable").encode()
                return Answer(page, status=fault.status, headers=wait), faults
        return self._respond(request, target, cookies, basic, form), faults

    def _received(self, method: str, target: str) -> Request:
        parts = urlsplit(target)
        command, *pairs = parts.query.split("&")
        named = parse_qs("&".join(pairs if "=" not in command else [parts.query]), keep_blank_values=True)
        query = {name.lower(): values[-1] for name, values in named.items()}
        query |= {pair.lower(): "" for pair in pairs if "=" not in pair}
        with self._lock:
            number = len(self.requests) + 1
            word = "" if "=" in command else command.lower()
            request = Request(number, method, unquote(parts.path), word, query)
            self.requests.append(request)
        return request

    def _respond(self, request: Request, target: str, cookies: str, basic: str, form: str) -> Answer:
        if request.method == "POST" and request.command == "login":
            return self._log_in(form)
        if request.method != "GET" or request.command not in _READING:
            self.violations.append(request)
            return _error(405, "Method Not Allowed")
        account = self._sessions.account(cookies, basic)
        if account is None:
            return self._stranger(target)
        return self._page(request, target, account)

    def _log_in(self, form: str) -> Answer:
        fields = parse_qs(form, keep_blank_values=True)
        name, password, target = (
            fields.get(field_name, [""])[0] for field_name in ("Username", "Password", "RedirectTo")
        )
        cookie = self._sessions.log_in(name, password)
        if cookie is None:
            return Answer(login_page(target, "You provided an invalid username or password.").encode())
        # Never to another host, whatever the form says.
        inside = target if target.startswith("/") and not target.startswith("//") else "/"
        headers = {"Set-Cookie": f"{cookie}; path=/", "Location": self.url + inside}
        return Answer(b"", status=302, headers=headers)

    def _stranger(self, target: str, message: str = "") -> Answer:
        if self.settings.login is LoginMode.BASIC:
            page = error_page(401, "You are not authorized to perform this operation").encode()
            return Answer(page, status=401, headers={"WWW-Authenticate": 'Basic realm="/"'})
        return Answer(login_page(target, message).encode())

    def _page(self, request: Request, target: str, account: str) -> Answer:
        root = "/" + self.database.path
        if not request.path.lower().startswith(root.lower()):
            found = request.path in ("/", "/names.nsf")
            return (
                Answer(b"<html><body>Domino</body></html>") if found else _error(404, "File does not exist")
            )
        if not self.settings.urls_open:
            return _error(403, "URL access to this database is not allowed")
        below = [part for part in request.path[len(root) :].split("/") if part]
        match below:
            case []:
                return Answer(b"<html><head><title>Database</title></head><body></body></html>")
            case ["api", "data", *rest]:
                return self._data(request, rest, account)
            case [_, unid, marker, *name] if marker.lower() == "$file":
                return self._file(unid, "/".join(name), target, account)
            case [_, unid]:
                return self._document(unid, target, account)
            case [name] if name.strip("()") == self.settings.agent and request.command == "openagent":
                return self._agent(request, account)
            case [name] if name in self._views and not self._views[name].hidden:
                return self._view(self._views[name], request, account)
        return _error(404, "Couldn't find design note")

    def _view(self, view: View, request: Request, account: str) -> Answer:
        if request.command != "readviewentries":
            return Answer(b"<html><head><title>View</title></head><body></body></html>")
        now = self.settings.now()
        documents = self.database.all()
        kind, body = read_view_entries(view, documents, account, request.query, self.settings.views, now)
        return Answer(body, kind)

    def _agent(self, request: Request, account: str) -> Answer:
        agent = Agent(
            self.database, self.settings.lists_hidden, self.settings.failing, self.settings.agent_says_charset
        )
        kind, body = agent.answer(request.query, account, self.settings.now())
        return Answer(body, kind)

    def _file(self, unid: str, name: str, target: str, account: str) -> Answer:
        found = self.database.get(unid.upper())
        if found is not None and not found.readable_by(account):
            return self._stranger(target, "You are not authorized to access this document.")
        for file in found.attachments if found else ():
            if file.name.casefold() == name.casefold():
                return Answer(file.data, mimetypes.guess_type(file.name)[0] or "application/octet-stream")
        return _error(404, "File does not exist" if found else "Invalid or nonexistent document")

    def _document(self, unid: str, target: str, account: str) -> Answer:
        found = self.database.get(unid.upper())
        if found is None:
            return _error(404, "Document has been deleted")
        if not found.readable_by(account):
            return self._stranger(target, "You are not authorized to access this document.")
        # Dates stand in the server's locale, whatever the view prints.
        made = f"{found.note.created:%m/%d/%Y %I:%M:%S %p}"
        page = f"<html><head><title>{found.note.form}</title></head><body>{made}</body></html>"
        return Answer(page.encode())

    def _data(self, request: Request, path: Sequence[str], account: str) -> Answer:
        if not self.settings.data_service:
            return _error(404, "File does not exist")
        readable = [found for found in self.database.all() if found.readable_by(account)]
        try:
            body, headers = data_service(path, "/" + self.database.path, request.query, readable, self._views)
        except NotServedError as error:
            return _error(404, f"no such resource: {error}")
        return Answer(body, "application/json; charset=utf-8", headers=headers)


def _error(status: int, message: str) -> Answer:
    return Answer(error_page(status, message).encode(), status=status)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], domino: DominoServer) -> None:
        self.domino = domino
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is not worth a traceback."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"
    server_version = "Lotus-Domino"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_one_request(self) -> None:
        """Read one request of whatever method and answer it."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        form = self.rfile.read(length).decode("ascii", "replace")
        answer, faults = self.server.domino.answer(
            self.command,
            self.path,
            self.headers.get("Cookie", ""),
            self.headers.get("Authorization", ""),
            form,
        )
        self._send(answer, faults)

    def _send(self, answer: Answer, faults: Sequence[Fault]) -> None:
        body = answer.body
        for fault in faults:
            if isinstance(fault, Truncated):
                body = body[: int(len(body) * fault.kept)]
            elif isinstance(fault, Cut) and fault.sent is None:
                self._break()
                return
        self._head(answer, len(body))
        for fault in faults:
            if isinstance(fault, Cut) and fault.sent is not None:
                self.wfile.write(body[: int(len(body) * fault.sent)])
                self.wfile.flush()
                self._break()
                return
            if isinstance(fault, Stalled):
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self.connection.recv(1)  # until the client gives up
                self.close_connection = True
                return
        self.wfile.write(body)
        self.wfile.flush()
        self.server.domino.served += len(body)

    def _head(self, answer: Answer, length: int) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _break(self) -> None:
        """Reset the connection, so that the client cannot take what came for all there is."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """The server keeps its own record."""


def main(arguments: list[str] | None = None) -> int:
    """The command: serve an office's Notes documents, or small made-up ones, until told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.domino_server", description="A simulated Domino server."
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--office", type=Path, help="folder that demo.office wrote")
    parser.add_argument("--small", type=int, default=0, help="so many small made-up documents beside them")
    parser.add_argument("--petitions", action="store_true", help="the application of demo.petitions instead")
    parser.add_argument("--login", choices=[mode.name.lower() for mode in LoginMode], default="single")
    options = parser.parse_args(arguments)
    settings = Settings(login=LoginMode[options.login.upper()])
    if options.petitions:
        database = petitions_database()
        settings.lists_hidden = True
        settings.failing = {failing_unid(): FAILURE}
    else:
        database = NotesDatabase(DATABASE_PATH, REPLICA_ID)
        if options.office:
            database.add(office_documents(options.office / "drop" / NOTES))
        database.add(small_documents(options.small))
    server = DominoServer(database, settings, options.port)
    print(f"{server.url}/{database.path}  ({len(database.all())} documents)", flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
