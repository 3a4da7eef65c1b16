"""Reading YAML with the line of every key, so that a wrong setting can be pointed at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from schemas.errors import ConfigurationError

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class MarkedYaml:
    """A YAML file's data and the 1-based line on which each key path begins; ``()`` is the whole file."""

    data: object
    lines: Mapping[KeyPath, int]

    def line_of(self, path: KeyPath) -> int:
        """The line of ``path``, or of the nearest key around it."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(path: Path) -> MarkedYaml:
    """Read one YAML file (UTF-8, safe tags only).

    Raises:
        ConfigurationError: the file cannot be read, is no YAML, or repeats a key; with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the file cannot be read: {error}", where=str(path), expected="a YAML file in UTF-8"
        ) from error
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        lines: dict[KeyPath, int] = {}
        if node is not None:
            _mark(node, (), lines, path)
        data = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigurationError(
            f"the file is no valid YAML: {error.problem}", where=where, expected="valid YAML"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"the file is no valid YAML: {error}", where=str(path)) from error
    finally:
        loader.dispose()
    return MarkedYaml(data, lines)


def _mark(node: yaml.Node, at: KeyPath, lines: dict[KeyPath, int], path: Path) -> None:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _mark(item, (*at, index), lines, path)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen and name != "<<":
                raise ConfigurationError(
                    f"the key {name!r} stands there twice, first on line {seen[name]}",
                    where=f"{path}:{line}, {dotted((*at, name))}",
                    expected="every key once",
                )
            seen[name] = line
            lines[(*at, name)] = line
            _mark(value, (*at, name), lines, path)


def dotted(path: KeyPath) -> str:
    """A key path as people write it: ``records.0.fields.subject``."""
    return ".".join(str(part) for part in path) or "(the whole file)"
