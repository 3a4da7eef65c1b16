"""The measured set of strings, ``data/secrecy_strings.yaml``, and what the gate's rules say to each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from mappings.secrecy_marks import Mark, mark_in_text, mark_in_title
from mappings.secrecy_names import level_of_value, mark_in_name

_DATA = Path(__file__).parent / "data" / "secrecy_strings.yaml"
_RULES: Mapping[str, Callable[[str], Mark | None]] = {
    "text": mark_in_text,
    "title": mark_in_title,
    "name": mark_in_name,
    "value": level_of_value,
}


@dataclass(frozen=True)
class Case:
    """A string, where it stands, and the level that it marks; ``doubtful``: none, and found all the same."""

    place: str
    string: str
    level: str | None
    doubtful: bool = False

    def __str__(self) -> str:
        return f"{self.place} {self.string.encode('unicode_escape').decode()}"


@cache
def cases() -> tuple[Case, ...]:
    """The whole set."""
    groups = yaml.safe_load(_DATA.read_text(encoding="utf-8"))
    return tuple(
        Case(
            group["place"],
            string,
            None if group["level"] == "none" else group["level"],
            group.get("doubtful", False),
        )
        for group in groups
        for string in group["strings"]
    )


def found_level(case: Case) -> str | None:
    """The level that the rules of the case's place find."""
    mark = _RULES[case.place](case.string)
    return mark.level if mark else None
