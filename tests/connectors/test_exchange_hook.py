"""The connection type of the exchange services: its form, its Test button, and the source that it builds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.operations.exchange.opening import DIALECTS
from connectors.operations.hook import ExchangeHook
from connectors.provider_info import provider_info
from demo.simulated_service import SimulatedService, names_of
from schemas.exchange_config import ExchangeService
from tests.connectors.exchange_services import DIALECTS as NAMES
from tests.connectors.exchange_services import connection, mail, server
from tests.connectors.source_contract import everything


def hook(
    monkeypatch: pytest.MonkeyPatch, dialect: str, service: SimulatedService, **changes: object
) -> ExchangeHook:
    right = connection(dialect, service, **changes)
    name = f"truc_{dialect}_{service.port}_{len(changes)}"
    facts = {
        "conn_type": ExchangeHook.conn_type,
        "host": right.base_url,
        "login": right.login,
        "password": right.password,
        "extra": dict(right.extras),
    }
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(facts))
    return ExchangeHook(name)


@pytest.mark.parametrize("dialect", NAMES)
def test_the_test_button_asks_for_the_organs_only(
    monkeypatch: pytest.MonkeyPatch, dialect: str, tmp_path: Path
) -> None:
    with server(dialect, tmp_path, datetime.now(UTC)) as service:
        good, told = hook(monkeypatch, dialect, service).test_connection()
        assert (good, told) == (True, "Kết nối được / connected: 1 đơn vị / organs")
        asked = set(names_of(service.requests)) - {"login"}
        assert asked <= {"getAgenciesList", "organizations", "getOrganizations"}


def test_the_test_button_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with server("vxp", tmp_path, datetime.now(UTC)) as service:
        good, told = hook(monkeypatch, "vxp", service, secret_key="sai-khoa").test_connection()
        assert not good
        assert told.startswith("Chưa được / not yet: the service refuses us: 15")
        assert "sai-khoa" not in told


def test_the_test_button_tells_of_clocks_that_differ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with server("vxp", tmp_path, datetime.now(UTC) + timedelta(hours=1)) as service:
        good, told = hook(monkeypatch, "vxp", service).test_connection()
        assert good
        assert "đồng hồ lệch / clocks differ by +3" in told


def test_the_hook_builds_a_plain_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with server("vxp", tmp_path, datetime.now(UTC)) as service:
        service.mailbox.write(mail())  # type: ignore[attr-defined]
        made = hook(monkeypatch, "vxp", service).source(
            "truc", ExchangeService(kind="exchange"), ZoneInfo("Asia/Ho_Chi_Minh")
        )
        assert len(everything(made)) == 9


def test_airflow_is_told_of_the_connection_type() -> None:
    kinds = provider_info()["connection-types"]
    assert isinstance(kinds, list)
    told = next(kind for kind in kinds if kind["connection-type"] == ExchangeHook.conn_type)
    assert told["hook-class-name"] == f"{ExchangeHook.__module__}.{ExchangeHook.__qualname__}"
    assert told["hook-name"] == ExchangeHook.hook_name
    fields = told["conn-fields"]
    assert fields["dialect"]["schema"]["enum"] == list(DIALECTS)
    assert fields["dialect"]["label"] == "Loại dịch vụ / dialect"
    for secret in ("secret_key", "authorization"):
        assert fields[secret]["schema"]["format"] == "password"
