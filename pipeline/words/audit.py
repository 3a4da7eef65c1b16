"""Words of anchoring and auditing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

AUDIT: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "anchor_nothing": ("Sổ cái còn trống, chưa có gì để neo", "The ledger is empty: nothing to anchor"),
        "anchor_made": (
            "Đã neo sổ cái: mốc số {number}, {tree_size} sự kiện, thêm {published} tệp",
            "Ledger anchored: number {number}, {tree_size} events, {published} files added",
        ),
        "anchor_unchanged": (
            "Không có sự kiện mới; mốc gần nhất là số {number}, {tree_size} sự kiện",
            "Nothing new; the last anchor is number {number}, {tree_size} events",
        ),
        "anchor_root": ("Gốc Merkle: {root}", "Merkle root: {root}"),
        "anchor_failure": ("Chưa tới được: {failure}", "Not reached: {failure}"),
        "anchor_folder_absent": (
            "thư mục neo {folder} không có ở đó: gắn lại ổ chia sẻ (nếu lập mới: lienthong anchor --begin {folder})",
            "the folder of anchors {folder} is not there: mount the share (only for a new one: lienthong anchor --begin"
            " {folder})",
        ),
        "anchor_folder_empty": (
            "thư mục neo {folder} trống dù đã có mốc neo từ trước: gắn lại ổ chia sẻ; nếu đã gắn, tìm xem ai đã xoá"
            " (chỉ khi chủ ý ghi lại từ đầu: lienthong anchor --begin {folder})",
            "the folder of anchors {folder} is empty though anchors were made before: mount the share; if it is"
            " mounted, find out who emptied it (only to fill it anew on purpose: lienthong anchor --begin {folder})",
        ),
        "anchor_folder_foreign": (
            "thư mục neo {folder} là của một kho khác: sửa LIENTHONG_ANCHORS",
            "the folder of anchors {folder} is that of another archive: correct LIENTHONG_ANCHORS",
        ),
        "anchor_folder_gaps": (
            "thư mục neo {folder} mất các mốc {missing}: tìm xem ai đã xoá, lienthong audit (chỉ khi chủ ý ghi bù:"
            " lienthong anchor --begin {folder})",
            "the folder of anchors {folder} lost the anchors {missing}: find out who removed them, lienthong audit"
            " (only to fill it anew on purpose: lienthong anchor --begin {folder})",
        ),
        "night_title": ("BÁO CÁO KHO LƯU TRỮ LIÊN THÔNG, {at}", "REPORT OF THE LIENTHONG ARCHIVE, {at}"),
        "night_subject_good": ("Liên thông: kho lưu trữ toàn vẹn", "Lienthong: the archive is whole"),
        "night_subject_bad": (
            "Liên thông: KHO LƯU TRỮ CẦN NGƯỜI KIỂM TRA",
            "Lienthong: THE ARCHIVE NEEDS A PERSON'S EYES",
        ),
        "night_subject_notice": (
            "Liên thông: CÓ VĂN BẢN ĐÃ LƯU NAY BỊ XÁC ĐỊNH LÀ MẬT",
            "Lienthong: ARCHIVED DOCUMENTS WERE FOUND TO BE SECRET",
        ),
        "night_anchor": (
            "Mốc neo số {number}: {tree_size} sự kiện",
            "Anchor number {number}: {tree_size} events",
        ),
        "night_head": ("Băm của sự kiện cuối: {head}", "Hash of the last event: {head}"),
        "night_record": (
            "SHA-256 của bản ghi mốc neo: {record_sha256}",
            "SHA-256 of the record: {record_sha256}",
        ),
        "night_stamped": ("Có dấu thời gian RFC 3161", "With an RFC 3161 time-stamp"),
        "night_not_stamped": ("Không có dấu thời gian", "Without a time-stamp"),
        "night_not_anchored": (
            "KHÔNG NEO ĐƯỢC SỔ CÁI: sổ cái không còn như lần neo trước, hoặc cơ sở dữ liệu lỗi",
            "THE LEDGER WAS NOT ANCHORED: it is not the one that was anchored before, or the database failed",
        ),
        "night_no_audit": ("KIỂM TOÁN KHÔNG CHẠY XONG", "THE AUDIT DID NOT COME TO AN END"),
        "audit_clean": (
            "Kho lưu trữ toàn vẹn: {events} sự kiện, {anchors} mốc neo, {versions} phiên bản (đối chiếu {compared})",
            "The archive is whole: {events} events, {anchors} anchors, {versions} versions ({compared} compared)",
        ),
        "audit_problems": (
            "KHO LƯU TRỮ CÓ {problems} VẤN ĐỀ: {events} sự kiện, {anchors} mốc neo, {versions} phiên bản"
            " (đối chiếu {compared})",
            "THE ARCHIVE HAS {problems} PROBLEMS: {events} events, {anchors} anchors, {versions} versions"
            " ({compared} compared)",
        ),
        "audit_anchored": (
            "Sổ cái khớp với mốc neo tới sự kiện {anchored}; {outside} mốc ở ngoài, {stamps} dấu thời gian tin cậy",
            "The ledger agrees with its anchors up to event {anchored}; {outside} anchors outside,"
            " {stamps} trusted time-stamps",
        ),
        "audit_never_anchored": (
            "Sổ cái chưa được neo lần nào: người sửa toàn bộ sổ sẽ không bị phát hiện",
            "The ledger was never anchored: who rewrites all of it would not be noticed",
        ),
        "audit_objects": (
            "Tệp: kiểm tra {checked}, sai {standing}, chưa kiểm tra lần nào {unchecked}, mồ côi {orphan_count};"
            " tìm thấy {canaries} tệp sai cố ý",
            "Objects: {checked} checked, {standing} wrong, {unchecked} never checked, {orphan_count} orphans;"
            " {canaries} planted wrong files found",
        ),
        "audit_more": ("… và {more} vấn đề nữa loại {kind}", "… and {more} more of kind {kind}"),
        "audit_notices": (
            "CHỜ NGƯỜI GIỮ KHO QUYẾT ĐỊNH: {notices} tài liệu đã lưu nay bị xác định là mật, đã niêm phong",
            "WAITING FOR THE KEEPER'S DECISION: {notices} archived documents found to be secret, sealed",
        ),
        "audit_sealed_by_gate": (
            "tài liệu đã lưu nay bị xác định là mật (nguồn {source}, từ {since}); không ai khác đọc được, chưa bị hủy."
            " Xem: lienthong show <mã> --sealed; rồi quyết định: lienthong access <mã> --sealed --set … --why …",
            "archived, and found to be secret now (source {source}, since {since}); nobody else reads it, nothing was"
            " destroyed. See it: lienthong show <id> --sealed; decide: lienthong access <id> --sealed --set … --why …",
        ),
        "audit_event_missing": ("Sổ cái bị mất sự kiện: {message}", "Events are missing: {message}"),
        "audit_event_loose": (
            "Sự kiện không nối tiếp sự kiện trước nó (bị chèn, đổi chỗ hoặc xóa)",
            "The event does not follow the one before it (inserted, moved or removed)",
        ),
        "audit_event_changed": (
            "Sự kiện đã bị sửa sau khi ghi",
            "The event was changed after it was written",
        ),
        "audit_root_differs": (
            "Sổ cái không còn như mốc số {number} đã ghi ({size} sự kiện): có sự kiện bị sửa, xóa hoặc chèn",
            "The ledger is not what anchor {number} saw ({size} events): events were changed, removed or inserted",
        ),
        "audit_ledger_cut_off": (
            "Sổ cái bị cắt cuối: mốc số {number} ghi {size} sự kiện, nay còn {events}",
            "The ledger was cut off: anchor {number} saw {size} events, {events} are left",
        ),
        "audit_event_not_as_anchored": (
            "Sự kiện khác với đoạn sổ đã neo ở mốc {number}: trước là “{was}”, nay là “{found}”",
            "The event is not as anchor {number}'s segment has it: it was “{was}”, it is “{found}”",
        ),
        "audit_segment_missing": (
            "Mất đoạn sổ cái {object} của mốc neo",
            "The anchor's ledger segment {object} is missing",
        ),
        "audit_segment_unreadable": (
            "Không đọc được đoạn sổ cái của mốc {number}",
            "The ledger segment of anchor {number} cannot be read",
        ),
        "audit_anchor_record_unreadable": (
            "Không đọc được bản ghi mốc neo: {error}",
            "The anchor's record cannot be read: {error}",
        ),
        "audit_anchor_record_changed": ("Bản ghi mốc neo đã bị sửa", "The anchor's record was changed"),
        "audit_anchor_row_differs": (
            "Dòng của mốc neo khác với bản ghi của nó",
            "The anchor's row says something else than its record",
        ),
        "audit_anchor_does_not_continue": (
            "Mốc neo không nối tiếp mốc trước nó",
            "The anchor does not continue the one before",
        ),
        "audit_anchor_unknown": (
            "Mốc số {number} có ở ngoài mà cơ sở dữ liệu không có",
            "Anchor {number} is outside but not in the database",
        ),
        "audit_anchor_outside_differs": (
            "Mốc số {number} ở ngoài khác với cơ sở dữ liệu",
            "Anchor {number} outside is another one than the database's",
        ),
        "audit_anchor_not_outside": (
            "Thiếu tệp của mốc số {number} ở thư mục neo",
            "The file of anchor {number} is missing in the folder",
        ),
        "audit_anchor_folder_missing": (
            "Không thấy thư mục neo: gắn lại ổ chia sẻ, hoặc sửa LIENTHONG_ANCHORS",
            "There is no such folder of anchors: mount the share, or correct LIENTHONG_ANCHORS",
        ),
        "audit_token_missing": (
            "Mất dấu thời gian {object} của mốc neo",
            "The anchor's time-stamp {object} is missing",
        ),
        "audit_token_wrong": (
            "Dấu thời gian không đúng với mốc neo: {error}",
            "The time-stamp does not hold: {error}",
        ),
        "audit_token_untrusted": (
            "Dấu thời gian chưa được tin cậy: {error}",
            "The time-stamp is not trusted: {error}",
        ),
        "audit_row_removed": (
            "Mất dòng trong bảng {table} {detail}",
            "A row of {table} is missing {detail}",
        ),
        "audit_row_added": (
            "Dòng trong bảng {table} không có sự kiện hay bản kê nào làm ra {detail}",
            "A row of {table} that no event or manifest made {detail}",
        ),
        "audit_row_differs": (
            "Dòng trong bảng {table} khác với sự kiện hoặc bản kê: {detail}",
            "A row of {table} is not what its event or manifest says: {detail}",
        ),
        "audit_dead_reference": (
            "Bảng {table} trỏ tới thứ không có trong kho: {detail}",
            "{table} names what the archive does not have: {detail}",
        ),
        "audit_manifest_missing": ("Mất bản kê {object}", "The manifest {object} is missing"),
        "audit_manifest_changed": ("Bản kê {object} đã bị sửa", "The manifest {object} was changed"),
        "audit_manifest_unreadable": (
            "Không đọc được bản kê {object}: {error}",
            "The manifest {object} cannot be read: {error}",
        ),
        "audit_manifest_of_another": (
            "Bản kê {object} là của văn bản khác",
            "The manifest {object} is of another document",
        ),
        "audit_object_changed": ("Nội dung tệp đã bị đổi", "The object's bytes were changed"),
        "audit_object_wrong_length": ("Tệp sai dung lượng", "The object has the wrong length"),
        "audit_object_missing": ("Mất tệp", "The object is missing"),
        "audit_object_unreadable": ("Không đọc được tệp", "The object cannot be read"),
        "audit_orphan": (
            "Tệp mồ côi: không dòng nào trong cơ sở dữ liệu nhắc tới",
            "An orphan: nothing in the database names it",
        ),
        "audit_fixity_failed": (
            "Phép kiểm tra tệp không đáng tin: {error}",
            "The fixity check cannot be believed: {error}",
        ),
    }
)
