"""Finding fields of a record by path: ``SoKyHieu``, ``MessageHeader/From/OrganName``. Names compare without
case.

Notes item names have no case; element names of real packages differ in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schemas.record import Field


def find(fields: Iterable[Field], path: str) -> Iterator[Field]:
    """Every field at ``path``, in order, with repeats. Where a name repeats, all of them are followed."""
    head, _, rest = path.partition("/")
    wanted = head.casefold()
    for field in fields:
        if field.name.casefold() == wanted:
            if rest:
                yield from find(field.children, rest)
            else:
                yield field


def leaves(fields: Iterable[Field], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Every field that holds something of its own, with its path, in order."""
    for field in fields:
        path = f"{prefix}{field.name}"
        if not field.children or field.text.strip():
            yield path, field
        yield from leaves(field.children, f"{path}/")


def texts(field: Field) -> tuple[str, ...]:
    """The members of a field as printed; one for a field of runs."""
    return ("".join(run.text for run in field.runs),) if field.runs else field.values
