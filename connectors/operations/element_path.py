"""Finds elements of a record by path, e.g. ``MessageHeader/From/OrganId``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from schemas.record import Field


def find_all(fields: Sequence[Field], path: str) -> Iterator[Field]:
    """Every field at ``path`` (names joined by ``/``), in document order."""
    return _at(fields, _names(path), 0)


def first(fields: Sequence[Field], path: str) -> Field | None:
    """The first field at ``path``."""
    if "/" in path:
        return _first(fields, _names(path), 0)
    for field in fields:
        if field.name == path:
            return field
    return None


def first_text(fields: Sequence[Field], path: str) -> str | None:
    """The text of the first field at ``path`` that has one, stripped; else ``None``."""
    if "/" in path:
        return _first_text(fields, _names(path), 0)
    for field in fields:
        if field.name == path and (text := field.text.strip()):
            return text
    return None


def _first(fields: Sequence[Field], names: tuple[str, ...], level: int) -> Field | None:
    name = names[level]
    deepest = level + 1 == len(names)
    for field in fields:
        if field.name == name:
            found = field if deepest else _first(field.children, names, level + 1)
            if found is not None:
                return found
    return None


def _first_text(fields: Sequence[Field], names: tuple[str, ...], level: int) -> str | None:
    name = names[level]
    deepest = level + 1 == len(names)
    for field in fields:
        if field.name == name:
            text = field.text.strip() if deepest else _first_text(field.children, names, level + 1)
            if text:
                return text
    return None


@lru_cache(maxsize=256)
def _names(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


def _at(fields: Sequence[Field], names: tuple[str, ...], level: int) -> Iterator[Field]:
    name = names[level]
    deepest = level + 1 == len(names)
    for field in fields:
        if field.name == name:
            if deepest:
                yield field
            else:
                yield from _at(field.children, names, level + 1)


def walk(fields: Sequence[Field], parent: str = "") -> Iterator[tuple[str, Field]]:
    """Every field with its path, parents before their children."""
    for field in fields:
        path = f"{parent}/{field.name}" if parent else field.name
        yield path, field
        yield from walk(field.children, path)
