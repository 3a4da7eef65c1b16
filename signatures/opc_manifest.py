"""What an OOXML signature signs: the manifest of parts and relationships in its package object.

ECMA-376 Part 2 §10 (digital signatures); [MS-OFFCRYPTO] §2.5. The signature's own value vouches for the
object that holds the manifest; the digests in the manifest are computed here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from lxml import etree

from signatures.opc_coverage import unsigned
from signatures.opc_package import (
    RELATIONSHIPS_TYPE,
    Package,
    is_relationships,
    relationship_elements,
    source_of,
)
from signatures.xml_guard import CANONICALIZATIONS, DIGESTS, DS, Prepared, RefusedError, parse

OPC_SIGNATURE = "http://schemas.openxmlformats.org/package/2006/digital-signature"
RELATIONSHIP_TRANSFORM = "http://schemas.openxmlformats.org/package/2006/RelationshipTransform"
MAX_MANIFEST = 20_000


@dataclass(frozen=True, slots=True)
class Signed:
    """What a manifest signs.

    Attributes:
        broken: names of the signed parts that are not what was signed, or are missing.
        unsigned: parts and relationships that readers act on and nobody signed.
        claimed_time: the package object's SignatureTime, aware; ``None`` without one.
    """

    broken: tuple[str, ...]
    unsigned: tuple[str, ...]
    claimed_time: datetime | None


def check_manifest(package: Package, prepared: Prepared) -> Signed:
    """Compute every digest of the signature's manifest, and what it leaves out.

    Raises:
        RefusedError: there is not exactly one manifest, the signature does not vouch for it, or a reference
            in it is no reference to a part of the package.
    """
    manifest = _manifest(prepared)
    references = list(manifest.iterchildren(f"{{{DS}}}Reference"))
    if not 1 <= len(references) <= MAX_MANIFEST:
        raise RefusedError(f"{len(references)} references in the manifest; 1 to {MAX_MANIFEST} are read")
    covered: dict[str, frozenset[str] | None] = {}
    broken: list[str] = []
    for reference in references:
        part, content_type = _place(reference)
        ids, octets = _octets(package, part, content_type, reference)
        if octets is None or not _digest_holds(reference, octets):
            broken.append(part)
        earlier = covered.get(part, frozenset())
        covered[part] = None if ids is None or earlier is None else ids | earlier
    return Signed(tuple(broken), tuple(unsigned(package, covered)), _signature_time(manifest.getparent()))


def _manifest(prepared: Prepared) -> etree._Element:
    found = list(prepared.element.iter(f"{{{DS}}}Manifest"))
    if len(found) != 1:
        raise RefusedError(f"{len(found)} manifests in the signature of a package instead of one")
    holder = found[0].getparent()
    if holder is None or holder.tag != f"{{{DS}}}Object" or holder.getparent() is not prepared.element:
        raise RefusedError("the manifest does not stand in an object of its signature")
    signed = [item for item in prepared.references if item.target is holder]
    if (
        not signed
        or any(item.text_only for item in signed)
        or any(_rewrites(item.element) for item in signed)
    ):
        raise RefusedError("the signature does not sign the object that holds its manifest, as it stands")
    return found[0]


def _rewrites(reference: etree._Element) -> bool:
    return any(
        transform.get("Algorithm") not in CANONICALIZATIONS
        for transform in reference.iter(f"{{{DS}}}Transform")
    )


def _place(reference: etree._Element) -> tuple[str, str]:
    """Part name and content type that a manifest reference names: ``/word/document.xml?ContentType=…``."""
    uri = reference.get("URI", "")
    path, _, query = uri.partition("?")
    if not path.startswith("/") or not query.startswith("ContentType=") or "#" in uri:
        raise RefusedError(f"the manifest refers to {uri[:200]!r}, which is no part of a package")
    return unquote(path), unquote(query.removeprefix("ContentType="))


def _octets(
    package: Package, part: str, content_type: str, reference: etree._Element
) -> tuple[frozenset[str] | None, bytes | None]:
    """The signed relationship ids of a relationships part (``None`` for another part), and what is digested.

    Without octets the part is missing or is not of the type that was signed.
    """
    transforms = list(reference.iterfind(f"{{{DS}}}Transforms/{{{DS}}}Transform"))
    names = [transform.get("Algorithm", "") for transform in transforms]
    relational = RELATIONSHIP_TRANSFORM in names
    if relational and (
        names[0] != RELATIONSHIP_TRANSFORM or len(names) != 2 or names[1] not in CANONICALIZATIONS
    ):
        raise RefusedError("a relationship transform that is not followed by one canonicalization")
    if not relational and (len(names) > 1 or any(name not in CANONICALIZATIONS for name in names)):
        raise RefusedError(f"transforms {names} in the manifest, which can choose or rewrite what is signed")
    if package.parts.get(part, "").lower() != content_type.lower():
        return frozenset(), None
    data = package.read(part)
    if relational:
        if not is_relationships(part) or content_type.lower() != RELATIONSHIPS_TYPE:
            raise RefusedError(f"a relationship transform over {part}")
        return _related(package, part, data, transforms[0], names[1])
    everything = None if not is_relationships(part) else _all_ids(package, part)
    return everything, _canonical(parse(data), names[0]) if names else data


def _all_ids(package: Package, part: str) -> frozenset[str]:
    return frozenset(item.id for item in package.relationships[source_of(part)])


def _related(
    package: Package, part: str, data: bytes, transform: etree._Element, c14n: str
) -> tuple[frozenset[str], bytes]:
    """The relationship transform (ECMA-376 Part 2 §10.5.3.6): those chosen, sorted by id, all else left out."""
    ids = {item.get("SourceId") for item in transform.iterfind(f"{{{OPC_SIGNATURE}}}RelationshipReference")}
    groups = f"{{{OPC_SIGNATURE}}}RelationshipsGroupReference"
    types = {item.get("SourceType") for item in transform.iterfind(groups)}
    chosen = {
        item.id for item in package.relationships[source_of(part)] if item.id in ids or item.type in types
    }
    root = parse(data)
    kept = sorted(
        (element for element in relationship_elements(root) if element.get("Id") in chosen),
        key=lambda element: str(element.get("Id")),
    )
    for child in list(root):
        root.remove(child)
    root.text = None
    for element in kept:
        for child in list(element):
            element.remove(child)
        element.text = element.tail = None
        if element.get("TargetMode") is None:
            element.set("TargetMode", "Internal")
        root.append(element)
    return frozenset(chosen), _canonical(root, c14n)


def _canonical(root: etree._Element, algorithm: str) -> bytes:
    # Only ever of a whole document: lxml's inclusive form of a part is wrong for inherited namespaces.
    return bytes(
        etree.tostring(
            root.getroottree(),
            method="c14n",
            exclusive="exc-c14n" in algorithm,
            with_comments=algorithm.endswith("WithComments"),
        )
    )


def _digest_holds(reference: etree._Element, octets: bytes) -> bool:
    method = reference.find(f"{{{DS}}}DigestMethod")
    value = reference.find(f"{{{DS}}}DigestValue")
    name = DIGESTS.get(method.get("Algorithm", "")) if method is not None else None
    if name is None or value is None:
        raise RefusedError("a manifest reference without a digest that can be computed")
    try:
        stated = base64.b64decode("".join((value.text or "").split()), validate=True)
    except binascii.Error as error:
        raise RefusedError("a digest in the manifest is not base64") from error
    return hashlib.new(name, octets, usedforsecurity=False).digest() == stated


def _signature_time(holder: etree._Element) -> datetime | None:
    value = holder.find(f".//{{{OPC_SIGNATURE}}}SignatureTime/{{{OPC_SIGNATURE}}}Value")
    try:
        moment = datetime.fromisoformat((value.text or "").strip()) if value is not None else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
