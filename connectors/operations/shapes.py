"""Reads a package whose tags are those of an earlier one: only its texts are new.

The programs that write packages fill in forms, so that those of one program differ in little but their texts.
Markup whose tags are those of markup that the parser has taken, and whose texts hold nothing that could be markup,
is well formed and has the same elements; so what each element is has to be found out only once. That is done by
``ElementReader``, on the tags alone. Whatever is not as plain as that (an entity, CDATA, a signature, text where
none belongs, elements with a defect) is left to it altogether.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, repeat
from operator import itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from connectors.operations.elements import (
    ATTACHMENT,
    PAYLOAD,
    ElementReader,
    EncodedAttachment,
    Payload,
    encoded_attachment,
    payload_at,
)
from connectors.operations.skeleton import RefusedError, Skeleton, Span
from connectors.operations.xml_tree import parse_package
from schemas.record import NO_ATTRIBUTES, BytesContent, Content, Field

_MAX_SIZE = 1 << 20  # far from where the parser would refuse a text or lose count of lines
_MAX_TAGS = 1000
_SHAPES = 128
# All bytes but angle brackets and those that a parser refuses or changes: ampersands, controls, and the first byte
# of U+F000 to U+FFFF, where characters lie that XML forbids.
_PLAIN = bytes({*b"\t\r\n", *range(0x20, 0x100)} - {*b"<>&\xef"})
_DECLARATION = re.compile(
    r"""\?xml version=["']1\.0["'](?: encoding=["']utf-8["'])?(?: standalone=["'](?:yes|no)["'])? ?\?""",
    re.IGNORECASE,
)
_VALUE = re.compile('"([^"]*)"')
_EMPTY = '""'
_WHITE = " \t\n"
_LINE_END = "\n"
_NONE_YET = Field("", "element")
_new = tuple.__new__  # without the call that ``Field(…)`` is in Python


class Texts(NamedTuple):
    """All texts of a package and the paths of their elements, which are one object for all packages of a shape."""

    paths: tuple[str, ...]
    values: tuple[str, ...]


class Elements(NamedTuple):
    """What the elements of a package say; see ``Scan``."""

    version: str
    fields: tuple[Field, ...]
    attachments: tuple[EncodedAttachment, ...]
    texts: Texts | None


def read_known(skeleton: Skeleton, source: Content, first_line: int) -> Elements | None:
    """The elements of a package, if it is as plain as can be and its tags were met before; otherwise ``None``.

    Args:
        skeleton: of the package, whose declaration is to be believed.
        source: the bytes that its spans are of.
        first_line: line of the file where the skeleton begins.
    """
    tokens = _tokens(skeleton.data) if len(skeleton.data) <= _MAX_SIZE else None
    if tokens is None or tokens[0] or len(tokens) > 2 * _MAX_TAGS:
        return None
    tags = tokens[1::2]
    shape = shape_of(tuple([_without_values(tag) if '"' in tag else tag for tag in tags]))
    return shape.read(tags, tokens[2::2], skeleton.spans, source, first_line)


def _tokens(data: bytes) -> list[str] | None:
    """What stands before, between and after all angle brackets: text, tag, text, tag …, text."""
    brackets = data.translate(None, _PLAIN)
    if brackets != b"<>" * (len(brackets) // 2):
        return None
    try:
        markup = data.replace(b">", b"<").decode()
    except UnicodeDecodeError:
        return None
    if "\r" in markup:
        markup = markup.replace("\r\n", _LINE_END)  # as the parser does: XML 1.0 §2.11
        if "\r" in markup:
            return None
    return markup.split("<")


def _without_values(tag: str) -> str:
    return tag if _is_whole(tag) else _VALUE.sub(_EMPTY, tag)


def _is_whole(tag: str) -> bool:
    """True for a tag whose attributes mean something to the parser (``xmlns``, ``xml:…``) or would be changed by it.

    And for what is no tag: in a comment a quoted text can be wrong, for XML 1.0 §2.5 forbids two hyphens there.
    """
    return tag[0] in "!?" or "xml" in tag or "'" in tag or "\n" in tag or "\t" in tag


@lru_cache(maxsize=_SHAPES)
def shape_of(tags: tuple[str, ...]) -> Shape:
    """The shape of the packages with these ``tags``, attribute values left out; it remembers that it was met."""
    return Shape(tags)


class _Between(NamedTuple):
    """What stands between the elements: number of the first line, texts, and the numbers that stand for payloads."""

    first_line: int
    texts: Sequence[str]
    payloads: Sequence[str]


class _Lines(NamedTuple):
    """Lines of the leaves and of the nodes of a plan."""

    leaves: Sequence[int]
    nodes: Sequence[int]


class Shape:
    """The tags of packages. They are looked into when they come again, for many come only once.

    Nothing of a package's texts is kept but the white space between its elements.
    """

    def __init__(self, tags: tuple[str, ...]) -> None:
        self._tags = tags
        self._met = self._known = False
        self._plan: _Plan | None = None
        self._last: tuple[_Between | None, _Lines] = (None, _Lines((), ()))

    def read(
        self,
        tags: Sequence[str],
        texts: Sequence[str],
        spans: Sequence[Span],
        source: Content,
        first_line: int,
    ) -> Elements | None:
        """The elements of the package with these ``tags``, each of which its text follows; see ``read_known``."""
        if self._met and not self._known:
            self._plan, self._known = _planned(self._tags), True
        self._met = True
        plan = self._plan
        if plan is None:
            return None
        between = _Between(first_line, plan.between(texts), [texts[tag] for _, tag in plan.payloads])
        own = plan.own(texts)
        lines = self._lines(plan, between, own, tags, texts)
        if lines is None:
            return None
        payloads = [payload_at(number, spans, source) for number in between.payloads]
        return _filled(plan, lines, own, payloads, tags, texts)

    def _lines(
        self, plan: _Plan, between: _Between, own: Sequence[str], tags: Sequence[str], texts: Sequence[str]
    ) -> _Lines | None:
        """The lines of all elements; ``None`` when there is text between them."""
        # What stands between them is the same in most packages of a program, and so are then the lines.
        last, lines = self._last
        broken = _LINE_END in "".join(own)
        if between == last and not broken:
            return lines
        if "".join(between.texts).strip(_WHITE):
            return None
        lines = _counted(plan, between.first_line, tags, texts)
        if not broken:
            self._last = between, lines
        return lines


class _Plan(NamedTuple):
    """How the elements of a package are made of its texts.

    An element is a leaf, which is a text and nothing else, or a node. Elements have slots level by level, so that the
    children of each lie side by side; nodes are made from the last to the first.

    Attributes:
        version: of the package. parts: how many it has.
        own, between: take the texts of leaves, and those that must be empty, out of all.
        names, paths: of the leaves. spread: gives each slot its leaf, or what follows the leaves.
        nodes: slot, name and children of each. starts: their tags. attributes: those that do not vary.
        varying: node, tag, and names of attributes, where they do. texts: node and tag where a text is beside them.
        payloads: node and tag of each. files: slot of each attachment, and number of its payload.
    """

    version: str
    parts: int
    own: itemgetter[Any]
    between: itemgetter[Any]
    names: list[str]
    paths: tuple[str, ...]
    spread: itemgetter[Any]
    nodes: list[tuple[int, str, slice]]
    starts: list[int]
    attributes: list[Mapping[str, str]]
    varying: list[tuple[int, int, tuple[str, ...]]]
    texts: list[tuple[int, int]]
    payloads: list[tuple[int, int]]
    files: list[tuple[int, int | None]]


def _planned(tags: Sequence[str]) -> _Plan | None:
    """What ``ElementReader`` makes of the tags alone; ``None`` where texts might change more than themselves."""
    if tags[0].startswith("?") and not _DECLARATION.fullmatch(tags[0]):
        return None
    # Each tag is given a line, so that the line of an element is the number of its tag.
    markup = "".join(f"<{tag}>".replace("\n", " ") + _LINE_END for tag in tags).encode()
    try:
        tree = parse_package(markup, None, 0)
        reader = ElementReader(BytesContent(b""), (), 0)
        reader.read(tree.root)
    except RefusedError:
        return None
    if tree.defects or reader.defects or markup[tree.end :].strip():
        return None
    return _plan(reader.version, reader.fields, tags)


def _plan(version: str, parts: Sequence[Field], tags: Sequence[str]) -> _Plan | None:
    elements, paths, children = _levels(parts)
    starts = [field.line or 0 for field in elements]
    leaves = {slot: at for at, slot in enumerate(_leaves(elements))}
    slots = [slot for slot in reversed(range(len(elements))) if slot not in leaves]
    payloads, files = _payloads_and_files(elements, children, slice(0, len(parts)))
    varying = [
        (at, starts[slot], tuple(elements[slot].attributes))
        for at, slot in enumerate(slots)
        if _EMPTY in tags[starts[slot]] and not _is_whole(tags[starts[slot]])
    ]
    texts = [(at, starts[slot]) for at, slot in enumerate(slots) if elements[slot].values]
    if not (
        len(leaves) > 1
        and {field.values for field in elements} == {(), (_LINE_END,)}
        and all(tags[tag].count(_EMPTY) == len(named) for _, tag, named in varying)
        and not any(tags[starts[slot]].endswith("/") for slot in payloads)
    ):
        return None
    filled = {starts[slot] for slot in (*leaves, *payloads)} | {tag for _, tag in texts}
    return _Plan(
        version=version,
        parts=len(parts),
        own=itemgetter(*(starts[slot] for slot in leaves)),
        between=itemgetter(*(tag for tag in range(len(tags)) if tag not in filled)),
        names=[elements[slot].name for slot in leaves],
        paths=tuple(paths[slot] for slot in leaves),
        spread=itemgetter(*(leaves.get(slot, len(leaves)) for slot in range(len(elements)))),
        nodes=[(slot, elements[slot].name, children[slot]) for slot in slots],
        starts=[starts[slot] for slot in slots],
        attributes=[elements[slot].attributes for slot in slots],
        varying=varying,
        texts=texts,
        payloads=[(slots.index(slot), starts[slot]) for slot in payloads],
        files=files,
    )


def _levels(parts: Sequence[Field]) -> tuple[list[Field], list[str], list[slice]]:
    """All elements level by level, which gives each its slot, with their paths and the slots of their children."""
    elements, paths, children = list(parts), [field.name for field in parts], []
    for field, path in zip(elements, paths, strict=False):  # which grow until the last level is reached
        children.append(slice(len(elements), len(elements) + len(field.children)))
        elements += field.children
        paths += [f"{path}/{child.name}" for child in field.children]
    return elements, paths, children


def _leaves(elements: Sequence[Field]) -> Iterator[int]:
    for slot, field in enumerate(elements):
        if field.values and not field.attributes:
            yield slot


def _payloads_and_files(
    elements: Sequence[Field], children: Sequence[slice], parts: slice
) -> tuple[list[int], list[tuple[int, int | None]]]:
    """Slots of payloads, and of attachments with the number of their payload, joined as ``ElementReader`` does."""
    payloads: list[int] = []
    files: list[tuple[int, int | None]] = []
    held: int | None = None
    for slot in _by_end(children, parts):
        if elements[slot].name == PAYLOAD:
            held = len(payloads) if held is None else held
            payloads.append(slot)
        elif elements[slot].name == ATTACHMENT:
            files.append((slot, held))
            held = None
    return payloads, files


def _by_end(children: Sequence[slice], slots: slice) -> Iterator[int]:
    for slot in range(slots.start, slots.stop):
        yield from _by_end(children, children[slot])
        yield slot


def _counted(plan: _Plan, first_line: int, tags: Sequence[str], texts: Sequence[str]) -> _Lines:
    breaks = (
        tag.count(_LINE_END) + before.count(_LINE_END)
        for tag, before in zip(tags, ("", *texts), strict=False)
    )
    lines = list(accumulate(breaks, initial=first_line))[1:]
    return _Lines(plan.own(lines), [lines[tag] for tag in plan.starts])


def _filled(
    plan: _Plan,
    lines: _Lines,
    own: tuple[str, ...],
    payloads: Sequence[Payload],
    tags: Sequence[str],
    texts: Sequence[str],
) -> Elements:
    kind, nothing, plain, no_font = repeat("element"), repeat(()), repeat(NO_ATTRIBUTES), repeat(None)
    printed = [(text,) if text else () for text in own]
    leaves = zip(plan.names, kind, printed, nothing, nothing, plain, lines.leaves, no_font, strict=False)
    made: list[Field] = list(plan.spread((*map(_new, repeat(Field), leaves), _NONE_YET)))
    values: list[tuple[str, ...]] = [()] * len(plan.nodes)
    for at, tag in plan.texts:
        values[at] = (texts[tag],) if texts[tag] else ()
    attributes = plan.attributes.copy()
    for at, tag, named in plan.varying:
        attributes[at] = MappingProxyType(dict(zip(named, _VALUE.findall(tags[tag]), strict=True)))
    for (at, _), payload in zip(plan.payloads, payloads, strict=True):
        attributes[at] = MappingProxyType({**attributes[at], "size": str(payload.raw.size)})
    for (slot, name, below), own_values, held, line in zip(
        plan.nodes, values, attributes, lines.nodes, strict=True
    ):
        made[slot] = _new(Field, (name, "element", own_values, (), tuple(made[below]), held, line, None))
    files = [
        encoded_attachment(number, made[slot], None if payload is None else payloads[payload])
        for number, (slot, payload) in enumerate(plan.files, start=1)
    ]
    printed_texts = None if plan.texts else Texts(plan.paths, own)
    return Elements(plan.version, tuple(made[: plan.parts]), tuple(files), printed_texts)
