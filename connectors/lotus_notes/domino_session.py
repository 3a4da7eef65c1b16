"""A session with a Domino server: login, its expiry, and one request repeated until it is answered or given up."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import requests

from connectors.lotus_notes.domino_addresses import DominoAddresses
from connectors.pace import Pace
from connectors.read_only_session import ReadOnlySession
from schemas.connection import ServiceConnection
from schemas.errors import ConfigurationError, FatalError, RetriableError
from schemas.service_config import Politeness

LOGIN = "/names.nsf?Login"
"""Where the login form is posted to, unless the connection's extra field ``login_path`` says otherwise."""

_COOKIES = ("DomAuthSessId", "LtpaToken", "LtpaToken2")
_METHODS = ("session", "basic", "none")
_PIECE = 1 << 16
_LOOKED_AT = 1 << 14
_LOGIN_FORM = re.compile(rb"<form\b[^>]*\baction\s*=\s*[\"'][^\"'>]*\?login\b", re.IGNORECASE)
_PASSWORD_FIELD = re.compile(rb"<input\b[^>]*\bname\s*=\s*[\"']?password\b", re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 429})

T = TypeVar("T")


class LoginFormError(Exception):
    """The server shows its login form where something else was asked for."""


class BrokenAnswerError(Exception):
    """An answer that is cut off, or is not what was asked for; the same request may bring a whole one."""


