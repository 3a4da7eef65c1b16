"""Errors say everything after they have come from another process."""

from __future__ import annotations

import pickle

import pytest

from connectors.lotus_notes.domino_session import GaveUpError
from schemas.errors import ConfigurationError, FatalError, LienthongError, MappingError, RetriableError


@pytest.mark.parametrize("kind", [ConfigurationError, FatalError, GaveUpError, MappingError, RetriableError])
def test_an_error_arrives_whole(kind: type[LienthongError]) -> None:
    sent = kind("máy chủ bận", where="https://domino", expected="200", action="chờ")
    arrived = pickle.loads(pickle.dumps(sent))
    assert type(arrived) is kind
    assert str(arrived) == str(sent) == "máy chủ bận; expected 200; to do: chờ; at https://domino"
    assert arrived.action == "chờ"
