"""Words of making the database again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REBUILDING: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "rebuild_events": ("Dựng lại từ nhật ký", "Repeating the ledger"),
        "rebuild_made": (
            "Từ {objects} tệp trong kho: {events} sự kiện, {documents} phiên bản văn bản, {anchors} neo.",
            "From {objects} objects: {events} events, {documents} versions of documents, {anchors} anchors.",
        ),
        "rebuild_unreadable": ("không đọc được", "unreadable"),
        "rebuild_missing": ("thiếu", "missing"),
        "rebuild_added": ("thừa", "added"),
        "rebuild_differs": ("khác", "differs"),
        "rebuild_unknown": ("nhật ký không nhắc đến", "not told of by the ledger"),
        "rebuild_untold": ("bản cũ không ghi lại", "not kept by an older program"),
        "rebuild_refused": ("không lặp lại được", "cannot be repeated"),
        "rebuild_more": (
            "… và {count} mục nữa (--json liệt kê hết)",
            "… and {count} more (--json lists all)",
        ),
        "rebuild_table": ("Bảng", "Table"),
        "rebuild_living": ("Đang dùng", "Living"),
        "rebuild_again": ("Dựng lại", "Made again"),
        "rebuild_equal": ("Giống", "Equal"),
        "rebuild_is_equal": (
            "Cơ sở dữ liệu dựng lại giống hệt cơ sở dữ liệu đang dùng.",
            "The database made again equals the living one.",
        ),
        "rebuild_is_whole": (
            "Đã dựng lại đầy đủ những gì nhật ký ghi.",
            "All that the ledger tells was made again.",
        ),
        "rebuild_is_not": (
            "KHÔNG dựng lại được đầy đủ, hoặc có dòng khác nhau.",
            "NOT all was made again, or rows differ.",
        ),
    }
)
