"""Finds elements of a record by path, e.g. ``MessageHeader/From/OrganId``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas.record import Field


def find_all(fields: Sequence[Field], path: str) -> Iterator[Field]:
    """Every field at ``path`` (names joined by ``/``), in document order."""
    name, _, rest = path.partition("/")
    for field in fields:
        if field.name == name:
            if rest:
                yield from find_all(field.children, rest)
            else:
                yield field


def first_text(fields: Sequence[Field], path: str) -> str | None:
    """The text of the first field at ``path`` that has one, stripped; else ``None``."""
    return next((text for field in find_all(fields, path) if (text := field.text.strip())), None)


def walk(fields: Sequence[Field], parent: str = "") -> Iterator[tuple[str, Field]]:
    """Every field with its path, parents before their children."""
    for field in fields:
        path = f"{parent}/{field.name}" if parent else field.name
        yield path, field
        yield from walk(field.children, path)
