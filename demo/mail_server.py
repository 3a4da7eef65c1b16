"""A mail server on localhost that keeps what it is given (SMTP, RFC 5321), for trying out messages."""

from __future__ import annotations

import socketserver
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came.

    Attributes:
        sender, recipients: of the envelope. message: header and text.
    """

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


class MailServer:
    """Takes messages while it is open; ``refuses`` makes it reject every recipient."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.received: list[Received] = []
        self.refuses = refuses
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._server.server_address[1])

    def __enter__(self) -> MailServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 localhost")
                sender: str = ""
                recipients: list[str] = []
                while line := self.rfile.readline().decode("ascii").strip():
                    verb = line[:4].upper()
                    if verb == "QUIT":
                        self._say("221 bye")
                        return
                    if verb == "MAIL":
                        sender, recipients = _address(line), []
                    elif verb == "RCPT" and server.refuses:
                        self._say("550 no such user")
                        continue
                    elif verb == "RCPT":
                        recipients.append(_address(line))
                    elif verb == "DATA":
                        self._say("354 go on")
                        server.received.append(Received(sender, tuple(recipients), self._message()))
                    self._say("250 ok")

            def _message(self) -> EmailMessage:
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
                return message_from_bytes(b"".join(lines), policy=policy.default)

            def _say(self, line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode("ascii"))

        return Handler


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]
