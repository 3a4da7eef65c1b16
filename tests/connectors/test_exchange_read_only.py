"""Nothing that acknowledges, updates or sends can leave for an exchange service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.operations.exchange.dialect import Endpoint, Endpoints
from connectors.operations.exchange.opening import DIALECTS
from connectors.read_only_session import ReadOnlySession
from demo.simulated_service import Changed, last_part, names_of
from schemas.connection import ServiceConnection
from schemas.errors import ConfigurationError, FatalError
from schemas.exchange_config import ExchangeService, writes
from schemas.record import Window
from tests.connectors.exchange_services import DIALECTS as NAMES
from tests.connectors.exchange_services import mail, mailbox, server
from tests.connectors.source_contract import everything

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
PATHS = (
    *(f"/{call}" for call in (
        "getReceivedEdocList", "getEdoc", "updateStatus", "sendEdoc", "getSentEdocList", "getAgenciesList",
        "getAgenciesListQD20", "getSynchronizeUnit", "registerAgency", "deleteAgency", "countReceiveEdoc",
        "countReceiveStatus", "downloadEdoc",
    )),
    *(f"/v1/{call}" for call in (
        "auth/login", "syncReceivedEdocList", "getEdoc", "sendEdoc", "updateStatus", "getAgenciesList",
    )),
    *(f"/api/lgspedoc/{call}" for call in (
        "login", "send-edoc", "received-edocs", "get-edoc", "organizations", "update-status",
    )),
    *(f"/EdocService/{call}" for call in (
        "getPendingDocIds", "getDocument", "confirmReceived", "sendDocument", "checkExistDocument", "getOrganizations",
        "updateTraces",
    )),
    "/", "", "/getEdoc/../updateStatus", "//updateStatus", "/getEdoc/", "/GETEDOC", "/updateStatus/getEdoc",
    "/v1/getEdoc%2F..%2FupdateStatus", "/getEdoc;/updateStatus",
)  # fmt: skip
"""Every call that the services are known to have, and addresses that might be mistaken for one."""

READING = {
    "vxp": {("POST", f"/{call}") for call in (
        "getReceivedEdocList", "getEdoc", "getSentEdocList", "getAgenciesList", "countReceiveEdoc",
        "countReceiveStatus",
    )},
    "lgsp": {("POST", "/v1/auth/login")} | {
        ("GET", f"/v1/{call}") for call in ("syncReceivedEdocList", "getEdoc", "getAgenciesList")
    },
    "lgsp_token": {("POST", "/api/lgspedoc/login")} | {
        ("GET", f"/api/lgspedoc/{call}") for call in ("received-edocs", "get-edoc", "organizations")
    },
    "bkav": {
        ("GET", "/EdocService/getPendingDocIds"), ("POST", "/EdocService/getDocument"),
        ("GET", "/EdocService/getOrganizations"),
    },
}  # fmt: skip
"""What may leave, written down once more by hand."""


@pytest.mark.parametrize("dialect", NAMES)
def test_only_the_reading_calls_of_a_dialect_open_a_socket(dialect: str, tmp_path: Path) -> None:
    with server(dialect, tmp_path) as service:
        # Port 9 answers nobody: whatever passes the guard fails there otherwise than by the guard.
        nowhere = ServiceConnection("truc", "127.0.0.1", "http", 9)
        endpoints = Endpoints(DIALECTS[dialect].endpoints, ExchangeService(kind="exchange"))
        session = ReadOnlySession(nowhere, endpoints.allow)
        passed, told = set(), set()
        for path in PATHS:
            for method in METHODS:
                try:
                    session.request(method, nowhere.base_url + path, timeout=0.5)
                except FatalError as error:
                    told.add(error.what)
                except OSError:
                    passed.add((method, path))
        assert passed == READING[dialect]
        assert told == {"a request that might change the source was about to be sent, and was not"}
        assert service.requests == []


@pytest.mark.parametrize("dialect", NAMES)
def test_another_server_is_not_reached(dialect: str) -> None:
    here = ServiceConnection("truc", "127.0.0.1", "http", 9)
    endpoints = Endpoints(DIALECTS[dialect].endpoints, ExchangeService(kind="exchange"))
    session = ReadOnlySession(here, endpoints.allow)
    method, path = sorted(READING[dialect])[0]
    for address in ("http://127.0.0.1:90", "https://127.0.0.1:9", "http://localhost:9", "http://127.0.0.1"):
        with pytest.raises(Exception, match=r"adapters|was not"):
            session.request(method, address + path, timeout=0.5)


@pytest.mark.parametrize("dialect", NAMES)
def test_a_whole_run_asks_for_nothing_but_what_reads(dialect: str, tmp_path: Path) -> None:
    with server(dialect, tmp_path) as service:
        service.mailbox.write(mail())
        source = mailbox(dialect, service, check_counts=True, sent=True)
        answers = list(source.fetch(everything(source)))
        assert len(answers) >= 9
        assert list(source.dialect.agencies())
        assert {(request.method, request.path) for request in service.requests} <= READING[dialect]
        assert service.violations == []


@pytest.mark.parametrize("dialect", NAMES)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(dialect: str, status: int, tmp_path: Path) -> None:
    with server(dialect, tmp_path) as service:
        to = {"Location": f"{service.url}/updateStatus"}
        service.faults.when(
            lambda request: last_part(request.path) != "login",
            Changed(lambda reply: replace(reply, status=status, headers=to)),
        )
        with pytest.raises(ConfigurationError, match="another address"):
            list(mailbox(dialect, service).inventory(Window()))
        assert "updateStatus" not in names_of(service.requests)
        assert service.violations == []


@pytest.mark.parametrize(
    "path",
    ["/updateStatus", "/v1/sendEdoc", "/api/send-edoc", "/confirmReceived", "/registerAgency", "/EdocService/deleteIt",
     "/a/SetDone", "/UPDATE", "/a/../updateStatus", "getEdoc", "/getEdoc?x=1", "/getEdoc#x", "/get edoc", "//x", ""],
)  # fmt: skip
def test_settings_cannot_name_a_call_that_writes(path: str) -> None:
    with pytest.raises(ValidationError):
        ExchangeService.model_validate({"kind": "exchange", "paths": {"get": path}})


def test_not_even_behind_a_base_path() -> None:
    for base in ("/updateStatus/..", "/a?", "a"):
        with pytest.raises(ValidationError):
            ExchangeService.model_validate({"kind": "exchange", "base_path": base})


def test_a_dialect_cannot_be_written_that_writes() -> None:
    with pytest.raises(ConfigurationError, match="would change something"):
        Endpoints({"get": Endpoint("POST", "/updateStatus")}, ExchangeService(kind="exchange"))


@pytest.mark.parametrize("dialect", NAMES)
def test_no_dialect_has_a_path_that_writes(dialect: str) -> None:
    assert not any(writes(endpoint.path) for endpoint in DIALECTS[dialect].endpoints.values())
