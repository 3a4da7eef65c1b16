"""The registers of the law: exact columns and cells, as spreadsheet and as a book that can be signed and bound."""

from __future__ import annotations

import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pypdfium2
import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from archive.handover.holdings_lists import dossier_document_rows, dossier_rows
from archive.handover.register_book import write_register
from archive.handover.register_entries import Period, Wanted, entry_row, register_entries
from archive.handover.register_forms import (
    DOSSIER_DOCUMENTS,
    DOSSIERS,
    FORMS,
    HANDLING,
    INCOMING,
    OUTGOING,
    Form,
    Heading,
)
from archive.handover.register_pdf import RegisterBook
from archive.holdings import DossierDocument
from archive.loader import Archive, Batch, Withheld
from archive.objects import ObjectStore
from schemas.document import Direction, Organ, RecordKind, RelationKind, TraceEntry
from tests.archive.office_records import HANOI, PEOPLE, archived, relation
from tests.archive.test_archive_sip import a_dossier

MakeBatch = Callable[..., Batch]
MADE = datetime(2026, 3, 2, tzinfo=UTC)
LONGER = "1" * 40_000
LONG_NAME = "Ủy ban nhân dân tỉnh Sông Hương về việc nghiêm chỉnh thực hiện chuyển đổi số " * 7
RIGHT_TO_LEFT = "\u202eتقرير\u202c"


def heading(form: Form) -> Heading:
    return Heading(form, "Văn phòng Tỉnh ủy Sông Hương", "Năm 2025", "02/03/2026")


def rows_of(archive: Archive, form: Form, **wanted: object) -> list[tuple[str, ...]]:
    asked = Wanted(form, "notes_van_ban_di", Period.of_year(2025), **wanted)  # type: ignore[arg-type]
    with register_entries(archive.engine, archive.objects, asked) as (_, entries):
        return [entry_row(asked, entry) for entry in entries]


def text_of(path: Path) -> list[str]:
    """The text of each page."""
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(path)]


@pytest.fixture
def incoming(archive: Archive, objects: ObjectStore, batch: MakeBatch) -> Archive:
    """What came in 2025: numbers out of order, one answered and handled, one recalled, one withheld, one undated."""

    def came(key: str, number: str | None, day: date | None, **fields: object):
        return archived(
            objects, key, uid=f"G-{key}", number=key, notation="CV/UBND", issuer=PEOPLE,
            arrival_number=number, arrival_date=day, **{"direction": Direction.INCOMING, **fields},
        )  # fmt: skip

    done = TraceEntry(
        organ_id="H99", moment=datetime(2025, 3, 9, 16, 0, tzinfo=HANOI), status_code="06", text="Đã xong"
    )
    archive.load(
        batch(),
        [
            came("10", "10", date(2025, 3, 5), to_places=("Phòng Tổng hợp", "Phòng Cơ yếu"),
                 due_date=date(2025, 3, 10)),
            came("9", "9", date(2025, 3, 4), note="Bản giấy gửi sau", subject="=cmd|' /C calc'!A0"),
            came("2", "2a", date(2025, 1, 2)),
            came("2b", "2", date(2025, 1, 2), type_name="Công văn", subject="Công văn xin ý kiến"),
            came("77", "77", date(2024, 12, 31), issued=date(2025, 1, 1)),
            came("88", None, None, issued=None),
            came("66", "66", date(2025, 4, 1), direction=Direction.UNKNOWN),
            Withheld("99", "1", "mat", "field:DoMat"),
            archived(
                objects, "rep", number="50", notation="CV/TU", issued=date(2025, 3, 8), type_name="Công văn",
                relations=(relation(RelationKind.REPLIES_TO, uid="G-10"),),
            ),
            archived(
                objects, "st", kind=RecordKind.STATUS, number=None, notation=None, issued=None, issuer=PEOPLE,
                status_code="06", trace=(done,), relations=(relation(RelationKind.STATUS_OF, uid="G-10"),),
            ),
            archived(
                objects, "th", number="12", notation="CV/UBND", issued=date(2025, 6, 1), issuer=PEOPLE,
                type_name="Công văn", relations=(relation(RelationKind.RECALLS, uid="G-2"),),
            ),
        ],
    )  # fmt: skip
    return archive


