"""Messages by mail, through a server that speaks SMTP."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from demo.mail_server import MailServer as Office
from pipeline.mail import MailServer, mail_server, send_mail
from schemas.errors import ConfigurationError, RetriableError


@dataclass
class Connection:
    host: str | None = "mail.example"
    port: int | None = None
    login: str | None = None
    password: str | None = None
    extra_dejson: dict[str, object] = field(
        default_factory=lambda: {"from_email": "kho@example.vn", "to_email": "a@example.vn, b@example.vn"}
    )


def test_a_message_arrives_as_it_was_written() -> None:
    with Office() as office:
        server = MailServer(
            "127.0.0.1", office.port, "kho@example.vn", ("a@example.vn", "b@example.vn"), security="none"
        )
        send_mail(
            server,
            "Liên thông: kho lưu trữ toàn vẹn",
            "Gốc Merkle: ab\n.dòng có chấm đầu\n" + "đ" * 200 + "\n",
        )
        [got] = office.received
    assert (got.sender, got.recipients) == ("kho@example.vn", ("a@example.vn", "b@example.vn"))
    assert got.message["Subject"] == "Liên thông: kho lưu trữ toàn vẹn"
    assert got.message.get_content() == "Gốc Merkle: ab\n.dòng có chấm đầu\n" + "đ" * 200 + "\n"


@pytest.mark.parametrize("refuses", [True, False])
def test_a_server_that_refuses_or_is_away_is_tried_again(refuses: bool) -> None:
    with Office(refuses=refuses) as office:
        server = MailServer("127.0.0.1", office.port, "kho@example.vn", ("a@example.vn",), security="none")
        if refuses:
            with pytest.raises(RetriableError, match="did not take the message"):
                send_mail(server, "x", "y")
    with pytest.raises(RetriableError, match=r"Connection|refused|OSError"):
        send_mail(server, "x", "y")
    assert office.received == []


def test_a_server_without_tls_gets_no_password_where_tls_is_asked_for() -> None:
    with Office() as office:
        server = MailServer("127.0.0.1", office.port, "kho@example.vn", ("a@example.vn",), "kho", "bi mat")
        with pytest.raises(RetriableError, match="STARTTLS"):
            send_mail(server, "x", "y")
    assert office.received == []


@pytest.mark.parametrize(
    ("extra", "port", "expected"),
    [
        ({}, None, (25, "starttls")),
        ({"disable_ssl": False}, None, (465, "ssl")),
        ({"disable_ssl": "true", "disable_tls": "true"}, 2525, (2525, "none")),
    ],
)
def test_an_airflow_connection_says_how_to_reach_it(
    extra: dict[str, object], port: int | None, expected: tuple[int, str]
) -> None:
    connection = Connection(port=port)
    connection.extra_dejson |= extra
    server = mail_server(connection)
    assert (server.port, server.security) == expected
    assert server.recipients == ("a@example.vn", "b@example.vn")


def test_a_connection_without_recipients_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not complete"):
        mail_server(Connection(extra_dejson={"from_email": "kho@example.vn"}))
