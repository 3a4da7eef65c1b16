"""What an error tells the operator to do can be done: the commands that it names exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import typer

from pipeline.cli import build

_ROOT = Path(__file__).parents[2]
_FOLDERS = ("archive", "connectors", "mappings", "pipeline", "schemas", "signatures")
_COMMAND = re.compile(r"lienthong ([a-z]+(?:-[a-z]+)*)(?: ([a-z]+(?:-[a-z]+)*))?")
_PROSE = {"process"}
"""Words that follow the program's name without being commands."""


def advised() -> Iterator[tuple[str, str, str]]:
    """Place, command and the word after it, of each ``action=…``."""
    for folder in _FOLDERS:
        for path in sorted((_ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.keyword) and node.arg == "action":
                    for part in ast.walk(node.value):
                        if isinstance(part, ast.Constant) and isinstance(part.value, str):
                            place = f"{path.relative_to(_ROOT)}:{part.lineno}"
                            yield from ((place, *found) for found in _COMMAND.findall(part.value))


def test_every_command_that_an_error_names_exists() -> None:
    commands = getattr(typer.main.get_command(build()), "commands", {})
    found = list(advised())
    assert len(found) > 20
    wrong = [
        (place, name, word)
        for place, name, word in found
        if name not in _PROSE
        and (
            name not in commands
            or (word and hasattr(commands[name], "commands") and word not in commands[name].commands)
        )
    ]
    assert wrong == []