@pytest.mark.postgres
def test_the_register_of_incoming_documents(incoming: Archive) -> None:
    subject = "Kết luận về đẩy mạnh chuyển đổi số trong các cơ quan Đảng"
    organ = "Ủy ban nhân dân tỉnh Sông Hương"
    assert rows_of(incoming, INCOMING) == [
        ("02/01/2025", "2", organ, "2b-CV/UBND", "20/05/2025", "Công văn xin ý kiến", "", "", "", ""),
        ("02/01/2025", "2a", organ, "2-CV/UBND", "20/05/2025", "Kết luận", "", "", "",
         "Đã thu hồi: Công văn 12-CV/UBND ngày 01/06/2025"),
        ("04/03/2025", "9", organ, "9-CV/UBND", "20/05/2025", "Kết luận: =cmd|' /C calc'!A0", "", "", "",
         "Bản giấy gửi sau"),
        ("05/03/2025", "10", organ, "10-CV/UBND", "20/05/2025", subject, "Phòng Tổng hợp; Phòng Cơ yếu", "", "", ""),
    ]  # fmt: skip


@pytest.mark.postgres
def test_numbers_begin_anew_each_year(incoming: Archive) -> None:
    asked = Wanted(INCOMING, "notes_van_ban_di", Period(date(2024, 1, 1), date(2025, 12, 31)))
    with register_entries(incoming.engine, incoming.objects, asked) as (_, entries):
        assert [entry.document.arrival_number for entry in entries] == ["77", "2", "2a", "9", "10"]


@pytest.mark.postgres
def test_a_clerk_sees_the_subject_of_what_was_recalled(incoming: Archive) -> None:
    row = rows_of(incoming, INCOMING, whole=True)[1]
    assert row[5] == "Kết luận về đẩy mạnh chuyển đổi số trong các cơ quan Đảng"
    assert row[9].startswith("Đã thu hồi")


@pytest.mark.postgres
def test_what_may_not_be_printed_is_not_named_by_its_neighbours_either(incoming: Archive) -> None:
    with incoming.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE archive.document SET access = 'personal' WHERE source_key IN ('rep', 'th')")
        )
    assert [row[9] for row in rows_of(incoming, INCOMING, readable=("open",))] == [
        "", "Đã thu hồi", "Bản giấy gửi sau", "",
    ]  # fmt: skip
    answers = {form: rows_of(incoming, HANDLING, readable=form)[-1][5] for form in (("open",), None)}
    assert answers == {("open",): "", None: "Công văn 50-CV/TU ngày 08/03/2025"}


@pytest.mark.postgres
def test_the_register_of_handling(incoming: Archive) -> None:
    assert rows_of(incoming, HANDLING)[3] == (
        "10",
        "Kết luận, 10-CV/UBND, 20/05/2025, Ủy ban nhân dân tỉnh Sông Hương",
        "Phòng Tổng hợp; Phòng Cơ yếu",
        "10/03/2025",
        "Đã xử lý xong (09/03/2025)",
        "Công văn 50-CV/TU ngày 08/03/2025",
        "",
    )


@pytest.mark.postgres
def test_what_has_no_day_or_direction_is_counted_and_in_no_register(incoming: Archive) -> None:
    asked = Wanted(INCOMING, "notes_van_ban_di", Period.of_year(2025))
    with register_entries(incoming.engine, incoming.objects, asked) as (counts, entries):
        assert (counts.selected, counts.undated, counts.undirected, counts.printed) == (6, 1, 1, 4)
        assert len(list(entries)) == counts.printed


