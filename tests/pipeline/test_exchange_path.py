"""The whole way from each exchange service into an archive."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from archive.runs import RunSummary
from connectors.operations.hook import ExchangeHook
from demo.exchange_mailbox import Message
from demo.exchange_messages import expected, messages
from demo.exchange_source import CONNECTION, SOURCE, exchange_yaml
from demo.simulated_service import Cut, Refused, SimulatedService, last_part
from pipeline.settings import load_settings
from pipeline.stages import Order
from pipeline.sync import run_here
from schemas.record import Window
from tests.connectors.exchange_services import EXTRAS, connection, server

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def mail() -> list[tuple[Message, bytes]]:
    return messages()


@pytest.fixture(params=["vxp", "lgsp", "bkav"])
def service(
    request: pytest.FixtureRequest,
    home: Path,
    mail: list[tuple[Message, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[SimulatedService]:
    """A simulator that holds the office's messages, and the source that reads it."""
    made = server(request.param, tmp_path / "truc", datetime.now(UTC))
    made.mailbox.write(mail)
    (home / "sources").mkdir()
    yaml = exchange_yaml({"politeness": {"requests_per_second": 1000, "tries": 3}})
    (home / "sources" / f"{SOURCE}.yaml").write_text(yaml, "utf-8")
    with made:
        right = connection(request.param, made)
        facts = {
            "conn_type": ExchangeHook.conn_type,
            "host": right.base_url,
            "login": right.login,
            "password": right.password,
            "extra": {"dialect": request.param, **EXTRAS[request.param]},
        }
        monkeypatch.setenv(f"AIRFLOW_CONN_{CONNECTION.upper()}", json.dumps(facts))
        yield made


def night(stores, name: str) -> RunSummary:
    return run_here(load_settings(), stores, Order(SOURCE, "sync", name, Window(), batch_size=10))


def test_a_night_over_an_exchange_service(service: SimulatedService, stores, mail) -> None:
    # The wait for a busy service is a real one here: chance times one second, once.
    service.faults.when(lambda request: "List" in request.path or "Pending" in request.path, Refused(503))
    service.faults.when(lambda request: last_part(request.path) in ("getEdoc", "getDocument"), Cut(0.5))
    promised = expected()
    first = night(stores, "một đêm")

    assert first.state == "finished"
    assert (first.listed, first.archived, first.unchanged, first.quarantined, first.withheld) == (
        promised.listed,
        promised.archived,
        0,
        promised.quarantined,
        promised.withheld,
    )
    with stores.engine.connect() as connected:
        kinds = connected.execute(
            sa.text("select kind from archive.relation where target_document is not null order by kind")
        )
        assert [row.kind for row in kinds] == ["recalls", "replaces", "replies_to", *["status_of"] * 3]
        originals = {
            row.original_sha256
            for row in connected.execute(sa.text("select original_sha256 from archive.document_version"))
        }
    delivered = {hashlib.sha256(package).hexdigest() for _, package in mail}
    assert len(originals) == promised.archived
    assert originals <= delivered, "to the byte, as the sender wrote it"

    again = night(stores, "đêm sau")
    assert (again.listed, again.archived, again.unchanged) == (promised.listed, 0, promised.archived)
    assert (again.quarantined, again.withheld) == (promised.quarantined, promised.withheld)
    assert service.violations == []
