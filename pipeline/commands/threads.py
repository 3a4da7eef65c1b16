"""How ``lienthong show`` tells a document's thread: what it does to others, what others did to it, how it was
handled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archive.views import HandlingStep, RelationView
from pipeline.commands.output import Output
from schemas.vocabulary import status_codes

_BY_ISSUER_ONLY = ("recalls", "replaces", "amends", "corrects")


def relation_rows(output: Output, relations: Sequence[RelationView]) -> list[tuple[str, str]]:
    """A row for each relation: what it is called in its direction, and the other document."""
    return [
        (output.words(f"{relation.kind}_by" if relation.inverse else relation.kind), _told(output, relation))
        for relation in relations
        if relation.kind != "status_of" or not relation.inverse  # the history tells those
    ]


def print_history(output: Output, history: Sequence[HandlingStep]) -> None:
    """The steps of handling as a table, oldest first; nothing when there is none."""
    if not history:
        return
    names = {term.code: term.name for term in status_codes()}
    rows = [
        (
            step.moment,
            step.organ_name or step.organ_id,
            _state(output, step, names),
            step.staff,
            step.text,
        )
        for step in history
    ]
    output.table(output.words("history"), ("time", "organ", "state", "staff", "message"), rows)


def _state(output: Output, step: HandlingStep, names: Mapping[str, str]) -> str | None:
    if step.status_code:
        return f"{step.status_code} {names.get(step.status_code, '')}".strip()
    return None if step.text or step.staff else output.words("passed")


def _told(output: Output, relation: RelationView) -> str:
    parts = [relation.other_symbol or relation.named or relation.other_source or ""]
    if relation.inverse:
        parts += [
            relation.other_issuer or "",
            f"{relation.other_date:%d/%m/%Y}" if relation.other_date else "",
        ]
    parts.append(relation.reason or "")
    if relation.inverse and relation.kind in _BY_ISSUER_ONLY and not relation.by_issuer:
        parts.append(output.words("not_by_issuer"))
    if relation.other is None:
        parts.append(output.words("not_in_archive"))
    return " · ".join(part for part in parts if part)
