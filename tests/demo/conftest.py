from __future__ import annotations

from pathlib import Path

import pytest

from demo.office import OfficeReport, generate
from demo.typefaces import Typefaces, load_typefaces

SIZE = 10


@pytest.fixture(scope="session")
def small_office(tmp_path_factory) -> tuple[Path, OfficeReport]:
    """An office of ten ordinary Notes documents and every special case, written once."""
    folder = tmp_path_factory.mktemp("made-up-office")
    return folder, generate(folder, size=SIZE)


@pytest.fixture(scope="session")
def faces() -> Typefaces:
    return load_typefaces()
