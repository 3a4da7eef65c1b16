"""Words of search and its index."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SEARCH: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "search_none": ("Không tìm thấy văn bản nào.", "Nothing found."),
        "search_more": ("Trang sau: --after {after}", "Next page: --after {after}"),
        "search_behind": (
            "Chỉ mục chậm hơn kho {events} sự kiện: chạy lienthong index",
            "The index is {events} events behind the archive: run lienthong index",
        ),
        "search_counted": ("{documents} văn bản", "{documents} documents"),
        "search_counted_some": (
            "tính trên {documents} trong số các văn bản tìm thấy",
            "counted over {documents} of the documents found",
        ),
        "facet": ("Nhóm", "Facet"),
        "value": ("Giá trị", "Value"),
        "facet_source": ("Nguồn", "Source"),
        "facet_type": ("Tên loại", "Type"),
        "facet_organ": ("Cơ quan ban hành", "Issuer"),
        "facet_year": ("Năm", "Year"),
        "facet_verdict": ("Kết luận chữ ký", "Verdict"),
        "facet_direction": ("Đến, đi", "Direction"),
        "facet_kind": ("Loại hồ sơ", "Kind of record"),
        "facet_file": ("Loại tệp", "Kind of file"),
        "indexed": (
            "Đã lập chỉ mục {documents} văn bản, bỏ {removed}; đọc chữ của {files} tệp",
            "Indexed {documents} documents, removed {removed}; read the text of {files} files",
        ),
        "index_unreadable": (
            "KHÔNG TÌM ĐƯỢC {documents} văn bản và chữ của {files} tệp vì không đọc được từ kho tệp: chạy"
            " lienthong audit, khôi phục, rồi lienthong index --rebuild",
            "SEARCH CANNOT FIND {documents} documents and the text of {files} files, which cannot be read from"
            " the object store: run lienthong audit, restore them, then lienthong index --rebuild",
        ),
        "index_busy": ("Một tiến trình khác đang lập chỉ mục.", "Another process is indexing."),
        "outcome": ("Kết quả", "Outcome"),
        "extracted_text": ("có chữ", "text"),
        "extracted_no_text": ("không có chữ (bản quét)", "no text (scan)"),
        "extracted_encrypted": ("có mật khẩu", "encrypted"),
        "extracted_unsupported": ("dạng tệp không đọc", "kind of file not read"),
        "extracted_damaged": ("hỏng", "damaged"),
        "extracted_too_large": ("quá lớn", "too large"),
    }
)
