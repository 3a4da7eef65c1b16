"""Words of registers and of what is handed over."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

HANDOVER: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "register_written": ("Đã lập {title}: {entries} mục", "{title} made: {entries} entries"),
        "register_cut": (
            "{count} ô dài hơn một ô bảng tính chứa được, đã cắt và ghi rõ",
            "{count} cells were longer than a cell can be; cut, and said so",
        ),
        "register_unknown": (
            "{count} ký tự không có trong phông chữ in, thay bằng ?; bảng tính giữ đủ",
            "{count} letters are not in the printed typeface and became ?; the spreadsheet has them",
        ),
        "handed_over": (
            "Đã giao {out} trong {selected} văn bản: {items} gói",
            "{out} of {selected} documents: {items} packages",
        ),
        "left_out_access": ("chế độ sử dụng không cho phép", "not allowed by their class of access"),
        "left_out_disposed": ("nội dung đã tiêu hủy", "their content was destroyed"),
        "left_out_recalled": ("đã thu hồi (giao cả bằng --recalled)", "recalled (--recalled takes them too)"),
        "left_out_undated": ("không có ngày nên không thuộc năm nào", "without a day, so in no year"),
        "left_out_undirected": (
            "không rõ đi hay đến (khai organ_id của cơ quan trong tệp nguồn)",
            "neither known to have come in nor gone out (state the office's organ_id in the source file)",
        ),
        "left_out": ("Không đưa ra: {count} – {reason}", "Left out: {count} – {reason}"),
        "notice_too_long": (
            "trường dài hơn quy định, giữ nguyên",
            "fields longer than the standard's limit, kept whole",
        ),
        "notice_missing": ("trường bắt buộc còn trống", "required fields that are empty"),
        "notice_no_code": ("giá trị không có mã trong thông tư", "values for which the standard has no code"),
        "notice_default": ("ô điền theo mặc định của mẫu", "cells filled by the template's default"),
        "notice_not_pdf": (
            "tệp không phải PDF, giữ nguyên dạng",
            "files that are not PDF and stay as they are",
        ),
        "notice_too_many": ("hồ sơ có quá 999 tệp", "dossiers of more than 999 files"),
        "notice": ("Lưu ý: {count} {what}", "Note: {count} {what}"),
        "written_to": ("Ở: {path}", "In: {path}"),
    }
)