@pytest.mark.postgres
def test_the_register_of_outgoing_documents(archive: Archive, objects: ObjectStore, batch: MakeBatch) -> None:
    archive.load(
        batch(),
        [
            archived(objects, "b", number="11", copy_count=12, to_places=("Lưu VPTU",), note="Hỏa tốc"),
            archived(objects, "a", number="2", recipients=(Organ(organ_id="H99.1"),), type_code="QĐ"),
            archived(objects, "x", number="3", issued=date(2024, 12, 31)),
        ],
    )
    archive.load(batch(source="truc_tinh"), [archived(objects, "y", source="truc_tinh", number="4")])
    subject = "Kết luận về đẩy mạnh chuyển đổi số trong các cơ quan Đảng"
    signer = "Nguyễn Văn Mẫu"
    second = (
        "11-KL/TU",
        "20/05/2025",
        subject,
        signer,
        "Các huyện ủy, thành ủy; Lưu VPTU",
        "",
        "12",
        "",
        "",
        "Hỏa tốc",
    )
    assert rows_of(archive, OUTGOING) == [
        ("2-KL/TU", "20/05/2025", subject, signer, "H99.1", "", "", "", "", ""),
        second,
    ]
    assert rows_of(archive, OUTGOING, type_code="KL") == [second]


def test_the_columns_are_those_of_the_law() -> None:
    assert {name: len(form.columns) for name, form in FORMS.items()} == {
        "den": 10,
        "di": 10,
        "giai-quyet": 7,
        "van-ban-trong-ho-so": 7,
        "ho-so": 7,
    }


def test_the_spreadsheet_holds_text_only_and_prints_as_a_form(tmp_path: Path) -> None:
    hostile = (
        "=cmd|' /C calc'!A0",
        "+1",
        "@SUM(A1)",
        "-2",
        "\x00\x0b",
        "../../x",
        RIGHT_TO_LEFT,
        LONG_NAME,
        "1" * 40_000,
        "007",
    )
    printed = write_register(
        heading(INCOMING),
        [hostile],
        tmp_path,
        "so",
        MADE,
        formats=("xlsx",),
        left_out={"lý do": 2, "không": 0},
    )
    assert (printed.entries, printed.cut) == (1, 1)
    sheet = load_workbook(tmp_path / "so.xlsx").active
    headers = [cell.value for cell in sheet[5]]
    assert headers == [
        "Ngày đến", "Số đến", "Tác giả", "Số, ký hiệu", "Ngày tháng văn bản", "Tên loại và trích yếu nội dung văn bản",
        "Đơn vị hoặc người nhận", "Ngày chuyển", "Ký nhận", "Ghi chú",
    ]  # fmt: skip
    row = sheet[7]
    assert [cell.value for cell in row][:8] == [*hostile[:4], "\ufffd\ufffd", *hostile[5:8]]
    assert len(row[8].value) == 32_767
    assert row[8].value.endswith("[còn tiếp trong kho lưu trữ]")
    assert row[9].value == "007"
    assert {cell.data_type for cell in row} == {"s"}
    assert {cell.number_format for cell in row} == {"@"}
    assert all(cell.quotePrefix for cell in row)
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.print_title_rows == "$5:$6"
    told = [cell.value for cell in sheet["A"] if cell.value]
    assert told[:3] == [
        "Văn phòng Tỉnh ủy Sông Hương",
        "SỔ ĐĂNG KÝ VĂN BẢN ĐẾN",
        "Năm 2025 · lập ngày 02/03/2026 · Nghị định 30/2020/NĐ-CP, Phụ lục IV",
    ]
    assert told[-4:] == [
        "Tổng số: 1 mục.",
        "Không in trong sổ này: 2 – lý do.",
        "NGƯỜI LẬP",
        "(Ký, ghi rõ họ tên)",
    ]
    with zipfile.ZipFile(tmp_path / "so.xlsx") as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


def test_the_book_can_be_signed_and_bound(tmp_path: Path) -> None:
    rows = [("02/01/2025", str(n), "Ủy ban", "1/QĐ", "", LONG_NAME, "", "", "", "") for n in range(60)]
    rows[3] = (
        *rows[3][:5],
        unicodedata.normalize("NFD", "Nghị quyết về đổi mới"),
        RIGHT_TO_LEFT,
        "\x00",
        "=A1",
        "x" * 400,
    )
    printed = write_register(
        heading(INCOMING), rows, tmp_path, "so", MADE, formats=("pdf",), left_out={"chế độ sử dụng": 3}
    )
    assert (printed.entries, printed.unknown_letters) == (60, 8)
    pages = text_of(tmp_path / "so.pdf")
    assert "SỔ ĐĂNG KÝ VĂN BẢN ĐẾN" in pages[0]
    assert "Năm 2025" in pages[0]
    for number, page in enumerate(pages[1:], start=2):
        assert f"Trang {number}" in page
    assert all("Tác giả" in page for page in pages[1:-1])
    assert "Nghị quyết về đổi mới" in " ".join(" ".join(pages).split())
    assert "Tổng số: 60 mục." in pages[-1]
    assert "Không in trong sổ này: 3 – chế độ sử dụng." in pages[-1]
    assert f"Sổ này có {len(pages)} trang, kể cả bìa." in pages[-1]
    assert "THỦ TRƯỞNG CƠ QUAN" in pages[-1]
    data = (tmp_path / "so.pdf").read_bytes()
    assert data.count(b"/FontFile2") == 2  # both faces are embedded …
    assert len(data) < 150_000  # … and as subsets: whole they have 400,000 bytes


