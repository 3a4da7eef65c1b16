"""Words of the key ring."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

KEYS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "keys_made": (
            "Từ nay tệp mới được mã hoá; tệp cũ giữ nguyên và vẫn đọc được. Bộ khoá: {ring}",
            "From now on new objects are encrypted; older ones stay as they are, readable. Key ring: {ring}",
        ),
        "keys_to_the_safe": (
            "In tệp {recovery}, cất vào két, rồi xoá tệp. Mất cả bộ khoá lẫn bản này là mất mọi tệp đã mã hoá.",
            "Print {recovery}, lock it away, then delete it. Without it and the ring every encrypted object is lost.",
        ),
        "keys_rotated": (
            "Tệp mới dùng khoá {id}; không tệp nào phải ghi lại.",
            "New objects use the key {id}; no object was rewritten.",
        ),
        "keys_enrolled": (
            "Từ nay kho dùng bộ khoá {ring}; kho giữ bản sao đã khoá.",
            "From now on the store uses the key ring {ring}; it holds a locked copy.",
        ),
        "keys_foreign": (
            "Kho còn khoá mà bộ khoá này không có ({ids}): tệp mã hoá bằng các khoá đó không đọc được.",
            "The store has keys that this ring lacks ({ids}): what they encrypted cannot be read.",
        ),
        "keys_recovered": (
            "Đã lập lại bộ khoá, {count} khoá: {ring}",
            "Key ring made again, {count} keys: {ring}",
        ),
        "keys_none": ("Kho này không mã hoá.", "This store does not encrypt."),
        "key_id": ("khoá", "key"),
        "key_created": ("tạo lúc", "created"),
        "key_use": ("dùng cho", "used for"),
        "key_for_new": ("tệp mới", "new objects"),
        "key_for_old": ("tệp cũ", "older objects"),
        "keys_work": ("mã hoá rồi đọc lại được", "what is encrypted can be read"),
        "keys_kept": ("kho giữ bản sao đã khoá", "the store holds them, locked"),
        "keys_complete": ("bộ khoá có đủ khoá của kho", "the ring has every key of the store"),
        "keys_recoverable": ("bản trong két mở được mọi khoá", "the sheet from the safe opens every key"),
    }
)
