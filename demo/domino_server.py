"""A Domino 8.5 server on localhost that only ever is read: ``python -m demo.domino_server --office FOLDER``.

It speaks what Lienthong reads with: login, ``?ReadViewEntries``, the export agent, ``$FILE`` URLs and the data service,
with the quirks of 8.5. It remembers every request, refuses whatever could write, and goes wrong on demand.
"""

from __future__ import annotations

import argparse
import mimetypes
import ssl
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from demo.domino_agent import Agent
from demo.domino_data_service import NotServedError, data_service
from demo.domino_database import LOCAL, NotesDatabase, office_documents, small_documents
from demo.domino_faults import LoggedOut, Meanwhile, Request
from demo.domino_sessions import LoginMode, Sessions, error_page, login_page
from demo.domino_views import View, ViewOptions, read_view_entries, standard_views
from demo.petitions import FAILURE, failing_unid, petitions_database
from demo.report import NOTES
from demo.simulated_service import Fault, Refused, Reply, SimulatedService

AGENT = "LienthongExport"
ACCOUNT, PASSWORD = "CN=Lienthong/O=ThuongGiang", "chi-doc"
DATABASE_PATH = "vanban/vbdendi.nsf"
REPLICA_ID = "47257A3C002E91B5"

_READING = frozenset(
    {"", "login", "logout", "openserver", "opendatabase", "openview", "readviewentries", "opendocument"}
    | {"openelement", "openagent", "readdesign"}
)
_HTML = "text/html; charset=US-ASCII"


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


