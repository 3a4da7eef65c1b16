"""Sending a message by mail, through the office's own server."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol

from schemas.errors import ConfigurationError, RetriableError

_TIMEOUT = 30


class Connection(Protocol):
    """What is used of an Airflow connection."""

    host: str | None
    port: int | None
    login: str | None
    password: str | None

    @property
    def extra_dejson(self) -> Mapping[str, object]:
        """Its extra fields."""
        ...


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server and who writes to whom.

    Attributes:
        host, port: the server. login, password: empty where it asks for none.
        sender, recipients: addresses.
        security: ``ssl`` from the first byte on, ``starttls``, or ``none`` (a relay on the same machine or network).
    """

    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    login: str = ""
    password: str = ""
    security: str = "starttls"


def mail_server(connection: Connection) -> MailServer:
    """The mail server of an Airflow connection of type ``smtp``.

    Its extra fields are those of Airflow's own mail provider (``from_email``, ``disable_ssl``, ``disable_tls``), and
    ``to_email`` with the recipients, parted by commas.

    Raises:
        ConfigurationError: it names no host, no sender or no recipient.
    """
    extra = connection.extra_dejson
    recipients = tuple(part.strip() for part in str(extra.get("to_email") or "").split(",") if part.strip())
    sender = str(extra.get("from_email") or "")
    if not connection.host or not sender or not recipients:
        raise ConfigurationError(
            "the mail connection is not complete",
            where="lienthong_smtp",
            expected='a host, and in its extra fields "from_email" and "to_email"',
        )
    encrypted = not _is_set(extra, "disable_ssl", default=True)
    security = "ssl" if encrypted else "none" if _is_set(extra, "disable_tls") else "starttls"
    return MailServer(
        host=connection.host,
        port=connection.port or (465 if encrypted else 25),
        sender=sender,
        recipients=recipients,
        login=connection.login or "",
        password=connection.password or "",
        security=security,
    )


def send_mail(server: MailServer, subject: str, text: str) -> None:
    """Send ``text`` to all recipients.

    Raises:
        RetriableError: the server is away or did not take it.
    """
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = server.sender
    message["To"] = ", ".join(server.recipients)
    message.set_content(text)
    trust = ssl.create_default_context()
    try:
        with _connected(server, trust) as client:
            if server.security == "starttls":
                client.starttls(context=trust)
            if server.login:
                client.login(server.login, server.password)
            client.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise RetriableError(
            f"the mail server did not take the message: {type(error).__name__}: {error}",
            where=f"{server.host}:{server.port}",
            action="see that it runs and takes mail of this sender; the message lies in the folders of anchors too",
        ) from error


def _connected(server: MailServer, trust: ssl.SSLContext) -> smtplib.SMTP:
    if server.security == "ssl":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT, context=trust)
    return smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT)


def _is_set(extra: Mapping[str, object], name: str, *, default: bool = False) -> bool:
    value = extra.get(name, default)
    return value if isinstance(value, bool) else str(value).strip().lower() in ("1", "true", "yes")
