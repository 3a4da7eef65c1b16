"""A live Domino database keeps the contract of every source, in whatever way it is listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import pytest

from demo.domino_server import DominoServer, Settings
from tests.connectors.domino_cases import NO_FOLDER, VIEW, DominoCase, database, source, unid_of
from tests.connectors.source_contract import SourceContract


class DominoContract(SourceContract):
    changed: ClassVar[dict[str, object]] = {}
    denied_is_listed = False

    @pytest.fixture
    def case(self) -> Iterator[DominoCase]:
        held = database(7, file_every=3)
        secret = held.get(unid_of(2))
        assert secret is not None
        held.add([replace(secret, readers=frozenset({"CN=Khac/O=ThuongGiang"}))])
        settings = Settings(
            data_service=True, lists_hidden=self.denied_is_listed, failing={unid_of(4): "tài liệu hỏng"}
        )
        with DominoServer(held, settings) as server:
            yield DominoCase(
                lambda: source(server, **self.changed),
                NO_FOLDER,
                records=5,
                unreadable=1 + self.denied_is_listed,
                server=server,
            )


class TestByAgent(DominoContract):
    changed: ClassVar = {"page": 3}
    denied_is_listed = True


class TestByView(DominoContract):
    changed: ClassVar = VIEW


class TestByViewInJson(DominoContract):
    changed: ClassVar = {
        **VIEW,
        "view_format": "json",
        "views": ["tatca", "theoloai"],
        "documents_per_request": 4,
    }


class TestByDataService(DominoContract):
    changed: ClassVar = {**VIEW, "inventory": "data_service"}
