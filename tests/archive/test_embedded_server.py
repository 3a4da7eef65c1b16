from __future__ import annotations

import pytest
import sqlalchemy

pytestmark = pytest.mark.postgres


def test_a_database_is_reached_by_its_url(database_url: str) -> None:
    engine = sqlalchemy.create_engine(database_url)
    with engine.connect() as connection:
        assert connection.scalar(sqlalchemy.text("SELECT lower('ĐỨC')")) == "đức"
    engine.dispose()