def test_a_row_longer_than_a_page_goes_on_and_loses_nothing(tmp_path: Path) -> None:
    words = " ".join(f"từ{number}" for number in range(2_000))
    write_register(
        heading(HANDLING), [("1", words, "", "", "", "", "")], tmp_path, "so", MADE, formats=("pdf",)
    )
    read = " ".join(" ".join(text_of(tmp_path / "so.pdf")).split())
    assert all(f"từ{number}" in read for number in range(2_000))


def test_equal_registers_are_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_register(heading(DOSSIERS), [("1", "", "Hồ sơ", "", "", "", "")] * 3, tmp_path, name, MADE)
    for kind in ("xlsx", "pdf"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_five_thousand_rows_in_flat_memory(tmp_path: Path) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4 // 1024

    row = (
        "02/01/2025",
        "1",
        "Ủy ban nhân dân tỉnh",
        "1/QĐ-UBND",
        "31/12/2024",
        LONG_NAME[:70],
        "Phòng",
        "",
        "",
        "",
    )
    RegisterBook(heading(INCOMING), MADE)  # what the library itself takes is not counted
    before = resident()
    printed = write_register(heading(INCOMING), (row for _ in range(5_000)), tmp_path, "so", MADE)
    assert printed.entries == 5_000
    assert resident() - before < 60
    assert len(pypdfium2.PdfDocument(tmp_path / "so.pdf")) > 200


def test_the_lists_of_a_dossier_and_of_dossiers(tmp_path: Path) -> None:
    def document(ordinal: int, pages: int | None, **fields: object) -> DossierDocument:
        return DossierDocument(
            **{
                "ordinal": ordinal, "document": str(ordinal), "version": 1, "origin": "person", "source": "s",
                "symbol": f"{ordinal}-KL/TU", "number": None, "notation": None, "issued_date": date(2025, 5, ordinal),
                "issuer_name": "Tỉnh ủy", "type_name": "Kết luận", "subject": "Về chuyển đổi số",
                "page_count": pages, "retention": None, "disposed": False, **fields,
            }  # type: ignore[arg-type]
        )  # fmt: skip

    dossier = replace(
        a_dossier(),
        documents=(document(1, 4), document(2, 1, disposed=True), document(3, None), document(4, 2)),
        paper_count=5,
    )
    assert list(dossier_document_rows(dossier)) == [
        ("1", "1-KL/TU", "01/05/2025", "Kết luận: Về chuyển đổi số", "Tỉnh ủy", "1-4", ""),
        ("2", "2-KL/TU", "02/05/2025", "Kết luận: Về chuyển đổi số", "Tỉnh ủy", "5",
         "Nội dung đã tiêu hủy theo quyết định"),
        ("3", "3-KL/TU", "03/05/2025", "Kết luận: Về chuyển đổi số", "Tỉnh ủy", "", ""),
        ("4", "4-KL/TU", "04/05/2025", "Kết luận: Về chuyển đổi số", "Tỉnh ủy", "", ""),
    ]  # fmt: skip
    assert list(dossier_rows([dossier])) == [
        ("1", "H99.2025.12", "Hồ sơ chuyển đổi số", "01/01/2025 – 31/12/2025", "70 năm", "5 tờ", "Ghi chú")
    ]
    write_register(heading(DOSSIER_DOCUMENTS), dossier_document_rows(dossier), tmp_path, "ml", MADE)