class RefusedError(Exception):
    """The server answers this request with 403 or 404. ``status`` is which."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


class GaveUpError(RetriableError):
    """One request was tried as often as the settings allow."""


class Answer:
    """An answer whose body is still on its way.

    Attributes:
        media_type: of ``Content-Type``, lower case; ``charset`` beside it, lower case, or ``""``.
        first: the first bytes of the body.
    """

    def __init__(self, response: requests.Response) -> None:
        media, _, parameters = response.headers.get("Content-Type", "").partition(";")
        self.media_type = media.strip().lower()
        found = re.search(r"charset\s*=\s*[\"']?([^\s\"';]+)", parameters, re.IGNORECASE)
        self.charset = found[1].lower() if found else ""
        self._pieces = response.iter_content(_PIECE)
        self.first = b""
        while len(self.first) < _LOOKED_AT and (piece := next(self._pieces, b"")):
            self.first += piece

    @property
    def is_login_form(self) -> bool:
        """True when the body is the form that asks for name and password."""
        return "html" in self.media_type and bool(
            _LOGIN_FORM.search(self.first) and _PASSWORD_FIELD.search(self.first)
        )

    def pieces(self, most: int | None = None) -> Callable[[], bytes]:
        """Reads the body piece by piece; ``b""`` at its end, or after more than ``most`` bytes."""
        taken = 0
        pending = [self.first]

        def following() -> bytes:
            nonlocal taken
            if most is not None and taken > most:
                return b""
            piece = pending.pop() if pending else next(self._pieces, b"")
            taken += len(piece)
            return piece

        return following

    def whole(self, most: int) -> bytes:
        """The body.

        Raises:
            BrokenAnswerError: it is longer than ``most`` bytes.
        """
        following, parts, size = self.pieces(most), [], 0
        while piece := following():
            parts.append(piece)
            size += len(piece)
        if size > most:
            raise BrokenAnswerError(f"the answer is longer than {most} bytes")
        return b"".join(parts)


class DominoSession:
    """Asks one Domino server, logged in as the connection says.

    The connection's extra field ``auth`` is ``session`` (a cookie, the default), ``basic``, or ``none``.

    Args:
        connection: the server and the account.
        addresses: what may be asked.
        politeness: time-outs and tries.
        pace: when requests may leave.

    Raises:
        ConfigurationError: the connection's extra fields are wrong, or an account is missing.
    """

    def __init__(
        self, connection: ServiceConnection, addresses: DominoAddresses, politeness: Politeness, pace: Pace
    ) -> None:
        self._connection = connection
        self._addresses = addresses
        self._politeness = politeness
        self._pace = pace
        self._http = ReadOnlySession(connection, addresses.allows)
        self._method = connection.text("auth", "session").lower()
        self._logged_in = self._method != "session"
        if self._method not in _METHODS:
            raise ConfigurationError(
                f"unknown way to log in: {self._method!r}",
                where=self._where,
                expected=f"as extra field `auth` one of {', '.join(_METHODS)}",
            )
        if self._method != "none" and not (connection.login and connection.password):
            raise ConfigurationError("the connection has no login or no password", where=self._where)
        if self._method == "basic":
            # As UTF-8 bytes: requests would encode text as Latin-1 and refuse Vietnamese letters.
            self._http.auth = (connection.login.encode(), connection.password.encode())  # type: ignore[assignment]

    @property
    def _where(self) -> str:
        return f"connection {self._connection.id}"

    def close(self) -> None:
        """Close the pool."""
        self._http.close()

    def get(self, address: str, take: Callable[[Answer], T]) -> T:
        """What ``take`` makes of the answer to ``GET address``.

        ``take`` reads the body and raises ``BrokenAnswerError`` or ``LoginFormError`` for one that it cannot
        use. A login that has expired is renewed once.

        Raises:
            GaveUpError: every try failed.
            RefusedError: the server answers 403 or 404.
            LoginFormError: the form is shown again right after a login.
            FatalError: the login is refused, or the server answers something that nothing here expects.
        """
        renewed = False
        failures = 0
        while True:
            if not self._logged_in:
                self.log_in()
            try:
                return self._once(address, take)
            except LoginFormError:
                if self._method != "session" or renewed:
                    raise
                renewed, self._logged_in = True, False
                continue
            except _FailedError as failed:
                failures += 1
                self._give_up_or_wait(failures, failed, address)

    def greet(self) -> str:
        """Log in and ask for the front page; what the server calls itself, or ``""``.

        Raises:
            FatalError: the login is refused.
            GaveUpError: the server does not answer.
        """
        if not self._logged_in:
            self.log_in()
        self._pace.wait()
        try:
            with self._sent("GET", "/") as response:
                if response.status_code == 401:
                    raise self.explain(LoginFormError(), "/")
                return response.headers.get("Server", "").strip()
        except _FailedError as failed:
            self._give_up_or_wait(self._politeness.tries, failed, "/")
            return ""

    def log_in(self) -> None:
        """Log in by the form, and keep the cookie that proves it.

        Raises:
            FatalError: the account or the password is wrong, or the cookie is for other host names.
            GaveUpError: the server does not answer.
        """
        failures = 0
        while True:
            self._http.cookies.clear()
            try:
                self._pace.wait()
                with self._sent("POST", self._addresses.login, self._form()) as response:
                    self._check_login(response)
            except _FailedError as failed:
                failures += 1
                self._give_up_or_wait(failures, failed, self._addresses.login)
                continue
            self._logged_in = True
            return

    def explain(self, error: LoginFormError | RefusedError, address: str) -> FatalError:
        """Why the whole run must stop for ``error``, when it is about more than one record."""
        where = f"{self._connection.base_url}{address.partition('?')[0]}, {self._where}"
        if isinstance(error, RefusedError) and error.status == 404:
            return FatalError(
                "the server knows nothing at this address (404)",
                where=where,
                expected="the database, the view or the agent that the source's YAML names",
                action="compare the names; for an agent, sign and enable it (connectors/lotus_notes/agent/README.md)",
            )
        return FatalError(
            "the server refuses the account this address",
            where=where,
            expected="an account that is right and may read the database (and run the agent)",
            action="check login, password and `auth` of the connection, and the database's access control list",
        )

    def _form(self) -> dict[str, str]:
        return {
            "Username": self._connection.login,
            "Password": self._connection.password,
            "RedirectTo": "/" + self._addresses.database,
        }

    def _check_login(self, response: requests.Response) -> None:
        """A refused login is answered with 200 and the form again: only the cookie tells."""
        if any(self._http.cookies.get(name) for name in _COOKIES):
            return
        sent = response.headers.get("Set-Cookie", "")
        if any(name in sent for name in _COOKIES):
            raise FatalError(
                "the server's login cookie is for other host names than the one asked",
                where=f"{self._connection.base_url}, {self._where}",
                expected="the host name of the server's single sign-on domain",
                action="put the full host name (such as domino.tinhuy.vn) into the connection",
            )
        raise FatalError(
            "the Domino server refuses the login",
            where=f"{self._connection.base_url}{self._addresses.login}, {self._where}",
            expected="the name and the Internet password of an account of this server",
            action="correct the connection in Airflow (Admin > Connections), then press Test; "
            "for a server without session login set the extra field `auth` to basic",
        )

    def _once(self, address: str, take: Callable[[Answer], T]) -> T:
        self._pace.wait()
        with self._sent("GET", address) as response:
            if response.status_code in {403, 404}:
                raise RefusedError(response.status_code)
            if response.status_code == 401:
                raise LoginFormError
            if response.status_code in _REDIRECTS:
                if "login" in response.headers.get("Location", "").lower():
                    raise LoginFormError
                raise self._unexpected(response, address)
            if response.status_code != 200:
                raise self._unexpected(response, address)
            try:
                return take(Answer(response))
            except (requests.RequestException, BrokenAnswerError) as error:
                raise _FailedError(str(error) or type(error).__name__) from error

    def _sent(self, method: str, address: str, form: dict[str, str] | None = None) -> requests.Response:
        limits = (self._politeness.connect_timeout, self._politeness.read_timeout)
        try:
            response = self._http.request(
                method, self._connection.base_url + address, data=form, timeout=limits, stream=True
            )
        except requests.RequestException as error:
            raise _FailedError(str(error) or type(error).__name__) from error
        if response.status_code >= 500 or response.status_code in _BUSY:
            asked = response.headers.get("Retry-After", "")
            response.close()
            raise _FailedError(f"status {response.status_code}", asked)
        return response

    def _give_up_or_wait(self, failures: int, failed: _FailedError, address: str) -> None:
        if failures >= self._politeness.tries:
            raise GaveUpError(
                f"the Domino server gave no usable answer in {failures} tries: {failed.what}",
                where=f"{self._connection.base_url}{address.partition('?')[0]}",
                action="nothing, if the server is busy or away: the run is tried again",
            ) from failed
        self._pace.back_off(failures, failed.retry_after)

    def _unexpected(self, response: requests.Response, address: str) -> FatalError:
        return FatalError(
            f"the server answers with status {response.status_code}",
            where=f"{self._connection.base_url}{address.partition('?')[0]}, {self._where}",
            expected="200",
        )


class _FailedError(Exception):
    """One try of a request failed in a way that another may not."""

    def __init__(self, what: str, retry_after: str = "") -> None:
        self.what = what
        self.retry_after = retry_after
        super().__init__(what)
