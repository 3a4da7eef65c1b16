"""Parses the skeleton of a package with lxml: no document type, no entity, nothing from outside.

A prefix that is declared nowhere is the one fault against well-formedness that leaves a text saying what it
says, so it alone is survived here; every other refuses the package with its position.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from connectors.operations.defects import defect
from connectors.operations.elements import ROOTS
from connectors.operations.qualified_names import unbound_prefix
from connectors.operations.skeleton import RefusedError
from schemas.record import Defect

_PROLOG = re.compile(
    rb"(?:\s|<\?.*?\?>|<!--.*?-->)*"
    rb"(?:<!DOCTYPE\s+(?P<dtd>[^\s>\[]*)|<(?:[\w.\-]+:)?(?P<root>[\w.\-]+))?",
    re.DOTALL,
)
_DECLARATION = re.compile(rb"<\?xml\s[^>]*\?>")
_ROOT_END = re.compile(rb"</(?:[\w.\-]+:)?(?:edXML|Envelope)\s*>")
_NAMESPACE = etree.ErrorDomains.NAMESPACE
_UNSUPPORTED_ENCODING = etree.ErrorTypes.ERR_UNSUPPORTED_ENCODING


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed text: its root element, the byte where that ends, and the prefixes that were declared nowhere."""

    root: etree._Element
    end: int
    defects: tuple[Defect, ...] = ()


def parse_package(data: bytes, encoding: str | None, first_line: int) -> Tree:
    """Parse the package that ``data`` begins with, up to the end of its root element.

    Args:
        data: the skeleton, from its first ``<`` on.
        encoding: to read it in, whatever it declares; ``None`` to believe it.
        first_line: line of the file where ``data`` begins.

    Raises:
        RefusedError: a document type, another root element, or anything not well-formed.
    """
    _check_prolog(data, first_line)
    last = data.rfind(b"</")
    found = _ROOT_END.match(data, last) if last >= 0 else None
    ends = [found.end()] if found else [match.end() for match in _ROOT_END.finditer(data)]
    end = ends[-1] if ends else len(data)
    try:
        return _parse(data[:end], encoding, first_line, end)
    except RefusedError:
        # More than one end tag of that name: the package may end at the first.
        first = _ROOT_END.search(data)
        if first is None or first.end() == end:
            raise
        return _parse(data[: first.end()], encoding, first_line, first.end())


def parse_fragment(markup: bytes, package: bytes, encoding: str | None, first_line: int) -> Tree:
    """Parse elements that follow one another, in the encoding that ``package`` declares; their parent is made up.

    Raises:
        RefusedError: they are not well-formed.
    """
    declared = _DECLARATION.match(package)
    declaration = b" ".join(declared.group().split()) if declared else b""
    return _parse(declaration + b"<rest>" + markup + b"</rest>", encoding, first_line, len(markup))


def _check_prolog(data: bytes, first_line: int) -> None:
    found = _PROLOG.match(data)
    if found is None:
        return
    breaks = data.count(b"\n", 0, found.end())
    where = f"line {first_line + breaks}"
    if found["dtd"] is not None:
        name = found["dtd"].decode("utf-8", "replace")
        raise RefusedError("dtd_forbidden", f"declares a document type ({name}); packages have none", where)
    root = (found["root"] or b"").decode("utf-8", "replace")
    if root and root not in ROOTS:
        raise RefusedError("not_edxml", f"the root element is {root}, not edXML", where)


def _parse(data: bytes, encoding: str | None, first_line: int, end: int) -> Tree:
    try:
        return Tree(etree.fromstring(data, _parser(encoding, tolerant=False)), end)
    except etree.XMLSyntaxError as error:
        parser = _parser(encoding, tolerant=True)
        root = etree.fromstring(data, parser) if data.strip() else None
        if root is None or any(entry.domain != _NAMESPACE for entry in parser.error_log):
            raise _malformed(data, error, first_line) from None
        return Tree(root, end, _unbound_prefixes(root, first_line))
    except ValueError as error:
        raise RefusedError("xml_malformed", f"cannot be parsed: {error}", f"line {first_line}") from None


def _parser(encoding: str | None, *, tolerant: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding=encoding,
        recover=tolerant,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )


def _unbound_prefixes(root: etree._Element, first_line: int) -> tuple[Defect, ...]:
    lines: dict[str, int] = {}
    for element in root.iter():
        for qualified in (element.tag, *element.keys()):
            if prefix := unbound_prefix(qualified):
                lines.setdefault(prefix, first_line - 1 + (element.sourceline or 0))
    return tuple(defect("unbound_prefix", f"line {line}", prefix=prefix) for prefix, line in lines.items())


def _malformed(data: bytes, error: etree.XMLSyntaxError, first_line: int) -> RefusedError:
    line, column = error.position
    where = f"line {line + first_line - 1}, column {column}"
    problem = str(error.msg).partition(", line ")[0]
    if error.code == _UNSUPPORTED_ENCODING:
        return RefusedError("encoding_unsupported", f"cannot be read: {problem}", where)
    if _ROOT_END.search(data) is None:
        return RefusedError("xml_truncated", f"the package ends in the middle: {problem}", where)
    return RefusedError("xml_malformed", f"not well-formed XML: {problem}", where)
