"""Who is logged in at the Domino simulator, and the pages that Domino shows to those who are not."""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http.cookies import CookieError, SimpleCookie
from xml.sax.saxutils import quoteattr


class LoginMode(Enum):
    """*Session authentication* of the server document, with the name of its cookie."""

    SINGLE = "DomAuthSessId"
    MULTI = "LtpaToken"
    BASIC = ""


@dataclass(slots=True)
class _Session:
    account: str
    last_used: float
    requests: int = 0


@dataclass(slots=True)
class Sessions:
    """The sessions of a server.

    Attributes:
        accounts: password by user name.
        clock: seconds. idle_seconds: a session unused for longer is over.
        request_limit: a session is over after so many requests; ``None`` for no limit.
    """

    accounts: Mapping[str, str]
    mode: LoginMode
    clock: Callable[[], float]
    idle_seconds: float = 1800
    request_limit: int | None = None
    _open: dict[str, _Session] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def log_in(self, name: str, password: str) -> str | None:
        """The cookie (``name=value``) of a new session; ``None`` when name and password do not fit."""
        if self.mode is LoginMode.BASIC or not self._fits(name, password):
            return None
        value = secrets.token_hex(16).upper()
        with self._lock:
            self._open[value] = _Session(name, self.clock())
        return f"{self.mode.value}={value}"

    def account(self, cookies: str, authorization: str) -> str | None:
        """Whose request it is; counts as one use of the session. Servers with sessions ignore Basic."""
        if self.mode is LoginMode.BASIC:
            return self._basic(authorization)
        value = _cookie(cookies, self.mode.value)
        with self._lock:
            session = self._open.get(value)
            if session is None:
                return None
            idle = self.clock() - session.last_used
            session.requests += 1
            worn = self.request_limit is not None and session.requests > self.request_limit
            if worn or idle > self.idle_seconds:
                del self._open[value]
                return None
            session.last_used = self.clock()
            return session.account

    def end_all(self) -> None:
        """Everybody is logged out."""
        with self._lock:
            self._open.clear()

    def _basic(self, authorization: str) -> str | None:
        kind, _, coded = authorization.partition(" ")
        try:
            name, _, password = base64.b64decode(coded, validate=True).decode("utf-8").partition(":")
        except ValueError:
            return None
        return name if kind.lower() == "basic" and self._fits(name, password) else None

    def _fits(self, name: str, password: str) -> bool:
        return name in self.accounts and secrets.compare_digest(
            self.accounts[name].encode(), password.encode()
        )


def login_page(redirect_to: str, message: str = "") -> str:
    """The form that Domino answers with, and status 200, whatever was asked for."""
    said = f"<b>{message}</b>" if message else ""
    return (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">\n<html>\n<head>\n'
        "<title>Server Login</title></head>\n<body>\n"
        f"{said}\n"
        '<form method="post" action="/names.nsf?Login" name="_DominoForm">\n'
        '<input name="Username" value=""><input type="password" name="Password" value="">\n'
        f'<input type="hidden" name="RedirectTo" value={quoteattr(redirect_to)}>\n'
        '<input type="submit" value="Log In"></form>\n</body>\n</html>\n'
    )


def error_page(status: int, message: str) -> str:
    """Domino's page for an error."""
    return (
        f'<HTML>\n<HEAD>\n<TITLE>Error</TITLE></HEAD>\n<BODY TEXT="000000">\n<H1>Error {status}</H1>'
        f"HTTP Web Server: {message}</BODY>\n</HTML>\n"
    )


def _cookie(header: str, name: str) -> str:
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
