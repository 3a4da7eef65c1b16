"""A Bkav eDoc service on localhost that is only read: ``python -m demo.bkav_server FOLDER --made-up``."""

from __future__ import annotations

import base64
import sys
from dataclasses import dataclass, field
from pathlib import Path

from demo.exchange_mailbox import ExchangeFolder
from demo.exchange_serving import serve
from demo.simulated_service import HttpService, Received, Reply, json_reply, last_part

ORGAN, AUTHORIZATION = "000.00.01.H10", "Zm9uZy1tYXUvdnB0dQ=="

_READING = {"getPendingDocIds": ("GET", "POST"), "getDocument": ("POST",), "getOrganizations": ("GET",)}


@dataclass(slots=True)
class BkavSettings:
    """How the service is set up.

    Attributes:
        organs: Authorization by organ.
        bare_packages: a document comes as base64 text alone, without JSON around it.
    """

    organs: dict[str, str] = field(default_factory=lambda: {ORGAN: AUTHORIZATION})
    bare_packages: bool = False


class BkavServer(HttpService):
    """The simulator over a folder of packages."""

    def __init__(self, folder: Path, settings: BkavSettings | None = None, port: int = 0) -> None:
        super().__init__(port)
        self.mailbox = ExchangeFolder(folder)
        self.settings = settings or BkavSettings()

    def respond(self, request: Received) -> Reply:
        """The service's answer."""
        call = last_part(request.path)
        if request.method not in _READING.get(call, ()):
            self.violation(request)
            return _no("ReadOnly", f"{request.method} {call}")
        if self.settings.organs.get(request.header("organId")) != request.header("Authorization"):
            return _no("Authorization", "Unauthorized organ")
        if call == "getOrganizations":
            organ = {"OrganId": ORGAN, "OrganName": "Văn phòng Tỉnh ủy", "OrganizationInCharge": "Tỉnh ủy"}
            return _yes(organizations=[organ])
        kind = request.header("messagetype")
        if kind not in ("EDOC", "STATUS"):
            return _no("MessageType", "UnSupport Message Type")
        if call == "getPendingDocIds":
            rows = [
                {"docId": int(message.id), "organId": message.receiver}
                for message in self.mailbox.messages(kind.lower())
            ]
            return _yes(pendingResult=rows)
        return self._package(request.header("docId"))

    def _package(self, identity: str) -> Reply:
        package = self.mailbox.package(identity)
        if package is None:
            return _no("DocID", "Invalid DocID")
        text = base64.b64encode(package).decode("ascii")
        if self.settings.bare_packages:
            return Reply(text.encode("ascii"), content_type="text/plain")
        return _yes(data=text)


def _yes(**members: object) -> Reply:
    return json_reply({"status": "Success", "code": "0", "errors": [], **members})


def _no(code: str, text: str) -> Reply:
    return json_reply({"status": "Error", "code": "9999", "errors": [{"code": code, "description": text}]})


if __name__ == "__main__":
    sys.exit(
        serve(
            "demo.bkav_server", "A simulated Bkav eDoc.", lambda folder, port: BkavServer(folder, port=port)
        )
    )
