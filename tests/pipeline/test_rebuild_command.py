"""``lienthong rebuild`` on an installation that has had a night."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from pipeline.cli import build
from pipeline.settings import load_settings
from tests.pipeline.conftest import Night

pytestmark = pytest.mark.postgres


def test_a_night_is_made_again_and_a_forged_row_is_found(night: Night) -> None:
    done = CliRunner().invoke(build(), ["rebuild", "--json"])
    told = json.loads(done.stdout)
    assert [table for table in told["tables"] if not table["equal"]] == []
    assert (done.exit_code, told["equal"], told["troubles"]) == (0, True, [])
    assert told["documents"] > 0
    with night.stores.engine.connect() as connection:
        names = connection.scalars(
            sa.text("SELECT datname FROM pg_database WHERE datname LIKE 'lienthong_rebuild%'")
        )
        assert list(names) == []
    assert load_settings().home == night.settings.home
