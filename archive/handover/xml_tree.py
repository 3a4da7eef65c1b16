"""Writing XML: elements with text that XML can hold, and one spelling for equal trees."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from lxml import etree

from schemas.errors import FatalError

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XLINK = "http://www.w3.org/1999/xlink"

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def xml_text(text: str) -> str:
    """``text`` with U+FFFD for each character that XML 1.0 cannot hold (production 2: NUL, controls, surrogates)."""
    return _FORBIDDEN.sub("\ufffd", text)


class Tree:
    """Makes the elements of one namespace (``""`` for none)."""

    def __init__(self, namespace: str, prefixes: Mapping[str | None, str] = MappingProxyType({})) -> None:
        self._namespace = namespace
        self._prefixes = dict(prefixes)

    def root(self, name: str, attributes: Mapping[str, str] = MappingProxyType({})) -> etree._Element:
        """A root element that declares the prefixes."""
        element = etree.Element(self._name(name), nsmap=self._prefixes or None)
        return _filled(element, None, attributes)

    def add(
        self,
        parent: etree._Element,
        name: str,
        text: str | None = None,
        attributes: Mapping[str, str] = MappingProxyType({}),
    ) -> etree._Element:
        """A new last child of ``parent``."""
        return _filled(etree.SubElement(parent, self._name(name)), text, attributes)

    def _name(self, name: str) -> str:
        return f"{{{self._namespace}}}{name}" if self._namespace else name


def _filled(element: etree._Element, text: str | None, attributes: Mapping[str, str]) -> etree._Element:
    if text is not None:
        element.text = xml_text(text)
    for key, value in attributes.items():
        element.set(key, xml_text(value))
    return element


def serialised(root: etree._Element) -> bytes:
    """``root`` as UTF-8 with declaration, indented; equal trees give equal bytes."""
    etree.indent(root, space="  ")
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8")) + b"\n"


def moment_text(moment: datetime) -> str:
    """``moment`` as ISO 8601 with milliseconds and the offset of Vietnam."""
    return moment.astimezone(_ZONE).isoformat(timespec="milliseconds")


def schema_path(name: str) -> Path:
    """The file of a committed schema."""
    return Path(str(files("schemas"))) / "xsd" / name


@cache
def _schema(name: str) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True, load_dtd=False, resolve_entities=False)
    return etree.XMLSchema(etree.parse(str(schema_path(name)), parser))


def check_against(data: bytes, schema: str, what: str) -> None:
    """Raise ``FatalError`` unless ``data`` is valid against the committed ``schema``."""
    parser = etree.XMLParser(no_network=True, load_dtd=False, resolve_entities=False, huge_tree=True)
    found = _schema(schema)
    if not found.validate(etree.fromstring(data, parser)):
        first = found.error_log[0]
        raise FatalError(
            f"the package's {what} does not follow {schema}",
            where=f"line {first.line}",
            expected=first.type_name,
            action="report this: the program wrote it wrongly, and nothing was handed over",
        )
