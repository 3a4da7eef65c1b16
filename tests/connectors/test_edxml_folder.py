from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connectors.operations.folder import EdxmlFolder
from connectors.operations.moments import LOCAL
from connectors.operations.package import (
    Business,
    DocumentPackage,
    Organ,
    PackageFile,
    ResponseFor,
    StatusMessage,
    Trace,
)
from connectors.operations.writer import write_document, write_status
from schemas.errors import RetriableError
from schemas.record import Listing, SourceRecord, Unreadable, Window, sha256_of
from tests.connectors.source_contract import SourceCase, SourceContract, everything

_OFFICE = Organ("000.00.00.H10", "Văn phòng Tỉnh ủy")
_HEALTH = Organ("000.00.12.H10", "Sở Y tế")
_DOCUMENT_ID = "000.00.00.H10,2025/03/14,160-KL/TU"
_CONCLUSION = DocumentPackage(
    sender=_OFFICE,
    recipients=(_HEALTH,),
    document_id=_DOCUMENT_ID,
    code_number="160",
    code_notation="KL/TU",
    promulgation_date=date(2025, 3, 14),
    subject="Kết luận về công tác phòng, chống dịch bệnh",
    type_name="Kết luận",
    trace=(Trace("000.00.00.H10", datetime(2025, 3, 14, 16, 5, 9, tzinfo=LOCAL)),),
    files=(PackageFile("160-KL-TU.pdf", b"%PDF-1.4\n%%EOF\n", zipped=True),),
)
_RECEIVED = StatusMessage(
    sender=_HEALTH,
    response_for=ResponseFor("000.00.00.H10", _DOCUMENT_ID, "160-KL/TU", date(2025, 3, 14)),
    status_code="03",
    timestamp=datetime(2025, 3, 15, 7, 30, tzinfo=LOCAL),
)


