"""What the receiver of a package has to know, in words: its layout, its names, and where a field is not as required."""

from __future__ import annotations

from archive.handover.package_content import Package

_INTRODUCTION = """GÓI HỒ SƠ, TÀI LIỆU NỘP LƯU ({kind})

Gói: {name}
Tiêu đề: {title}
Cơ quan giao: {organ}
Số văn bản: {documents}; số tệp dữ liệu: {files}

Cấu trúc theo Phụ lục III, IV Thông tư 05/2025/TT-BNV và E-ARK CSIP: METS.xml kê từng tệp với SHA-256.
- metadata/descriptive/EAD.xml: các trường của thông tư; EAD3.xml: mô tả theo chuẩn quốc tế EAD3.
- metadata/preservation/PREMIS.xml: tệp, sự kiện trong sổ cái của kho giao, chế độ sử dụng (PREMIS 3.0).
- metadata/other: bản kê của kho giao và kết quả kiểm tra mọi chữ ký số (verdicts.txt để đọc).
- representations/rep1/data: bản gốc từng byte như khi nhận. Tệp .00 là bản ghi gốc của hệ thống nguồn, .01 trở đi là
  tệp đính kèm theo thứ tự; tên gốc ghi ở originalName trong PREMIS.xml.
Thời điểm CREATEDATE là của dữ kiện mới nhất trong gói, không phải lúc xuất: xuất lại khi không có gì đổi thì được đúng
gói này, từng byte. Sự kiện xuất và sự kiện đọc không ghi trong gói; chúng ở sổ cái của kho giao.

A package for submission to the next archive. METS.xml lists every file with its SHA-256; data files are the
original bytes. CREATEDATE is the time of the newest fact in the package: an unchanged archive gives the same bytes.
"""


def notes_text(package: Package) -> str:
    """The text of ``documentation/DOC-TRUOC.txt``."""
    text = _INTRODUCTION.format(
        kind=package.kind,
        name=package.name,
        title=package.title,
        organ=package.organ,
        documents=len(package.documents),
        files=sum(len(document.files) for document in package.documents),
    )
    lines = [f"Hồ sơ: {notice.message}" for notice in package.fields.notices]
    for document in package.documents:
        lines += [f"{document.stem}: {notice.message}" for notice in document.fields.notices]
    if lines:
        text += "\nTrường chưa đúng yêu cầu của thông tư (không cắt, không điền thay):\n"
        text += "\n".join(f"- {line}" for line in lines) + "\n"
    return text.encode("utf-8", "backslashreplace").decode()
