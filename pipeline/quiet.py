"""Keeps libraries from writing to the log what a verdict or a quarantine already says."""

from __future__ import annotations

import logging

_LOUD = ("pyhanko", "pyhanko_certvalidator", "fontTools", "alembic")


def quiet_libraries() -> None:
    """Let only critical messages of talkative libraries through; entry points call it once."""
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL)
