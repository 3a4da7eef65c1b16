"""An Airflow connection becomes a plain value, and says what is wrong with it without showing a secret."""

from __future__ import annotations

import json

import pytest

from connectors.hook import ServiceHook
from schemas.connection import ServiceConnection
from schemas.errors import ConfigurationError


class Hook(ServiceHook):
    conn_type = "thu"
    default_conn_name = "thu"
    hook_name = "Thử"


def given(monkeypatch: pytest.MonkeyPatch, name: str, **fields: object) -> ServiceConnection:
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "thu", **fields}))
    return Hook(name).get_conn()


def test_every_part_of_a_connection_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    found = given(
        monkeypatch, "may_1", host="domino.example.vn", port=8443, login="liên thông", password="mật khẩu/1",
        extra={"auth": "basic", "verify": "false"},
    )  # fmt: skip
    assert found.base_url == "https://domino.example.vn:8443"
    assert (found.id, found.login, found.password) == ("may_1", "liên thông", "mật khẩu/1")
    assert found.text("auth") == "basic"
    assert found.text("proxy", "không") == "không"
    assert found.flag("verify", default=True) is False
    assert "mật khẩu" not in repr(found)


@pytest.mark.parametrize(
    ("name", "fields", "url"),
    [
        ("may_2", {"host": "http://10.0.0.5:81"}, "http://10.0.0.5:81"),
        ("may_3", {"host": "domino:8080", "schema": "http"}, "http://domino:8080"),
        ("may_4", {"host": "domino"}, "https://domino"),
        ("may_5", {"host": "http://[::1]:81"}, "http://[::1]:81"),
    ],
)
def test_a_host_may_be_a_name_or_an_address(
    monkeypatch: pytest.MonkeyPatch, name: str, fields: dict[str, object], url: str
) -> None:
    assert given(monkeypatch, name, **fields).base_url == url


def test_an_unknown_connection_says_how_to_make_it() -> None:
    with pytest.raises(ConfigurationError, match="AIRFLOW_CONN_KHONG_CO"):
        Hook("khong_co").get_conn()


@pytest.mark.parametrize("host", ["", "ftp://domino", "domino:cổng"])
def test_a_host_that_http_cannot_reach_is_refused(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with pytest.raises(ConfigurationError, match="names no server"):
        given(monkeypatch, f"sai_{len(host)}", host=host)


def test_a_path_is_not_dropped_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="/lgsp/v1"):
        given(monkeypatch, "sai_duong_dan", host="https://truc.example.vn/lgsp/v1")


def test_extra_fields_that_are_no_object_are_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="JSON object") as caught:
        given(monkeypatch, "sai_extra", host="domino", extra='["bí mật"]')
    assert "bí mật" not in str(caught.value)


@pytest.mark.parametrize(("key", "value"), [("ca", ["a"]), ("ca", {"a": 1}), ("ca", True)])
def test_an_extra_of_another_kind_is_named(key: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match="'ca'"):
        ServiceConnection("may", "domino", extras={key: value}).text("ca")


def test_a_flag_is_true_or_false() -> None:
    with pytest.raises(ConfigurationError, match="true or false"):
        ServiceConnection("may", "domino", extras={"verify": "có"}).flag("verify")
