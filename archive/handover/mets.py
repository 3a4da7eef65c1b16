"""METS 1.12 as the E-ARK common specification (CSIP 2.1) and Circular 05/2025/TT-BNV use it.

A package has one for itself and one for its representation ``rep1``. Every file is named with its size, SHA-256 and
media type; identifiers are ``uuid-{UUID}``, of files ``ID-{UUID}``, made from the package's own identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from lxml import etree

from archive.handover.xml_tree import XLINK, XSI, Tree, moment_text, serialised

NAMESPACE = "http://www.loc.gov/METS/"
CSIP = "https://DILCIS.eu/XML/METS/CSIPExtensionMETS"
PROFILE = "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml"
"""The profile that the Circular names for both METS files of a SIP."""

_METS = Tree(NAMESPACE, {None: NAMESPACE, "xlink": XLINK, "xsi": XSI, "csip": CSIP})
_SCHEMAS = f"{NAMESPACE} {{0}}mets1_12.xsd {XLINK} {{0}}xlink.xsd {CSIP} {{0}}DILCISExtensionMETS.xsd"


@dataclass(frozen=True, slots=True)
class Written:
    """A file that stands in the package.

    Attributes:
        path: from the folder of the METS that names it.
        size: bytes. sha256: hexadecimal. media_type: of its bytes. created: when it came to be.
    """

    path: str
    size: int
    sha256: str
    media_type: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Described:
    """A metadata file with its kind: METS's ``MDTYPE``, the version, and our word where the type is ``OTHER``."""

    file: Written
    kind: str
    version: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A ``fileGrp``."""

    use: str
    files: Sequence[Written]


@dataclass(frozen=True, slots=True)
class Link:
    """Which data files a piece of descriptive metadata is about, by their paths."""

    described: str
    files: Sequence[str]


@dataclass(frozen=True, slots=True)
class Structure:
    """All that a METS file says.

    Attributes:
        identity: of the package. name: ``OBJID``. label, kind: ``LABEL`` and ``TYPE``.
        created: ``CREATEDATE``. organ, organ_code: of the archivist. version: of the program.
        agreement: ``altRecordID``, or ``None``.
        descriptive, preservation: metadata files. groups: of files. representations: paths of their METS files.
        links: see ``Link``. schemas: where the schemas are, from here. root_type: of the outermost division.
    """

    identity: UUID
    name: str
    label: str
    kind: str
    created: datetime
    organ: str
    organ_code: str | None
    version: str
    descriptive: Sequence[Described]
    groups: Sequence[Group]
    preservation: Sequence[Described] = ()
    representations: Sequence[str] = ()
    agreement: str | None = None
    links: Sequence[Link] = ()
    schemas: str = "schemas/"
    root_type: str = ""


def mets_xml(structure: Structure) -> bytes:
    """The METS file."""
    made = _Names(structure.identity, structure.name)
    attributes = {
        "OBJID": structure.name,
        "LABEL": structure.label,
        "TYPE": structure.kind,
        "PROFILE": PROFILE,
        f"{{{CSIP}}}CONTENTINFORMATIONTYPE": "MIXED",
        f"{{{XSI}}}schemaLocation": _SCHEMAS.format(structure.schemas),
    }
    root = _METS.root("mets", attributes)
    _header(root, structure)
    for described in structure.descriptive:
        section = {"ID": made("dmd", described.file.path), "CREATED": moment_text(described.file.created)}
        _reference(_METS.add(root, "dmdSec", attributes={**section, "STATUS": "CURRENT"}), described)
    if structure.preservation:
        administrative = _METS.add(root, "amdSec", attributes={"ID": made("amd", "")})
        for described in structure.preservation:
            section = {
                "ID": made("prov", described.file.path),
                "CREATED": moment_text(described.file.created),
            }
            part = _METS.add(administrative, "digiprovMD", attributes={**section, "STATUS": "CURRENT"})
            _reference(part, described)
    _files(root, structure, made)
    _map(root, structure, made)
    return serialised(root)


class _Names:
    """Makes the identifiers: the same place in the same package has the same one."""

    def __init__(self, identity: UUID, name: str) -> None:
        self._identity, self._name = identity, name

    def __call__(self, *place: str) -> str:
        return f"uuid-{self._made(place)}"

    def file(self, path: str) -> str:
        return f"ID-{self._made(('file', path))}"

    def _made(self, place: tuple[str, ...]) -> str:
        return str(uuid5(self._identity, "|".join((self._name, *place)))).upper()


def _header(root: etree._Element, structure: Structure) -> None:
    moment = moment_text(structure.created)
    header = _METS.add(
        root,
        "metsHdr",
        attributes={
            "CREATEDATE": moment,
            "LASTMODDATE": moment,
            "RECORDSTATUS": "NEW",
            f"{{{CSIP}}}OAISPACKAGETYPE": "SIP",
        },
    )
    software = {"ROLE": "CREATOR", "TYPE": "OTHER", "OTHERTYPE": "SOFTWARE"}
    _agent(header, software, "Lienthong", "SOFTWARE VERSION", structure.version)
    archivist = {"ROLE": "ARCHIVIST", "TYPE": "ORGANIZATION"}
    _agent(header, archivist, structure.organ, "IDENTIFICATIONCODE", structure.organ_code)
    if structure.agreement:
        _METS.add(header, "altRecordID", structure.agreement, {"TYPE": "SUBMISSIONAGREEMENT"})


def _agent(
    header: etree._Element, attributes: Mapping[str, str], name: str, kind: str, note: str | None
) -> None:
    agent = _METS.add(header, "agent", attributes=attributes)
    _METS.add(agent, "name", name)
    if note:
        _METS.add(agent, "note", note, {f"{{{CSIP}}}NOTETYPE": kind})


def _reference(section: etree._Element, described: Described) -> None:
    attributes = {"LOCTYPE": "URL", **_link(described.file.path), "MDTYPE": described.kind}
    if described.other:
        attributes["OTHERMDTYPE"] = described.other
    if described.version:
        attributes["MDTYPEVERSION"] = described.version
    _METS.add(section, "mdRef", attributes={**attributes, **_facts(described.file)})


def _link(path: str) -> dict[str, str]:
    return {f"{{{XLINK}}}type": "simple", f"{{{XLINK}}}href": path}


def _facts(file: Written) -> dict[str, str]:
    return {
        "MIMETYPE": file.media_type,
        "SIZE": str(file.size),
        "CREATED": moment_text(file.created),
        "CHECKSUM": file.sha256,
        "CHECKSUMTYPE": "SHA-256",
    }


def _files(root: etree._Element, structure: Structure, made: _Names) -> None:
    section = _METS.add(root, "fileSec", attributes={"ID": made("files")})
    for group in structure.groups:
        listed = _METS.add(section, "fileGrp", attributes={"ID": made("group", group.use), "USE": group.use})
        for file in group.files:
            entry = _METS.add(listed, "file", attributes={"ID": made.file(file.path), **_facts(file)})
            _METS.add(entry, "FLocat", attributes={**_link(file.path), "LOCTYPE": "URL"})


def _map(root: etree._Element, structure: Structure, made: _Names) -> None:
    whole = _METS.add(root, "structMap", attributes={"ID": made("map"), "TYPE": "PHYSICAL", "LABEL": "CSIP"})
    top_attributes = {"ID": made("div", ""), "LABEL": structure.name}
    if structure.root_type:
        top_attributes["TYPE"] = structure.root_type
    top = _METS.add(whole, "div", attributes=top_attributes)
    metadata = {"ID": made("div", "Metadata"), "LABEL": "Metadata"}
    if structure.preservation:
        metadata["ADMID"] = " ".join(made("prov", found.file.path) for found in structure.preservation)
    if structure.descriptive:
        metadata["DMDID"] = " ".join(made("dmd", found.file.path) for found in structure.descriptive)
    _METS.add(top, "div", attributes=metadata)
    for group in structure.groups:
        part = _METS.add(top, "div", attributes={"ID": made("div", group.use), "LABEL": group.use})
        if group.use.startswith("Representations/"):
            for path in structure.representations:
                title = {f"{{{XLINK}}}title": made("group", group.use)}
                _METS.add(part, "mptr", attributes={**_link(path), **title, "LOCTYPE": "URL"})
        else:
            _METS.add(part, "fptr", attributes={"FILEID": made("group", group.use)})
    if structure.links:
        _links(top, structure, made)


def _links(top: etree._Element, structure: Structure, made: _Names) -> None:
    """Which document each data file belongs to: the Circular's ``MetadataLink``."""
    holder = _METS.add(top, "div", attributes={"ID": made("div", "MetadataLink"), "LABEL": "MetadataLink"})
    for link in structure.links:
        attributes = {"ID": made("link", link.described), "LABEL": "MetadataLink/File"}
        part = _METS.add(holder, "div", attributes={**attributes, "DMDID": made("dmd", link.described)})
        for path in link.files:
            _METS.add(part, "fptr", attributes={"FILEID": made.file(path)})
