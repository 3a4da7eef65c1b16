from __future__ import annotations

import logging

import pytest

from tests.signatures.pki_factory import Pki, make_pki, minimal_pdf


@pytest.fixture(scope="session")
def pki() -> Pki:
    return make_pki()


@pytest.fixture(scope="session")
def signed_pdf(pki: Pki) -> bytes:
    return pki.sign_pdf(minimal_pdf(), pki.person)


@pytest.fixture(autouse=True)
def _quiet_engines() -> None:
    for name in ("pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
