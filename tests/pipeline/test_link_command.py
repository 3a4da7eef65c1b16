"""A person says at the command line that two documents are, or are not, the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.acting import acting_account
from pipeline.cli import build
from pipeline.commands.chosen import chosen_document
from pipeline.settings import load_settings
from pipeline.stages import open_stores
from schemas.errors import ConfigurationError

pytestmark = pytest.mark.postgres


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_a_link_is_made_taken_back_and_keeps_who_and_why(home: Path, office, database_url: str) -> None:
    assert run("sync", "dieu_hanh", "--jobs", "1")[0] == 0
    first, second = office.case("asked").symbol, office.case("answer").symbol
    assert run("link", first, second, "--why", "đối chiếu bản giấy", "--by", "Lê Mẫu")[0] == 0
    same = json.loads(run("show", first, "--json")[1])["same_as"]
    assert [(link["grade"], link["state"]) for link in same] == [("C", "confirmed")]
    status, told = run("link", second, first, "--refuse", "--why", "nhầm")
    assert (status, told.startswith("Đã bỏ liên kết")) == (0, True)
    assert json.loads(run("show", first, "--json")[1])["same_as"][0]["state"] == "refused"
    assert "không phải" in run("show", first)[1]
    with open_stores(load_settings()).engine.connect() as connection:
        payloads = connection.exec_driver_sql(
            "SELECT payload FROM archive.event WHERE type = 'metadata modification' ORDER BY seq"
        ).scalars()
        decisions = [json.loads(payload) for payload in payloads]
    decided = [(one["by"], one["account"], one["why"]) for one in decisions if one["decision"] == "link"]
    account = acting_account()
    assert decided == [("Lê Mẫu", account, "đối chiếu bản giấy"), (account, account, "nhầm")]


def test_a_document_must_be_named_exactly(home: Path, office, database_url: str) -> None:
    assert run("sync", "dieu_hanh", "--jobs", "1")[0] == 0
    with pytest.raises(ConfigurationError, match="names 0 documents"):
        run("link", office.case("asked").symbol, "9999-KL/TU", "--why", "thử")
    stores = open_stores(load_settings())
    wanted = office.case("asked")
    assert chosen_document(stores.engine, wanted.symbol).current.subject == wanted.subject
    stores.engine.dispose()
