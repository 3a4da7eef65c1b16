"""In which font a form shows each of its fields: plain text items have none of their own.

Designs are read where Domino prints them, before the first document of the same export: ``<form>``, ``<subform>``,
and notes of these classes in note format. Of an export without designs only what precedes its first document is
looked at.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from xml.parsers import expat

from connectors.lotus_notes.byte_reader import ByteReader
from connectors.lotus_notes.container import local
from connectors.lotus_notes.encoding import Encoding
from connectors.lotus_notes.markup import RECORDS
from schemas.record import Field, SourceRecord

CONTEXT_KEY = "form_fonts"
"""Of a record's context: the fonts that were used, so that the record can be read again without the export."""

DESIGNS = frozenset({"form", "subform", "note:form", "note:subform"})
"""What ``Slices.skipped`` calls the designs that are read here."""

_PIECE = 1 << 16
_MOST_DEPTH = 500
_NO_FONTS: Mapping[str, str] = MappingProxyType({})


class FormFonts:
    """The fields' fonts, by form.

    Args:
        designs: forms and subforms; of one name the first counts.
    """

    def __init__(self, designs: Iterable[Design]) -> None:
        self._designs: dict[tuple[str, str], Design] = {}
        self._known: dict[str, Mapping[str, str]] = {}
        for design in designs:
            for name in design.names:
                self._designs.setdefault((design.kind, name.casefold()), design)

    def of(self, form: str) -> Mapping[str, str]:
        """Font by name of field (case folded), of its subforms too; a field shown in two fonts is left out."""
        design = self._designs.get(("form", form.casefold()))
        if design is None:
            return _NO_FONTS
        if form not in self._known:
            self._known[form] = self._gathered(design)
        return self._known[form]

    def _gathered(self, design: Design) -> Mapping[str, str]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        seen: set[int] = set()
        waiting = [design]
        while waiting:
            one = waiting.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            for name, font in one.fields:
                found[name.casefold()].add(font)
            inner = (self._designs.get(("subform", name.casefold())) for name in one.subforms)
            waiting += [design for design in inner if design is not None]
        return {name: next(iter(fonts)) for name, fonts in found.items() if len(fonts) == 1}


@dataclass(slots=True)
class Design:
    """A form or subform: its names and aliases, its fields with their fonts, the subforms that it shows."""

    kind: str
    names: list[str] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)
    subforms: list[str] = field(default_factory=list)


def read_form_fonts(reader: ByteReader, root: int, encoding: Encoding) -> FormFonts:
    """The designs between the root element's start tag at byte ``root`` and the first document; none where ``root`` is
    -1, because the root is lost.

    What is not well formed ends the reading; what was read until then counts.
    """
    if root < 0:
        return FormFonts({})
    designs = _Designs()
    parser = expat.ParserCreate(encoding.expat)
    parser.StartElementHandler = designs.open
    parser.EndElementHandler = designs.close
    parser.CharacterDataHandler = designs.text
    try:
        for position in range(root, reader.size, _PIECE):
            parser.Parse(reader.read(position, min(position + _PIECE, reader.size)), False)
    except (_FirstDocument, expat.ExpatError):
        pass
    return FormFonts(designs.found)


def with_form_fonts(record: SourceRecord, fonts: Mapping[str, str]) -> SourceRecord:
    """``record`` with the font of every plain text that is not plain ASCII, and those fonts in its context."""
    used: dict[str, str] = {}
    fields: list[Field] = []
    for held in record.fields:
        font = fonts.get(held.name.casefold()) if held.values and not held.runs else None
        if font and not all(value.isascii() and value.isprintable() for value in held.values):
            used[held.name.casefold()] = font
            fields.append(held._replace(font=font))
        else:
            fields.append(held)
    if not used:
        return record
    told = json.dumps(used, ensure_ascii=False, sort_keys=True)
    return replace(record, fields=tuple(fields), context={**record.context, CONTEXT_KEY: told})


def fonts_in(context: Mapping[str, str]) -> Mapping[str, str]:
    """The fonts that ``with_form_fonts`` noted."""
    told = json.loads(context.get(CONTEXT_KEY, "{}"))
    return {str(name): str(font) for name, font in told.items()}


class _FirstDocument(Exception):  # noqa: N818 - no error
    """The designs are over."""


@dataclass(slots=True)
class _Element:
    name: str
    font: str | None = None
    fields: list[str] = field(default_factory=list)


class _Designs:
    """Gathers designs from the events of a parser."""

    def __init__(self) -> None:
        self.found: list[Design] = []
        self._design: Design | None = None
        self._open: list[_Element] = []
        self._title: list[str] | None = None

    def open(self, name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        if self._design is None:
            self._begin(name, attributes)
            return
        if len(self._open) >= _MOST_DEPTH:
            raise _FirstDocument
        around = self._open[-1]
        if name == "font":
            # An empty child that applies to all of the element around it, what stands before it included.
            around.font = attributes.get("name")
        elif name == "field" and attributes.get("name"):
            around.fields.append(attributes["name"])
        elif name == "subformref" and attributes.get("name"):
            self._design.subforms += attributes["name"].split("|")
        elif name == "item" and attributes.get("name", "").casefold() == "$title":
            self._title = []
        self._open.append(_Element(name))

    def close(self, name: str) -> None:
        if self._design is None:
            return
        done = self._open.pop()
        if done.font:
            self._design.fields += [(each, done.font) for each in done.fields]
        elif self._open:
            self._open[-1].fields += done.fields
        if done.name == "item" and self._title is not None:
            self._design.names += "".join(self._title).strip().split("|")
            self._title = None
        if not self._open:
            self.found.append(self._design)
            self._design = None

    def text(self, text: str) -> None:
        if self._title is not None:
            self._title.append(text)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        kind = attributes.get("class", "document") if name == "note" else name
        if kind in DESIGNS:
            named = [attributes.get("name", ""), *attributes.get("alias", "").split("|")]
            self._design = Design(kind, [each for each in named if each])
            self._open = [_Element(name)]
        elif name in RECORDS and kind in RECORDS:
            raise _FirstDocument
