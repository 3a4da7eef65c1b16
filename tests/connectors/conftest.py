"""Lets failed assertions of what the tests share show their values, as those of test files do; and a profile for
looking longer: ``pytest --hypothesis-profile=thorough``. No example has a deadline: the machine may be busy."""

from __future__ import annotations

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tests.connectors.source_contract")
settings.register_profile("default", deadline=None)
settings.register_profile("thorough", max_examples=10_000, deadline=None)
settings.load_profile("default")
