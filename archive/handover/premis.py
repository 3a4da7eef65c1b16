"""Preservation metadata of a package in PREMIS 3.0: its files with their hashes, what happened to them, who may use
them.

Events are those of the ledger, with their number and hash there; of a package's own making there is none, for it
stands in the ledger of the archive that hands over.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lxml import etree

from archive.handover.package_content import Package, PackedDocument, PackedFile
from archive.handover.xml_tree import XLINK, XSI, Tree, moment_text, serialised

NAMESPACE = "http://www.loc.gov/premis/v3"
_PREMIS = Tree(NAMESPACE, {"premis": NAMESPACE, "xlink": XLINK, "xsi": XSI})
_LOCAL = "lienthong"
_SOFTWARE = "Lienthong"

_RESTRICTIONS: Mapping[str, str] = MappingProxyType(
    {
        "open": "Công khai",
        "conditional": "Sử dụng có điều kiện",
        "personal": "Sử dụng có điều kiện: dữ liệu cá nhân",
    }
)


def premis_xml(package: Package) -> bytes:
    """The preservation metadata of ``package``."""
    root = _PREMIS.root("premis", {"version": "3.0"})
    for document in package.documents:
        _representation(root, document)
        for file in document.files:
            _file(root, document, file)
    for document in package.documents:
        _events(root, document)
    _agents(root, package)
    for document in package.documents:
        if document.access is not None:
            _rights(root, document, document.access)
    return serialised(root)


def _representation(root: etree._Element, document: PackedDocument) -> None:
    """The document as a whole: its files belong to it."""
    thing = _object(root, "representation")
    current = document.view.current
    _identifier(thing, "objectIdentifier", _LOCAL, _identity(document))
    if current.uid:
        _identifier(thing, "objectIdentifier", "DocumentId", current.uid)
    _PREMIS.add(thing, "originalName", f"{document.view.source}: {document.view.source_key}")
    relation = _PREMIS.add(thing, "relationship")
    _PREMIS.add(relation, "relationshipType", "structural")
    _PREMIS.add(relation, "relationshipSubType", "has part")
    for file in document.files:
        _identifier(relation, "relatedObjectIdentifier", _LOCAL, _file_identity(document, file))
    for event in document.events:
        _identifier(thing, "linkingEventIdentifier", "lienthong ledger", str(event.seq))


def _file(root: etree._Element, document: PackedDocument, file: PackedFile) -> None:
    thing = _object(root, "file")
    _identifier(thing, "objectIdentifier", _LOCAL, _file_identity(document, file))
    traits = _PREMIS.add(thing, "objectCharacteristics")
    _PREMIS.add(traits, "compositionLevel", "0")
    fixity = _PREMIS.add(traits, "fixity")
    _PREMIS.add(fixity, "messageDigestAlgorithm", "SHA-256")
    _PREMIS.add(fixity, "messageDigest", file.sha256)
    _PREMIS.add(fixity, "messageDigestOriginator", _SOFTWARE)
    _PREMIS.add(traits, "size", str(file.size))
    kind = _PREMIS.add(traits, "format")
    _PREMIS.add(_PREMIS.add(kind, "formatDesignation"), "formatName", file.media_type)
    _PREMIS.add(thing, "originalName", file.original_name)
    place = _PREMIS.add(_PREMIS.add(thing, "storage"), "contentLocation")
    _PREMIS.add(place, "contentLocationType", "path in the package")
    _PREMIS.add(place, "contentLocationValue", f"representations/rep1/data/{file.name}")


def _events(root: etree._Element, document: PackedDocument) -> None:
    for entry in document.events:
        event = _PREMIS.add(root, "event")
        _identifier(event, "eventIdentifier", "lienthong ledger", str(entry.seq))
        _PREMIS.add(event, "eventType", entry.type)
        _PREMIS.add(event, "eventDateTime", moment_text(entry.at))
        detail = _PREMIS.add(event, "eventDetailInformation")
        _PREMIS.add(detail, "eventDetail", f"SHA-256 of the ledger's event: {entry.hash}")
        _PREMIS.add(_PREMIS.add(event, "eventOutcomeInformation"), "eventOutcome", entry.outcome)
        _identifier(event, "linkingAgentIdentifier", _LOCAL, _SOFTWARE)
        _identifier(event, "linkingObjectIdentifier", _LOCAL, _identity(document))


def _agents(root: etree._Element, package: Package) -> None:
    for identity, name, kind in (
        (_SOFTWARE, _SOFTWARE, "software"),
        (package.organ_code or package.organ, package.organ, "organization"),
    ):
        agent = _PREMIS.add(root, "agent")
        _identifier(agent, "agentIdentifier", _LOCAL, identity)
        _PREMIS.add(agent, "agentName", name)
        _PREMIS.add(agent, "agentType", kind)


def _rights(root: etree._Element, document: PackedDocument, access: str) -> None:
    """The class of the access regime (chế độ sử dụng) as a statement of rights."""
    statement = _PREMIS.add(_PREMIS.add(root, "rights"), "rightsStatement")
    _identifier(statement, "rightsStatementIdentifier", _LOCAL, f"access:{_identity(document)}")
    _PREMIS.add(statement, "rightsBasis", "other")
    basis = _PREMIS.add(statement, "otherRightsInformation")
    _PREMIS.add(basis, "otherRightsBasis", "chế độ sử dụng tài liệu lưu trữ")
    granted = _PREMIS.add(statement, "rightsGranted")
    _PREMIS.add(granted, "act", "disseminate")
    _PREMIS.add(granted, "restriction", _RESTRICTIONS.get(access, access))
    _PREMIS.add(granted, "rightsGrantedNote", access)
    _identifier(statement, "linkingObjectIdentifier", _LOCAL, _identity(document))


def _object(root: etree._Element, kind: str) -> etree._Element:
    return _PREMIS.add(root, "object", attributes={f"{{{XSI}}}type": f"premis:{kind}"})


def _identifier(parent: etree._Element, name: str, kind: str, value: str) -> None:
    identifier = _PREMIS.add(parent, name)
    _PREMIS.add(identifier, f"{name}Type", kind)
    _PREMIS.add(identifier, f"{name}Value", value)


def _identity(document: PackedDocument) -> str:
    return f"{document.view.document}/v{document.view.current.version}"


def _file_identity(document: PackedDocument, file: PackedFile) -> str:
    return f"{_identity(document)}/{file.ordinal}"
