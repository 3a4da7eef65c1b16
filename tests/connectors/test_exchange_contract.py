from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.exchange_services import DIALECTS, ExchangeCase, mail, mailbox, server
from tests.connectors.source_contract import SourceContract


class TestEveryDialectIsASource(SourceContract):
    @pytest.fixture(params=DIALECTS)
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ExchangeCase]:
        service = server(request.param, tmp_path / "truc")
        service.mailbox.write(mail())
        with service:
            yield ExchangeCase(
                lambda: mailbox(request.param, service),
                tmp_path / "truc",
                records=7,
                unreadable=2,
                service=service,
                dated=request.param != "bkav",
            )
