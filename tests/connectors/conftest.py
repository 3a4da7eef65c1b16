"""Lets failed assertions of the shared contract show their values, as those of test files do."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.connectors.source_contract")
