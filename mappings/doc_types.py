"""Which type of document (tên loại) a record means, from its type name, its symbol and its title."""

from __future__ import annotations

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


def resolve_type(name: str | None, symbol: Symbol | None, title: str | None) -> ResolvedType:
    """The type by its name where there is one; else by the symbol; where that is ambiguous, by how the title
    begins."""
    by_symbol = _of_symbol(symbol)
    if name:
        return _of_name(name, symbol, by_symbol)
    if len(by_symbol) == 1:
        return ResolvedType(by_symbol[0].name, by_symbol[0].code, ("type_from_symbol",))
    if by_symbol:
        beginning = fold(title or "")
        for kind in by_symbol:
            if beginning.startswith(fold(kind.name)):
                return ResolvedType(kind.name, kind.code, ("type_from_title",))
        return ResolvedType(None, None, ("ambiguous_type",))
    return ResolvedType(None, None, ("unknown_type",) if symbol and symbol.type_code else ())


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
