"""Writing a package for the next archive: E-ARK's folders as Circular 05/2025/TT-BNV lays them out.

::

    uuid-{UUID}/METS.xml
      metadata/descriptive/EAD.xml        the Circular's fields of the dossier or lot
      metadata/descriptive/EAD3.xml       the same for any archive of the world
      metadata/preservation/PREMIS.xml    files, events, agents, rights
      metadata/other/…                    the archive's own manifests, and the verdicts on all signatures
      representations/rep1/METS.xml
      representations/rep1/metadata/descriptive/EAD_doc_….xml
      representations/rep1/data/…         original records and attachments, byte for byte
      schemas/…  documentation/…

Equal content gives equal bytes: times are those of the newest fact in the package, identities are made from it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from archive.handover.ead3 import ead3_xml
from archive.handover.mets import Described, Group, Link, Structure, Written, mets_xml
from archive.handover.originals import copy_object
from archive.handover.package_content import Package
from archive.handover.package_notes import notes_text
from archive.handover.premis import premis_xml
from archive.handover.tt05_fields import DOCUMENT_RULES, DOSSIER_RULES, LOT_RULES
from archive.handover.tt05_xml import fields_schema, fields_xml
from archive.handover.verdict_report import verdicts_json, verdicts_text
from archive.handover.xml_tree import check_against, schema_path
from archive.objects import ObjectStore
from schemas.errors import FatalError

XML, JSON, TEXT = "application/xml", "application/json", "text/plain"
_REP = "representations/rep1"
_SCHEMAS = (
    "mets1_12.xsd",
    "xlink.xsd",
    "DILCISExtensionMETS.xsd",
    "DILCISExtensionSIPMETS.xsd",
    "premis-v3-0.xsd",
    "ead3.xsd",
)


@dataclass(slots=True)
class _Folder:
    """The package's folder under construction; remembers what was written."""

    root: Path
    created: datetime
    written: dict[str, Written] = field(default_factory=dict)

    def put(self, path: str, data: bytes, media_type: str) -> Written:
        """Write ``data`` and give back what METS says of it."""
        target = self._target(path)
        target.write_bytes(data)
        return self._note(path, len(data), hashlib.sha256(data).hexdigest(), media_type, self.created)

    def copy(
        self, path: str, objects: ObjectStore, sha256: str, media_type: str, created: datetime
    ) -> Written:
        """Copy an object of the store and prove on the way that its bytes are still those of its name."""
        size = copy_object(objects, sha256, self._target(path))
        return self._note(path, size, sha256, media_type, created)

    def _target(self, path: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _note(self, path: str, size: int, sha256: str, media_type: str, created: datetime) -> Written:
        self.written[path] = Written(path, size, sha256, media_type, created)
        return self.written[path]


def write_sip(package: Package, objects: ObjectStore, parent: Path) -> Path:
    """Write ``package`` as a folder of its own below ``parent``, and check it.

    Raises:
        FatalError: an object is gone or changed, or what was written does not follow the schemas.
    """
    root = parent / package.name
    root.mkdir(mode=0o700)
    folder = _Folder(root, package.state)
    descriptive = _description(folder, package)
    preservation = _preservation(folder, package, objects)
    representation = _representation(folder, package, objects)
    schemas = _schemas(folder, package)
    notes = folder.put("documentation/DOC-TRUOC.txt", notes_text(package).encode(), TEXT)
    structure = Structure(
        identity=package.identity,
        name=package.name,
        label=package.title,
        kind="Mixed" if package.dossier else "Collection",
        created=package.state,
        organ=package.organ,
        organ_code=package.organ_code,
        version=version("lienthong"),
        descriptive=descriptive,
        preservation=preservation,
        groups=[
            Group("Documentation", [notes]),
            Group("Schemas", schemas),
            Group("Representations/rep1", [representation]),
        ],
        representations=[representation.path],
        agreement=package.fields.values["fileCode"] or None,
    )
    mets = mets_xml(structure)
    folder.put("METS.xml", mets, XML)
    check_against(mets, "mets1_12.xsd", "METS.xml")
    check_folder(root, folder.written)
    return root


def check_folder(root: Path, written: dict[str, Written]) -> None:
    """Read everything below ``root`` again: exactly the files that were written, with their bytes.

    Raises:
        FatalError: something differs.
    """
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    wrong = sorted(found ^ set(written))
    for path in sorted(found & set(written)):
        with (root / path).open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != written[path].sha256:
                wrong.append(path)
    if wrong:
        raise FatalError(
            f"the package {root.name} is not what was written: {wrong[0]} and {len(wrong) - 1} more",
            action="look at the disk of the target folder; nothing was handed over",
        )


def _description(folder: _Folder, package: Package) -> list[Described]:
    circular = folder.put("metadata/descriptive/EAD.xml", fields_xml(package.fields.values), XML)
    ead3 = ead3_xml(package)
    check_against(ead3, "ead3.xsd", "EAD3.xml")
    world = folder.put("metadata/descriptive/EAD3.xml", ead3, XML)
    return [
        Described(circular, "OTHER", "1.0", "TT 05/2025/TT-BNV"),
        Described(world, "EAD", "EAD3 1.1.1"),
    ]


def _preservation(folder: _Folder, package: Package, objects: ObjectStore) -> list[Described]:
    premis = premis_xml(package)
    check_against(premis, "premis-v3-0.xsd", "PREMIS.xml")
    found = [Described(folder.put("metadata/preservation/PREMIS.xml", premis, XML), "PREMIS", "3.0")]
    for name, data, media_type in (
        ("verdicts.json", verdicts_json(package), JSON),
        ("verdicts.txt", verdicts_text(package).encode("utf-8", "backslashreplace"), TEXT),
    ):
        written = folder.put(f"metadata/other/{name}", data, media_type)
        found.append(Described(written, "OTHER", other="signature verdicts"))
    for document in package.documents:
        for name, sha256 in document.manifests():
            received = document.view.current.received_at
            copied = folder.copy(f"metadata/other/{name}", objects, sha256, JSON, received)
            found.append(Described(copied, "OTHER", other="Lienthong manifest"))
    return found


def _representation(folder: _Folder, package: Package, objects: ObjectStore) -> Written:
    described, data, links = [], [], []
    for document in package.documents:
        path = f"metadata/descriptive/EAD_doc_{document.stem}.xml"
        written = folder.put(f"{_REP}/{path}", fields_xml(document.fields.values), XML)
        described.append(Described(_from_here(written), "OTHER", "1.0", "TT 05/2025/TT-BNV"))
        files = []
        for file in document.files:
            place, created = f"{_REP}/data/{file.name}", document.view.current.received_at
            copied = folder.copy(place, objects, file.sha256, file.media_type, created)
            files.append(_from_here(copied))
        data += files
        links.append(Link(path, [file.path for file in files]))
    structure = Structure(
        identity=package.identity,
        name="rep1",
        label=package.title,
        kind="Mixed" if package.dossier else "Collection",
        created=package.state,
        organ=package.organ,
        organ_code=package.organ_code,
        version=version("lienthong"),
        descriptive=described,
        groups=[Group("Data", data)],
        links=links,
        schemas="../../schemas/",
        root_type="ORIGINAL",
    )
    mets = mets_xml(structure)
    check_against(mets, "mets1_12.xsd", "representations/rep1/METS.xml")
    return folder.put(f"{_REP}/METS.xml", mets, XML)


def _from_here(file: Written) -> Written:
    """``file`` as the METS of the representation names it."""
    return Written(file.path.removeprefix(f"{_REP}/"), file.size, file.sha256, file.media_type, file.created)


def _schemas(folder: _Folder, package: Package) -> list[Written]:
    found = [folder.put(f"schemas/{name}", schema_path(name).read_bytes(), XML) for name in _SCHEMAS]
    rules = DOSSIER_RULES if package.dossier else LOT_RULES
    found.append(folder.put("schemas/EAD.xsd", fields_schema(rules), XML))
    found.append(folder.put("schemas/EAD_doc.xsd", fields_schema(DOCUMENT_RULES), XML))
    return found
