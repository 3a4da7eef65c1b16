"""Handing over: only what may leave, entered into the ledger before it has a name, and counts that add up."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import bagit
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from archive.handover import packages
from archive.handover.hsltcq import write_hsltcq
from archive.handover.leaving import Handover, Who, aside, hand_over
from archive.handover.package_content import Holder, dossier_package
from archive.handover.packages import Asked, hand_over_bag, hand_over_hsltcq, hand_over_sips
from archive.handover.register_entries import Period, Wanted
from archive.handover.register_forms import OUTGOING
from archive.handover.registers import Printing, hand_over_dossier_list, hand_over_register
from archive.handover.safe_names import LONGEST, safe_name
from archive.handover.selection import Store
from archive.holdings import DossierDocument, DossierView
from archive.identities import document_id
from archive.ledger import verify_chain
from archive.loader import Archive, Batch
from archive.objects import ObjectStore
from schemas.document import AttachmentRef, RelationKind
from schemas.errors import ConfigurationError, FatalError
from tests.archive.office_records import archived, passed, relation, unsigned
from tests.archive.test_archive_sip import a_dossier, contents

pytestmark = pytest.mark.postgres
MakeBatch = Callable[..., Batch]
Select = Callable[..., list[tuple[object, ...]]]
WHO = Who("Nguyễn Văn Mẫu", "vanthu", "Nộp lưu năm 2025")
HOLDER = Holder("Văn phòng Tỉnh ủy Sông Hương", "A99.01")
READER = frozenset({"open", "conditional"})


def identity(key: str) -> str:
    return str(document_id("notes_van_ban_di", key))


@pytest.fixture
def store(archive: Archive, objects: ObjectStore, batch: MakeBatch) -> Store:
    """Two open documents, a recalled one, a personal one and a sealed one."""
    word = objects.put_bytes(b"PK\x03\x04 b")
    pdf = objects.put_bytes(b"%PDF-1.7 a")
    files = (
        AttachmentRef(
            ordinal=1, name="a.pdf", sha256=pdf.sha256, size=pdf.size, media_type="application/pdf"
        ),
        AttachmentRef(
            ordinal=2, name="b.pdf", sha256=word.sha256, size=word.size, media_type="application/msword"
        ),
    )
    archive.load(
        batch(),
        [
            archived(objects, "A", uid="G.1", number="1", files={"a.pdf": b"%PDF-1.7 a"}, attachments=files,
                     verdicts=(passed(),), note="Khẩn"),
            archived(objects, "B", uid="G.2", number="2", files={"c.pdf": b"%PDF-1.7 c"}, verdicts=(unsigned(),),
                     use_regime="Công khai", issued=date(2025, 6, 3)),
            archived(objects, "R", uid="G.3", number="3", files={"r.pdf": b"%PDF-1.7 r"}, verdicts=(unsigned(),)),
            archived(objects, "RR", number="4", relations=(relation(RelationKind.RECALLS, uid="G.3"),)),
            archived(objects, "P", uid="G.5", number="5"),
            archived(objects, "S", uid="G.6", number="6"),
        ],
    )  # fmt: skip
    with archive.engine.begin() as connection:
        for key, access in (("P", "personal"), ("S", "sealed"), ("B", "conditional")):
            connection.execute(
                sa.text("UPDATE archive.document SET access = :a WHERE id = :i"),
                {"a": access, "i": identity(key)},
            )
    return Store(archive.engine, objects)


def the_dossier(*keys: str) -> DossierView:
    documents = tuple(
        DossierDocument(
            ordinal=ordinal, document=identity(key), version=1, origin="person", source="notes_van_ban_di",
            symbol=key, number=None, notation=None, issued_date=None, issuer_name=None, type_name=None, subject=None,
            page_count=None, retention=None, disposed=False,
        )
        for ordinal, key in enumerate(keys, start=1)
    )  # fmt: skip
    return replace(a_dossier(), code="12", documents=documents, document_count=len(documents))


def asked(
    *keys: str, dossiers: tuple[DossierView, ...] = (), readable: frozenset[str] = READER, **more: bool
) -> Asked:
    return Asked([identity(key) for key in keys], dossiers, readable, HOLDER, **more)


def exports(select: Select) -> list[tuple[str, dict]]:
    rows = select(
        "SELECT object, payload FROM archive.event WHERE type = 'information package creation' ORDER BY seq"
    )
    return [(str(row[0]), json.loads(str(row[1]))) for row in rows]


def test_only_what_may_leave_leaves_and_the_counts_add_up(
    store: Store, select: Select, tmp_path: Path
) -> None:
    found = hand_over_sips(store, asked("A", "B", "R", "P", "S", "A"), tmp_path / "out", "folder", WHO)
    assert (found.selected, found.handed_over, dict(found.left_out)) == (5, 2, {"recalled": 1, "access": 2})
    assert len(list((tmp_path / "out").iterdir())) == 2
    out = b"".join(contents(tmp_path / "out").values()).decode("utf-8", "replace")
    assert not any(identity(key) in out for key in ("P", "S"))
    told = exports(select)
    assert {name for name, _ in told[:2]} == {identity("A"), identity("B")}
    whole = told[2][1]
    assert (whole["by"], whole["account"], whole["why"]) == ("Nguyễn Văn Mẫu", "vanthu", "Nộp lưu năm 2025")
    assert (whole["selected"], whole["handed_over"], whole["left_out"]) == (
        5,
        2,
        {"recalled": 1, "access": 2},
    )
    assert {payload["export"] for _, payload in told[:2]} == {told[2][0]}
    read = select("SELECT object, count(*) FROM archive.event WHERE type = 'dissemination' GROUP BY 1")
    assert sorted(read) == sorted([(identity("A"), 3), (identity("B"), 2)])
    assert verify_chain(store.engine) == []


def test_a_clerk_hands_over_personal_and_recalled_documents_but_nothing_sealed(
    store: Store, tmp_path: Path
) -> None:
    wanted = asked("R", "P", "S", readable=READER | {"personal"}, recalled=True)
    found = hand_over_sips(store, wanted, tmp_path / "out", "folder", WHO)
    assert (found.handed_over, dict(found.left_out)) == (2, {"access": 1})


def test_where_nothing_may_leave_nothing_is_written(store: Store, select: Select, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="1 access"):
        hand_over_sips(store, asked("S"), tmp_path / "out", "folder", WHO)
    assert {path.name for path in tmp_path.iterdir()} == {"objects"}
    assert exports(select) == []


@pytest.mark.parametrize("container", ["folder", "zip", "tar"])
def test_a_second_handover_gives_the_same_bytes(store: Store, tmp_path: Path, container: str) -> None:
    wanted = asked("A", dossiers=(the_dossier("A", "B"),))
    hand_over_sips(store, wanted, tmp_path / "one", container, WHO)
    hand_over_sips(store, wanted, tmp_path / "two", container, WHO)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert len(list((tmp_path / "one").iterdir())) == 2


def test_a_zip_holds_the_folder_under_its_name(store: Store, tmp_path: Path) -> None:
    hand_over_sips(store, asked("A"), tmp_path / "out", "zip", WHO)
    (path,) = (tmp_path / "out").iterdir()
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None
        assert f"{path.stem}/METS.xml" in opened.namelist()
        assert all(name.startswith(f"{path.stem}/") for name in opened.namelist())


def test_every_document_of_a_dossier_is_told_to_have_left(
    store: Store, select: Select, tmp_path: Path
) -> None:
    dossier = the_dossier("A", "P", "B")
    found = hand_over_sips(store, asked(dossiers=(dossier,)), tmp_path / "out", "folder", WHO)
    assert (found.selected, found.handed_over, dict(found.left_out)) == (3, 2, {"access": 1})
    assert [name for name, _ in exports(select)][:-1] == [dossier.id, *sorted([identity("A"), identity("B")])]


def test_nothing_is_ever_overwritten(store: Store, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "theirs.txt").write_text("của người khác")
    with pytest.raises(ConfigurationError, match="there already"):
        hand_over_sips(store, asked("A"), tmp_path / "out", "folder", WHO)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["theirs.txt"]


def test_a_failure_leaves_nothing_behind(
    store: Store, select: Select, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packages, "write_sip", full)
    with pytest.raises(FatalError, match="No space left on device"):
        hand_over_sips(store, asked("A"), tmp_path / "new" / "out", "folder", WHO)
    assert list((tmp_path / "new").iterdir()) == []
    assert exports(select) == []


def test_counts_that_do_not_add_up_are_refused(store: Store, select: Select, tmp_path: Path) -> None:
    with (
        pytest.raises(FatalError, match="3 selected, but 1 handed over and 1 left out"),
        aside(tmp_path / "x") as partial,
    ):
        hand_over(
            store.engine, partial, tmp_path / "x", Handover("sip", 3, 1, (), left_out={"access": 1}), WHO
        )
    assert not (tmp_path / "x").exists()
    assert exports(select) == []


def test_a_name_taken_in_the_meantime_is_a_failure_in_the_ledger(
    store: Store, select: Select, tmp_path: Path
) -> None:
    def leave() -> None:
        with aside(tmp_path / "x") as partial:
            (tmp_path / "x").mkdir()
            (tmp_path / "x" / "theirs.txt").touch()
            hand_over(store.engine, partial, tmp_path / "x", Handover("sip", 1, 1, ()), WHO)

    with pytest.raises(FatalError, match="cannot write"):
        leave()
    outcomes = "SELECT outcome FROM archive.event WHERE type = 'information package creation' ORDER BY seq"
    assert select(outcomes) == [("success",), ("failure",)]
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["theirs.txt"]


@pytest.mark.parametrize("payload", ["sip", "originals"])
def test_a_bag_validates_and_is_the_same_twice(
    store: Store, select: Select, tmp_path: Path, payload: str
) -> None:
    hand_over_bag(store, asked("A", "B"), tmp_path / "one", payload, WHO)
    hand_over_bag(store, asked("A", "B"), tmp_path / "two", payload, WHO)
    bag = bagit.Bag(str(tmp_path / "one"))
    bag.validate(processes=1)
    assert bag.algorithms == ["sha256"]
    assert bag.info["Source-Organization"] == HOLDER.name
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    files = [path for path in bag.payload_entries() if path.endswith(".pdf")]
    assert len(files) == 2
    if payload == "originals":
        assert len(bag.payload_entries()) == 7  # 2 records, 3 files, 2 manifests
    told = exports(select)[2][1]
    assert (told["handed_over"], told["seal"]) == (
        2,
        hashlib.sha256((tmp_path / "one" / "tagmanifest-sha256.txt").read_bytes()).hexdigest(),
    )


def test_a_changed_file_breaks_the_bag(store: Store, tmp_path: Path) -> None:
    hand_over_bag(store, asked("A"), tmp_path / "bag", "originals", WHO)
    path = next((tmp_path / "bag").rglob("*.01.pdf"))
    path.chmod(0o600)
    path.write_bytes(b"%PDF-1.7 x")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(tmp_path / "bag")).validate(processes=1)


def test_the_partys_spreadsheet(store: Store, tmp_path: Path) -> None:
    found = hand_over_hsltcq(store, asked(dossiers=(the_dossier("A", "B", "S"),)), tmp_path / "out", WHO)
    folder = tmp_path / "out" / "A99-A99.001-01-0012"
    assert {path.name for path in folder.iterdir()} == {
        "MetaDuLieu.xlsx",
        "A99-A99.001-01-0012-001.pdf",
        "A99-A99.001-01-0012-002.doc",
        "A99-A99.001-01-0012-003.pdf",
    }
    assert (folder / "A99-A99.001-01-0012-003.pdf").read_bytes() == b"%PDF-1.7 c"
    book = load_workbook(folder / "MetaDuLieu.xlsx")
    assert book.sheetnames == ["Hồ sơ", "Văn bản", "Ảnh", "Video"]
    assert [[cell.value for cell in row] for row in book["Hồ sơ"].rows] == [
        ["Tiêu đề hồ sơ", "Thời hạn bảo quản", "Phông", "Mục lục", "Nhiệm kỳ", "Thời gian bắt đầu",
         "Thời gian kết thúc", "Tình trạng vật lý", "Số lượng trang", "Tổng số văn bản trong hồ sơ", "Độ mật",
         "Đơn vị bảo quản số", "Thời gian tài liệu"],
        ["Hồ sơ chuyển đổi số", "70 năm", "Phông Tỉnh ủy Sông Hương", "1", "2020–2025", "01/01/2025", "31/12/2025",
         "Tốt", None, "3", None, "12", None],
    ]  # fmt: skip
    rows = [[cell.value for cell in row] for row in book["Văn bản"].rows]
    assert rows[0] == [
        "Tên cơ quan, tổ chức ban hành văn bản", "Tên loại văn bản", "Số của văn\u00a0bản", "Ký hiệu của văn bản",
        "Ngày, tháng, năm văn bản", "Trích yếu nội dung", "Loại bản", "Ngôn ngữ", "Ghi chú", "Bút tích", "Người ký",
        "Chuyên đề", "Ký hiệu thông tin", "Từ khóa", "Chế độ sử dụng", "Độ mật", "Mức độ tin cậy",
        "Tình trạng vật lý", "Tên tệp", "Thời gian tài liệu",
    ]  # fmt: skip
    subject = "Kết luận về đẩy mạnh chuyển đổi số trong các cơ quan Đảng"
    assert rows[2] == [
        "Tỉnh ủy Sông Hương", "Kết luận", "1", "KL/TU", "20/05/2025", subject, "Bản chính", "Tiếng Việt",
        "Khẩn; tệp 2/2 của văn bản; tệp không phải PDF, giữ nguyên dạng gốc", None, "Nguyễn Văn Mẫu", None, None, None,
        "Công khai", None, None, "Tốt", "A99-A99.001-01-0012-002.doc", None,
    ]  # fmt: skip
    assert (
        rows[3][14] == "Sử dụng có điều kiện"
    )  # what the archive says is stricter than what the record says
    assert {cell.data_type for row in book["Văn bản"].rows for cell in row if cell.value} == {"s"}
    assert [len(list(book[name].columns)) for name in ("Ảnh", "Video")] == [14, 15]
    assert (found.selected, found.handed_over, dict(found.left_out)) == (3, 2, {"access": 1})
    assert (found.notices["not_pdf"], found.notices["default"]) == (
        1,
        11,
    )  # per row: Loại bản, Ngôn ngữ, Tình trạng; and Chế độ of what says none


def test_the_partys_spreadsheet_calls_open_only_what_the_archive_calls_so(
    store: Store, tmp_path: Path
) -> None:
    dossier = the_dossier("A")
    package = dossier_package(store.engine, store.objects, dossier, [identity("A")], HOLDER, {})
    folder, _ = write_hsltcq(package, store.objects, tmp_path)
    (_, row, _) = load_workbook(folder / "MetaDuLieu.xlsx")["Văn bản"].iter_rows(values_only=True)
    assert row[14] == "Sử dụng có điều kiện"


def test_a_dossier_without_codes_is_told_which(store: Store, tmp_path: Path) -> None:
    dossier = replace(the_dossier("A"), organ_code=None, catalogue="123", code="H99.2025.12")
    with pytest.raises(ConfigurationError) as refused:
        hand_over_hsltcq(store, asked(dossiers=(dossier,)), tmp_path / "out", WHO)
    assert refused.value.where == (
        "mã định danh cơ quan của phông: chưa có (tối đa 35); mục lục: 123 (tối đa 2); "
        "hồ sơ số (code): H99.2025.12 (tối đa 5)"
    )
    with pytest.raises(ConfigurationError, match="describes dossiers"):
        hand_over_hsltcq(store, asked("A"), tmp_path / "out", WHO)


def test_a_register_leaves_with_its_event(store: Store, select: Select, tmp_path: Path) -> None:
    wanted = Wanted(OUTGOING, "notes_van_ban_di", Period.of_year(2025), readable=tuple(READER))
    printing = Printing("Tỉnh ủy Sông Hương", datetime(2026, 3, 2, tzinfo=UTC), tmp_path / "out", WHO)
    printed, found = hand_over_register(store, wanted, printing)
    assert (printed.entries, found.selected, dict(found.left_out)) == (4, 6, {"access": 2})
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "di-2025-01-01-2025-12-31.xlsx",
        "di-2025-01-01-2025-12-31.pdf",
    }
    assert [name for name, _ in exports(select)][:2] == ["notes_van_ban_di/di-2025-01-01-2025-12-31"] * 2
    sheet = load_workbook(tmp_path / "out" / "di-2025-01-01-2025-12-31.xlsx").active
    column = [cell.value for cell in sheet["A"]]
    assert column[6:10] == ["1-KL/TU", "2-KL/TU", "3-KL/TU", "4-KL/TU"]
    assert "Không in trong sổ này: 2 – chế độ sử dụng không cho phép." in column


def test_the_list_of_a_dossiers_documents_shows_only_what_may_be_read(store: Store, tmp_path: Path) -> None:
    printing = Printing("Tỉnh ủy", datetime(2026, 3, 2, tzinfo=UTC), tmp_path / "out", WHO, ("xlsx",))
    printed, found = hand_over_dossier_list(store, the_dossier("A", "P", "R"), READER, printing)
    assert (printed.entries, found.selected, dict(found.left_out)) == (2, 3, {"access": 1})
    sheet = load_workbook(tmp_path / "out" / "van-ban-trong-ho-so.xlsx").active
    assert [cell.value for cell in sheet["B"]][6:8] == ["A", "R"]
    assert [cell.value for cell in sheet["D"]][6:8] == [None, "(đã thu hồi)"]
    again = replace(printing, target=tmp_path / "whole")
    hand_over_dossier_list(store, the_dossier("A", "P", "R"), READER, again, whole=True)
    sheet = load_workbook(tmp_path / "whole" / "van-ban-trong-ho-so.xlsx").active
    assert [cell.value for cell in sheet["D"]][6:8] == [None, None]


@given(st.text(max_size=600))
def test_a_safe_name_is_safe_whatever_it_is_made_of(text: str) -> None:
    name = safe_name(text, "van-ban")
    assert name.isascii()
    assert 0 < len(name) <= LONGEST
    assert not set(name) & set('/\\:*?"<>| \0')
    assert name[0] not in ".-"
    assert name.upper() not in {"CON", "NUL", "AUX", "PRN", "COM1", "LPT1"}


def test_a_safe_name_keeps_what_can_be_read() -> None:
    assert safe_name("H49.64.33.2001.160.1", "x") == "H49.64.33.2001.160.1"
    assert safe_name("../Quyết định số 5/QĐ-TU.pdf", "x") == "Quyet-dinh-so-5-QD-TU.pdf"
    assert safe_name("NUL.txt", "x") == "x"
