"""The Party's archive template HSLTCQ: ``MetaDuLieu.xlsx`` with the dossier and its documents, and the files beside it.

Basis: Guideline 40-HD/VPTW (2018) and letters 14204-CV/VPTW, 14748-CV/VPTW-TCNS (2025). The template itself was not at
hand: headers and values are those of programs that its receivers accept, the sheets «Ảnh» and «Video» included, which
stay without rows. Headers are compared letter by letter by those receivers: two hold a no-break space (U+00A0).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from openpyxl import Workbook

from archive.handover.originals import copy_object
from archive.handover.package_content import Package, PackedDocument, PackedFile
from archive.handover.register_entries import day_text
from archive.handover.register_xlsx import TextSheet, save_workbook
from archive.handover.safe_names import extension
from archive.objects import ObjectStore
from schemas.errors import ConfigurationError
from schemas.media_type import PDF

DOSSIER_HEADERS = (
    "Tiêu đề hồ sơ", "Thời hạn bảo quản", "Phông", "Mục lục", "Nhiệm kỳ", "Thời gian bắt đầu", "Thời gian kết thúc",
    "Tình trạng vật lý", "Số lượng trang", "Tổng số văn bản trong hồ sơ", "Độ mật", "Đơn vị bảo quản số",
    "Thời gian tài liệu",
)  # fmt: skip
DOCUMENT_HEADERS = (
    "Tên cơ quan, tổ chức ban hành văn bản", "Tên loại văn bản", "Số của văn\u00a0bản", "Ký hiệu của văn bản",
    "Ngày, tháng, năm văn bản", "Trích yếu nội dung", "Loại bản", "Ngôn ngữ", "Ghi chú", "Bút tích", "Người ký",
    "Chuyên đề", "Ký hiệu thông tin", "Từ khóa", "Chế độ sử dụng", "Độ mật", "Mức độ tin cậy", "Tình trạng vật lý",
    "Tên tệp", "Thời gian tài liệu",
)  # fmt: skip
PICTURE_HEADERS = (
    "Số lưu trữ", "Ký hiệu thông tin", "Tên sự kiện", "Tiêu đề phim/ảnh", "Ghi chú", "Tác giả", "Địa điểm chụp",
    "Thời gian chụp", "Màu sắc", "Cỡ phim/ảnh", "Tài liệu đi kèm", "Chế độ sử dụng", "Tình trạng vật lý", "Tên tệp",
)  # fmt: skip
VIDEO_HEADERS = (
    "Số lưu trữ", "Ký hiệu thông tin", "Tên sự kiện", "Tiêu đề\u00a0phim/âm thanh", "Tác giả", "Địa điểm", "Thời gian",
    "Ngôn ngữ", "Thời lượng", "Tài liệu đi kèm", "Chế độ sử dụng", "Chất lượng", "Tình trạng vật lý", "Ghi chú",
    "Tên tệp",
)  # fmt: skip

LONGEST_TITLE = 1000
LONGEST_TERM = 10
MOST_FILES = 999
"""The running number in a file's name has three digits."""

_OPEN = "Công khai"
_CONDITIONAL = "Sử dụng có điều kiện"
_PART = re.compile(r"[0-9A-Za-z.]+")


def write_hsltcq(package: Package, objects: ObjectStore, parent: Path) -> tuple[Path, Counter[str]]:
    """Write the workbook and the files of a dossier's ``package`` into a folder of its own below ``parent``.

    Every attachment is a row with its file; a document without one is handed over as its original record. Only PDF
    files are named ``.pdf``: what is none keeps its true extension, and the note says so.

    Returns:
        The folder, and counts of what the person who hands over should know: ``default`` cells that the template's
        default filled, ``too_long`` values, ``not_pdf`` files, ``too_many`` when the number needs four digits.

    Raises:
        ConfigurationError: the dossier lacks the codes of which names of files are made.
    """
    stem = file_stem(package)
    folder = parent / stem
    folder.mkdir()
    told: Counter[str] = Counter()
    rows = []
    for number, (document, file, note) in enumerate(_files(package), start=1):
        name = f"{stem}-{number:03d}{extension(file.media_type)}"
        copy_object(objects, file.sha256, folder / name)
        if file.media_type != PDF:
            told["not_pdf"] += 1
            note = "; ".join(filter(None, (note, "tệp không phải PDF, giữ nguyên dạng gốc")))
        rows.append(_document_row(document, name, note, told))
    if len(rows) > MOST_FILES:
        told["too_many"] += 1
    _write_workbook(_dossier_row(package, len(rows), told), rows, folder / "MetaDuLieu.xlsx")
    return folder, told


