"""Where a package keeps its signatures, and what in it a signature leaves unsigned.

ECMA-376 Part 2 §10.4; which relationships Office never signs: [MS-OFFCRYPTO] §2.5.2.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from signatures.opc_package import PACKAGE, Package, Relationship, is_relationships, source_of
from signatures.xml_guard import RefusedError

_PACKAGE_TYPES = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE_TYPES = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
_ORIGIN = f"{_PACKAGE_TYPES}/digital-signature/origin"
_SIGNATURE = f"{_PACKAGE_TYPES}/digital-signature/signature"
_SIGNATURE_CONTENT = "application/vnd.openxmlformats-package.digital-signature-"


def _office(*names: str) -> frozenset[str]:
    return frozenset(f"{base}/{name}" for base in _OFFICE_TYPES for name in names)


_ABOUT_THE_PACKAGE = frozenset(
    {_ORIGIN, f"{_PACKAGE_TYPES}/metadata/core-properties", f"{_PACKAGE_TYPES}/metadata/thumbnail"}
) | _office("extended-properties", "custom-properties", "extendedProperties", "customProperties")
"""Relationships of the package that Office leaves unsigned: they say something about the file, nothing in it."""

_VIEW_SETTINGS = _office("presProps", "viewProps")
"""How a presentation was last looked at; Office leaves them unsigned, since looking changes them."""

_CUSTOM_XML = _office("customXml", "customXmlProps")
"""Data beside the document. Unsigned it does no harm, unless the document shows it in bound fields."""


def signature_parts(package: Package) -> tuple[list[str], list[str]]:
    """Signature parts that the origin refers to, and parts that claim to be a signature and are referred to by
    nobody.

    Raises:
        RefusedError: there is more than one origin, or a signature is missing or is typed as something else.
    """
    origins = [item for item in package.relationships.get(PACKAGE, ()) if item.type == _ORIGIN]
    if len(origins) > 1:
        raise RefusedError(f"{len(origins)} digital signature origins in one package")
    referred = [
        item.target
        for origin in origins
        for item in package.relationships.get(origin.target, ())
        if item.type == _SIGNATURE
    ]
    for target in referred:
        if target not in package.parts:
            raise RefusedError(f"the signature {target} is not in the package")
        if package.parts[target].lower() != f"{_SIGNATURE_CONTENT}xmlsignature+xml":
            raise RefusedError(f"the signature {target} is said to be of type {package.parts[target]!r}")
    stray = [
        part
        for part, kind in package.parts.items()
        if part not in referred and (kind == f"{_SIGNATURE_CONTENT}xmlsignature+xml" or _is_named_so(part))
    ]
    return referred, stray


def unsigned(package: Package, covered: Mapping[str, frozenset[str] | None]) -> Iterator[str]:
    """Every part and relationship that readers act on and the signature leaves out.

    Args:
        package: the whole package.
        covered: the signed parts; of a relationships part the ids that are signed.
    """
    signed_ids = {source_of(part): ids for part, ids in covered.items() if is_relationships(part) and ids}
    excused = _VIEW_SETTINGS if _shows_data(package, covered) else _VIEW_SETTINGS | _CUSTOM_XML
    beside: set[str] = set()
    vouched: set[str] = set()
    for source, relationships in package.relationships.items():
        for item in relationships:
            if item.id in signed_ids.get(source, frozenset()):
                vouched.add(item.target)
            elif _is_beside(package, source, item, excused):
                beside.add(item.target)
            else:
                yield f"{source} → {item.target} ({item.id})"
    # What a signed relationship leads to is content, whatever else leads there.
    beside -= vouched
    for part in package.parts:
        known = part in covered or part in beside or is_relationships(part)
        if not known and not _is_of_signatures(package, part):
            yield part


def _is_beside(package: Package, source: str, item: Relationship, excused: frozenset[str]) -> bool:
    if item.external:
        return False
    if _is_of_signatures(package, source):
        return _is_of_signatures(package, item.target)
    return item.type in (_ABOUT_THE_PACKAGE if source == PACKAGE else excused)


def _shows_data(package: Package, covered: Mapping[str, object]) -> bool:
    return any(
        b"dataBinding" in package.read(part)
        for part in covered
        if "wordprocessingml" in package.parts.get(part, "")
    )


def _is_of_signatures(package: Package, part: str) -> bool:
    """True for the origin and for the signatures themselves, which cannot sign each other's arrival."""
    return package.parts.get(part, "").startswith(_SIGNATURE_CONTENT)


def _is_named_so(part: str) -> bool:
    return part.lower().startswith("/_xmlsignatures/") and part.lower().endswith(".xml")
