"""The addresses that are asked of a Domino server: built here, and recognised here before a request leaves.

Domino changes documents by ``GET`` too (``?DeleteDocument``, ``?OpenAgent`` of any agent): that a request is a ``GET``
says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

import requests

_READING = re.compile(
    r"OpenAgent&cmd=(list|export|forms)(&(since|after|count|unid)=[0-9A-Za-z,]*)*"
    r"|ReadViewEntries(&(Start|Count|OutputFormat)=[0-9A-Za-z.]*|&ExpandView)*",
    re.ASCII,
)
_PAGING = re.compile(r"((start|count)=[0-9]*&?)*", re.ASCII)
_FILE = re.compile(r"0/[0-9A-F]{32}/\$FILE/[^/]+", re.ASCII)


class DominoAddresses:
    """Paths and queries for one database.

    Args:
        database: its path on the server.
        agent: the name of its export agent.
        login: path and query that the login form is posted to.
    """

    def __init__(self, database: str, agent: str, login: str) -> None:
        self.database = database
        self.login = login
        self._root = "/" + quote(database)
        self._agent = f"{self._root}/{quote(agent, safe='')}"
        self._agent_path = f"/{database}/{agent}"

    def rows(self, since: datetime | None, after: str, count: int) -> str:
        """The agent's list, from ``since`` on, behind the cursor ``after``."""
        query = f"OpenAgent&cmd=list&count={count}"
        if since is not None:
            query += f"&since={since.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        if after:
            query += f"&after={after}"
        return f"{self._agent}?{query}"

    def export(self, unids: Sequence[str]) -> str:
        """The agent's export of some documents."""
        return f"{self._agent}?OpenAgent&cmd=export&unid={','.join(unids)}"

    def forms(self) -> str:
        """The agent's export of the form designs."""
        return f"{self._agent}?OpenAgent&cmd=forms"

    def view(self, name: str, start: str, count: int, form: Literal["xml", "json"]) -> str:
        """Entries of a view from position ``start`` on (``1``, ``3.5.1``), categories expanded."""
        query = f"ReadViewEntries&ExpandView&Start={start}&Count={count}"
        if form == "json":
            query += "&OutputFormat=JSON"
        return f"{self._root}/{quote(name, safe='')}?{query}"

    def collection(self, name: str, start: int, count: int) -> str:
        """Entries of a view by the Data Service, from index ``start`` (0-based) on."""
        return f"{self._root}/api/data/collections/name/{quote(name, safe='')}?start={start}&count={count}"

    def documents(self) -> str:
        """All documents by the Data Service. Its ``since`` is not used: it asks for dates that late replicas lack."""
        return f"{self._root}/api/data/documents"

    def file(self, unid: str, name: str) -> str:
        """An attachment."""
        return f"{self._root}/0/{unid}/$FILE/{quote(name, safe='')}"

    def document(self, unid: str) -> str:
        """A document, for a person to open; never asked for here."""
        return f"{self._root}/0/{unid}"

    def allows(self, request: requests.PreparedRequest) -> bool:
        """True for the requests that this class builds, and for the one that logs in."""
        parts = urlsplit(request.url or "")
        if request.method == "POST":
            return f"{parts.path}?{parts.query}" == self.login
        if request.method != "GET" or request.body is not None:
            return False
        path = unquote(parts.path)
        if path == "/":
            return not parts.query
        if path == self._agent_path and parts.query.startswith("OpenAgent"):
            return _READING.fullmatch(parts.query) is not None
        if not path.startswith(f"/{self.database}/"):
            return False
        # The encoded path tells how many parts there are: a name may hold an encoded slash.
        inside = parts.path[len(self._root) + 1 :]
        if inside.startswith("api/data/"):
            known = inside == "api/data/documents" or inside.startswith("api/data/collections/name/")
            return known and _PAGING.fullmatch(parts.query) is not None
        if _FILE.fullmatch(inside.replace("%24", "$")):
            return not parts.query
        return (
            "/" not in inside
            and parts.query.startswith("ReadViewEntries")
            and bool(_READING.fullmatch(parts.query))
        )
