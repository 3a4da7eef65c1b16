"""An Open Packaging Conventions package: parts, their content types, and the relationships between them.

ECMA-376 Part 2 (5th edition, ISO/IEC 29500-2:2021) §6.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from lxml import etree

from signatures.xml_guard import RefusedError, parse
from signatures.zip_container import ZipContainer

CONTENT_TYPES = "[Content_Types].xml"
RELATIONSHIPS_TYPE = "application/vnd.openxmlformats-package.relationships+xml"
PACKAGE = "/"
"""The source of relationships that belong to the package itself."""

_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"


@dataclass(frozen=True, slots=True)
class Relationship:
    """One relationship.

    Attributes:
        id: unique in its part. type: URI. external: its target lies outside of the package.
        target: part name, absolute and in the package's spelling; as printed when external.
    """

    id: str
    type: str
    target: str
    external: bool


@dataclass(frozen=True, slots=True)
class Package:
    """A package.

    Attributes:
        container: the ZIP.
        parts: content type by part name (``/word/document.xml``), relationship parts included.
        relationships: by source part name, ``PACKAGE`` for the package.
    """

    container: ZipContainer
    parts: Mapping[str, str]
    relationships: Mapping[str, tuple[Relationship, ...]]

    def read(self, part: str) -> bytes:
        """The bytes of a part. Raises ``RefusedError`` when it is damaged."""
        return self.container.read(part[1:])


def is_relationships(part: str) -> bool:
    """True for the name of a part that holds relationships."""
    return part.endswith(".rels") and posixpath.basename(posixpath.dirname(part)) == "_rels"


def source_of(part: str) -> str:
    """The part whose relationships ``part`` holds: ``/word/_rels/document.xml.rels`` → ``/word/document.xml``."""
    folder = posixpath.dirname(posixpath.dirname(part))
    name = posixpath.basename(part).removesuffix(".rels")
    return posixpath.join(folder, name) if name else PACKAGE


def read_package(container: ZipContainer) -> Package:
    """Read content types and every relationship.

    Raises:
        RefusedError: a part has no content type or two, relationships have no source, share an id, or are
            no XML without DTD.
    """
    types = _ContentTypes(_parsed(container.read(CONTENT_TYPES), CONTENT_TYPES))
    parts = {f"/{name}": types.of(f"/{name}") for name in container.names if name != CONTENT_TYPES}
    spelling = {part.lower(): part for part in parts}
    relationships: dict[str, tuple[Relationship, ...]] = {}
    for part in parts:
        if not is_relationships(part):
            continue
        source = source_of(part)
        if source != PACKAGE and source not in parts:
            raise RefusedError(f"{part} belongs to no part of the package")
        relationships[source] = _relationships(_parsed(container.read(part[1:]), part), source, spelling)
    return Package(container, parts, relationships)


def relationship_elements(root: etree._Element) -> list[etree._Element]:
    """The Relationship elements of a relationships part."""
    return list(root.iterchildren(f"{{{_RELATIONSHIPS}}}Relationship"))


def _parsed(data: bytes, name: str) -> etree._Element:
    try:
        return parse(data)
    except etree.XMLSyntaxError as error:
        raise RefusedError(f"{name} is not well-formed: {error}") from error


class _ContentTypes:
    def __init__(self, root: etree._Element) -> None:
        if root.tag != f"{{{_TYPES}}}Types":
            raise RefusedError(f"the content types are in an element {root.tag}")
        self._default: dict[str, str] = {}
        self._override: dict[str, str] = {}
        for element in root.iterchildren(f"{{{_TYPES}}}Default"):
            self._enter(self._default, element.get("Extension", ""), element)
        for element in root.iterchildren(f"{{{_TYPES}}}Override"):
            self._enter(self._override, element.get("PartName", ""), element)

    def _enter(self, table: dict[str, str], key: str, element: etree._Element) -> None:
        if table.setdefault(key.lower(), element.get("ContentType", "")) != element.get("ContentType", ""):
            raise RefusedError(f"two content types for {key!r}")

    def of(self, part: str) -> str:
        extension = posixpath.basename(part).rpartition(".")[2]
        found = self._override.get(part.lower()) or self._default.get(extension.lower())
        if not found:
            raise RefusedError(f"the part {part} has no content type")
        return found


def _relationships(
    root: etree._Element, source: str, spelling: Mapping[str, str]
) -> tuple[Relationship, ...]:
    if root.tag != f"{{{_RELATIONSHIPS}}}Relationships":
        raise RefusedError(f"the relationships of {source} are in an element {root.tag}")
    found: dict[str, Relationship] = {}
    for element in relationship_elements(root):
        identifier = element.get("Id", "")
        external = element.get("TargetMode", "Internal") == "External"
        target = element.get("Target", "")
        if not external:
            folder = posixpath.dirname(source)
            joined = posixpath.normpath(posixpath.join(folder, unquote(target.partition("#")[0])))
            target = spelling.get(joined.lower(), joined)
        if identifier in found:
            raise RefusedError(f"two relationships {identifier!r} of {source}")
        found[identifier] = Relationship(identifier, element.get("Type", ""), target, external)
    return tuple(found.values())
