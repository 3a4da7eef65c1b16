"""Which type of document (tên loại) a record means, from its type name, its symbol and its title."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from mappings.notation import Symbol, System
from mappings.vietnamese import fold
from schemas.vocabulary import DocumentType, document_types


@dataclass(frozen=True, slots=True)
class ResolvedType:
    """A document's type.

    Attributes:
        name: as the source prints it, else as the vocabulary does; ``None`` if unknown.
        code: the vocabulary's; ``None`` if unknown.
        problems: ``unknown_type``, ``type_mismatch`` (name and symbol disagree), ``ambiguous_type`` (the
            Party's ``QĐ`` and nothing that decides it), ``type_from_symbol``, ``type_from_title``.
    """

    name: str | None
    code: str | None
    problems: tuple[str, ...] = ()


def resolve_type(name: str | None, symbol: Symbol | None, texts: Sequence[str] = ()) -> ResolvedType:
    """The type by its name where there is one; else by the symbol; where that is ambiguous, by the title line.

    Args:
        name: as the record prints it.
        symbol: of the record.
        texts: where the title stands: the subject, which may begin with the type (``Quy định về …``), then the
            document's text, in which the type has a line of its own (``QUY ĐỊNH``).
    """
    by_symbol = _of_symbol(symbol)
    if name:
        return _of_name(name, symbol, by_symbol)
    if len(by_symbol) == 1:
        return ResolvedType(by_symbol[0].name, by_symbol[0].code, ("type_from_symbol",))
    if by_symbol:
        for line in _title_lines(texts):
            for kind in by_symbol:
                if re.match(rf"{fold(kind.name)}\b", line):
                    return ResolvedType(kind.name, kind.code, ("type_from_title",))
        return ResolvedType(None, None, ("ambiguous_type",))
    return ResolvedType(None, None, ("unknown_type",) if symbol and symbol.type_code else ())


def _title_lines(texts: Sequence[str]) -> Iterator[str]:
    """Lines that may begin with the type, folded: the first text whole, of the others short lines at the top."""
    for position, text in enumerate(texts):
        if position == 0:
            yield fold(text)
            continue
        for line in text[:_TITLE_WITHIN].splitlines()[:_TITLE_LINES]:
            if line.isupper():
                yield fold(line)


_TITLE_WITHIN, _TITLE_LINES = 4000, 40


def _of_name(name: str, symbol: Symbol | None, by_symbol: tuple[DocumentType, ...]) -> ResolvedType:
    named = _by_name().get(fold(name), ())
    if not named:
        return ResolvedType(name, None, ("unknown_type",))
    if by_symbol:
        both = [kind for kind in named if kind in by_symbol]
        return ResolvedType(name, (both or named)[0].code, () if both else ("type_mismatch",))
    same_system = [kind for kind in named if symbol and kind.system == symbol.system]
    return ResolvedType(name, (same_system or named)[0].code)


def _of_symbol(symbol: Symbol | None) -> tuple[DocumentType, ...]:
    if symbol is None or symbol.type_code is None:
        return ()
    if symbol.system is System.STATE and symbol.type_code == "CV":
        return tuple(kind for kind in document_types() if kind.system == "state" and kind.code == "CV")
    return tuple(
        kind
        for kind in document_types()
        if kind.system == symbol.system and symbol.type_code in kind.abbreviations
    )


@cache
def _by_name() -> dict[str, tuple[DocumentType, ...]]:
    found: dict[str, tuple[DocumentType, ...]] = {}
    for kind in document_types():
        for printed in (kind.name, *kind.words):
            found[fold(printed)] = (*found.get(fold(printed), ()), kind)
    return found