def file_stem(package: Package) -> str:
    """``{mã định danh}-{mã phông}-{mục lục 2}-{hồ sơ 4}``, with which all names of the dossier begin.

    Raises:
        ConfigurationError: a code is missing, too long, or holds more than letters, digits and points.
    """
    dossier = package.dossier
    assert dossier is not None
    wrong = []
    parts = []
    for name, value, longest, digits in (
        ("mã định danh cơ quan của phông", dossier.organ_code, 35, 0),
        ("mã phông", dossier.fonds_code, 35, 0),
        ("mục lục", dossier.catalogue, 2, 2),
        ("hồ sơ số (code)", dossier.code, 5, 4),
    ):
        text = (value or "").strip()
        if not _PART.fullmatch(text) or len(text) > longest:
            wrong.append(f"{name}: {text or 'chưa có'} (tối đa {longest})")
        parts.append(text.zfill(digits))
    if wrong:
        raise ConfigurationError(
            f"the dossier {dossier.title or dossier.code or dossier.id!r} has no codes for the template HSLTCQ",
            where="; ".join(wrong),
            expected="letters, digits and points only",
            action="fill them with `lienthong dossier set` and `lienthong dossier fonds`",
        )
    return "-".join(parts)


def _files(package: Package) -> Iterator[tuple[PackedDocument, PackedFile, str]]:
    """Every file that goes beside the sheet, with its document and what is to be noted of it."""
    for document in package.documents:
        attached = document.files[1:]
        if not attached:
            yield document, document.files[0], "bản ghi gốc: văn bản không có tệp đính kèm"
        for number, file in enumerate(attached, start=1):
            note = f"tệp {number}/{len(attached)} của văn bản" if len(attached) > 1 else ""
            yield document, file, note


def _dossier_row(package: Package, files: int, told: Counter[str]) -> tuple[str, ...]:
    dossier = package.dossier
    assert dossier is not None
    days = sorted(
        found.processed.document.issued_date
        for found in package.documents
        if found.processed.document.issued_date
    )
    first = dossier.start_date or (days[0] if days else None)
    last = dossier.end_date or (days[-1] if days else None)
    title, term = dossier.title or "", dossier.term or ""
    told["too_long"] += (len(title) > LONGEST_TITLE) + (len(term) > LONGEST_TERM)
    return (
        title,
        dossier.retention or "",
        dossier.fonds_name or dossier.fonds_code or "",
        dossier.catalogue or "",
        term,
        day_text(first),
        day_text(last),
        _default(dossier.condition, "Tốt", told),
        "" if dossier.page_count is None else str(dossier.page_count),
        str(files),
        "",
        dossier.code or "",
        "",
    )


def _document_row(document: PackedDocument, name: str, note: str, told: Counter[str]) -> tuple[str, ...]:
    said = document.processed.document
    subject = said.subject or ""
    told["too_long"] += len(subject) > LONGEST_TITLE
    # The archive's own class is never told looser than it is; where there is none, nobody said "open".
    mode = said.use_regime if document.access == "open" else _CONDITIONAL
    return (
        said.issuer.name or "" if said.issuer else "",
        said.type_name or "",
        said.number or "",
        said.notation or "",
        day_text(said.issued_date),
        subject,
        _default(said.copy_kind, "Bản chính", told),
        _default(said.language, "Tiếng Việt", told),
        "; ".join(filter(None, (said.note, note))),
        said.autograph or "",
        "; ".join(signer.full_name for signer in said.signers if signer.full_name),
        "",
        "",
        "; ".join(said.keywords),
        _default(mode, _OPEN, told),
        "",
        said.confidence or "",
        _default(said.condition, "Tốt", told),
        name,
        "",
    )


def _default(value: str | None, default: str, told: Counter[str]) -> str:
    """``value``, or the template's default, counted."""
    if value:
        return value
    told["default"] += 1
    return default


def _write_workbook(dossier: tuple[str, ...], documents: list[tuple[str, ...]], path: Path) -> None:
    workbook = Workbook(write_only=True)
    for title, headers, rows in (
        ("Hồ sơ", DOSSIER_HEADERS, [dossier]),
        ("Văn bản", DOCUMENT_HEADERS, documents),
        ("Ảnh", PICTURE_HEADERS, []),
        ("Video", VIDEO_HEADERS, []),
    ):
        sheet = TextSheet(workbook, title, tuple(24.0 for _ in headers))
        for row in (headers, *rows):
            sheet.add(row)
    save_workbook(workbook, path)