def _zip(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


class TestEdxmlFolderIsASource(SourceContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> SourceCase:
        folder = tmp_path / "hộp thư"
        (folder / "2025" / "03").mkdir(parents=True)
        (folder / "2025" / "03" / "160-KL-TU.edxml").write_bytes(write_document(_CONCLUSION))
        (folder / "2025" / "bản sao.edxml").write_bytes(write_document(_CONCLUSION))
        (folder / "trang-thai.XML").write_bytes(write_status(_RECEIVED))
        unsigned = replace(_CONCLUSION, document_id="null", trace=())
        (folder / "khong-ma.edxml").write_bytes(write_document(unsigned))
        recall = replace(_CONCLUSION, business=Business("1", "Thu hồi do sai thể thức"))
        _zip(folder / "dot-1.zip", {"a/thu-hoi.edxml": write_document(recall), "ghi-chu.txt": b"..."})
        (folder / "dang-chep.edxml").write_bytes(write_document(_CONCLUSION)[:900])
        (folder / "rong.edxml").write_bytes(b"")
        (folder / "khac.xml").write_bytes(b"<?xml version='1.0'?><vanban/>")
        (folder / "hong.zip").write_bytes(b"PK\x03\x04 cut")
        (folder / "ghi-chu.txt").write_bytes(b"not for us")
        return SourceCase(lambda: EdxmlFolder("dieuhanh", folder), folder, records=4, unreadable=4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


def _only(folder: Path) -> Listing:
    (listing,) = EdxmlFolder("dieuhanh", folder).inventory(Window())
    return listing


def _fetched(folder: Path, listing: Listing) -> SourceRecord | Unreadable:
    (answer,) = EdxmlFolder("dieuhanh", folder).fetch([listing])
    return answer


def test_a_document_is_named_by_its_sender_its_id_and_its_business(folder: Path) -> None:
    data = write_document(_CONCLUSION)
    (folder / "160.edxml").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    assert _only(folder) == Listing(
        key="000.00.00.H10|000.00.00.H10,2025/03/14,160-KL/TU|0",
        revision=digest[:32],
        locator=json.dumps({"path": "160.edxml", "sha256": digest}),
        changed_at=datetime(2025, 3, 14, 9, 5, 9, tzinfo=UTC),
    )


def test_a_status_message_is_named_by_what_it_says_of_which_document(folder: Path) -> None:
    (folder / "s.edxml").write_bytes(write_status(_RECEIVED))
    listing = _only(folder)
    assert listing.key == ("status|000.00.12.H10|000.00.00.H10,2025/03/14,160-KL/TU|03|2025/03/15 07:30:00")
    assert listing.changed_at == datetime(2025, 3, 15, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "package",
    [
        replace(_CONCLUSION, document_id=""),
        replace(_CONCLUSION, sender=Organ("null")),
        replace(_CONCLUSION, document_id="x" * 500),
    ],
)
def test_without_a_usable_identity_the_bytes_are_the_identity(folder: Path, package: DocumentPackage) -> None:
    data = write_document(package)
    (folder / "a.edxml").write_bytes(data)
    assert _only(folder).key == f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_a_bar_in_a_code_cannot_make_two_documents_one(folder: Path) -> None:
    (folder / "a.edxml").write_bytes(
        write_document(replace(_CONCLUSION, sender=Organ("A|B"), document_id="C"))
    )
    (folder / "b.edxml").write_bytes(
        write_document(replace(_CONCLUSION, sender=Organ("A"), document_id="B|C"))
    )
    keys = [listing.key for listing in EdxmlFolder("dieuhanh", folder).inventory(Window())]
    assert keys == ["A%7CB|C|0", "A|B%7CC|0"]


def test_without_a_trace_the_day_of_promulgation_counts_and_without_that_nothing(folder: Path) -> None:
    data = write_document(replace(_CONCLUSION, trace=()))
    (folder / "a.edxml").write_bytes(data)
    (folder / "b.edxml").write_bytes(data.replace(b"2025/03/14</edXML:Prom", b"2025/02/30</edXML:Prom"))
    moments = [listing.changed_at for listing in EdxmlFolder("dieuhanh", folder).inventory(Window())]
    assert moments == [datetime(2025, 3, 13, 17, tzinfo=UTC), None]


def test_one_file_is_a_folder_of_one(folder: Path) -> None:
    path = folder / "160.edxml"
    path.write_bytes(write_document(_CONCLUSION))
    source = EdxmlFolder("dieuhanh", path)
    (listing,) = source.inventory(Window())
    (record,) = source.fetch([listing])
    assert isinstance(record, SourceRecord)
    assert record.context == {"file": "160.edxml", "edxml_version": "2"}
    assert [attachment.name for attachment in record.attachments] == ["160-KL-TU.pdf"]


def test_a_package_under_any_name_is_listed_and_one_that_is_being_copied_is_not(folder: Path) -> None:
    data = write_document(_CONCLUSION)
    for name in ("khong duoi", "luu.dat", ".an", "160.edxml.part", "160.filepart", "160.tmp"):
        (folder / name).write_bytes(data)
    listings = list(EdxmlFolder("dieuhanh", folder).inventory(Window()))
    assert [json.loads(listing.locator)["path"] for listing in listings] == ["khong duoi", "luu.dat"]


def test_a_package_in_a_zip_is_read_from_it(folder: Path) -> None:
    data = write_document(_CONCLUSION)
    _zip(folder / "tháng 3.zip", {"b.edxml": data, "a.edxml": write_status(_RECEIVED)})
    source = EdxmlFolder("dieuhanh", folder)
    listings = everything(source)
    answers = list(source.fetch(listings))
    assert [answer.context["file"] for answer in answers if isinstance(answer, SourceRecord)] == [
        "tháng 3.zip!a.edxml",
        "tháng 3.zip!b.edxml",
    ]
    assert answers[1].original is not None
    assert sha256_of(answers[1].original) == hashlib.sha256(data).hexdigest()


def test_bytes_that_changed_since_the_listing_are_not_taken_for_it(folder: Path) -> None:
    path = folder / "160.edxml"
    path.write_bytes(write_document(_CONCLUSION))
    listing = _only(folder)
    path.write_bytes(write_document(replace(_CONCLUSION, subject="Kết luận khác")))
    answer = _fetched(folder, listing)
    assert isinstance(answer, Unreadable)
    assert (answer.reason, answer.where) == ("changed_while_reading", "160.edxml")


def test_a_file_that_is_gone_is_named(folder: Path) -> None:
    path = folder / "160.edxml"
    path.write_bytes(write_document(_CONCLUSION))
    listing = _only(folder)
    path.unlink()
    answer = _fetched(folder, listing)
    assert isinstance(answer, Unreadable)
    assert answer.reason == "file_vanished"


def test_links_out_of_the_folder_are_not_followed(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.edxml").write_bytes(write_document(_CONCLUSION))
    (folder / "link.edxml").symlink_to(outside / "a.edxml")
    (folder / "linked").symlink_to(outside, target_is_directory=True)
    assert list(EdxmlFolder("dieuhanh", folder).inventory(Window())) == []


@pytest.mark.parametrize("path", ["../outside.edxml", "/etc/passwd", "a/../../outside.edxml", "", "a\x00b"])
def test_a_forged_locator_reads_nothing_outside(folder: Path, path: str) -> None:
    (folder.parent / "outside.edxml").write_bytes(write_document(_CONCLUSION))
    answer = _fetched(folder, Listing("k", "r", json.dumps({"path": path, "sha256": "0" * 64})))
    assert isinstance(answer, Unreadable)
    assert answer.reason == "file_outside_folder"


@pytest.mark.parametrize("locator", ["", "{", "[]", '{"path": 1, "sha256": ""}', '{"path": "a"}'])
def test_a_locator_of_someone_else_is_answered(folder: Path, locator: str) -> None:
    answer = _fetched(folder, Listing("k", "r", locator))
    assert isinstance(answer, Unreadable)
    assert answer.reason == "locator_invalid"


def test_a_pipe_is_no_package(folder: Path) -> None:
    os.mkfifo(folder / "pipe.edxml")
    assert list(EdxmlFolder("dieuhanh", folder).inventory(Window())) == []


def test_a_missing_folder_is_tried_again_later(tmp_path: Path) -> None:
    source = EdxmlFolder("dieuhanh", tmp_path / "unmounted")
    with pytest.raises(RetriableError, match="mounted"):
        list(source.inventory(Window()))
    with pytest.raises(RetriableError, match="mounted"):
        list(source.fetch([Listing("k", "r", '{"path": "a.edxml", "sha256": "0"}')]))


def _damaged_members() -> Iterator[tuple[str, str]]:
    yield "damaged", "zip_damaged"
    yield "empty", "zip_without_packages"


@pytest.mark.parametrize(("kind", "reason"), list(_damaged_members()))
def test_a_zip_that_yields_nothing_is_counted(folder: Path, kind: str, reason: str) -> None:
    path = folder / "dot-2.zip"
    _zip(path, {"ghi-chu.txt": b"x"} if kind == "empty" else {"a.edxml": write_status(_RECEIVED)})
    if kind == "damaged":
        data = bytearray(path.read_bytes())
        data[60] ^= 0xFF
        path.write_bytes(data)
    listing = _only(folder)
    assert listing.key.startswith("unreadable:")
    answer = _fetched(folder, listing)
    assert isinstance(answer, Unreadable)
    assert answer.reason == reason


def test_a_file_name_that_is_not_utf8_is_still_read(folder: Path) -> None:
    path = os.fsencode(folder) + b"/c\xf4ng v\xe3n.edxml"
    with open(path, "wb") as file:  # noqa: PTH123 - a name that no str holds
        file.write(write_document(_CONCLUSION))
    listing = _only(folder)
    listing.locator.encode("utf-8")
    answer = _fetched(folder, listing)
    assert isinstance(answer, SourceRecord)
    assert answer.context["file"] == r"c\udcf4ng v\udce3n.edxml"
