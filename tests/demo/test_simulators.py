"""The demo's live systems: started once, found again, ended whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from connectors.operations.hook import ExchangeHook
from demo.simulators import SIMULATORS, LiveSystems, Simulator
from mappings.config import load_source
from schemas.errors import FatalError


def _connection(live: LiveSystems) -> dict[str, object]:
    found: dict[str, object] = json.loads(live.environment()["AIRFLOW_CONN_LOTUS_NOTES_DON_THU"])
    return found


def test_a_simulator_is_started_once_under_a_port_that_stays(tmp_path: Path) -> None:
    live = LiveSystems(tmp_path, [found for found in SIMULATORS if found.source == "don_thu"])
    try:
        assert live.start()
        live.wait_until_answering()
        first = _connection(live)
        assert not live.start()
        address = f"http://{first['host']}:{first['port']}/vanban/donthu.nsf"
        page = requests.get(address, timeout=5).text
    finally:
        live.stop()

    assert "names.nsf?Login" in page
    assert first == _connection(live)
    assert (first["conn_type"], first["schema"]) == ("domino", "http")
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=5)


def test_the_exchange_answers_the_connection_that_airflow_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = next(found for found in SIMULATORS if found.source == "truc_lien_thong")
    live = LiveSystems(tmp_path, [exchange])
    try:
        live.start()
        live.wait_until_answering()
        for name, value in live.environment().items():
            monkeypatch.setenv(name, value)
        good, told = ExchangeHook(exchange.connection).test_connection()
    finally:
        live.stop()

    assert good, told


def test_one_that_ends_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    broken = Simulator(
        "don_thu", SIMULATORS[0].yaml, ("demo.no_such_module",), "a", {}, SIMULATORS[0].expected
    )
    live = LiveSystems(tmp_path, [broken])
    live.start()

    with pytest.raises(FatalError, match=r"No module named demo\.no_such_module"):
        live.wait_until_answering()
    live.stop()


@pytest.mark.parametrize("simulator", SIMULATORS, ids=lambda found: found.source)
def test_each_has_a_source_that_names_its_connection(simulator: Simulator, tmp_path: Path) -> None:
    path = tmp_path / f"{simulator.source}.yaml"
    path.write_text(simulator.yaml(), encoding="utf-8")
    config = load_source(path)

    assert (config.source, config.connection) == (simulator.source, simulator.connection)
    assert config.service is not None
    counts = simulator.expected()
    assert counts.listed == counts.archived + counts.quarantined + counts.withheld
