"""What exactly an XML signature signs: the whole document, or a part of it.

A signature over a part is no signature on the document: whatever stands beside the part can be replaced
(signature wrapping).
"""

from __future__ import annotations

from lxml import etree

from signatures.verdict import Coverage
from signatures.xades import SIGNED_PROPERTIES_TYPES, is_counter_signature
from signatures.xml_guard import DS, Prepared

ABOUT_THE_SIGNATURE = frozenset({"QualifyingProperties", "SignatureProperties"})
"""Children of ds:Object that speak of the signature and are no content (XMLDSig §5.2, EN 319 132-1 §4.3)."""


def scope_of(prepared: Prepared) -> Coverage:
    """WHOLE_FILE when the root, or everything in an enveloping signature, is signed; else PARTIAL.

    A counter signature is whole when it signs the SignatureValue of the signature that it stands in, and
    nothing else: that value binds all that its parent signs.
    """
    content = [item for item in prepared.references if item.type not in SIGNED_PROPERTIES_TYPES]
    parent = is_counter_signature(prepared.element)
    if parent is not None:
        value = parent.find(f"{{{DS}}}SignatureValue")
        return Coverage.WHOLE_FILE if [item.target for item in content] == [value] else Coverage.PARTIAL
    root = prepared.element.getroottree().getroot()
    if (
        any((item.whole or item.target is root) and not item.text_only for item in content)
        and root is not prepared.element
    ):
        hides = _hides_content(prepared, root, [item.target for item in prepared.references])
        return Coverage.PARTIAL if hides else Coverage.WHOLE_FILE
    if (
        root is prepared.element
        and content
        and _enveloping_whole(prepared, [item.target for item in content])
    ):
        return Coverage.WHOLE_FILE
    return Coverage.PARTIAL


def _hides_content(prepared: Prepared, root: etree._Element, targets: list[etree._Element | None]) -> bool:
    """True when an enveloped signature, which leaves itself out, holds what a reader could take for content.

    That is a ds:Object which is not signed and not about the signature, or anywhere in the unsigned rest an
    element of the document's own vocabulary.
    """
    for holder in prepared.element.findall(f"{{{DS}}}Object"):
        about = [
            etree.QName(child).localname in ABOUT_THE_SIGNATURE
            for child in holder.iterchildren(etree.Element)
        ]
        if holder not in targets and not (about and all(about)):
            return True
    namespace = etree.QName(root).namespace
    pattern = f"{{{namespace}}}*" if namespace else "{}*"
    return namespace != DS and any(
        element not in targets
        and not any(parent in targets for parent in element.iterancestors() if parent is not root)
        for element in prepared.element.iter(pattern)
    )


def _enveloping_whole(prepared: Prepared, targets: list[etree._Element]) -> bool:
    """Every ds:Object with content of its own is a target, or its only content is."""
    for holder in prepared.element.findall(f"{{{DS}}}Object"):
        children = list(holder.iterchildren(etree.Element))
        if children and all(etree.QName(child).localname in ABOUT_THE_SIGNATURE for child in children):
            continue
        if holder in targets:
            continue
        loose_text = (holder.text or "").strip() or any((child.tail or "").strip() for child in children)
        if not children or loose_text or any(child not in targets for child in children):
            return False
    return all(prepared.element in target.iterancestors() for target in targets)
