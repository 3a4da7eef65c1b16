"""What is wrong in a source's configuration, said with file, line and key."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mappings.shared_fields import GROUPS, LISTS, SINGLE
from mappings.vietnamese import fold
from mappings.yaml_reader import KeyPath, MarkedYaml, dotted
from schemas.document import RelationKind
from schemas.errors import ConfigurationError
from schemas.vocabulary import secrecy_words

if TYPE_CHECKING:
    from mappings.config import EachRule, FieldRule, SourceConfig


def first_error(
    error: ValidationError, path: Path, marked: MarkedYaml, known: tuple[str, ...]
) -> ConfigurationError:
    """The first of pydantic's errors, with its line and, for an unknown key, the key that was likely
    meant."""
    details = error.errors(include_url=False)
    # A misspelt key is also a missing one: what stands there is the better hint.
    detail = next((found for found in details if found["type"] == "extra_forbidden"), details[0])
    key = _existing(tuple(detail["loc"]), marked)
    where = f"{path}:{marked.line_of(key)}, {dotted(key)}"
    if detail["type"] == "extra_forbidden":
        name = str(detail["loc"][-1])
        near = difflib.get_close_matches(name, [key for key in known if key != name], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return ConfigurationError(
            f"unknown key {name!r}{hint}", where=where, action="correct or remove the key"
        )
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "missing":
        message = f"the key {detail['loc'][-1]!r} is missing"
    return ConfigurationError(message, where=where, action="correct this key in the file")


def problems(config: SourceConfig) -> Iterator[tuple[KeyPath, str]]:
    """What the shape of the settings cannot say: key path and what is wrong there, in the order of the
    file."""
    yield from _secrecy_problems(config)
    last = len(config.records) - 1
    for index, rule in enumerate(config.records):
        at: KeyPath = ("records", index)
        if index == last and rule.when is not None:
            yield at, "the last rule has a `when`: records that no rule is for would be lost"
        if index != last and rule.when is None:
            yield at, "a rule without `when` is for all records: the rules after it are never reached"
        for name, field in rule.fields.items():
            yield from _field_problems((*at, "fields", name), name, field)
        for needed in rule.require_any:
            for name in needed:
                if name not in SINGLE and name not in LISTS:
                    yield (*at, "require_any"), _unknown(name, (*SINGLE, *LISTS))


def _existing(loc: tuple[str | int, ...], marked: MarkedYaml) -> KeyPath:
    """The parts of pydantic's location that stand in the file; it also names the member of a union, a missing key."""
    key: KeyPath = ()
    for part in loc:
        longer: KeyPath = (*key, part if isinstance(part, int) else str(part))
        if longer in marked.lines:
            key = longer
    return key


def _secrecy_problems(config: SourceConfig) -> Iterator[tuple[KeyPath, str]]:
    marks = {fold(word) for level in secrecy_words().levels for word in (level.name, *level.words)}
    for index, field in enumerate(config.secrecy.fields):
        for value, level in field.values.items():
            if level == "none" and fold(value) in marks:
                key = ("secrecy", "fields", index, "values", value)
                yield key, f"{value!r} marks a state secret; the gate's own rules cannot be switched off"


def _field_problems(at: KeyPath, name: str, rule: FieldRule) -> Iterator[tuple[KeyPath, str]]:
    if name in GROUPS:
        if not rule.each or rule.from_:
            yield at, f"{name!r} is repeated: expected `each` with a `path` and `fields`"
        for each in rule.each:
            yield from _group_problems(at, name, each)
    elif name not in SINGLE and name not in LISTS:
        yield at, _unknown(name, (*SINGLE, *LISTS, *GROUPS))
    elif rule.each:
        yield at, f"{name!r} is not repeated: `each` is for {', '.join(GROUPS)}"


def _group_problems(at: KeyPath, name: str, each: EachRule) -> Iterator[tuple[KeyPath, str]]:
    for part in each.fields:
        if part not in GROUPS[name]:
            yield at, _unknown(part, tuple(GROUPS[name]))
    kind = each.fields.get("kind")
    if name == "relations" and (kind is None or kind.value not in set(RelationKind)):
        yield at, f"a relation needs `kind: {{value: …}}`, one of {', '.join(RelationKind)}"


def _unknown(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"no shared field of the name {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
