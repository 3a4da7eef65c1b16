"""What is known of the signatures in a package: for programs as JSON, for people in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from archive.canonical import Json, canonical_bytes
from archive.handover.package_content import Package, PackedDocument
from archive.handover.register_entries import symbol
from archive.handover.xml_tree import moment_text
from archive.views import VerdictView

_INDICATIONS: Mapping[str, str] = MappingProxyType(
    {
        "TOTAL_PASSED": "ĐẠT",
        "INDETERMINATE": "CHƯA ĐỦ CĂN CỨ",
        "TOTAL_FAILED": "KHÔNG ĐẠT",
        "NO_SIGNATURE": "Không có chữ ký số",
        "UNSUPPORTED": "Dạng chữ ký chưa kiểm tra được",
        "ERROR": "Không kiểm tra được",
    }
)


def verdicts_json(package: Package) -> bytes:
    """Every verdict of every check of every document, with all its axes, as canonical JSON."""
    documents: list[Json] = [
        {
            "document": document.view.document,
            "version": document.view.current.version,
            "symbol": document.view.current.symbol,
            "verdicts": [_verdict(document, verdict) for verdict in document.view.current.verdicts],
        }
        for document in package.documents
    ]
    return canonical_bytes({"lienthong_verdicts": 1, "package": package.name, "documents": documents}) + b"\n"


def verdicts_text(package: Package) -> str:
    """The verdicts in force, in Vietnamese."""
    lines = [
        "KẾT QUẢ KIỂM TRA CHỮ KÝ SỐ",
        f"Gói: {package.name}",
        "Kết luận theo ETSI EN 319 102-1, tại thời điểm ghi ở mỗi dòng; đầy đủ trong verdicts.json.",
        "",
    ]
    for document in package.documents:
        said = document.processed.document
        lines.append(
            f"{document.ordinal}. {symbol(said) or document.view.source_key}: {said.subject or ''}".rstrip()
        )
        found = [verdict for verdict in document.view.current.verdicts if verdict.in_force]
        lines += [f"   - {_line(document, verdict)}" for verdict in found]
        if not found:
            lines.append("   - Không tệp nào được kiểm tra chữ ký")
        lines.append("")
    return "\n".join(lines)


def _line(document: PackedDocument, verdict: VerdictView) -> str:
    place = next(
        (file.name for file in document.files if file.ordinal == (verdict.attachment or 0)), verdict.file_name
    )
    parts = [place, " ".join(filter(None, (_INDICATIONS[verdict.indication], verdict.sub_indication)))]
    if verdict.provisional:
        parts.append("tạm thời: chờ danh sách thu hồi mới hơn")
    if verdict.signer_name:
        parts.append(f"người ký: {verdict.signer_name}")
    if verdict.claimed_time:
        parts.append(f"thời gian ký ghi trong chữ ký: {moment_text(verdict.claimed_time)}")
    if verdict.verified_at:
        parts.append(f"kiểm tra lúc {moment_text(verdict.verified_at)}")
    return "; ".join(parts)


def _verdict(document: PackedDocument, verdict: VerdictView) -> Json:
    return {
        "file": next(
            (file.name for file in document.files if file.ordinal == (verdict.attachment or 0)), None
        ),
        "sha256": verdict.sha256,
        "check": verdict.check_no,
        "position": verdict.position,
        "in_force": verdict.in_force,
        "provisional": verdict.provisional,
        "verdict": cast("Json", verdict.verdict),
    }
