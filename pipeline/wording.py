"""What the command line says to a person: Vietnamese first, English by ``--lang en`` or ``LIENTHONG_LANG``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from schemas.errors import ConfigurationError

LANGUAGES = ("vi", "en")

_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "source": ("Nguồn", "Source"),
        "kind": ("Loại", "Kind"),
        "sync": ("hằng đêm", "sync"),
        "backfill": ("lấy lại", "backfill"),
        "started": ("Bắt đầu", "Started"),
        "finished": ("khớp", "adds up"),
        "state": ("Trạng thái", "State"),
        "running": ("đang chạy", "running"),
        "failed": ("THẤT BẠI", "FAILED"),
        "listed": ("Liệt kê", "Listed"),
        "archived": ("Lưu", "Archived"),
        "unchanged": ("Không đổi", "Unchanged"),
        "quarantined": ("Cách ly", "Quarantined"),
        "withheld": ("Giữ ngoài", "Withheld"),
        "pending": ("Sẽ lấy", "To fetch"),
        "reason": ("Lý do", "Reason"),
        "stage": ("Giai đoạn", "Stage"),
        "count": ("Số lượng", "Count"),
        "message": ("Nội dung", "Message"),
        "where": ("Vị trí", "Where"),
        "level": ("Mức", "Level"),
        "rule": ("Quy tắc", "Rule"),
        "verdict": ("Kết luận", "Verdict"),
        "file": ("Tệp", "File"),
        "format": ("Dạng", "Format"),
        "signer": ("Người ký", "Signer"),
        "role": ("Vai trò", "Role"),
        "time": ("Thời điểm", "Time"),
        "detail": ("Chi tiết", "Detail"),
        "inventory": ("Lập danh sách", "Inventory"),
        "batches": ("Xử lý các lô", "Batches"),
        "runs": ("Các lượt chạy", "Runs"),
        "no_runs": ("Chưa có lượt chạy nào.", "No run yet."),
        "dry_run": ("Chạy thử, không ghi gì", "Dry run, nothing written"),
        "quarantine_title": ("Cách ly, chờ xử lý", "In quarantine"),
        "withheld_title": ("Giữ ngoài (bí mật nhà nước)", "Withheld (state secrets)"),
        "verdicts_title": ("Chữ ký số trong kho", "Signatures in the archive"),
        "archive_title": ("Kho lưu trữ", "The archive"),
        "documents": ("Văn bản", "Documents"),
        "statuses": ("Thông điệp trạng thái", "Status messages"),
        "others": ("Hồ sơ khác", "Other records"),
        "versions": ("Phiên bản", "Versions"),
        "files": ("Tệp đính kèm", "Attachments"),
        "objects": ("Tệp trong kho (gốc, đính kèm, bản kê)", "Objects (originals, attachments, manifests)"),
        "object_bytes": ("Dung lượng (byte)", "Size (bytes)"),
        "relations_resolved": ("Quan hệ đã tìm thấy đích", "Relations with their target found"),
        "quarantined_open": ("Đang cách ly", "In quarantine"),
        "events": ("Sự kiện trong sổ cái", "Ledger events"),
        "not_found": ("Không tìm thấy văn bản nào cho", "No document found for"),
        "symbol": ("Số, ký hiệu", "Number, notation"),
        "issued": ("Ngày ban hành", "Issued"),
        "issuer": ("Cơ quan ban hành", "Issuer"),
        "type": ("Tên loại", "Type"),
        "subject": ("Trích yếu", "Subject"),
        "recalled": ("Đã thu hồi", "Recalled"),
        "gone_from_source": ("Nguồn không còn từ", "Gone from its source since"),
        "relations": ("Quan hệ", "Relations"),
        "same_as": ("Cùng văn bản", "Same as"),
        "flags": ("Điểm lạ", "Flags"),
        "original": ("Bản gốc", "Original"),
        "attachments": ("Tệp đính kèm", "Attachments"),
        "origin": ("Xuất xứ", "Origin"),
        "check": ("Kiểm tra", "Check"),
        "ok": ("được", "ok"),
        "problem": ("LỖI", "PROBLEM"),
        "warning": ("chú ý", "warning"),
        "TOTAL_PASSED": ("HỢP LỆ", "VALID"),
        "INDETERMINATE": ("CHƯA ĐỦ CĂN CỨ", "INDETERMINATE"),
        "TOTAL_FAILED": ("KHÔNG HỢP LỆ", "INVALID"),
        "NO_SIGNATURE": ("không có chữ ký", "no signature"),
        "UNSUPPORTED": ("chưa hỗ trợ dạng này", "unsupported format"),
        "ERROR": ("LỖI khi kiểm tra", "ERROR"),
        "PERSON": ("cá nhân", "person"),
        "ORGAN": ("con dấu cơ quan", "organ seal"),
        "TIME_STAMP": ("dấu thời gian", "time-stamp"),
        "UNKNOWN": ("không rõ", "unknown"),
        "mat": ("Mật", "Mật (secret)"),
        "toi_mat": ("Tối mật", "Tối mật (top secret)"),
        "tuyet_mat": ("Tuyệt mật", "Tuyệt mật (utmost secret)"),
        "records": ("Hồ sơ", "Records"),
        "items": ("Trường", "Items"),
        "unreadable": ("Không đọc được", "Unreadable"),
        "read": ("đọc", "read"),
        "gate": ("chặn mật", "secrecy gate"),
        "map": ("chuẩn hóa", "map"),
        "load": ("nạp", "load"),
        "mapping_error": ("thiếu trường bắt buộc", "mapping_error"),
        "record_truncated": ("hồ sơ bị cụt", "record_truncated"),
        "xml_truncated": ("XML bị cụt", "xml_truncated"),
        "xml_malformed": ("XML sai cú pháp", "xml_malformed"),
        "dtd_forbidden": ("không phải gói edXML (có DTD)", "dtd_forbidden"),
        "not_edxml": ("không phải edXML", "not_edxml"),
        "not_xml": ("không phải XML", "not_xml"),
        "no_record": ("tệp không có hồ sơ nào", "no_record"),
        "container_malformed": ("vỏ tệp xuất bị hỏng", "container_malformed"),
        "changed_while_reading": ("tệp đổi trong lúc đọc", "changed_while_reading"),
        "export_missing": ("thiếu tệp có trong bảng kê", "export_missing"),
        "export_altered": ("tệp khác với bảng kê", "export_altered"),
        "export_skipped": ("máy chủ không xuất được", "export_skipped"),
        "manifest_malformed": ("bảng kê bị hỏng", "manifest_malformed"),
        "file_vanished": ("tệp đã biến mất", "file_vanished"),
        "internal_error": ("lỗi chương trình", "internal_error"),
        "gate_failed": ("không xét được độ mật", "gate_failed"),
        "place": ("Chỗ", "Place"),
        "standing": ("Kết quả", "Outcome"),
        "encoding": ("Bảng mã", "Encoding"),
        "because": ("Căn cứ", "Because of"),
        "confidence": ("Độ tin", "Confidence"),
        "text": ("Nguyên văn → chuyển thành", "As printed → decoded"),
        "decoded": ("chuyển mã", "decoded"),
        "plain_ascii": ("chữ ASCII, giữ nguyên", "plain ASCII, kept"),
        "already_unicode": ("đã là Unicode, giữ nguyên", "already Unicode, kept"),
        "other_font": ("phông Unicode, giữ nguyên", "in a Unicode font, kept"),
        "not_convincing": ("chưa đủ chắc, giữ nguyên", "not convincing, kept"),
        "nothing_legacy": ("không có gì để chuyển mã", "nothing to decode"),
        "encoding_tcvn3": ("TCVN3 (ABC)", "TCVN3 (ABC)"),
        "encoding_vni": ("VNI", "VNI"),
        "encoding_viscii": ("VISCII", "VISCII"),
        "encoding_vps": ("VPS", "VPS"),
        "encoding_cp1258": ("CP1258", "CP1258"),
        "encoding_viqr": ("VIQR", "VIQR"),
        "encoding_unicode_to_hop": ("Unicode tổ hợp", "decomposed Unicode"),
        "font": ("phông chữ", "font"),
        "form_field": ("phông của trường trong biểu mẫu", "font of the form's field"),
        "own_words": ("các từ của đoạn", "its own words"),
        "record": ("các từ của cả hồ sơ", "the record's words"),
        "asked": ("theo yêu cầu", "as asked"),
        "composed": ("ghép dấu", "marks composed"),
        "identity": (
            "Đối chiếu: {listed} liệt kê = {archived} lưu + {unchanged} không đổi"
            " + {quarantined} cách ly + {withheld} giữ ngoài",
            "Account: {listed} listed = {archived} archived + {unchanged} unchanged"
            " + {quarantined} quarantined + {withheld} withheld",
        ),
    }
)


class Wording:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ConfigurationError(
                f"no words in language {language!r}",
                expected=" or ".join(LANGUAGES),
                action="use --lang vi or --lang en",
            )
        self._index = LANGUAGES.index(language)

    def __call__(self, key: str, **values: object) -> str:
        """The word for ``key``; a key without an entry (a source's own word) stands for itself."""
        entry = _WORDS.get(key)
        text = entry[self._index] if entry else key
        return text.format(**values) if values else text
