"""The tamper table: every way of tampering, done for real, and what ``lienthong audit`` says of it.

    python -m benchmarks.archive tamper [--json] [--only WORDS]

Each attack works on a fresh copy of a made-up office's archive, past every guard. The lines are the command's own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import psycopg
import sqlalchemy as sa
from psycopg import sql
from typer.testing import CliRunner

from archive.database import DATABASE, URL_VARIABLE, create_engine
from benchmarks.tampering import ATTACKS, Attack, Scene, prepare
from benchmarks.temporary_archive import temporary_archive
from pipeline.cli import build
from pipeline.quiet import quiet_libraries
from pipeline.settings import Settings, load_settings
from pipeline.stages import open_stores

_COPY = "lienthong_tampered"
_CLEAN = Attack("nothing", "nobody", frozenset(), lambda scene: None)
_SHOWN = 3
_KIND = re.compile(r"^ +\[(\w+)\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attack.

    Attributes:
        attack: which. program: what the program's own role gets for the same statement, ``""`` where it is none.
        status: exit status of ``lienthong audit``. kinds: of its problems. lines: its own lines, the first of them.
        reported: whether every expected kind is among them.
    """

    attack: Attack
    program: str
    status: int
    kinds: tuple[str, ...]
    lines: tuple[str, ...]
    reported: bool


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("tamper", help="every way of tampering, and what the audit says of it")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default="", help="attacks with these words in their name")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do every attack and print the table; 1 when one was not reported."""
    quiet_libraries()
    chosen = [_CLEAN, *(attack for attack in ATTACKS if options.only in attack.name)]
    done = []
    with tempfile.TemporaryDirectory() as office, temporary_archive() as (settings, stores):
        prepare(settings, stores, Path(office))
        stores.engine.dispose()
        for attack in chosen:
            with _copied(settings) as scene:
                done.append(_tried(scene, attack))
            if not options.json:
                _print(done[-1])
    unreported = [outcome.attack.name for outcome in done if not outcome.reported]
    if options.json:
        print(json.dumps(_figures(done), ensure_ascii=False))
    else:
        print(f"\n{len(done) - 1} attacks, {len(unreported)} not reported")
    return 1 if unreported else 0


@contextmanager
def _copied(settings: Settings) -> Iterator[Scene]:
    """The archive with its folders once more, named by the environment while it lasts."""
    whole = sa.make_url(os.environ[URL_VARIABLE])
    url = whole.set(database=_COPY).render_as_string(hide_password=False)
    home = settings.home.with_name("tampered")
    shutil.copytree(settings.home, home)
    server = whole.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        names = {"copy": sql.Identifier(_COPY), "whole": sql.Identifier(DATABASE)}
        connection.execute(sql.SQL("CREATE DATABASE {copy} TEMPLATE {whole}").format(**names))
        try:
            with patch.dict(os.environ, {"LIENTHONG_HOME": str(home), URL_VARIABLE: url}):
                moved = load_settings()
                stores, superuser = open_stores(moved), create_engine(url)
                yield Scene(replace(moved, home=home), stores, superuser)
                stores.engine.dispose()
                superuser.dispose()
        finally:
            connection.execute(sql.SQL("DROP DATABASE {copy} WITH (FORCE)").format(**names))
            shutil.rmtree(home)


def _tried(scene: Scene, attack: Attack) -> Outcome:
    program = _as_program(scene, attack.statement) if attack.statement else ""
    attack.do(scene)
    told = CliRunner().invoke(build(), ["audit", "--full"])
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    lines = [line.strip() for line in told.stdout.splitlines() if line.strip()]
    kinds = dict.fromkeys(_KIND.findall(told.stdout))
    return Outcome(
        attack,
        program,
        told.exit_code,
        tuple(kinds),
        tuple(lines[:1] + [line for line in lines if line.startswith("[")][:_SHOWN]),
        attack.kinds <= set(kinds) and told.exit_code == (4 if attack.kinds else 0),
    )


def _as_program(scene: Scene, statement: str) -> str:
    """What the program's own role gets for it; rolled back where it may."""
    with scene.stores.engine.connect() as connection:
        try:
            connection.execute(sa.text(statement))
        except sa.exc.ProgrammingError:
            return "refused"
        connection.rollback()
    return "may"


def _print(outcome: Outcome) -> None:
    mark = (
        "reported"
        if outcome.reported and outcome.attack.kinds
        else "clean"
        if outcome.reported
        else "NOT REPORTED"
    )
    program = f"; the program's own role: {outcome.program}" if outcome.program else ""
    print(f"\n{outcome.attack.name} ({outcome.attack.by}{program}): {mark}, exit status {outcome.status}")
    for line in outcome.lines:
        print(f"    {line}")


def _figures(done: list[Outcome]) -> dict[str, object]:
    return {
        "attacks": len(done) - 1,
        "reported": sum(outcome.reported for outcome in done[1:]),
        "clean_when_untouched": done[0].reported,
        "table": [
            {
                "attack": outcome.attack.name,
                "by": outcome.attack.by,
                "program": outcome.program,
                "exit_status": outcome.status,
                "kinds": list(outcome.kinds),
                "output": list(outcome.lines),
                "reported": outcome.reported,
            }
            for outcome in done
        ],
    }
