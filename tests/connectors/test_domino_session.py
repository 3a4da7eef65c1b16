"""Who is logged in, how that is noticed, and what can never be sent to a Domino server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.lotus_notes.domino import DominoSource, try_login
from connectors.lotus_notes.domino_addresses import DominoAddresses
from connectors.lotus_notes.domino_session import LOGIN
from connectors.lotus_notes.hook import DominoHook
from connectors.provider_info import provider_info
from connectors.read_only_session import ReadOnlySession
from demo.domino_faults import Cut, LoggedOut, Refused, Stalled
from demo.domino_server import ACCOUNT, DATABASE_PATH, PASSWORD, DominoServer, Settings
from demo.domino_sessions import LoginMode
from schemas.connection import ServiceConnection
from schemas.errors import ConfigurationError, FatalError, RetriableError
from schemas.record import SourceRecord, Window
from tests.connectors.domino_cases import (
    ZONE,
    FakeClock,
    connection,
    database,
    fetched,
    service,
    source,
    unid_of,
)

ADDRESSES = DominoAddresses(DATABASE_PATH, "LienthongExport", LOGIN)
FORBIDDEN = [
    ("POST", f"/{DATABASE_PATH}/LienthongExport?OpenAgent&cmd=list"),
    ("POST", "/names.nsf?ChangePassword"),
    ("PUT", f"/{DATABASE_PATH}/api/data/documents/unid/{unid_of(1)}"),
    ("PATCH", f"/{DATABASE_PATH}/api/data/documents/unid/{unid_of(1)}"),
    ("DELETE", f"/{DATABASE_PATH}/api/data/documents/unid/{unid_of(1)}"),
    ("HEAD", f"/{DATABASE_PATH}/0/{unid_of(1)}/$FILE/a.doc"),
    ("GET", f"/{DATABASE_PATH}/0/{unid_of(1)}?DeleteDocument"),
    ("GET", f"/{DATABASE_PATH}/0/{unid_of(1)}?SaveDocument"),
    ("GET", f"/{DATABASE_PATH}/0/{unid_of(1)}/$FILE/a.doc?DeleteDocument"),
    ("GET", f"/{DATABASE_PATH}/VanBanDen?CreateDocument"),
    ("GET", f"/{DATABASE_PATH}/XoaHet?OpenAgent"),
    ("GET", f"/{DATABASE_PATH}/LienthongExport?OpenAgent&cmd=purge"),
    ("GET", f"/{DATABASE_PATH}/LienthongExport?OpenAgent&cmd=list&x=DeleteDocument"),
    ("GET", f"/{DATABASE_PATH}/tatca?ReadViewEntries&Start=1&DeleteDocument"),
    ("GET", f"/{DATABASE_PATH}/../names.nsf/People?ReadViewEntries"),
    ("GET", "/names.nsf/People?ReadViewEntries"),
    ("GET", "/names.nsf?Logout"),
    ("GET", f"/{DATABASE_PATH}?DeleteDatabase"),
]
BUILT = [
    ADDRESSES.rows(None, "", 1),
    ADDRESSES.rows(FakeClock().moment, "8F6", 1000),
    ADDRESSES.export([unid_of(1), unid_of(2)]),
    ADDRESSES.forms(),
    ADDRESSES.view("Văn bản\\Đến & đi", "3.5.1", 30, "json"),
    ADDRESSES.collection("Tất cả", 40, 100),
    ADDRESSES.documents(),
    ADDRESSES.file(unid_of(1), "Tờ trình số 5/TTr?a=b&c #1 100%.doc"),
    ADDRESSES.file(unid_of(1), "../../names.nsf"),
]


def prepared(method: str, path: str) -> requests.PreparedRequest:
    return requests.Request(method, "http://may" + path).prepare()


@pytest.fixture
def server() -> Iterator[DominoServer]:
    with DominoServer(database(3)) as running:
        yield running


@pytest.mark.parametrize(("method", "path"), FORBIDDEN)
def test_nothing_else_can_leave(method: str, path: str, server: DominoServer) -> None:
    reading = ReadOnlySession(connection(server), ADDRESSES.allows)
    with pytest.raises(FatalError, match="might change the source"):
        reading.request(method, server.url + path)
    assert server.requests == []


@pytest.mark.parametrize("path", BUILT)
def test_what_is_built_is_recognised(path: str) -> None:
    assert ADDRESSES.allows(prepared("GET", path))


def names(forbidden: str = "") -> st.SearchStrategy[str]:
    letters = st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters=forbidden)
    return st.text(letters, min_size=1, max_size=40).filter(lambda name: name.strip("."))


@settings(max_examples=100)
@given(names(), names("/?#&%"))
def test_any_name_makes_an_address_that_is_recognised_and_stays_in_the_database(file: str, view: str) -> None:
    inside = DominoAddresses("vanban/Văn bản đến.nsf", view, LOGIN)
    for path in (
        inside.file(unid_of(1), file),
        inside.view(view, "1", 30, "xml"),
        inside.collection(view, 0, 100),
        inside.rows(None, "", 1),
    ):
        request = prepared("GET", path)
        assert inside.allows(request), request.url
        assert unquote(urlsplit(str(request.url)).path).startswith("/vanban/Văn bản đến.nsf/")


def test_a_request_with_a_body_is_no_reading() -> None:
    assert not ADDRESSES.allows(requests.Request("GET", "http://may" + BUILT[0], data="x").prepare())


def test_no_other_server_is_ever_reached(server: DominoServer) -> None:
    reading = ReadOnlySession(connection("http://127.0.0.1:9"), ADDRESSES.allows)
    with pytest.raises(requests.exceptions.InvalidSchema):
        reading.get(server.url + BUILT[0])
    assert server.requests == []


def test_a_redirect_is_not_followed(server: DominoServer) -> None:
    reading = ReadOnlySession(connection(server), ADDRESSES.allows)
    form = {"Username": ACCOUNT, "Password": PASSWORD, "RedirectTo": "/names.nsf?Logout"}
    assert reading.post(server.url + LOGIN, data=form, allow_redirects=True).status_code == 302
    assert [request.method for request in server.requests] == ["POST"]


@pytest.mark.parametrize("mode", [LoginMode.SINGLE, LoginMode.MULTI])
def test_one_login_serves_a_night(mode: LoginMode) -> None:
    with DominoServer(database(3), Settings(login=mode)) as server:
        assert all(isinstance(answer, SourceRecord) for answer in fetched(source(server)))
        assert server.asked("login") == 1


def test_basic_authentication_asks_for_no_form() -> None:
    with DominoServer(
        database(3), Settings(login=LoginMode.BASIC, accounts={"văn thư": "mật khẩu"})
    ) as server:
        account = connection(server, login="văn thư", password="mật khẩu", extras={"auth": "basic"})
        assert len(fetched(DominoSource("n", service(), account, ZONE, FakeClock()))) == 3
        assert server.asked("login") == 0
        wrong = connection(server, password="sai", extras={"auth": "basic"})
        with pytest.raises(FatalError, match="refuses the account"):
            fetched(DominoSource("n", service(), wrong, ZONE, FakeClock()))


def test_a_wrong_password_is_tried_once(server: DominoServer) -> None:
    wrong = DominoSource("n", service(), connection(server, password="sai"), ZONE, FakeClock())
    with pytest.raises(FatalError, match="refuses the login") as caught:
        fetched(wrong)
    assert "Admin > Connections" in str(caught.value)
    assert "sai" not in str(caught.value)
    assert [request.command for request in server.requests] == ["login"]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_sessions_may_end_at_any_request(limit: int) -> None:
    with DominoServer(database(8)) as undisturbed:
        expected = [answer.original for answer in fetched(source(undisturbed))]
    with DominoServer(database(8), Settings(request_limit=limit)) as server:
        assert [answer.original for answer in fetched(source(server))] == expected
        assert server.asked("login") > 2


def test_a_login_that_does_not_help_is_not_repeated(server: DominoServer) -> None:
    server.faults.when(lambda request: request.command != "login", LoggedOut(), times=100)
    with pytest.raises(FatalError, match="refuses the account"):
        fetched(source(server))
    assert server.asked("login") == 2


def test_busy_servers_are_asked_again_later(server: DominoServer) -> None:
    server.faults.at(1, Refused(503, retry_after=7))
    server.faults.at(3, Refused(500))
    server.faults.at(5, Refused(429))
    clock = FakeClock()
    assert len(fetched(source(server, clock))) == 3
    assert 7 <= max(clock.slept) < 8


def test_an_answer_that_stops_half_way_is_asked_for_again(server: DominoServer) -> None:
    server.faults.at(4, Stalled())
    assert len(fetched(source(server, politeness={"read_timeout": 0.3}))) == 3
    assert len(server.requests) == 9


def test_a_server_that_stays_away_is_left_to_the_scheduler(server: DominoServer) -> None:
    server.faults.when(lambda request: True, Cut(), times=100)
    with pytest.raises(RetriableError, match="in 4 tries"):
        fetched(source(server))
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("server_settings", "changed", "told"),
    [
        (Settings(urls_open=False), {}, "refuses the account"),
        (Settings(), {"agent": "KhongCo"}, "404"),
        (Settings(), {"database": "khac.nsf"}, "404"),
        (Settings(agent_says_charset=False), {}, "character set iso-8859-1"),
        (Settings(), {"inventory": "data_service"}, "404"),
    ],
)
def test_a_wrong_set_up_stops_the_run_with_advice(
    server_settings: Settings, changed: dict[str, object], told: str
) -> None:
    with (
        DominoServer(database(2), server_settings) as server,
        pytest.raises(FatalError, match=told) as caught,
    ):
        list(source(server, **changed).inventory(Window()))
    assert caught.value.action


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"extras": {"auth": "ntlm"}}, "ntlm"),
        ({"login": ""}, "no login"),
        ({"extras": {"ca_file": "/khong/co.pem"}, "scheme": "https"}, "certificate"),
    ],
)
def test_a_wrong_connection_is_told(changed: dict[str, object], told: str) -> None:
    given: dict[str, object] = {
        "host": "127.0.0.1",
        "scheme": "http",
        "port": 9,
        "login": "a",
        "password": "b",
    }
    with pytest.raises(ConfigurationError, match=told):
        try_login(ServiceConnection("may", **{**given, **changed}))  # type: ignore[arg-type]


def airflow_connection(
    monkeypatch: pytest.MonkeyPatch, name: str, server: DominoServer, password: str
) -> str:
    value = {"conn_type": "domino", "host": server.url, "login": ACCOUNT, "password": password}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(value))
    return name


def test_the_test_button_says_how_it_went(server: DominoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    good, told = DominoHook(airflow_connection(monkeypatch, "may_tot", server, PASSWORD)).test_connection()
    assert good
    assert told.startswith("Đăng nhập được")
    assert "Domino" in told
    bad, why = DominoHook(airflow_connection(monkeypatch, "may_sai", server, "sai")).test_connection()
    assert not bad
    assert "refuses the login" in why


def test_a_database_is_tried_through_its_agent(server: DominoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = DominoHook(airflow_connection(monkeypatch, "may_hoi", server, PASSWORD))
    good, told = hook.test_source(service(), ZONE)
    assert good
    assert "replica 47257A3C002E91B5" in told
    bad, why = hook.test_source(service(agent="KhongCo"), ZONE)
    assert not bad
    assert "404" in why


def test_the_hook_builds_a_plain_source(server: DominoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = DominoHook(airflow_connection(monkeypatch, "may_nguon", server, PASSWORD))
    assert len(fetched(hook.source("notes", service(), ZONE))) == 3


def test_airflow_is_told_of_the_connection_type() -> None:
    kinds = provider_info()["connection-types"]
    assert isinstance(kinds, list)
    domino = next(kind for kind in kinds if kind["connection-type"] == DominoHook.conn_type)
    assert domino["hook-class-name"] == f"{DominoHook.__module__}.{DominoHook.__qualname__}"
    assert domino["hook-name"] == DominoHook.hook_name
    labels = [field["label"] for field in domino["conn-fields"].values()]
    assert labels[0] == "Cách đăng nhập / authentication"
    assert domino["conn-fields"]["auth"]["schema"]["enum"] == ["session", "basic", "none"]
