"""``lienthong search`` and ``lienthong index`` after a night's sync."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

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