class DominoServer(SimulatedService[Request]):
    """The simulator over ``database``."""

    program = "Lotus-Domino"

    def __init__(self, database: NotesDatabase, settings: Settings | None = None, port: int = 0) -> None:
        self.database = database
        self.settings = settings or Settings()
        super().__init__(port, self.settings.tls)
        self.now = lambda: self.settings.now().replace(tzinfo=LOCAL)
        self._sessions = Sessions(
            self.settings.accounts,
            self.settings.login,
            self.settings.clock,
            self.settings.idle_seconds,
            self.settings.request_limit,
        )
        self._views = {view.name: view for view in standard_views()}

    def asked(self, part: str) -> int:
        """How many requests had ``part`` in their path, command or ``cmd`` parameter."""
        return sum(
            part in request.path or part == request.command or part == request.query.get("cmd")
            for request in list(self.requests)
        )

    def read(self, number: int, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
        """The request, its URL command apart from the parameters behind it."""
        parts = urlsplit(target)
        command, *pairs = parts.query.split("&")
        named = parse_qs("&".join(pairs if "=" not in command else [parts.query]), keep_blank_values=True)
        query = {name.lower(): values[-1] for name, values in named.items()}
        query |= {pair.lower(): "" for pair in pairs if "=" not in pair}
        word = "" if "=" in command else command.lower()
        return Request(number, method, unquote(parts.path), query, headers, body, word, target)

    def meet(self, fault: Fault) -> None:
        """Sessions end, or somebody works in the database."""
        if isinstance(fault, LoggedOut):
            self._sessions.end_all()
        elif isinstance(fault, Meanwhile):
            fault.change(self.database)

    def refusal(self, fault: Refused) -> Reply:
        """Domino's page for an error."""
        page = error_page(fault.status, "Service Unavailable").encode()
        return replace(super().refusal(fault), body=page, content_type=_HTML)

    def respond(self, request: Request) -> Reply:
        """Domino's answer."""
        if request.method == "POST" and request.command == "login":
            return self._log_in(request.body.decode("ascii", "replace"))
        if request.method != "GET" or request.command not in _READING:
            self.violation(request)
            return _error(405, "Method Not Allowed")
        account = self._sessions.account(request.header("cookie"), request.header("authorization"))
        if account is None:
            return self._stranger(request.target)
        return self._page(request, account)

    def _log_in(self, form: str) -> Reply:
        fields = parse_qs(form, keep_blank_values=True)
        name, password, target = (
            fields.get(field_name, [""])[0] for field_name in ("Username", "Password", "RedirectTo")
        )
        cookie = self._sessions.log_in(name, password)
        if cookie is None:
            return _html(login_page(target, "You provided an invalid username or password."))
        # Never to another host, whatever the form says.
        inside = target if target.startswith("/") and not target.startswith("//") else "/"
        headers = {"Set-Cookie": f"{cookie}; path=/", "Location": self.url + inside}
        return Reply(b"", 302, _HTML, headers)

    def _stranger(self, target: str, message: str = "") -> Reply:
        if self.settings.login is LoginMode.BASIC:
            page = _error(401, "You are not authorized to perform this operation")
            return replace(page, headers={"WWW-Authenticate": 'Basic realm="/"'})
        return _html(login_page(target, message))

    def _page(self, request: Request, account: str) -> Reply:
        root = "/" + self.database.path
        if not request.path.lower().startswith(root.lower()):
            found = request.path in ("/", "/names.nsf")
            return _html("<html><body>Domino</body></html>") if found else _error(404, "File does not exist")
        if not self.settings.urls_open:
            return _error(403, "URL access to this database is not allowed")
        below = [part for part in request.path[len(root) :].split("/") if part]
        match below:
            case []:
                return _html("<html><head><title>Database</title></head><body></body></html>")
            case ["api", "data", *rest]:
                return self._data(request, rest, account)
            case [_, unid, marker, *name] if marker.lower() == "$file":
                return self._file(unid, "/".join(name), request.target, account)
            case [_, unid]:
                return self._document(unid, request.target, account)
            case [name] if name.strip("()") == self.settings.agent and request.command == "openagent":
                return self._agent(request, account)
            case [name] if name in self._views and not self._views[name].hidden:
                return self._view(self._views[name], request, account)
        return _error(404, "Couldn't find design note")

    def _view(self, view: View, request: Request, account: str) -> Reply:
        if request.command != "readviewentries":
            return _html("<html><head><title>View</title></head><body></body></html>")
        now = self.settings.now()
        documents = self.database.all()
        kind, body = read_view_entries(view, documents, account, request.query, self.settings.views, now)
        return Reply(body, content_type=kind)

    def _agent(self, request: Request, account: str) -> Reply:
        agent = Agent(
            self.database, self.settings.lists_hidden, self.settings.failing, self.settings.agent_says_charset
        )
        kind, body = agent.answer(request.query, account, self.settings.now())
        return Reply(body, content_type=kind)

    def _file(self, unid: str, name: str, target: str, account: str) -> Reply:
        found = self.database.get(unid.upper())
        if found is not None and not found.readable_by(account):
            return self._stranger(target, "You are not authorized to access this document.")
        for file in found.attachments if found else ():
            if file.name.casefold() == name.casefold():
                kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
                return Reply(file.data, content_type=kind)
        return _error(404, "File does not exist" if found else "Invalid or nonexistent document")

    def _document(self, unid: str, target: str, account: str) -> Reply:
        found = self.database.get(unid.upper())
        if found is None:
            return _error(404, "Document has been deleted")
        if not found.readable_by(account):
            return self._stranger(target, "You are not authorized to access this document.")
        # Dates stand in the server's locale, whatever the view prints.
        made = f"{found.note.created:%m/%d/%Y %I:%M:%S %p}"
        page = f"<html><head><title>{found.note.form}</title></head><body>{made}</body></html>"
        return _html(page)

    def _data(self, request: Request, path: Sequence[str], account: str) -> Reply:
        if not self.settings.data_service:
            return _error(404, "File does not exist")
        readable = [found for found in self.database.all() if found.readable_by(account)]
        try:
            body, headers = data_service(path, "/" + self.database.path, request.query, readable, self._views)
        except NotServedError as error:
            return _error(404, f"no such resource: {error}")
        return Reply(body, content_type="application/json; charset=utf-8", headers=headers)


def _html(page: str, status: int = 200) -> Reply:
    return Reply(page.encode(), status, _HTML)


def _error(status: int, message: str) -> Reply:
    return _html(error_page(status, message), status)


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
