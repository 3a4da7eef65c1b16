"""A package described in EAD3 (Encoded Archival Description, Society of American Archivists, 1.1.1).

EAD3 and not EAD 2002: it is the maintained version, and one schema without others to import. ``EAD.xml`` beside it is
Circular 05/2025/TT-BNV's own ``simpledc``, which only shares the name.
"""

from __future__ import annotations

from datetime import date

from lxml import etree

from archive.handover.package_content import Package, PackedDocument
from archive.handover.register_entries import day_text, organ_name, symbol, title_and_subject
from archive.handover.xml_tree import Tree, moment_text, serialised, xml_text

NAMESPACE = "http://ead3.archivists.org/schema/"
_EAD = Tree(NAMESPACE, {None: NAMESPACE})


def ead3_xml(package: Package) -> bytes:
    """The description: the dossier, or the document, and a component for each document."""
    root = _EAD.root("ead")
    _control(root, package)
    described = _EAD.add(root, "archdesc", attributes={"level": "file" if package.dossier else "item"})
    _identification(described, package)
    _conditions(described, package)
    parts = _EAD.add(described, "dsc")
    for document in package.documents:
        _component(parts, document)
    return serialised(root)


def _control(root: etree._Element, package: Package) -> None:
    control = _EAD.add(root, "control")
    _EAD.add(control, "recordid", package.name)
    title = _EAD.add(_EAD.add(_EAD.add(control, "filedesc"), "titlestmt"), "titleproper")
    title.text = xml_text(package.title)
    _EAD.add(control, "maintenancestatus", attributes={"value": "new"})
    agency = _EAD.add(control, "maintenanceagency")
    if package.organ_code:
        _EAD.add(agency, "agencycode", package.organ_code)
    _EAD.add(agency, "agencyname", package.organ)
    history = _EAD.add(control, "maintenancehistory")
    event = _EAD.add(history, "maintenanceevent")
    _EAD.add(event, "eventtype", attributes={"value": "created"})
    moment = moment_text(package.state)
    _EAD.add(event, "eventdatetime", moment, {"standarddatetime": moment})
    _EAD.add(event, "agenttype", attributes={"value": "machine"})
    _EAD.add(event, "agent", "Lienthong")


def _identification(described: etree._Element, package: Package) -> None:
    did = _EAD.add(described, "did")
    code = package.fields.values["fileCode"]
    if code:
        _EAD.add(did, "unitid", code)
    _EAD.add(did, "unittitle", package.title)
    first, last = _span(package)
    if first and last:
        _dates(did, first, last)
    _EAD.add(_EAD.add(did, "repository"), "corpname").append(_part(package.organ))
    _EAD.add(did, "physdesc", f"{len(package.documents)} văn bản")


def _conditions(described: etree._Element, package: Package) -> None:
    dossier = package.dossier
    if dossier is None:
        return
    if dossier.mode:
        _EAD.add(_EAD.add(described, "accessrestrict"), "p", dossier.mode)
    if dossier.retention:
        _EAD.add(_EAD.add(described, "appraisal"), "p", f"Thời hạn bảo quản: {dossier.retention}")
    if dossier.note:
        _EAD.add(_EAD.add(described, "odd"), "p", dossier.note)


def _component(parts: etree._Element, document: PackedDocument) -> None:
    said = document.processed.document
    component = _EAD.add(parts, "c", attributes={"level": "item"})
    did = _EAD.add(component, "did")
    _EAD.add(did, "unitid", symbol(said) or document.view.document)
    _EAD.add(
        did,
        "unittitle",
        title_and_subject(said.type_name, said.subject) or symbol(said) or document.view.source_key,
    )
    if said.issued_date:
        _dates(did, said.issued_date, said.issued_date)
    if said.issuer and organ_name(said.issuer):
        _EAD.add(_EAD.add(did, "origination"), "corpname").append(_part(organ_name(said.issuer)))
    if said.page_count is not None:
        _EAD.add(did, "physdesc", f"{said.page_count} trang")


def _dates(did: etree._Element, first: date, last: date) -> None:
    if first == last:
        _EAD.add(did, "unitdate", day_text(first), {"normal": first.isoformat()})
    else:
        span = f"{day_text(first)} – {day_text(last)}"
        _EAD.add(did, "unitdate", span, {"normal": f"{first.isoformat()}/{last.isoformat()}"})


def _span(package: Package) -> tuple[date | None, date | None]:
    days = sorted(
        found.processed.document.issued_date
        for found in package.documents
        if found.processed.document.issued_date
    )
    first, last = (days[0], days[-1]) if days else (None, None)
    dossier = package.dossier
    return (dossier and dossier.start_date) or first, (dossier and dossier.end_date) or last


def _part(text: str) -> etree._Element:
    part = Tree(NAMESPACE).root("part")
    part.text = xml_text(text)
    return part
