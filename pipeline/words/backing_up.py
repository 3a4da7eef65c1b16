"""Words of backup and restore, export and import."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

BACKING_UP: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "backup_objects": ("Tệp", "Objects"),
        "backup_made": (
            "Đã sao lưu {name}: {objects} tệp ({copied} mới, {megabytes} MB), sổ cái đến sự kiện {seq}, gốc {root}.",
            "Backed up as {name}: {objects} objects ({copied} new ones, {megabytes} MB), ledger up to event {seq},"
            " root {root}.",
        ),
        "backup_missing": ("KHÔNG sao lưu được tệp", "NOT backed up: object"),
        "backup_restored": (
            "Đã phục hồi {name}: {objects} tệp, {rows} dòng; mã băm, số lượng và chuỗi sổ cái đều đúng.",
            "Restored {name}: {objects} objects, {rows} rows; hashes, counts and the ledger's chain are right.",
        ),
        "bag_exported": (
            "Đã xuất {objects} tệp; sổ cái {tree_size} sự kiện, gốc {root}.",
            "Exported {objects} objects; ledger of {tree_size} events, root {root}.",
        ),
        "bag_imported": (
            "Đã dựng kho từ {objects} tệp: {documents} phiên bản văn bản; sổ cái {tree_size} sự kiện, gốc {root}"
            " đúng như gói.",
            "Made the archive of {objects} objects: {documents} versions of documents; ledger of {tree_size} events,"
            " root {root} as in the bag.",
        ),
        "bag_already_here": (
            "Kho này đã có sẵn sổ cái của gói (gốc {root}); không thay đổi gì.",
            "The archive of this bag is here already (root {root}); nothing was changed.",
        ),
    }
)
