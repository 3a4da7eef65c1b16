"""Repeated parts of a document: recipients, signers, handling steps, relations to other documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TypeVar

from pydantic import BaseModel

from mappings.citations import Citation, contradictions, find_citations
from mappings.config import FieldRule
from mappings.document_id import parse_document_id
from mappings.field_reader import FieldReader
from mappings.notation import Symbol, parse_symbol
from mappings.shared_fields import transform_of
from schemas.document import Organ, Reference, Relation, RelationKind, Signer, TraceEntry

_ModelT = TypeVar("_ModelT", bound=BaseModel)


def read_recipients(reader: FieldReader, rule: FieldRule) -> tuple[Organ, ...]:
    """Nơi nhận, in order; a member of several lines is several recipients."""
    return _models(reader, "recipients", rule, Organ)


def read_signers(reader: FieldReader, rule: FieldRule) -> tuple[Signer, ...]:
    """Người ký, in order; a position without a name is kept."""
    return _models(reader, "signers", rule, Signer)


def read_trace(reader: FieldReader, rule: FieldRule) -> tuple[TraceEntry, ...]:
    """Steps of handling, in order."""
    return _models(reader, "trace", rule, TraceEntry)


def read_relations(reader: FieldReader, rule: FieldRule, source_key: str) -> tuple[Relation, ...]:
    """Relations that name another document; a response that names itself (a Notes save conflict) is
    flagged."""
    found: list[Relation] = []
    for path, parts in _groups(reader, "relations", rule):
        kind = RelationKind(str(parts.pop("kind")))
        reason, effective = parts.pop("reason", None), parts.pop("effective", None)
        target = _reference(reader, parts)
        if target == Reference():
            continue
        if kind is RelationKind.RESPONSE_IN_SOURCE and _same_note(target.uid, source_key):
            message = "The record names itself as its parent; no relation was made."
            reader.flag("relations", "self_reference", target.uid or "", message)
            continue
        relation = Relation.model_validate(
            {"kind": kind, "target": target, "reason": reason, "effective": effective, "evidence": path}
        )
        if not any(known.kind is kind and known.target == target for known in found):
            found.append(relation)
    return tuple(found)


def cited_relations(
    reader: FieldReader, texts: Iterable[tuple[str, str]], own_symbol: str | None
) -> tuple[Relation, ...]:
    """``cites`` relations to every document that ``texts`` (shared field, text) name; dates that contradict
    each other are flagged."""
    own = (own_symbol or "").casefold()
    found: dict[tuple[str, date | None], Relation] = {}
    citations: list[Citation] = []
    for name, text in texts:
        for citation in find_citations(text):
            symbol = citation.symbol
            if symbol.printed.casefold() == own:
                continue
            citations.append(citation)
            if citation.problem:
                reader.flag("relations", citation.problem, symbol.printed)
            target = Reference(
                number=symbol.number,
                notation=symbol.notation,
                symbol=symbol.printed,
                issued_date=citation.issued_date,
            )
            relation = Relation(kind=RelationKind.CITES, target=target, evidence=name)
            found.setdefault((symbol.printed.casefold(), citation.issued_date), relation)
    for contradiction in contradictions(citations):
        dates = ", ".join(f"{day:%d/%m/%Y}" for day in contradiction.dates)
        reader.flag("relations", "inconsistent_citation", f"{contradiction.symbol}: {dates}")
    dated = {symbol for symbol, day in found if day}
    return tuple(relation for (symbol, day), relation in found.items() if day or symbol not in dated)


def _same_note(uid: str | None, source_key: str) -> bool:
    """Whether a UNID is that of the record itself, whose key may name the database before it."""
    return bool(uid) and (uid or "").casefold() == source_key.rpartition(":")[2].casefold()


def _models(reader: FieldReader, group: str, rule: FieldRule, model: type[_ModelT]) -> tuple[_ModelT, ...]:
    return tuple(model.model_validate(parts) for _, parts in _groups(reader, group, rule))


def _groups(reader: FieldReader, group: str, rule: FieldRule) -> Iterator[tuple[str, dict[str, object]]]:
    """The parts of every group that holds something besides constants, with the path that gave it."""
    for each in rule.each:
        for scope in reader.scopes(each):
            parts: dict[str, object] = {}
            printed = False
            for name, part in each.fields.items():
                value = reader.read(group, part, transform_of(name, group), scope)
                if value is not None:
                    parts[name] = value
                    printed = printed or part.value is None
            if printed:
                yield each.path, parts


def _reference(reader: FieldReader, parts: Mapping[str, object]) -> Reference:
    values = dict(parts)
    symbol = values.pop("symbol", None)
    if isinstance(symbol, str):
        symbol = parse_symbol(symbol) or symbol
    if isinstance(symbol, Symbol):
        values.setdefault("number", symbol.number)
        values.setdefault("notation", symbol.notation)
        values["symbol"] = symbol.printed
    elif symbol:
        values.setdefault("notation", symbol)
    uid = values.get("uid")
    if isinstance(uid, str) and (named := parse_document_id(uid)):
        if named.problem:
            reader.flag("relations", named.problem, uid)
        for key in ("organ_id", "issued_date", "number", "notation", "symbol"):
            if getattr(named, key) is not None:
                values.setdefault(key, getattr(named, key))
    return Reference.model_validate(values)
