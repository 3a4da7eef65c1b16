"""Dated vocabularies: what the words and codes of official documents mean, since when, and who says so.

The data is in ``schemas/vocabularies/*.yaml``. Every entry has ``source`` and, where it is known,
``valid_from`` and ``valid_to`` (both inclusive); an unknown bound is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import ConfigurationError

SystemName = Literal["party", "state"]


class Term(BaseModel):
    """One entry of a vocabulary.

    Attributes:
        code: identity inside its vocabulary (and system).
        name: in Vietnamese, as printed.
        words: other ways in which sources print it.
        valid_from, valid_to: first and last day on which it holds; ``None`` is open.
        source: the text that says so.
        inferred: names of fields that no official text at hand confirms.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    name: str
    words: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    source: str
    inferred: tuple[str, ...] = ()

    def holds_on(self, day: date) -> bool:
        """True when the entry is valid on ``day``."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


class DocumentType(Term):
    """A type of document (tên loại).

    Attributes:
        system: whose type it is.
        abbreviations: as printed in a notation; empty when it has none (the State's công văn).
        tt05: ``typeName`` code of Circular 05/2025/TT-BNV.
        qcvn102: table and row of QCVN 102:2016/SĐ1:2022; of table B for a type that stands in both.
        qcvn102_legal: its row in table A, where it stands in both.
    """

    system: SystemName
    abbreviations: tuple[str, ...] = ()
    tt05: str
    qcvn102: str | None = None
    qcvn102_legal: str | None = None


class ExchangeTerm(Term):
    """A term with a code in edXML: urgency (``Priority``) or business type (``BussinessDocType``)."""

    edxml: str


class Retention(Term):
    """A retention term: ``tt05`` is the ``maintenance`` code, ``years`` is ``None`` for ever or when
    unknown."""

    tt05: str | None = None
    years: int | None = None


class OrganTerm(Term):
    """An organ in a span of time.

    Attributes:
        system: Party or State.
        former_codes: other codes of the very same organ.
        letters: how notations print it; several organs may share them.
        successor: code of the organ that carries on.
    """

    system: SystemName
    former_codes: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    successor: str | None = None


class SecrecyLevel(Term):
    """A degree of state secrecy; ``values`` are what classification fields hold for it, folded."""

    values: tuple[str, ...]
    english: str


class SecrecyWords(BaseModel):
    """Everything that ``secrecy.yaml`` says; see the comments there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: tuple[SecrecyLevel, ...]
    not_secret: tuple[str, ...]
    field_names: tuple[str, ...]
    field_name_followers: tuple[str, ...]
    labels: tuple[str, ...]
    english_labels: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    small_before: tuple[str, ...]
    small_after: tuple[str, ...]
    phrases: tuple[str, ...]
    ticked: tuple[str, ...]
    unticked: tuple[str, ...]
    family_names: tuple[str, ...]
    middle_names: tuple[str, ...]
    doubtful_nouns: tuple[str, ...]
    bare_before: tuple[str, ...]
    bare_after: tuple[str, ...]


@cache
def document_types() -> tuple[DocumentType, ...]:
    """Types of documents of Party and State."""
    return _entries("document_types", DocumentType)


@cache
def urgencies() -> tuple[ExchangeTerm, ...]:
    """Degrees of urgency; ``code`` is the value of ``schemas.document.Urgency``."""
    return _entries("urgency", ExchangeTerm)


@cache
def business_types() -> tuple[ExchangeTerm, ...]:
    """What an exchanged document does; ``code`` is the value of ``schemas.document.BusinessType``."""
    return _entries("business_types", ExchangeTerm)


@cache
def retentions() -> tuple[Retention, ...]:
    """Retention terms."""
    return _entries("retention", Retention)


@cache
def status_codes() -> tuple[Term, ...]:
    """Status codes of exchange status messages."""
    return _entries("status_codes", Term)


@cache
def organs() -> tuple[OrganTerm, ...]:
    """Organs whose names or codes changed."""
    return _entries("organs", OrganTerm)


@cache
def secrecy_words() -> SecrecyWords:
    """The words that mark a state secret, and those that only look like it."""
    data = _read("secrecy")
    levels = _entries("secrecy", SecrecyLevel)
    rest = {key: value for key, value in data.items() if key not in ("vocabulary", "defaults", "entries")}
    try:
        return SecrecyWords.model_validate({"levels": levels, **rest})
    except ValidationError as error:
        raise _unusable("secrecy", str(error)) from error


_TermT = TypeVar("_TermT", bound=Term)


def valid_on(terms: Iterable[_TermT], day: date) -> tuple[_TermT, ...]:
    """Those of ``terms`` that are valid on ``day``, in their order."""
    return tuple(term for term in terms if term.holds_on(day))


def _entries(name: str, model: type[_TermT]) -> tuple[_TermT, ...]:
    data = _read(name)
    defaults = data.get("defaults", {})
    rows = data.get("entries", [])
    if not isinstance(defaults, dict) or not isinstance(rows, list):
        raise _unusable(name, "`defaults` must be a mapping and `entries` a list")
    terms = []
    for row in rows:
        values = dict(row)
        group = values.pop("group", None)
        try:
            terms.append(model.model_validate({**defaults.get(group, {}), **values}))
        except ValidationError as error:
            raise _unusable(name, f"entry {row.get('code', row)!r}: {error}") from error
    _refuse_repeats(name, terms)
    return tuple(terms)


def _refuse_repeats(name: str, terms: Iterable[Term]) -> None:
    seen: set[tuple[str, str, date | None]] = set()
    for term in terms:
        key = (str(getattr(term, "system", "")), term.code, term.valid_from)
        if key in seen:
            raise _unusable(name, f"the entry {term.code!r} stands there twice")
        seen.add(key)


def _read(name: str) -> dict[str, object]:
    text = (files("schemas") / "vocabularies" / f"{name}.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    _unusable_if_misnamed(name, data)
    return dict(data)


def _unusable_if_misnamed(name: str, data: object) -> None:
    if not isinstance(data, dict) or data.get("vocabulary") != name:
        raise _unusable(name, f"the file does not start with `vocabulary: {name}`")


def _unusable(name: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"vocabulary {name} cannot be used: {why}",
        where=f"schemas/vocabularies/{name}.yaml",
        action="correct the file, or restore the one that came with this version",
    )
