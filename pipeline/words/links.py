"""Words of links between records."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LINKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "link_confirmed": ("Đã xác nhận cùng một văn bản", "Confirmed as the same document"),
        "link_refused": ("Đã bỏ liên kết", "Taken back"),
        "link_state_confirmed": ("đã xác nhận", "confirmed"),
        "link_state_refused": ("không phải", "refused"),
        "link_state_found": ("tự tìm thấy", "found"),
    }
)
