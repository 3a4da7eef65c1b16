"""The regime of access to a document (chế độ sử dụng, tiếp cận tài liệu): who may read what the archive holds."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class AccessClass(StrEnum):
    """A class of access, each stricter than the one before it.

    Law on Archives 33/2024/QH15 knows open and conditional access; TT 05/2025/TT-BNV ``mode`` codes them 01 and 02.
    Its 03 (state secret) has no class here, because such a document never enters: what turns out later to hold a
    state secret is sealed.
    """

    OPEN = "open"  # công khai
    CONDITIONAL = "conditional"  # sử dụng có điều kiện, lưu hành nội bộ
    PERSONAL = "personal"  # bí mật đời sống riêng tư: đơn thư, hồ sơ cán bộ
    SEALED = "sealed"  # niêm phong: phát hiện bí mật nhà nước sau khi đã vào kho

    @property
    def rank(self) -> int:
        """0 for the most open."""
        return _RANKS[self]


_RANKS = {item: rank for rank, item in enumerate(AccessClass)}


def strictest(classes: Iterable[AccessClass]) -> AccessClass:
    """The strictest of ``classes``; open for none."""
    return max(classes, key=lambda item: item.rank, default=AccessClass.OPEN)
