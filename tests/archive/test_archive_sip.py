"""A package for the next archive: the folders of the law, valid against the public schemas, the same twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from archive.handover.package_content import Holder, Package, document_package, dossier_package
from archive.handover.sip import write_sip
from archive.handover.xml_tree import check_against
from archive.holdings import DossierView
from archive.identities import document_id
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from schemas.document import Organ, RelationKind, TraceEntry
from schemas.errors import FatalError
from tests.archive.office_records import archived, passed, relation, unsigned

pytestmark = pytest.mark.postgres
MakeBatch = Callable[..., Batch]
HOLDER = Holder("Văn phòng Tỉnh ủy Sông Hương", "A99.01")
METS = "{http://www.loc.gov/METS/}"
PREMIS = "{http://www.loc.gov/premis/v3}"
XLINK = "{http://www.w3.org/1999/xlink}"
NASTY = "../../etc/passwd\x00 =cmd|' /C calc'!A0 \u202egpj.exe " + "Quyết định về " * 36


@pytest.fixture
def loaded(archive: Archive, objects: ObjectStore, batch: MakeBatch) -> Archive:
    """A conclusion with two files, its recall, and a document whose names are meant to do harm."""
    conclusion = archived(
        objects, "UNID1", uid="G09.1", files={"kết luận.pdf": b"%PDF-1.7 kl", "phụ lục.pdf": b"%PDF-1.7 pl"},
        verdicts=(passed(),), page_count=4, language="Tiếng Việt", retention="Vĩnh viễn", confidence="Gốc điện tử",
        use_regime="Công khai", trace=(TraceEntry(staff="Văn thư Mẫu", text="Đã chuyển"),),
    )  # fmt: skip
    recall = archived(
        objects, "UNID2", number="9", notation="CV/TU", issued=date(2025, 6, 1), files={"cv.pdf": b"%PDF-1.7 cv"},
        verdicts=(unsigned(),), relations=(relation(RelationKind.RECALLS, uid="G09.1"),),
    )  # fmt: skip
    nasty = archived(
        objects, NASTY, uid=NASTY, subject=NASTY, number=NASTY, notation=NASTY, issuer=Organ(name=NASTY),
        files={NASTY: b"%PDF-1.7 x"}, verdicts=(unsigned(),), retention="15 năm", type_name="Bản tin",
    )  # fmt: skip
    archive.load(batch(), [conclusion, recall, nasty])
    return archive


def packed(archive: Archive, key: str = "UNID1") -> Package:
    identity = str(document_id("notes_van_ban_di", key))
    return document_package(archive.engine, archive.objects, identity, HOLDER, {identity: "open"})


def tree(path: Path) -> etree._Element:
    return etree.parse(str(path), etree.XMLParser(no_network=True, resolve_entities=False)).getroot()


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_the_folders_are_those_of_the_circular(loaded: Archive, objects: ObjectStore, tmp_path: Path) -> None:
    package = packed(loaded)
    root = write_sip(package, objects, tmp_path)
    assert root.name == package.name
    assert package.name.removeprefix("uuid-") == str(package.identity).upper()
    assert sorted(contents(root)) == [
        "METS.xml",
        "documentation/DOC-TRUOC.txt",
        "metadata/descriptive/EAD.xml",
        "metadata/descriptive/EAD3.xml",
        "metadata/other/0001-G09.1.manifest.json",
        "metadata/other/verdicts.json",
        "metadata/other/verdicts.txt",
        "metadata/preservation/PREMIS.xml",
        "representations/rep1/METS.xml",
        "representations/rep1/data/0001-G09.1.00.xml",
        "representations/rep1/data/0001-G09.1.01.pdf",
        "representations/rep1/data/0001-G09.1.02.pdf",
        "representations/rep1/metadata/descriptive/EAD_doc_0001-G09.1.xml",
        "schemas/DILCISExtensionMETS.xsd",
        "schemas/DILCISExtensionSIPMETS.xsd",
        "schemas/EAD.xsd",
        "schemas/EAD_doc.xsd",
        "schemas/ead3.xsd",
        "schemas/mets1_12.xsd",
        "schemas/premis-v3-0.xsd",
        "schemas/xlink.xsd",
    ]
    data = contents(root / "representations/rep1/data")
    assert data["0001-G09.1.01.pdf"] == b"%PDF-1.7 kl"
    assert data["0001-G09.1.02.pdf"] == b"%PDF-1.7 pl"
    assert data["0001-G09.1.00.xml"] == b"<document unid='UNID1' revision='1'/>"


@pytest.mark.parametrize("key", ["UNID1", "UNID2", NASTY])
def test_every_file_follows_its_public_schema(
    loaded: Archive, objects: ObjectStore, tmp_path: Path, key: str
) -> None:
    root = write_sip(packed(loaded, key), objects, tmp_path)
    for path, schema in {
        "METS.xml": "mets1_12.xsd",
        "representations/rep1/METS.xml": "mets1_12.xsd",
        "metadata/preservation/PREMIS.xml": "premis-v3-0.xsd",
        "metadata/descriptive/EAD3.xml": "ead3.xsd",
    }.items():
        found = etree.XMLSchema(
            etree.parse(str(root / "schemas" / schema))
        )  # the package's own copy, offline
        found.assertValid(tree(root / path))
    for path, schema in {
        "metadata/descriptive/EAD.xml": "EAD.xsd",
        next((root / "representations/rep1/metadata/descriptive").iterdir()): "EAD_doc.xsd",
    }.items():
        etree.XMLSchema(etree.parse(str(root / "schemas" / schema))).assertValid(tree(root / path))


def test_mets_names_every_file_with_its_hash(loaded: Archive, objects: ObjectStore, tmp_path: Path) -> None:
    root = write_sip(packed(loaded), objects, tmp_path)
    named = {"METS.xml"}
    for mets in (root / "METS.xml", root / "representations/rep1/METS.xml"):
        for element in tree(mets).iter(f"{METS}file", f"{METS}mdRef"):
            place = element if element.tag == f"{METS}mdRef" else element[0]
            path = mets.parent / place.get(f"{XLINK}href")
            data = path.read_bytes()
            assert element.get("CHECKSUM") == hashlib.sha256(data).hexdigest()
            assert element.get("CHECKSUMTYPE") == "SHA-256"
            assert element.get("SIZE") == str(len(data))
            named.add(path.relative_to(root).as_posix())
    assert named == set(contents(root))


def test_premis_tells_fixity_names_events_and_rights(
    loaded: Archive, objects: ObjectStore, tmp_path: Path
) -> None:
    root = write_sip(packed(loaded), objects, tmp_path)
    premis = tree(root / "metadata/preservation/PREMIS.xml")
    files = [
        found
        for found in premis.iter(f"{PREMIS}object")
        if found.find(f"{PREMIS}objectCharacteristics") is not None
    ]
    told = [
        (found.findtext(f"{PREMIS}originalName"), found.findtext(f".//{PREMIS}messageDigest"))
        for found in files
    ]
    assert told == [
        ("UNID1", hashlib.sha256(b"<document unid='UNID1' revision='1'/>").hexdigest()),
        ("kết luận.pdf", hashlib.sha256(b"%PDF-1.7 kl").hexdigest()),
        ("phụ lục.pdf", hashlib.sha256(b"%PDF-1.7 pl").hexdigest()),
    ]
    assert [found.text for found in premis.iter(f"{PREMIS}eventType")] == ["ingestion", "recall"]
    assert [found.text for found in premis.iter(f"{PREMIS}agentName")] == ["Lienthong", HOLDER.name]
    assert premis.findtext(f".//{PREMIS}restriction") == "Công khai"


def test_the_fields_of_the_circular(loaded: Archive) -> None:
    package = packed(loaded)
    assert dict(package.fields.values) == {
        "fileCode": "",
        "title": "Kết luận về đẩy mạnh chuyển đổi số trong các cơ quan Đảng",
        "source": "0",
        "totalDoc": "1",
        "description": "",
    }
    (document,) = package.documents
    assert dict(document.fields.values) == {
        "docId": "G09.1",
        "docCode": "",
        "maintenance": "01",
        "typeName": "32",
        "codeNumber": "160",
        "codeNotation": "KL/TU",
        "issuedDate": "20/05/2025",
        "organName": "Tỉnh ủy Sông Hương",
        "subject": "Kết luận về đẩy mạnh chuyển đổi số trong các cơ quan Đảng",
        "language": "01",
        "numberOfPage": "4",
        "inforSign": "",
        "keyword": "",
        "mode": "01",
        "confidenceLevel": "01",
        "autograph": "",
        "format": "",
        "process": "1",
        "riskRecovery": "",
        "riskRecoveryStatus": "",
        "description": "",
    }
    assert [(notice.field, notice.code) for notice in document.fields.notices] == [
        ("docCode", "missing"),
        ("riskRecovery", "missing"),
    ]


def test_what_is_too_long_or_has_no_code_is_told_and_not_cut(
    loaded: Archive, objects: ObjectStore, tmp_path: Path
) -> None:
    package = packed(loaded, NASTY)
    fields = package.documents[0].fields
    assert fields.values["subject"] == NASTY
    assert (fields.values["maintenance"], fields.values["typeName"]) == ("07", "32")
    told = {(notice.field, notice.code) for notice in fields.notices}
    assert {
        ("subject", "too_long"),
        ("docId", "too_long"),
        ("maintenance", "no_code"),
        ("typeName", "no_code"),
    } <= told
    root = write_sip(package, objects, tmp_path)
    assert (
        f"subject: {len(NASTY)} ký tự, thông tư cho tối đa 500"
        in (root / "documentation/DOC-TRUOC.txt").read_text()
    )


def test_no_name_from_outside_becomes_a_path(loaded: Archive, objects: ObjectStore, tmp_path: Path) -> None:
    root = write_sip(packed(loaded, NASTY), objects, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {root.name, "objects"}
    for path in contents(root):
        assert len(path) < 160
        assert path.isascii()
        assert ".." not in path
    premis = tree(root / "metadata/preservation/PREMIS.xml")
    names = [found.text for found in premis.iter(f"{PREMIS}originalName")]
    assert NASTY.replace("\x00", "\ufffd") in names


def test_a_second_export_gives_the_same_bytes(loaded: Archive, objects: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = contents(write_sip(packed(loaded), objects, tmp_path / "a"))
    second = contents(write_sip(packed(loaded), objects, tmp_path / "b"))
    assert first == second


def test_the_verdicts_go_with_it(loaded: Archive, objects: ObjectStore, tmp_path: Path) -> None:
    root = write_sip(packed(loaded), objects, tmp_path)
    told = json.loads((root / "metadata/other/verdicts.json").read_bytes())
    (verdict,) = told["documents"][0]["verdicts"]
    assert (verdict["file"], verdict["in_force"], verdict["verdict"]["indication"]) == (
        "0001-G09.1.01.pdf",
        True,
        "TOTAL_PASSED",
    )
    text = (root / "metadata/other/verdicts.txt").read_text()
    assert "0001-G09.1.01.pdf; ĐẠT; người ký: Tỉnh ủy Sông Hương" in text


def test_a_dossier_with_its_documents(loaded: Archive, objects: ObjectStore, tmp_path: Path) -> None:
    identities = [str(document_id("notes_van_ban_di", key)) for key in ("UNID1", "UNID2")]
    package = dossier_package(
        loaded.engine, objects, a_dossier(), identities, HOLDER, dict.fromkeys(identities, "conditional")
    )
    assert dict(package.fields.values) == {
        "fileCode": "H99.2025.12",
        "title": "Hồ sơ chuyển đổi số",
        "maintenance": "02",
        "mode": "02",
        "language": "01",
        "startDate": "01/01/2025",
        "endDate": "31/12/2025",
        "keyword": "chuyển đổi số; Đảng",
        "totalDoc": "2",
        "numberOfPaper": "",
        "numberOfPage": "",
        "format": "01",
        "inforSign": "",
        "confidenceLevel": "01",
        "paperFileCode": "",
        "riskRecovery": "1",
        "riskRecoveryStatus": "02",
        "description": "Nguyễn Văn Mẫu; Ghi chú",
    }
    assert [found.fields.values["docCode"] for found in package.documents] == [
        "H99.2025.12.0000001",
        "H99.2025.12.0000002",
    ]
    assert {found.fields.values["mode"] for found in package.documents} == {"02"}
    root = write_sip(package, objects, tmp_path)
    mets = tree(root / "METS.xml")
    assert (mets.get("TYPE"), mets.get("OBJID")) == ("Mixed", package.name)
    links = tree(root / "representations/rep1/METS.xml").findall(f".//{METS}div[@LABEL='MetadataLink/File']")
    assert [len(link) for link in links] == [3, 2]


def test_a_changed_object_never_leaves(loaded: Archive, objects: ObjectStore, tmp_path: Path) -> None:
    package = packed(loaded)
    path = (
        Path(objects.location)
        / "sha256"
        / package.documents[0].files[1].sha256[:2]
        / package.documents[0].files[1].sha256
    )
    path.chmod(0o600)
    path.write_bytes(b"%PDF-1.7 XX")
    with pytest.raises(FatalError, match="holds other bytes"):
        write_sip(package, objects, tmp_path)


def test_what_does_not_follow_a_schema_is_refused() -> None:
    with pytest.raises(FatalError, match="does not follow"):
        check_against(
            b"<premis xmlns='http://www.loc.gov/premis/v3' version='3.0'/>", "premis-v3-0.xsd", "PREMIS"
        )


def a_dossier() -> DossierView:
    return DossierView(
        id="6f2b1c1e-5a0f-5b57-9d0a-000000000001", origin="person", source="", fonds_code="A99.001",
        fonds_name="Phông Tỉnh ủy Sông Hương", organ_code="A99", catalogue="1", code="H99.2025.12", archive_code=None,
        title="Hồ sơ chuyển đổi số", retention="70 năm", term="2020–2025", mode="Sử dụng có điều kiện",
        language="Tiếng Việt", start_date=date(2025, 1, 1), end_date=date(2025, 12, 31),
        keywords=("chuyển đổi số", "Đảng"), condition="Tốt", confidence="Gốc điện tử", information_sign=None,
        paper_code=None, paper_count=None, page_count=None, risk_recovery=True,
        risk_recovery_status="Chưa dự phòng", creator="Nguyễn Văn Mẫu", note="Ghi chú", decided=(), document_count=2,
    )  # fmt: skip
