"""What libraries write to the log stays out of what a command answers."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest

from pipeline.quiet import keep_answers_apart


@pytest.fixture
def airflow_log() -> Iterator[logging.Logger]:
    log = logging.getLogger("airflow")
    before, propagates = log.handlers[:], log.propagate
    log.handlers.clear()
    yield log
    log.handlers[:], log.propagate = before, propagates


def test_airflows_log_goes_to_the_standard_error(
    airflow_log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    on_output = logging.StreamHandler(sys.stdout)
    root.addHandler(on_output)
    try:
        keep_answers_apart()
        airflow_log.getChild("sdk").warning("a secret is short")
    finally:
        root.removeHandler(on_output)
    assert capsys.readouterr() == ("", "a secret is short\n")
