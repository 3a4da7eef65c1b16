"""The office as written, looked at with other eyes than the generator's: plain XML, pypdfium2 and hashes."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import stat
import subprocess
import sys
import unicodedata
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest
from lxml import etree
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import EmbeddedPdfSignature

from demo.calendar import plan_office
from demo.office import generate, main
from demo.report import (
    ARCHIVED,
    EXCHANGE,
    NOTES,
    QUARANTINED,
    REPORT_NAME,
    WITHHELD,
    SamePair,
    read_report,
)
from demo.summary import wrong_verdicts
from schemas.errors import ConfigurationError
from schemas.record import BytesContent
from signatures import SignedFile, load_trust, verify
from signatures.verdict import Indication, worst

_DXL = "{http://www.lotus.com/dxl}"
_EDXML = "{http://www.mic.gov.vn/TBT/QCVN_102_2016}"
_REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(small_office) -> Path:
    return small_office[0]


@pytest.fixture(scope="module")
def report(small_office):
    return small_office[1]


@pytest.fixture(scope="module")
def notes(folder) -> list[etree._Element]:
    """Every whole document of the exports, the broken export included."""
    found = []
    for export in sorted((folder / "drop" / NOTES).iterdir()):
        parser = etree.XMLParser(recover=export.name == "van_ban_bo_sung.dxl", resolve_entities=False)
        documents = etree.fromstring(export.read_bytes(), parser).findall(f"{_DXL}document")
        found += documents[:1] if export.name == "van_ban_bo_sung.dxl" else documents
    return found


def message(folder: Path, record) -> etree._Element:
    data = (folder / "drop" / record.file).read_bytes()
    return etree.fromstring(data[data.index(b"<?xml") :])


def carried_file(folder: Path, record) -> bytes:
    payload = message(folder, record).findtext(f".//{_EDXML}ContentTransferEncoded")
    data = base64.b64decode(payload)
    if not data.startswith(b"PK"):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (name,) = archive.namelist()
        return archive.read(name)


def _is_time_stamped(signature: EmbeddedPdfSignature) -> bool:
    attributes = signature.signer_info["unsigned_attrs"]
    return "signature_time_stamp_token" in {attribute["type"].native for attribute in attributes}


def unid(document: etree._Element) -> str:
    return document.find(f"{_DXL}noteinfo").get("unid")


def item(document: etree._Element, name: str) -> str | None:
    found = document.find(f"{_DXL}item[@name='{name}']/{_DXL}text")
    return None if found is None else found.text or ""


def tree_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_report_names_every_file_and_can_be_read_back(folder, report):
    on_disk = tree_of(folder)
    assert on_disk.pop(REPORT_NAME)
    assert on_disk == report.digests
    assert read_report(folder / REPORT_NAME) == report


def test_a_complete_office_is_left_alone(folder, report):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert generate(folder, size=report.size) == report
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_another_process_makes_the_same_bytes_of_a_half_written_office_of_an_older_version(
    folder, report, tmp_path
):
    (tmp_path / "airflow").mkdir()
    (tmp_path / "airflow" / "airflow.cfg").write_text("someone else's")
    (tmp_path / ".office-in-work" / "trust").mkdir(parents=True)
    spoiled = tmp_path / "drop" / NOTES / "van_ban_2004-2008.dxl"
    spoiled.parent.mkdir(parents=True)
    spoiled.write_bytes(b"<?xml version='1.0'?><database")
    stale = spoiled.with_name("van_ban_cu.dxl")
    stale.write_bytes(b"<database/>")
    named = ["drop/notes_van_ban/van_ban_cu.dxl", "airflow/airflow.cfg", "drop/../airflow/airflow.cfg"]
    (tmp_path / REPORT_NAME).write_text(json.dumps({"version": 0, "digests": dict.fromkeys(named, "")}))
    subprocess.run(
        [sys.executable, "-m", "demo.office", str(tmp_path), "--size", str(report.size)],
        check=True,
        cwd=_REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": "77", "TZ": "America/New_York"},
    )
    written = tree_of(tmp_path)
    assert written.pop("airflow/airflow.cfg")
    assert written == tree_of(folder)


def test_a_folder_with_another_office_is_refused(folder, report):
    with pytest.raises(ConfigurationError, match="holds the office of seed 2026 and size 10"):
        generate(folder, seed=7, size=report.size)
    assert main([str(folder), "--size", "11"]) == 4


def test_private_keys_are_nowhere_but_in_their_closed_folder(folder):
    with_keys = {
        path.relative_to(folder).parts[0]
        for path in folder.rglob("*")
        if path.is_file() and b"PRIVATE KEY" in path.read_bytes()
    }
    assert with_keys == {"pki-private"}
    assert stat.S_IMODE((folder / "pki-private").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder / "pki-private").iterdir()} == {0o600}


def test_the_account_of_notes_is_what_the_exports_hold(report, notes):
    counts = report.counts(NOTES)
    keys = [unid(document) for document in notes]
    assert len(keys) - len(set(keys)) == report.listed_again == 1
    assert counts.listed == len(set(keys)) + 1  # the one that broke off
    assert counts.listed == counts.archived + counts.quarantined + counts.withheld
    assert (counts.quarantined, counts.withheld) == (2, 2)
    assert {record.key for record in report.of(NOTES) if record.key} == set(keys)
    assert sum(record.case == "ordinary" for record in report.of(NOTES)) == report.size


def test_the_account_of_the_exchange_is_its_files(folder, report):
    files = {
        path.relative_to(folder / "drop").as_posix() for path in (folder / "drop" / EXCHANGE).rglob("*.edxml")
    }
    assert {record.file for record in report.of(EXCHANGE)} == files
    assert report.counts(EXCHANGE).listed == len(files)
    codes = Counter(record.case for record in report.of(EXCHANGE) if record.kind == "status")
    assert set(codes) == {"status-01", "status-02", "status-03", "status-06", "status-15"}


def test_what_is_expected_of_a_package_is_what_it_says(folder, report):
    for record in report.of(EXCHANGE):
        if record.kind != "document" or record.outcome != ARCHIVED:
            continue
        header = message(folder, record).find(f".//{_EDXML}MessageHeader")
        assert header.findtext(f"{_EDXML}DocumentId") == record.key
        assert header.findtext(f"{_EDXML}Code/{_EDXML}CodeNumber") == record.number
        assert header.findtext(f"{_EDXML}Code/{_EDXML}CodeNotation") == record.notation
        assert header.findtext(f"{_EDXML}Subject") == record.subject
        assert header.findtext(f"{_EDXML}From/{_EDXML}OrganName") == record.issuer
        (file,) = record.files
        data = carried_file(folder, record)
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (file.sha256, file.size)


def test_unsigned_and_signed_pdfs_hold_the_signatures_that_are_expected(folder, report):
    for record in report.of(EXCHANGE):
        for file in record.files:
            if file.case == "utf8_decoded":
                continue
            found = PdfFileReader(io.BytesIO(carried_file(folder, record))).embedded_signatures
            organizations = [signature.signer_cert.subject.native for signature in found]
            roles = ["PERSON" if "title" in names else "ORGAN" for names in organizations]
            assert tuple(roles) == file.roles, record.case
            if found:
                stamped = {_is_time_stamped(signature) for signature in found}
                assert stamped == {file.case != "expired"}


def test_every_case_of_a_signed_file_is_judged_as_the_office_says(folder, report):
    trust = load_trust(folder / "trust")
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    of_case = {
        file.case: (record, file)
        for record in report.of(EXCHANGE)
        if record.outcome == ARCHIVED
        for file in record.files
    }
    assert {
        "unsigned", "person_and_seal", "tampered", "appended", "revoked", "foreign_root", "expired",
        "expired_stamped", "utf8_decoded",
    } <= of_case.keys()  # fmt: skip
    for case, (record, file) in of_case.items():
        verdicts = verify(SignedFile(file.name, BytesContent(carried_file(folder, record))), trust, moment)
        assert worst(verdicts) in file.verdicts, case
        assert tuple(item.role for item in verdicts if item.signer) in ((), file.roles), case


def test_a_verdict_that_differs_is_told(report):
    file = report.case("revoked-signer").files[0]
    assert wrong_verdicts([file], {file.sha256: Indication.INDETERMINATE}) == []
    (told,) = wrong_verdicts([file], {file.sha256: Indication.TOTAL_PASSED})
    assert told.startswith(f"{file.name} (revoked): TOTAL_PASSED, ")
    assert len(wrong_verdicts([file], {})) == 1


def test_pdfs_read_as_vietnamese(folder, report):
    for record in report.of(EXCHANGE):
        if (
            record.outcome != ARCHIVED
            or not record.files
            or record.files[0].case in ("tampered", "utf8_decoded")
        ):
            continue
        page = pypdfium2.PdfDocument(carried_file(folder, record))[0]
        text = " ".join(page.get_textpage().get_text_range().split())
        assert record.symbol in text
        assert record.subject in text
        assert text == unicodedata.normalize("NFC", text)


def test_tampering_changes_the_number_on_the_page_and_nothing_else(folder, report):
    record = report.case("tampered-file")
    text = pypdfium2.PdfDocument(carried_file(folder, record))[0].get_textpage().get_text_range()
    printed = re.search(r"Số:? (\d+)[-/]", text)
    assert printed
    assert printed.group(1) != record.number
    assert record.subject.split()[-1] in text


def test_the_file_that_went_through_a_utf8_decode_is_full_of_replacement_characters(folder, report):
    data = carried_file(folder, report.case("utf8-decoded-file"))
    assert data.startswith(b"%PDF-1.7")
    assert data.count(b"\xef\xbf\xbd") > 1000


def test_secrets_are_marked_where_each_system_marks_them(folder, report, notes):
    levels = {record.case: record.level for record in report.records if record.outcome == WITHHELD}
    assert levels == {
        "notes-secret-unicode": "Mật",
        "notes-secret-tcvn3": "Tối mật",
        "exchange-secret-stamp": "Mật",
        "exchange-secret-subject": "Tuyệt mật",
    }
    by_key = {unid(document): document for document in notes}
    assert item(by_key[report.case("notes-secret-unicode").key], "DoMat") == "Mật"
    assert item(by_key[report.case("notes-secret-tcvn3").key], "DoMat") == "Tèi mËt"
    stamped = report.case("exchange-secret-stamp")
    assert "mật" not in etree.tostring(message(folder, stamped), encoding="unicode", method="text").lower()
    text = pypdfium2.PdfDocument(carried_file(folder, stamped))[0].get_textpage().get_text_range()
    assert "MẬT" in text.splitlines()
    assert "(Tuyệt mật)" in report.case("exchange-secret-subject").subject


def test_decoys_speak_of_secrets_and_are_public(report):
    for case in ("notes-decoy", "exchange-decoy"):
        record = report.case(case)
        assert "bảo vệ bí mật nhà nước" in record.subject
        assert record.outcome == ARCHIVED


def test_what_cannot_be_kept_is_broken_as_its_reason_says(folder, report, notes):
    reasons = {record.case: record.reason for record in report.records if record.outcome == QUARANTINED}
    assert reasons == {
        "notes-no-subject": "mapping_error",
        "notes-truncated": "unreadable",
        "truncated-package": "unreadable",
        "no-package": "unreadable",
    }
    by_key = {unid(document): document for document in notes}
    assert item(by_key[report.case("notes-no-subject").key], "TrichYeu") is None
    for case in ("notes-truncated", "truncated-package", "no-package"):
        with pytest.raises(etree.XMLSyntaxError):
            etree.fromstring((folder / "drop" / report.case(case).file).read_bytes())


def test_old_documents_are_tcvn3_and_some_later_ones_decomposed(report, notes):
    by_key = {unid(document): document for document in notes}
    old = [r for r in report.of(NOTES) if r.issued_date and r.issued_date <= "2008-12-31"]
    assert len(old) >= 3
    for record in old:
        document = by_key[record.key]
        assert item(document, "TrichYeu") != record.subject
        fonts = {font.get("name") for font in document.iter(f"{_DXL}font")}
        assert fonts == {".VnTime", ".VnTimeH"}
    decomposed = by_key[report.case("notes-nfd").key]
    subject = item(decomposed, "TrichYeu")
    assert subject != report.case("notes-nfd").subject
    assert unicodedata.normalize("NFC", subject) == report.case("notes-nfd").subject


def test_notes_has_responses_a_conflict_a_repeat_and_a_design_note(folder, report, notes):
    by_key = {unid(document): document for document in notes}
    responses = [record for record in report.of(NOTES) if record.case == "response"]
    assert len(responses) >= 1
    for record in (*responses, report.case("notes-conflict")):
        ((kind, parent),) = record.relations
        assert kind == "response_in_source"
        assert by_key[record.key].get("parent") == parent
        assert parent in by_key
    assert by_key[report.case("notes-conflict").key].get("conflict") == "true"
    twice = report.case("notes-twice").key.encode()
    exports = [path for path in (folder / "drop" / NOTES).iterdir() if twice in path.read_bytes()]
    assert len(exports) == 2
    designs = sum(path.read_bytes().count(b"<form ") for path in (folder / "drop" / NOTES).iterdir())
    assert designs == report.design_notes


def test_relations_of_the_exchange_point_at_documents_that_are_there(report):
    keys = {record.key for record in report.of(EXCHANGE) if record.kind == "document"}
    related = {
        (r.case, kind): target
        for r in report.of(EXCHANGE)
        for kind, target in r.relations
        if r.kind == "document"
    }
    assert set(related) == {
        ("recall", "recalls"),
        ("foreign-recall", "recalls"),
        ("replacement", "replaces"),
        ("update", "amends"),
        ("answer", "replies_to"),
    }
    assert set(related.values()) <= keys
    assert related["recall", "recalls"] == report.case("recalled").key


def test_documents_in_both_systems_share_their_file_or_only_their_number(report):
    notes = {record.key: record for record in report.of(NOTES)}
    exchange = {record.key: record for record in report.of(EXCHANGE) if record.kind == "document"}
    assert Counter(pair.grade for pair in report.same_as) == {"A": 3, "B": 3}
    for pair in report.same_as:
        assert isinstance(pair, SamePair)
        here, there = notes[pair.notes_key], exchange[pair.exchange_key]
        assert (here.symbol, here.issued_date, here.issuer) == (there.symbol, there.issued_date, there.issuer)
        same_file = here.files[0].sha256 == there.files[0].sha256
        assert same_file == (pair.grade == "A")


def test_nobody_else_has_the_same_number_in_both_systems(report):
    def identities(source):
        return {
            (record.symbol, record.issuer, record.issued_date): record.key
            for record in report.of(source)
            if record.kind == "document" and record.issuer and record.issued_date
        }

    notes, exchange = identities(NOTES), identities(EXCHANGE)
    paired = {pair.notes_key for pair in report.same_as}
    assert {notes[identity] for identity in notes.keys() & exchange.keys()} == paired


def test_size_scales_the_ordinary_documents_only():
    small, large = plan_office(2026, 10), plan_office(2026, 120)
    assert (len(large.notes), len(large.exchange)) == (120, 80)
    assert set(large.plans) - set(large.notes) - set(large.exchange) == (
        set(small.plans) - set(small.notes) - set(small.exchange)
    )
