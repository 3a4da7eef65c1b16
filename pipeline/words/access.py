"""Words of access: classes, and what is said of a decision on them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ACCESS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "access": ("Chế độ sử dụng", "Access"),
        "access_open": ("công khai", "open"),
        "access_conditional": ("sử dụng có điều kiện", "conditional"),
        "access_personal": ("bí mật đời sống riêng tư", "personal"),
        "access_sealed": ("NIÊM PHONG", "SEALED"),
        "access_decided": ("do người quyết định", "decided by a person"),
        "access_stated": ("theo hồ sơ và cấu hình nguồn", "as the record and its source's rules state"),
        "copying_needs_why": (
            'chép tệp ra là sử dụng tài liệu: hãy nói để làm gì, --why "…" / say what the files are copied out for',
            'copying files out is a use of them: say what for, --why "…"',
        ),
        "access_set": ("Đã đổi chế độ sử dụng", "Access changed"),
        "access_stricter": (
            "Vẫn là {access}: hồ sơ mới hơn, hoặc hồ sơ mà nó trả lời, chặt hơn",
            "It remains {access}: a later version, or the record that it answers, is stricter",
        ),
        "access_twins": (
            "Cùng văn bản ở nơi khác, CHƯA đổi (thêm --same để đổi cả)",
            "The same document elsewhere, NOT changed (add --same to change these too)",
        ),
    }
)
