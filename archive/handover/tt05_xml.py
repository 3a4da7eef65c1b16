"""The descriptive metadata of Circular 05/2025/TT-BNV: ``EAD.xml`` and ``EAD_doc_….xml``, both ``simpledc``."""

from __future__ import annotations

from collections.abc import Mapping

from archive.handover.tt05_fields import Rule
from archive.handover.xml_tree import Tree, serialised

_TREE = Tree("")
_XS = "http://www.w3.org/2001/XMLSchema"


def fields_xml(values: Mapping[str, str]) -> bytes:
    """``values`` as the Circular's ``simpledc``, empty fields included."""
    root = _TREE.root("simpledc")
    for name, value in values.items():
        _TREE.add(root, name, value or None)
    return serialised(root)


def fields_schema(rules: tuple[Rule, ...]) -> bytes:
    """A schema for ``simpledc`` with these fields in any order, as the Circular's own.

    No length is enforced: what is longer goes out whole and is told, not cut.
    """
    tree = Tree(_XS, {"xs": _XS})
    root = tree.root("schema")
    element = tree.add(root, "element", attributes={"name": "simpledc"})
    group = tree.add(tree.add(element, "complexType"), "all")
    for rule in rules:
        tree.add(group, "element", attributes={"name": rule.name, "type": "xs:string", "minOccurs": "0"})
    return serialised(root)
