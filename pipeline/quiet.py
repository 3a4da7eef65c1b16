"""Keeps libraries from writing to the log what a verdict or a quarantine already says."""

from __future__ import annotations

import logging
import sys

_LOUD = ("pyhanko", "pyhanko_certvalidator", "fontTools", "alembic")


def quiet_libraries() -> None:
    """Let only critical messages of talkative libraries through; entry points call it once."""
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def keep_answers_apart() -> None:
    """Send Airflow's log, which goes to the standard output, to the standard error; for the command line, whose answers
    are read by programs."""
    log = logging.getLogger("airflow")
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.StreamHandler(sys.stderr))
