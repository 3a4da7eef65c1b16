"""What the README shows is true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import typer.main

from mappings.config import load_source
from pipeline.cli import build

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", README, flags=re.DOTALL | re.MULTILINE)


def commands() -> dict[str, click.Command]:
    """Every subcommand."""
    return dict(typer.main.get_command(build()).commands)


def options_of(command: click.Command, arguments: list[str]) -> tuple[set[str], list[str]]:
    """The options that ``arguments`` may use, subcommands of subcommands included, and what is left of them."""
    options = {option for parameter in command.params for option in parameter.opts}
    below = getattr(command, "commands", {}).get(arguments[0]) if arguments else None
    if below is None:
        return options, arguments
    more, left = options_of(below, arguments[1:])
    return options | more, left


def test_the_source_file_in_the_readme_is_a_valid_one(tmp_path):
    [example] = blocks("yaml")
    path = tmp_path / "don_thu.yaml"
    path.write_text(example, encoding="utf-8")
    config = load_source(path)
    assert config.source == "don_thu"
    assert [rule.kind for rule in config.records] == ["document", "other"]


def test_every_command_is_in_the_table_and_the_other_way_round():
    listed = set(re.findall(r"^\| `([a-z-]+)", README, flags=re.MULTILINE))
    assert listed == set(commands())


def test_every_lienthong_line_names_a_command_and_options_that_exist():
    known = commands()
    lines = [line.strip() for block in blocks("sh") for line in block.splitlines()]
    used = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith(".venv/bin/lienthong")]
    assert used
    for command, *arguments in used:
        options, left = options_of(known[command], arguments)
        assert {argument for argument in left if argument.startswith("--")} <= options, command


def test_every_make_target_in_the_readme_exists():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", README)) <= targets
