"""Finding fields of a record by path: ``SoKyHieu``, ``MessageHeader/From/OrganName``. Case is ignored.

Notes item names have no case; element names of real packages differ in it. A field's own name may hold a
slash (``$noteinfo/created``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schemas.record import Field


def find(fields: Iterable[Field], path: str) -> Iterator[Field]:
    """Every field at ``path``, in order, with repeats. Where a name on the way repeats, all are followed."""
    wanted = path.casefold()
    for field in fields:
        name = field.name.casefold()
        if name == wanted:
            yield field
        elif field.children and wanted.startswith(f"{name}/"):
            yield from find(field.children, path[len(name) + 1 :])


def leaves(fields: Iterable[Field], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Every field that may hold something of its own, with its path, in order."""
    for field in fields:
        path = f"{prefix}{field.name}"
        if not field.children or field.text.strip():
            yield path, field
        yield from leaves(field.children, f"{path}/")


def members(field: Field) -> tuple[str, ...]:
    """The members of a field as printed; one for a field of runs."""
    return ("".join(run.text for run in field.runs),) if field.runs else field.values
