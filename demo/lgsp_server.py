"""A provincial LGSP on localhost that is only read: ``python -m demo.lgsp_server FOLDER --made-up``."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from demo.exchange_mailbox import ExchangeFolder, Message
from demo.exchange_serving import serve
from demo.simulated_service import HttpService, Received, Reply, json_reply, last_part

LOGIN, PASSWORD, APPLICATION = "luutru.vptu", "mat-khau-mau", "QLVB"
SYSTEM, SECRET = "H10.01", "bi-mat-cua-phong-mau"

_WRITING = ("updateStatus", "update-status", "sendEdoc", "send-edoc")
_DAY = re.compile(r"\d{4}/\d{2}/\d{2}")
_LOGIN_FIELDS = {"username", "password", "applicationCode", "otp", "twoFactorProvider", "typeObjs"}


@dataclass(slots=True)
class LgspSettings:
    """How the service is set up.

    Attributes:
        token_in_query: the older variant, ``/api/lgspedoc/…?token=``.
        token_seconds: how long a token is good for.
        raw_packages: packages come as XML text instead of base64.
        beside: files by message that the answer gives beside the package, name to bytes.
    """

    token_in_query: bool = False
    token_seconds: float = 1800
    raw_packages: bool = False
    beside: dict[str, dict[str, bytes]] = field(default_factory=dict)


class LgspServer(HttpService):
    """The simulator over a folder of packages."""

    def __init__(self, folder: Path, settings: LgspSettings | None = None, port: int = 0) -> None:
        super().__init__(port)
        self.mailbox = ExchangeFolder(folder)
        self.settings = settings or LgspSettings()
        self._tokens: dict[str, float] = {}

    def respond(self, request: Received) -> Reply:
        """The service's answer."""
        call = last_part(request.path)
        if call in _WRITING:
            self.violation(request)
            return _no("97", "read only")
        if call == "login" and request.method == "POST":
            return self._log_in(request)
        if request.method != "GET":
            self.violation(request)
            return _no("97", "read only", 405)
        if not self._known(request):
            return json_reply({"success": False, "message": "Unauthorized"}, 401)
        if not self.settings.token_in_query and not self._right_system(request):
            return _no("15", "sai SystemId/SecretKey")
        match call:
            case "syncReceivedEdocList" | "received-edocs":
                return self._list(request.query)
            case "getEdoc" | "get-edoc":
                return self._package(request.query.get("docId", ""))
            case "getAgenciesList" | "organizations":
                return _yes([{"orgCode": "H10", "orgName": "UBND tỉnh Thượng Giang", "parentCode": None}])
        return _no("404", "not found", 404)

    def end_all_tokens(self) -> None:
        """As if half an hour had passed."""
        self._tokens.clear()

    def _log_in(self, request: Received) -> Reply:
        given = json.loads(request.body)
        right = (given.get("username"), given.get("password"), given.get("applicationCode"))
        if set(given) != _LOGIN_FIELDS or right != (LOGIN, PASSWORD, APPLICATION):
            return json_reply({"success": False, "message": "Sai tên đăng nhập hoặc mật khẩu"}, 401)
        ends = self.now().timestamp() + self.settings.token_seconds
        parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": LOGIN, "exp": int(ends), "jti": len(self.requests)})
        token = ".".join(
            [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts), "x"]
        )
        self._tokens[token] = ends
        return _yes({"token": token})

    def _known(self, request: Received) -> bool:
        if self.settings.token_in_query:
            token = request.query.get("token", "")
        else:
            token = request.header("Authorization").removeprefix("Bearer ")
        return self._tokens.get(token, 0) > self.now().timestamp()

    def _right_system(self, request: Received) -> bool:
        return (request.header("X-SystemId"), request.header("X-SecretKey")) == (SYSTEM, SECRET)

    def _list(self, query: Mapping[str, str]) -> Reply:
        kind, first, last = (query.get(name, "") for name in ("messageType", "fromDate", "toDate"))
        if kind not in ("edoc", "status") or not _DAY.fullmatch(first) or not _DAY.fullmatch(last):
            return _no("11", "messageType, fromDate, toDate: YYYY/MM/DD", 400)
        rows = [_row(message) for message in self.mailbox.between(kind, first, last)]
        return json_reply({"success": True, "message": "", "count": len(rows), "data": rows})

    def _package(self, identity: str) -> Reply:
        package = self.mailbox.package(identity)
        if package is None:
            return _no("14", "docId không tồn tại")
        raw = self.settings.raw_packages
        files = self.settings.beside.get(identity, {})
        return _yes(
            {
                "docId": identity,
                "edxml": package.decode("utf-8") if raw else base64.b64encode(package).decode("ascii"),
                "attachments": [
                    {"fileName": name, "fileContent": base64.b64encode(data).decode("ascii")}
                    for name, data in files.items()
                ],
            }
        )


def _row(message: Message) -> dict[str, str]:
    return {
        "serviceType": "eDoc",
        "createdTime": message.created,
        "updatedTime": message.created,
        "messageType": message.kind,
        "docId": message.id,
        "from": message.sender,
        "to": message.receiver,
        "status": message.status,
        "statusDesc": "",
    }


def _yes(data: object) -> Reply:
    return json_reply({"success": True, "message": "", "data": data})


def _no(code: str, text: str, status: int = 200) -> Reply:
    return json_reply(
        {"success": False, "message": "Lỗi", "data": {"errorCode": code, "errorDesc": text}}, status
    )


if __name__ == "__main__":
    sys.exit(
        serve(
            "demo.lgsp_server",
            "A simulated provincial LGSP.",
            lambda folder, port: LgspServer(folder, port=port),
        )
    )
