"""``lienthong search`` and ``lienthong index`` after a night's sync."""

from __future__ import annotations

import json
import os

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from archive.database import create_engine
from pipeline.cli import build
from pipeline.tasks_search import update_index

pytestmark = pytest.mark.postgres


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_what_was_synced_is_found_page_by_page(home):
    assert run("sync", "dieu_hanh", "--jobs", "1")[0] == 0
    assert update_index()["documents"] == 0

    status, output = run("search", "--limit", "3", "--facets", "--json")
    page = json.loads(output)
    assert (status, len(page["hits"]), page["behind"]) == (0, 3, 0)
    assert {facet["value"] for facet in page["facets"]["source"]} == {"dieu_hanh"}
    second = json.loads(run("search", "--limit", "3", "--after", page["after"], "--json")[1])
    assert not {hit["document"] for hit in page["hits"]} & {hit["document"] for hit in second["hits"]}

    hit = next(hit for hit in (*page["hits"], *second["hits"]) if hit["symbol"] and hit["subject"])
    first = json.loads(run("search", hit["symbol"], "--json")[1])["hits"][0]
    assert (first["symbol"], first["level"]) == (hit["symbol"], 1)
    word = max(hit["subject"].split(), key=len)
    assert hit["subject"] in run("search", "--limit", "200", word)[1]
    assert hit["document"] not in run("search", "--limit", "200", f"-{word}", "--json")[1]
    assert run("search", "không*", "xyzzy")[0] == 1

    status, output = run("index", "--rebuild", "--json")
    assert json.loads(output)["documents"] > 0
    assert run("index")[0] == 0

    engine = create_engine(os.environ["LIENTHONG_DATABASE_URL"])
    with engine.begin() as connection:  # as if the store had not given its manifest
        gone = "DELETE FROM archive.search_entry WHERE document_id = CAST(:document AS uuid)"
        connection.execute(sa.text(gone), {"document": hit["document"]})
    engine.dispose()
    for command in (("index",), ("sync", "dieu_hanh", "--jobs", "1")):
        status, output = run(*command)
        assert (status, "KHÔNG TÌM ĐƯỢC 1 văn bản và chữ của 0 tệp" in output) == (0, True)
    checks = json.loads(run("doctor", "--json")[1])["checks"]
    [check] = [check for check in checks if check["name"] == "search index"]
    assert (check["state"], "1 documents" in check["detail"]) == ("warning", True)
