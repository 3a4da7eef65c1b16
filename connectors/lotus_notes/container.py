"""What surrounds the records of a DXL export: its root element, its design elements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from xml.parsers import expat

from connectors.lotus_notes.encoding import Encoding

NAMESPACE = "http://www.lotus.com/dxl"
KEPT_ATTRIBUTES = ("replicaid", "title", "path", "version", "maintenanceversion")
DESIGN_ELEMENTS = frozenset(
    {
        "agent", "agentdata", "appletresource", "databasescript", "dataconnection", "db2accessview", "fileresource",
        "folder", "form", "frameset", "helpaboutdocument", "helpusingdocument", "imageresource", "outline", "page",
        "scriptlibrary", "sharedactions", "sharedcolumn", "sharedfield", "stylesheetresource", "subform", "view",
        "webservice",
    }
)  # fmt: skip
"""Elements of a ``<database>`` that hold design, no data (DTD entity ``%design.elements;``)."""

_FURNITURE = frozenset({"databaseinfo", "acl", "fulltextsettings", "launchsettings"})


@dataclass(frozen=True, slots=True)
class Root:
    """The root element that a record stands under.

    Attributes:
        offset: byte offset of its start tag; -1 where the record itself is the root, or the root was lost.
        name: local name, ``database`` or ``""``.
        attributes: as printed, name to value.
    """

    offset: int = -1
    name: str = ""
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def start_tag(tag: bytes, encoding: Encoding) -> tuple[str, dict[str, str]] | None:
    """Qualified name and attributes of one start tag ``<…>``; ``None`` when it is no well-formed tag."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate(encoding.expat)
    parser.StartElementHandler = lambda name, attributes: found.append((name, attributes))
    try:
        parser.Parse(tag, False)
    except (expat.ExpatError, LookupError, ValueError):
        return None
    return found[0] if found else None


def local(name: str) -> str:
    """``name`` without its namespace prefix."""
    return name.rpartition(":")[2]


def design_root(name: str, attributes: Mapping[str, str]) -> bool:
    """True when a root element is a design element of DXL: Teamstudio's archives hold each in a file of its own."""
    prefix = name.rpartition(":")[0]
    namespace = attributes.get(f"xmlns:{prefix}" if prefix else "xmlns")
    return local(name) in DESIGN_ELEMENTS and namespace == NAMESPACE


def foreign(name: str, attributes: Mapping[str, str]) -> bool:
    """True when a root element says that it is no DXL: another name, or another namespace."""
    prefix = name.rpartition(":")[0]
    namespace = attributes.get(f"xmlns:{prefix}" if prefix else "xmlns", NAMESPACE)
    known = {"database", "document", "note", "profiledocument"}
    return local(name) not in known or namespace != NAMESPACE


class Skeleton:
    """A ``<database>`` read without its records: counts its design elements, and says where it is not well
    formed."""

    def __init__(self, encoding: Encoding, skipped: Counter[str]) -> None:
        self._encoding = encoding
        self._skipped = skipped
        self._depth = 0
        self._parser = self._fresh()

    def feed(self, piece: bytes) -> str:
        """What is wrong with ``piece``, or ``""``; after an error a new root is to be fed first."""
        try:
            self._parser.Parse(piece, False)
        except expat.ExpatError as error:
            self._depth = 0
            self._parser = self._fresh()
            return expat.ErrorString(error.code)
        return ""

    def _fresh(self) -> expat.XMLParserType:
        parser = expat.ParserCreate(self._encoding.expat)
        parser.StartElementHandler = self._opened
        parser.EndElementHandler = self._closed
        return parser

    def _opened(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 2 and local(name) not in _FURNITURE:
            self._skipped[local(name)] += 1

    def _closed(self, name: str) -> None:
        self._depth -= 1
