"""A VXP exchange on localhost that is only read: ``python -m demo.vxp_server FOLDER --made-up``.

Every signature, moment and header is checked as the real exchange's would be; whatever changes something is refused and
remembered.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connectors.operations.exchange.vxp_signature import read_timestamp
from demo.exchange_mailbox import ExchangeFolder, Message, far_from
from demo.exchange_serving import serve
from demo.organs import ORGANS
from demo.simulated_service import HttpService, Received, Reply, json_reply, last_part

SYSTEM, SECRET = "archive.vptu", "bi-mat-cua-phong-mau"

_PREFIX = "XroadVnpt-"
_WRITING = ("updateStatus", "sendEdoc", "registerAgency", "deleteAgency")
_SIGNED = ("systemid", "timestamp", "Content-Type")


def _organs() -> list[tuple[str, str, str, str, str]]:
    return [(str(number), "", organ.organ_id, organ.name, "") for number, organ in enumerate(ORGANS, start=1)]


@dataclass(slots=True)
class VxpSettings:
    """How the exchange is set up.

    Attributes:
        systems: secret by system code.
        tolerance: seconds that a request's timestamp may be away from the exchange's clock.
        largest_page: more rows than this are never given at once, whatever is asked for.
        counts_from: number of the first page; 1 answers page 0 as page 1.
        repeats: each page begins with the last row of the one before.
        reversed_pages: rows come newest first.
        organs: (id, parent, code, name, old code) of the organs.
    """

    systems: Mapping[str, str] = field(default_factory=lambda: {SYSTEM: SECRET})
    tolerance: float = 300
    largest_page: int = 1000
    counts_from: int = 0
    repeats: bool = False
    reversed_pages: bool = False
    organs: Sequence[tuple[str, str, str, str, str]] = field(default_factory=_organs)


class VxpServer(HttpService):
    """The simulator over a folder of packages."""

    def __init__(self, folder: Path, settings: VxpSettings | None = None, port: int = 0) -> None:
        super().__init__(port)
        self.mailbox = ExchangeFolder(folder)
        self.settings = settings or VxpSettings()

    def respond(self, request: Received) -> Reply:
        """The exchange's answer."""
        call = last_part(request.path)
        if call in _WRITING or request.method != "POST":
            self.violation(request)
            return _no("97", f"{request.method} {call}: read only")
        if problem := self._unsigned(request):
            return _no("15", problem)
        parameters = self._signed_parameters(request)
        match call:
            case "getReceivedEdocList":
                return self._list(parameters)
            case "getSentEdocList":
                return _yes(data=[_sent_row(message) for message in self.mailbox.messages(sent=True)])
            case "getEdoc":
                return self._package(parameters)
            case "getAgenciesList" | "getAgenciesListQD20":
                names = ("id", "pid", "code", "name", "oldCode")
                return _yes(data=[dict(zip(names, organ, strict=True)) for organ in self.settings.organs])
            case "countReceiveEdoc":
                return _yes(count=len(self.mailbox.messages("edoc")))
            case "countReceiveStatus":
                return _yes(count=len(self.mailbox.messages("status")))
        return _no("404", f"unknown service {call}", 404)

    def _unsigned(self, request: Received) -> str:
        """Why the request is not to be believed; ``""`` when it is."""
        names = request.header(_PREFIX + "sign-header-key").split(";")
        if missing := [name for name in _SIGNED if name not in names]:
            return f"sign-header-key lacks {', '.join(missing)}"
        if request.header("Content-Type") != request.header(_PREFIX + "Content-Type"):
            return "Content-Type differs from its signed copy"
        if not request.header(_PREFIX + "version") or "XRoad" not in request.header("User-Agent"):
            return "version or User-Agent header is missing"
        signed = {_PREFIX + name: request.header(_PREFIX + name) for name in names}
        text = json.dumps(signed, ensure_ascii=False, separators=(",", ":"))
        if text != request.header(_PREFIX + "sign-header"):
            return "sign-header does not repeat the headers"
        secret = self.settings.systems.get(request.header(_PREFIX + "systemid"))
        if secret is None:
            return "unknown systemid"
        expected = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.header(_PREFIX + "hash-header")):
            return "hash-header is wrong: invalid signature"
        moment = read_timestamp(request.header(_PREFIX + "timestamp"))
        if far_from(moment, self.now(), self.settings.tolerance):
            return "timestamp expired"
        return ""

    def _signed_parameters(self, request: Received) -> dict[str, str]:
        names = request.header(_PREFIX + "sign-header-key").split(";")
        return {name.lower(): request.header(_PREFIX + name) for name in names}

    def _list(self, parameters: Mapping[str, str]) -> Reply:
        kind = parameters.get("messagetype", "")
        if parameters.get("servicetype") != "eDoc" or kind not in ("edoc", "status"):
            return _no("11", "servicetype or messagetype is missing")
        found = self.mailbox.between(kind, parameters.get("fromdate", ""), parameters.get("todate", ""))
        if status := parameters.get("status"):
            found = [message for message in found if message.status == status]
        rows = [_row(message) for message in found]
        if self.settings.reversed_pages:
            rows.reverse()
        size = min(int(parameters.get("pagesize") or self.settings.largest_page), self.settings.largest_page)
        number = max(0, int(parameters.get("pageindex") or 0) - self.settings.counts_from)
        page = rows[number * size : (number + 1) * size]
        if self.settings.repeats and page and number:
            page.insert(0, rows[number * size - 1])
        return _yes(data=page)

    def _package(self, parameters: Mapping[str, str]) -> Reply:
        if not parameters.get("docid"):
            return _no("12", "docId is missing")
        package = self.mailbox.package(parameters["docid"])
        if package is None:
            return _no("14", "docId not found")
        return _yes(data=base64.b64encode(package).decode("ascii"))


def _row(message: Message) -> dict[str, str]:
    return {
        "docId": message.id,
        "serviceType": "eDoc",
        "messageType": message.kind,
        "created_time": message.created,
        "updated_time": "",
        "from": message.sender,
        "to": message.receiver,
        "status": message.status,
        "status_desc": "",
    }


def _sent_row(message: Message) -> dict[str, str]:
    return {
        "serviceType": "eDoc",
        "messageType": message.kind,
        "senderDocId": message.id,
        "receiverDocId": "",
        "fromCode": message.sender,
        "toCode": message.receiver,
        "sentTime": message.created,
        "sendStatus": message.status,
    }


def _yes(**members: object) -> Reply:
    return json_reply({"status": "OK", "ErrorCode": "0", "ErrorDesc": "Success", **members})


def _no(code: str, text: str, status: int = 200) -> Reply:
    return json_reply({"status": "FAIL", "ErrorCode": code, "ErrorDesc": text}, status)


if __name__ == "__main__":
    sys.exit(
        serve(
            "demo.vxp_server", "A simulated VXP exchange.", lambda folder, port: VxpServer(folder, port=port)
        )
    )
